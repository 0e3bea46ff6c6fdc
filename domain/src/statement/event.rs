//! What has happened to a statement.

use super::{Period, StatementLine, Tally};
use crate::event_names::event_names;
use crate::payment::PaymentProvider;
use crate::{StatementId, StatementLineId, StoreId, Text};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Who prints statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementProvider {
    Mpesa,
    Paynow,
    Paystack,
    Stripe,
}

impl StatementProvider {
    pub const ALL: [Self; 4] = [Self::Mpesa, Self::Paynow, Self::Paystack, Self::Stripe];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mpesa => "mpesa",
            Self::Paynow => "paynow",
            Self::Paystack => "paystack",
            Self::Stripe => "stripe",
        }
    }

    /// The payments whose money is on its statements: one account takes what was paid on Stripe's
    /// page and what was paid on the store's own.
    pub const fn carries(self) -> &'static [PaymentProvider] {
        match self {
            Self::Mpesa => &[PaymentProvider::Mpesa],
            Self::Paynow => &[PaymentProvider::Paynow],
            Self::Paystack => &[PaymentProvider::Paystack],
            Self::Stripe => &[PaymentProvider::Stripe, PaymentProvider::StripeCheckout],
        }
    }

    /// Whether each line has a reference of its own. Paynow's has that of the payment: two refunds
    /// of one payment are told apart by their times alone.
    pub(super) const fn names_each_line(self) -> bool {
        match self {
            Self::Mpesa | Self::Paystack | Self::Stripe => true,
            Self::Paynow => false,
        }
    }
}

impl fmt::Display for StatementProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a statement is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub store_id: StoreId,
    pub provider: StatementProvider,
    /// SHA-256 of the file, in hex.
    pub digest: Text<64>,
    pub period: Period,
    /// How many there will be.
    pub lines: u32,
}

impl Opening {
    /// The same file of the same provider is the same statement of the store, whoever loads it and
    /// how often: that its stream begins once is what keeps it from counting twice.
    pub fn statement_id(&self) -> StatementId {
        let name = format!("statement/{}/{}", self.provider, self.digest);
        StatementId::from_uuid(Uuid::new_v5(&self.store_id.as_uuid(), name.as_bytes()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementEvent {
    Opened(Opening),
    LineRecorded {
        store_id: StoreId,
        provider: StatementProvider,
        line_id: StatementLineId,
        /// From 1, in the order of the file.
        number: u32,
        line: StatementLine,
    },
    /// All lines are there.
    Closed {
        lines: u32,
        tallies: Vec<Tally>,
    },
}

event_names!(StatementEvent, "statement", {
    Opened => "opened" v 1,
    LineRecorded => "line_recorded" v 1,
    Closed => "closed" v 1,
});
