//! Payouts: those under way, and the last that came to an end.

use super::{PayoutMethod, VendorAccountError};
use crate::{AccountId, PayoutId, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// How a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStatus {
    /// It waits for somebody's approval.
    Requested,
    /// It is to be paid.
    Approved,
    /// Its provider is told, or was.
    Sent,
    /// Whether it was made is not known.
    Unresolved,
    Paid,
    /// Somebody said no to it.
    Rejected,
    /// It was not made.
    Failed,
    /// It was paid, and the money came back.
    Returned,
}

/// One payout; amounts are minor units of the account's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub amount: i64,
    pub method: PayoutMethod,
    pub status: PayoutStatus,
    /// Nobody, if it was time by the store's schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<AccountId>,
    pub requested_at: DateTime<Utc>,
    /// By which its provider knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<Text<500>>,
    /// Under which who carried the money knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Text<200>>,
}

/// Those under way, and the last that ended: banks send back what they cannot deliver within weeks,
/// and what is older than the last hundred nobody asks about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payouts {
    under_way: BTreeMap<PayoutId, Payout>,
    ended: VecDeque<(PayoutId, Payout)>,
}

impl PayoutStatus {
    pub const ALL: [Self; 8] = [
        Self::Requested,
        Self::Approved,
        Self::Sent,
        Self::Unresolved,
        Self::Paid,
        Self::Rejected,
        Self::Failed,
        Self::Returned,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Sent => "sent",
            Self::Unresolved => "unresolved",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Returned => "returned",
        }
    }

    /// Whether its amount is kept aside, and nobody knows yet what becomes of it.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Requested | Self::Approved | Self::Sent | Self::Unresolved => true,
            Self::Paid | Self::Rejected | Self::Failed | Self::Returned => false,
        }
    }
}

impl fmt::Display for PayoutStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Payouts {
    /// Each keeps money aside until somebody has seen to it.
    pub const UNDER_WAY_MAX: usize = 20;

    pub const ENDED_KEPT: usize = 100;

    /// # Errors
    /// [`VendorAccountError::NoSuchPayout`], also for one that ended long ago.
    pub fn get(&self, payout_id: PayoutId) -> Result<&Payout, VendorAccountError> {
        self.find(payout_id)
            .ok_or(VendorAccountError::NoSuchPayout { payout_id })
    }

    pub fn find(&self, payout_id: PayoutId) -> Option<&Payout> {
        let ended = || {
            let mut ended = self.ended.iter().rev();
            ended.find_map(|(id, payout)| (*id == payout_id).then_some(payout))
        };
        self.under_way.get(&payout_id).or_else(ended)
    }

    pub fn under_way(&self) -> impl ExactSizeIterator<Item = (PayoutId, &Payout)> + '_ {
        self.under_way.iter().map(|(id, payout)| (*id, payout))
    }

    pub(super) fn add(&mut self, payout_id: PayoutId, payout: Payout) {
        self.under_way.insert(payout_id, payout);
    }

    pub(super) fn change(&mut self, payout_id: PayoutId, change: impl FnOnce(&mut Payout)) {
        if let Some(payout) = self.under_way.get_mut(&payout_id) {
            change(payout);
        } else if let Some((_, payout)) = self.ended.iter_mut().find(|(id, _)| *id == payout_id) {
            change(payout);
        }
        let is_at_end = |payout: &Payout| !payout.status.is_under_way();
        if self.under_way.get(&payout_id).is_some_and(is_at_end)
            && let Some(ended) = self.under_way.remove(&payout_id)
        {
            self.ended.push_back((payout_id, ended));
            if self.ended.len() > Self::ENDED_KEPT {
                self.ended.pop_front();
            }
        }
    }
}
