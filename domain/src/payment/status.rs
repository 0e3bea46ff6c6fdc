//! How a payment stands, in one word.

use super::PaymentProvider;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Its provider has not been asked yet.
    Initiated,
    /// The payer's turn: cash on delivery from the start, as nobody needs to be asked.
    Pending,
    /// The payer agreed, and nothing was taken yet.
    Authorised,
    Captured,
    PartlyRefunded,
    /// All of it went back.
    Refunded,
    /// The payer's bank wants it back, or has taken it.
    Disputed,
    /// Whether money moved is not known: it is asked about until it is.
    Unresolved,
    /// No money moved, and none is expected.
    Failed,
    /// The payer did not pay in time.
    Expired,
    /// It will not be asked for again; no money had moved.
    Cancelled,
}

impl PaymentStatus {
    /// Of a payment whose money came, by what is left of it.
    pub const fn of_kept(kept: i64, captured: i64) -> Self {
        if kept == captured {
            Self::Captured
        } else if kept == 0 {
            Self::Refunded
        } else {
            Self::PartlyRefunded
        }
    }

    /// Whether the money came, whatever became of it since.
    pub const fn was_captured(self) -> bool {
        match self {
            Self::Captured | Self::PartlyRefunded | Self::Refunded | Self::Disputed => true,
            Self::Initiated
            | Self::Pending
            | Self::Authorised
            | Self::Unresolved
            | Self::Failed
            | Self::Expired
            | Self::Cancelled => false,
        }
    }

    /// Whether money may still come of it without anybody starting anything new.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Initiated | Self::Pending | Self::Authorised | Self::Unresolved => true,
            Self::Captured
            | Self::PartlyRefunded
            | Self::Refunded
            | Self::Disputed
            | Self::Failed
            | Self::Expired
            | Self::Cancelled => false,
        }
    }

    /// Before anything has happened to the payment.
    pub const fn at_first(provider: PaymentProvider) -> Self {
        if provider.is_recorded_by_hand() {
            Self::Pending
        } else {
            Self::Initiated
        }
    }
}
