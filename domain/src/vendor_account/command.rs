//! What may be asked of a vendor's account.

use super::{Credit, Debit, Owner, PayoutDetails, PayoutMethod};
use crate::{AccountId, Money, PayoutId, Personal, Text};
use chrono::{DateTime, TimeDelta, Utc};

/// What is personal is given under the vendor's own subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorAccountCommand {
    /// An order was paid. The caller sees to it that each is credited once.
    Credit { owner: Owner, credit: Credit },
    /// Money of an order went back. The caller sees to it that each refund is debited once.
    Debit { owner: Owner, debit: Debit },
    SetPayoutAccount {
        owner: Owner,
        method: PayoutMethod,
        details: Personal<PayoutDetails>,
        set_by: AccountId,
        /// How long nothing is paid out from now on; see [`PayoutAccount::HELD_FOR`].
        ///
        /// [`PayoutAccount::HELD_FOR`]: super::PayoutAccount::HELD_FOR
        held_for: TimeDelta,
        now: DateTime<Utc>,
    },
    RequestPayout {
        owner: Owner,
        request: PayoutRequest,
    },
    ApprovePayout {
        payout_id: PayoutId,
        approved_by: AccountId,
        now: DateTime<Utc>,
    },
    RejectPayout {
        payout_id: PayoutId,
        rejected_by: AccountId,
        reason: Text<500>,
    },
    /// Somebody has paid it by hand, or found out that it was paid.
    RecordPayout {
        payout_id: PayoutId,
        reference: Text<200>,
        paid_by: AccountId,
    },
    /// Its provider is about to be told.
    StartPayout {
        payout_id: PayoutId,
        now: DateTime<Utc>,
    },
    /// Its provider has taken it, and calls it so.
    NotePayoutSent {
        payout_id: PayoutId,
        handle: Text<500>,
    },
    /// Whether it was made is not known.
    DoubtPayout {
        payout_id: PayoutId,
        because: Text<500>,
    },
    /// Its provider says that it was made.
    CompletePayout {
        payout_id: PayoutId,
        reference: Text<200>,
    },
    /// It surely was not made.
    FailPayout {
        payout_id: PayoutId,
        reason: Text<500>,
    },
    /// It was made, and the money came back.
    ReturnPayout {
        payout_id: PayoutId,
        reason: Text<500>,
        /// Nobody, if its provider says so.
        recorded_by: Option<AccountId>,
    },
}

/// What is to be paid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRequest {
    pub payout_id: PayoutId,
    /// All that can be paid out, if left out.
    pub amount: Option<Money>,
    /// Nobody, if it is time by the store's schedule.
    pub requested_by: Option<AccountId>,
    /// What is more than this waits for the approval of somebody else. Minor units.
    pub four_eyes_above: i64,
    pub now: DateTime<Utc>,
}
