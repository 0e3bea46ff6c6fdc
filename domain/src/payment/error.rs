//! Why a payment says no.

use crate::{Money, Text};
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
    #[error("a provider that is asked needs terms, and nobody else has any")]
    WrongTerms,
    #[error("nobody is asked for a payment of this kind")]
    NotAsked,
    #[error("{expected} is to be paid, not {found}")]
    AmountDiffers { expected: Money, found: Money },
    #[error("{asked} is not in the currency of the payment")]
    CurrencyDiffers { asked: Money },
    #[error("money that came is more than nothing")]
    NoMoney,
    #[error("the money is there already")]
    AlreadyCaptured,
    #[error("the payment is cancelled")]
    Cancelled,
    #[error("nobody has agreed to pay")]
    NotAuthorised,
    #[error("there is no money that could go back")]
    NotCaptured,
    #[error("a refund is more than nothing, and in the currency of the payment")]
    NoRefund,
    #[error("{refundable} can go back, not {asked}")]
    RefundTooLarge { refundable: Money, asked: Money },
    #[error("another refund was made under this id")]
    AlreadyRefunded,
    #[error("no such refund was requested")]
    NoSuchRefund,
    #[error("the refund has come to its end")]
    RefundEnded,
    #[error("no money is known under this reference")]
    NoSuchReference,
    #[error(
        "an unsigned callback called the same sum {known}: say that this is right, or what is instead"
    )]
    ReferenceUnsure { known: Text<200> },
    #[error("the reference is sure, and not replaced by another")]
    ReferenceCertain,
}
