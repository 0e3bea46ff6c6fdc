//! The currencies that Soko trades in.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Kenyan shilling.
    Kes,
    /// United States dollar, widely used in Zimbabwe.
    Usd,
    /// South African rand.
    Zar,
    /// Zimbabwe Gold, since 25 June 2024.
    Zwg,
}

/// The code is not one of the currencies that Soko trades in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of KES, USD, ZAR, ZWG")]
pub struct CurrencyError;

impl Currency {
    pub const ALL: [Self; 4] = [Self::Kes, Self::Usd, Self::Zar, Self::Zwg];

    /// The ISO 4217 alphabetic code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kes => "KES",
            Self::Usd => "USD",
            Self::Zar => "ZAR",
            Self::Zwg => "ZWG",
        }
    }

    /// How many decimal digits a minor unit is below the major one (ISO 4217).
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Kes | Self::Usd | Self::Zar | Self::Zwg => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code() == code)
            .ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_goes_by_its_iso_code() {
        for currency in Currency::ALL {
            assert_eq!(currency.code().parse(), Ok(currency));
            let json = serde_json::to_string(&currency).unwrap();
            assert_eq!(json, format!("{:?}", currency.code()));
        }
        for code in ["", "kes", "EUR", "ZWL"] {
            assert_eq!(code.parse::<Currency>(), Err(CurrencyError), "{code:?}");
        }
    }
}
