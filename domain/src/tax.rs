//! Tax on one line of an order.

#[cfg(test)]
mod tests;

use crate::{Money, MoneyError};
use serde::{Deserialize, Serialize};

/// A rate in basis points: 1550 is 15.5 %. At most 10 000 (100 %).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct TaxRate(u16);

/// The rate was above 10 000 basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 0 to 10000 basis points")]
pub struct TaxRateError;

impl TaxRate {
    const ONE_BPS: i128 = 10_000;

    pub const fn bps(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for TaxRate {
    type Error = TaxRateError;

    fn try_from(bps: u32) -> Result<Self, TaxRateError> {
        match u16::try_from(bps) {
            Ok(bps) if bps <= 10_000 => Ok(Self(bps)),
            _ => Err(TaxRateError),
        }
    }
}

impl From<TaxRate> for u32 {
    fn from(rate: TaxRate) -> Self {
        Self::from(rate.0)
    }
}

/// How a store taxes what it sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    pub prices_include_tax: bool,
    #[serde(rename = "tax_rate_bps")]
    pub rate: TaxRate,
}

impl Tax {
    /// The tax in (if prices include it) or on (if not) a price, half a minor unit rounded up.
    /// Source of the rounding: South African VAT Act, section 66.
    ///
    /// # Errors
    /// The result is beyond 64 bits.
    pub fn of(self, price: Money) -> Result<Money, MoneyError> {
        let rate = i128::from(self.rate.0);
        let divisor = TaxRate::ONE_BPS + if self.prices_include_tax { rate } else { 0 };
        let exact = i128::from(price.amount()) * rate;
        let rounded = (2 * exact + divisor).div_euclid(2 * divisor);
        let amount = i64::try_from(rounded).map_err(|_| MoneyError::TooLarge)?;
        Ok(Money::new(amount, price.currency()))
    }

    /// What the buyer pays for a price: with tax on top where prices exclude it.
    ///
    /// # Errors
    /// The result is beyond 64 bits.
    pub fn gross(self, price: Money) -> Result<Money, MoneyError> {
        if self.prices_include_tax {
            Ok(price)
        } else {
            price.add(self.of(price)?)
        }
    }
}
