//! Whose protocol is spoken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Mpesa,
    Paystack,
    Stripe,
    Paynow,
    Ecocash,
}

impl Provider {
    pub const ALL: [Self; 5] = [
        Self::Mpesa,
        Self::Paystack,
        Self::Stripe,
        Self::Paynow,
        Self::Ecocash,
    ];

    /// As it stands in addresses and in the book.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mpesa => "mpesa",
            Self::Paystack => "paystack",
            Self::Stripe => "stripe",
            Self::Paynow => "paynow",
            Self::Ecocash => "ecocash",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there is no such provider")]
pub struct UnknownProvider;

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or(UnknownProvider)
    }
}
