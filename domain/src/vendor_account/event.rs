//! What has happened to a vendor's account.

use super::{PayoutDetails, PayoutMethod};
use crate::event_names::event_names;
use crate::order::VendorShare;
use crate::{AccountId, Currency, OrderId, PayoutId, Personal, RefundId, StoreId, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What an order that was paid brings to the vendor. Amounts are minor units of the account's
/// currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    pub order_id: OrderId,
    /// What the vendor is owed for it: what was sold without what the store keeps.
    pub amount: i64,
    pub share: VendorShare,
    /// From when on it can be paid out.
    pub available_at: DateTime<Utc>,
    /// When it was written down. What is to be available by then is so from here on.
    pub credited_at: DateTime<Utc>,
}

/// What a refund takes from the vendor. Amounts are minor units of the account's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debit {
    pub order_id: OrderId,
    pub refund_id: RefundId,
    /// What the vendor is owed less.
    pub amount: i64,
    pub share: VendorShare,
}

/// Amounts are minor units of the account's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorAccountEvent {
    Opened {
        store_id: StoreId,
        currency: Currency,
    },
    Credited(Box<Credit>),
    Debited(Box<Debit>),
    PayoutAccountSet {
        method: PayoutMethod,
        details: Personal<PayoutDetails>,
        /// Before that nothing is paid out: who took over the vendor's log-in would set an account
        /// of their own first, and those whose it is need time to see it.
        usable_from: DateTime<Utc>,
        set_by: AccountId,
    },
    /// From here on its amount cannot be paid out otherwise.
    PayoutRequested {
        payout_id: PayoutId,
        store_id: StoreId,
        currency: Currency,
        amount: i64,
        method: PayoutMethod,
        /// Nobody, if it was time by the store's schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requested_by: Option<AccountId>,
        requested_at: DateTime<Utc>,
    },
    PayoutApproved {
        payout_id: PayoutId,
        /// Nobody, if it is so little that nobody has to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved_by: Option<AccountId>,
    },
    PayoutRejected {
        payout_id: PayoutId,
        amount: i64,
        rejected_by: AccountId,
        reason: Text<500>,
    },
    /// Its provider is about to be told: what becomes of it from here on has to be asked.
    PayoutStarted {
        payout_id: PayoutId,
    },
    /// Its provider has taken it.
    PayoutSent {
        payout_id: PayoutId,
        /// By which the provider knows it.
        handle: Text<500>,
    },
    /// Whether it was made is not known.
    PayoutDoubted {
        payout_id: PayoutId,
        because: Text<500>,
    },
    PayoutPaid {
        payout_id: PayoutId,
        store_id: StoreId,
        currency: Currency,
        method: PayoutMethod,
        amount: i64,
        /// Under which who carried the money knows it.
        reference: Text<200>,
        /// Nobody, if a provider did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_by: Option<AccountId>,
    },
    /// It surely was not made.
    PayoutFailed {
        payout_id: PayoutId,
        amount: i64,
        reason: Text<500>,
    },
    /// The money came back.
    PayoutReturned {
        payout_id: PayoutId,
        store_id: StoreId,
        currency: Currency,
        method: PayoutMethod,
        amount: i64,
        reason: Text<500>,
        /// Nobody, if a provider said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recorded_by: Option<AccountId>,
    },
}

event_names!(VendorAccountEvent, "vendor_account", {
    Opened => "opened" v 1,
    Credited => "credited" v 1,
    Debited => "debited" v 1,
    PayoutAccountSet => "payout_account_set" v 1,
    PayoutRequested => "payout_requested" v 1,
    PayoutApproved => "payout_approved" v 1,
    PayoutRejected => "payout_rejected" v 1,
    PayoutStarted => "payout_started" v 1,
    PayoutSent => "payout_sent" v 1,
    PayoutDoubted => "payout_doubted" v 1,
    PayoutPaid => "payout_paid" v 1,
    PayoutFailed => "payout_failed" v 1,
    PayoutReturned => "payout_returned" v 1,
});
