//! How many.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// At least one, at most a million: nobody buys or receives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(NonZeroU32);

impl Quantity {
    pub const ONE: Self = Self(NonZeroU32::MIN);
    pub const MAX: u32 = 1_000_000;

    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// `None` if that is more than [`Quantity::MAX`].
    pub fn plus(self, more: Self) -> Option<Self> {
        self.get().checked_add(more.get())?.try_into().ok()
    }

    /// For sums that may be negative.
    pub const fn units(self) -> i64 {
        self.0.get() as i64
    }
}

/// The number was zero or above [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {}", Quantity::MAX)]
pub struct QuantityError;

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;

    fn try_from(number: u32) -> Result<Self, QuantityError> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= Self::MAX => Ok(Self(number)),
            _ => Err(QuantityError),
        }
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_from_one_to_a_million() {
        assert_eq!(Quantity::try_from(0), Err(QuantityError));
        assert_eq!(Quantity::try_from(1), Ok(Quantity::ONE));
        assert_eq!(Quantity::try_from(1_000_000).unwrap().get(), 1_000_000);
        assert_eq!(Quantity::try_from(1_000_001), Err(QuantityError));
    }

    #[test]
    fn a_quantity_is_a_whole_number_in_json() {
        assert_eq!(serde_json::from_str::<Quantity>("5").unwrap().get(), 5);
        for json in ["0", "-1", "1.5", "1000001", r#""5""#] {
            assert!(serde_json::from_str::<Quantity>(json).is_err(), "{json}");
        }
    }
}
