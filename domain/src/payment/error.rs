//! Why a payment says no.

use crate::Money;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentError {
    #[error("there is no such payment")]
    NotInitiated,
    #[error("the payment was initiated for something else")]
    AlreadyInitiated,
    #[error("nobody can be asked for less than nothing")]
    NegativeAmount,
    #[error("{expected} is to be paid, not {found}")]
    AmountDiffers { expected: Money, found: Money },
    #[error("the money is there already")]
    AlreadyCaptured,
    #[error("the payment is cancelled")]
    Cancelled,
    #[error("there is no money that could go back")]
    NotCaptured,
    #[error("a refund is more than nothing, and in the currency of the payment")]
    NoRefund,
    #[error("{refundable} can go back, not {asked}")]
    RefundTooLarge { refundable: Money, asked: Money },
    #[error("another refund was made under this id")]
    AlreadyRefunded,
}
