//! Why a promotion says no.

use crate::{CouponCode, Money};
use serde::{Deserialize, Serialize};

/// A number that has a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    /// Basis points.
    Percentage,
    Amount,
    AtMost,
    Minimum,
    Uses,
    UsesOfCustomer,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionError {
    #[error("there is no such promotion")]
    NotCreated,
    #[error("a promotion of the store has the code {code}, or had it once")]
    CodeTaken { code: CouponCode },
    #[error("a vendor pays only for what it sells itself")]
    NobodyToFund,
    #[error("must be from 1 to {max}")]
    OutOfRange { what: Limited, max: i64 },
    #[error("cannot end before it has begun")]
    EndsBeforeItStarts,
    #[error("the coupon is not valid yet")]
    NotStarted,
    #[error("the coupon is not valid any more")]
    Ended,
    #[error("the coupon was used as often as it may be")]
    Exhausted,
    #[error("none of the goods is what the coupon is for")]
    NothingToDiscount,
    #[error("the coupon is for goods of {minimum} or more, not of {found}")]
    BelowMinimum { minimum: Money, found: Money },
    #[error("the amounts are too large")]
    TooLarge,
}
