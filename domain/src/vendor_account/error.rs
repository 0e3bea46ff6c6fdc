//! Why a vendor's account says no.

use super::{PayoutMethod, PayoutStatus};
use crate::{Currency, Money, PayoutId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorAccountError {
    #[error("the vendor has no account yet")]
    NotOpened,
    #[error("the account is with another store")]
    OtherStore,
    #[error("the amount is too large")]
    TooLarge,
    #[error("a sale or a refund takes nothing less than nothing")]
    NegativeAmount,
    #[error("the account is kept in {expected}, not in {found}")]
    OtherCurrency { expected: Currency, found: Currency },
    #[error("{method} does not pay in {currency}")]
    MethodNotInCurrency {
        method: PayoutMethod,
        currency: Currency,
    },
    #[error("the payout account is not of that kind")]
    DetailsDiffer,
    #[error("the payout account was set a short while ago: nothing is paid out before {until}")]
    Held { until: DateTime<Utc> },
    #[error("{available} can be paid out, not {requested}")]
    NotEnough { available: Money, requested: Money },
    #[error("a payout is of at least {minimum}")]
    BelowMinimum { minimum: Money },
    #[error("{method} pays multiples of {unit}")]
    NotWhole { method: PayoutMethod, unit: Money },
    #[error("no more than {max} payouts can be under way")]
    TooManyUnderWay { max: usize },
    #[error("there is no such payout")]
    NoSuchPayout { payout_id: PayoutId },
    #[error("who has requested a payout cannot approve it")]
    OwnRequest,
    #[error("the payout is {status}")]
    WrongStatus { status: PayoutStatus },
    #[error("its provider says itself what came of this payout")]
    NotByHand,
    #[error("this payout is paid by hand")]
    ByHand,
}
