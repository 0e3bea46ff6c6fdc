//! Payouts as they stand.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::{Keyset, Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::vendor_account::{PayoutMethod, PayoutStatus, VendorAccountEvent};
use soko_domain::{AccountId, AnyEvent, Currency, PayoutId, StoreId, TenantId, VendorId};
use soko_event_log::{Position, RecordedEvent, ScopedReader};
use sqlx::QueryBuilder;

crate::row! {
    /// A payout; its amount is minor units of its currency.
    pub struct Payout in "payouts" {
        key { payout_id: PayoutId }
        /// Of its request: the order of the lists.
        position: i64,
        tenant_id: TenantId,
        store_id: StoreId,
        vendor_id: VendorId,
        currency: Currency,
        amount: i64,
        method: PayoutMethod,
        status: PayoutStatus,
        /// `None`: it was time by the store's schedule.
        requested_by: Option<AccountId>,
        requested_at: DateTime<Utc>,
        /// Who approved or rejected it; `None` if nobody had to.
        decided_by: Option<AccountId>,
        /// Who paid it by hand.
        paid_by: Option<AccountId>,
        paid_at: Option<DateTime<Utc>>,
        /// Under which who carried the money knows it.
        reference: Option<String>,
        /// Why it was rejected, doubted, failed or returned.
        reason: Option<String>,
        changed_at: DateTime<Utc>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Payouts;

impl ReadModel for Payouts {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["vendor_account"];

    type Key = PayoutId;
    type Row = Payout;

    fn keys(recorded: &RecordedEvent) -> Vec<PayoutId> {
        let AnyEvent::VendorAccount(_, event) = &recorded.event else {
            return vec![];
        };
        match event {
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::Credited(_)
            | VendorAccountEvent::Debited(_)
            | VendorAccountEvent::PayoutAccountSet { .. } => vec![],
            VendorAccountEvent::PayoutRequested { payout_id, .. }
            | VendorAccountEvent::PayoutApproved { payout_id, .. }
            | VendorAccountEvent::PayoutRejected { payout_id, .. }
            | VendorAccountEvent::PayoutStarted { payout_id }
            | VendorAccountEvent::PayoutSent { payout_id, .. }
            | VendorAccountEvent::PayoutDoubted { payout_id, .. }
            | VendorAccountEvent::PayoutPaid { payout_id, .. }
            | VendorAccountEvent::PayoutFailed { payout_id, .. }
            | VendorAccountEvent::PayoutReturned { payout_id, .. } => vec![*payout_id],
        }
    }

    fn fold(row: Option<Payout>, payout_id: &PayoutId, recorded: &RecordedEvent) -> Option<Payout> {
        let AnyEvent::VendorAccount(vendor_id, event) = &recorded.event else {
            return row;
        };
        let mut payout = match event {
            VendorAccountEvent::PayoutRequested {
                store_id,
                currency,
                amount,
                method,
                requested_by,
                ..
            } => Payout {
                payout_id: *payout_id,
                position: recorded.position.get(),
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                vendor_id: *vendor_id,
                currency: *currency,
                amount: *amount,
                method: *method,
                status: PayoutStatus::Requested,
                requested_by: *requested_by,
                requested_at: recorded.recorded_at,
                decided_by: None,
                paid_by: None,
                paid_at: None,
                reference: None,
                reason: None,
                changed_at: recorded.recorded_at,
            },
            _ => row?,
        };
        payout.apply(event, recorded.recorded_at);
        payout.changed_at = recorded.recorded_at;
        Some(payout)
    }
}

impl Payout {
    fn apply(&mut self, event: &VendorAccountEvent, at: DateTime<Utc>) {
        match event {
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::Credited(_)
            | VendorAccountEvent::Debited(_)
            | VendorAccountEvent::PayoutAccountSet { .. }
            | VendorAccountEvent::PayoutRequested { .. } => (),
            VendorAccountEvent::PayoutApproved { approved_by, .. } => {
                self.status = PayoutStatus::Approved;
                self.decided_by = *approved_by;
            }
            VendorAccountEvent::PayoutRejected {
                rejected_by,
                reason,
                ..
            } => {
                self.status = PayoutStatus::Rejected;
                self.decided_by = Some(*rejected_by);
                self.reason = Some(reason.to_string());
            }
            VendorAccountEvent::PayoutStarted { .. } | VendorAccountEvent::PayoutSent { .. } => {
                self.status = PayoutStatus::Sent;
                self.reason = None;
            }
            VendorAccountEvent::PayoutDoubted { because, .. } => {
                self.status = PayoutStatus::Unresolved;
                self.reason = Some(because.to_string());
            }
            VendorAccountEvent::PayoutPaid {
                reference, paid_by, ..
            } => {
                self.status = PayoutStatus::Paid;
                self.reference = Some(reference.to_string());
                self.paid_by = *paid_by;
                self.paid_at = Some(at);
                self.reason = None;
            }
            VendorAccountEvent::PayoutFailed { reason, .. } => {
                self.status = PayoutStatus::Failed;
                self.reason = Some(reason.to_string());
            }
            VendorAccountEvent::PayoutReturned { reason, .. } => {
                self.status = PayoutStatus::Returned;
                self.reason = Some(reason.to_string());
            }
        }
    }
}

/// One payout, if it is within what the caller may see.
///
/// # Errors
/// The database failed.
pub async fn payout(
    reader: &ScopedReader,
    within: Within,
    payout_id: PayoutId,
) -> Result<Option<Payout>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Payout>());
    query
        .push(" WHERE payout_id = ")
        .push_bind(payout_id.as_uuid());
    within.and(&mut query);
    rows::optional(query, reader, &within.scope()).await
}

/// Payouts, latest first, requested before a position.
///
/// # Errors
/// The database failed.
pub async fn payouts(
    reader: &ScopedReader,
    within: Within,
    status: Option<PayoutStatus>,
    page: Keyset<Position>,
) -> Result<(Vec<Payout>, Option<Position>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Payout>());
    query
        .push(" WHERE position < ")
        .push_bind(page.after.map_or(i64::MAX, Position::get));
    within.and(&mut query);
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    query.push(" ORDER BY position DESC LIMIT ");
    query.push(page.limit + 1);
    let mut items: Vec<Payout> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| Position::new(last.position));
    Ok((items, next))
}
