//! What each vendor is owed, and what of it is on hold.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::{Within, rows};
use crate::row::Json;
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::vendor_account::{PayoutMethod, VendorAccountEvent};
use soko_domain::{AnyEvent, Currency, StoreId, TenantId, VendorId};
use soko_event_log::{RecordedEvent, ScopedReader};
use sqlx::QueryBuilder;
use uuid::Uuid;

crate::row! {
    /// A vendor's account; amounts are minor units of its currency.
    pub struct VendorBalance in "vendor_balances" {
        key { vendor_id: VendorId }
        tenant_id: TenantId,
        store_id: StoreId,
        currency: Currency,
        /// All that was ever sold, without what the store kept of it.
        credited: i64,
        /// What went back.
        debited: i64,
        paid_out: i64,
        /// What is kept aside for payouts that are under way.
        under_way: i64,
        /// What of `credited` was not available at the last event, the first to be so first.
        on_hold: Json<Vec<OnHold>>,
        payout_method: Option<PayoutMethod>,
        /// Before that nothing is paid out.
        usable_from: Option<DateTime<Utc>>,
        changed_at: DateTime<Utc>,
        /// The sequence of the account's last event.
        version: i64,
    }
}

/// What becomes available at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnHold {
    pub available_at: DateTime<Utc>,
    /// Minor units.
    pub amount: i64,
}

/// The read model.
#[derive(Debug)]
pub struct VendorBalances;

impl ReadModel for VendorBalances {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["vendor_account"];

    type Key = VendorId;
    type Row = VendorBalance;

    fn keys(recorded: &RecordedEvent) -> Vec<VendorId> {
        match &recorded.event {
            AnyEvent::VendorAccount(vendor_id, _) => vec![*vendor_id],
            _ => vec![],
        }
    }

    fn fold(
        row: Option<VendorBalance>,
        vendor_id: &VendorId,
        recorded: &RecordedEvent,
    ) -> Option<VendorBalance> {
        let AnyEvent::VendorAccount(_, event) = &recorded.event else {
            return row;
        };
        let at = recorded.recorded_at;
        let mut balance = match (row, event) {
            (None, VendorAccountEvent::Opened { store_id, currency }) => VendorBalance {
                vendor_id: *vendor_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                currency: *currency,
                credited: 0,
                debited: 0,
                paid_out: 0,
                under_way: 0,
                on_hold: Json(vec![]),
                payout_method: None,
                usable_from: None,
                changed_at: at,
                version: 0,
            },
            (row, _) => row?,
        };
        balance.apply(event);
        balance.on_hold.0.retain(|held| held.available_at > at);
        balance.changed_at = at;
        balance.version = super::version(recorded);
        Some(balance)
    }

    fn sources(vendor_id: &VendorId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("vendor_account", vendor_id.as_uuid())])
    }
}

impl VendorBalance {
    /// What can be paid out at a time that is not before the last event. Below nothing where more
    /// went back than was left.
    pub fn available(&self, now: DateTime<Utc>) -> i64 {
        self.credited - self.pending(now) - self.debited - self.paid_out - self.under_way
    }

    /// What was sold and cannot be paid out yet.
    pub fn pending(&self, now: DateTime<Utc>) -> i64 {
        self.held(now).map(|held| held.amount).sum()
    }

    /// What becomes available after a time, the first first.
    pub fn held(&self, now: DateTime<Utc>) -> impl Iterator<Item = OnHold> + '_ {
        let held = self.on_hold.0.iter().copied();
        held.filter(move |held| held.available_at > now)
    }

    fn apply(&mut self, event: &VendorAccountEvent) {
        match event {
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::PayoutApproved { .. }
            | VendorAccountEvent::PayoutStarted { .. }
            | VendorAccountEvent::PayoutSent { .. }
            | VendorAccountEvent::PayoutDoubted { .. } => (),
            VendorAccountEvent::Credited(credit) => {
                self.credited += credit.amount;
                self.hold(credit.available_at, credit.amount);
            }
            VendorAccountEvent::Debited(debit) => self.debited += debit.amount,
            VendorAccountEvent::PayoutAccountSet {
                method,
                usable_from,
                ..
            } => {
                self.payout_method = Some(*method);
                // To the microsecond, as the column has it.
                self.usable_from = Some(usable_from.trunc_subsecs(6));
            }
            VendorAccountEvent::PayoutRequested { amount, .. } => self.under_way += amount,
            VendorAccountEvent::PayoutRejected { amount, .. }
            | VendorAccountEvent::PayoutFailed { amount, .. } => self.under_way -= amount,
            VendorAccountEvent::PayoutPaid { amount, .. } => {
                self.under_way -= amount;
                self.paid_out += amount;
            }
            VendorAccountEvent::PayoutReturned { amount, .. } => self.paid_out -= amount,
        }
    }

    fn hold(&mut self, available_at: DateTime<Utc>, amount: i64) {
        let on_hold = &mut self.on_hold.0;
        match on_hold.binary_search_by_key(&available_at, |held| held.available_at) {
            Ok(index) => on_hold[index].amount += amount,
            Err(index) => on_hold.insert(
                index,
                OnHold {
                    available_at,
                    amount,
                },
            ),
        }
    }
}

/// The account of one vendor; `None` if nothing has happened to it, or it lies elsewhere.
///
/// # Errors
/// The database failed.
pub async fn vendor_balance(
    reader: &ScopedReader,
    within: Within,
    vendor_id: VendorId,
) -> Result<Option<VendorBalance>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<VendorBalance>());
    query
        .push(" WHERE vendor_id = ")
        .push_bind(vendor_id.as_uuid());
    within.and(&mut query);
    rows::optional(query, reader, &within.scope()).await
}
