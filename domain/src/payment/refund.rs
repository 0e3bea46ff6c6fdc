//! Money that goes back.

use crate::{AccountId, Money, RefundId, Text};
use serde::{Deserialize, Serialize};

/// By which way money goes back, where a person sees to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundMethod {
    Cash,
    BankTransfer,
    MobileMoney,
}

/// A part of a payment that went back, or all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub refund_id: RefundId,
    /// More than nothing.
    pub amount: Money,
    pub reason: Text<500>,
    pub method: RefundMethod,
    /// Under which the way it took knows it; unique within the store.
    pub reference: Text<200>,
    /// Who saw to it.
    pub refunded_by: AccountId,
}
