//! Money that goes back.

use super::Purpose;
use crate::{AccountId, Money, RefundId, Text};
use serde::{Deserialize, Serialize};

/// By which way money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundMethod {
    /// The way it came: the provider sends it.
    Provider,
    // What a person sees to.
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
    /// Who saw to it; nobody, if it followed by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_by: Option<AccountId>,
    /// The payment says it of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

/// What a provider is to give back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    pub refund_id: RefundId,
    /// More than nothing.
    pub amount: Money,
    pub reason: Text<500>,
    /// Whether it is money that the order did not need: then the order does not hear of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_surplus: bool,
    /// Who asked for it; nobody, if it follows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<AccountId>,
}

/// A refund on its way, or at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub request: RefundRequest,
    /// The reference of the capture that it is of.
    pub of: Text<200>,
    pub stage: ReturnStage,
    /// By which the provider knows it.
    pub handle: Option<Text<500>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReturnStage {
    /// It is to be asked for, or was.
    Requested,
    /// Whether it was done is not known, and nobody can be asked: a person has to look.
    Unresolved,
    Done,
    /// It surely was not done.
    Failed,
}

impl ReturnStage {
    /// Whether the money is gone, or may be.
    pub const fn takes_money(self) -> bool {
        match self {
            Self::Requested | Self::Unresolved | Self::Done => true,
            Self::Failed => false,
        }
    }

    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Requested | Self::Unresolved)
    }
}
