//! Every movement of what a vendor is owed: what a statement is made of.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::{Statement, StatementEntry, statement};

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::vendor_account::VendorAccountEvent;
use soko_domain::{AnyEvent, OrderId, PayoutId, RefundId, TenantId, VendorId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// One movement, at the position of its event; amounts are minor units of the account's currency.
    pub struct AccountMove in "account_moves" {
        key { vendor_id: VendorId, position: i64 }
        tenant_id: TenantId,
        at: DateTime<Utc>,
        /// `sale`, `refund`, `payout` or `payout_returned`.
        kind: String,
        order_id: Option<OrderId>,
        refund_id: Option<RefundId>,
        payout_id: Option<PayoutId>,
        /// Of a payout: under which who carried it knows it.
        reference: Option<String>,
        /// What the buyer paid; of a refund, less than nothing, as are the three below.
        gross: i64,
        /// What the store made up for of what was taken off.
        subsidy: i64,
        /// What the store kept of both.
        commission: i64,
        commission_tax: i64,
        /// What the vendor is owed more, or less.
        amount: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct AccountMoves;

impl ReadModel for AccountMoves {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["vendor_account"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 320;

    type Key = (VendorId, i64);
    type Row = AccountMove;

    fn keys(recorded: &RecordedEvent) -> Vec<(VendorId, i64)> {
        match &recorded.event {
            AnyEvent::VendorAccount(vendor_id, event) if Movement::of(event).is_some() => {
                vec![(*vendor_id, recorded.position.get())]
            }
            _ => vec![],
        }
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<AccountMove>,
        (vendor_id, position): &(VendorId, i64),
        recorded: &RecordedEvent,
    ) -> Option<AccountMove> {
        let AnyEvent::VendorAccount(_, event) = &recorded.event else {
            return None;
        };
        let moved = Movement::of(event)?;
        Some(AccountMove {
            vendor_id: *vendor_id,
            position: *position,
            tenant_id: recorded.tenant_id,
            at: recorded.recorded_at,
            kind: moved.kind.to_owned(),
            order_id: moved.order_id,
            refund_id: moved.refund_id,
            payout_id: moved.payout_id,
            reference: moved.reference,
            gross: moved.gross,
            subsidy: moved.subsidy,
            commission: moved.commission,
            commission_tax: moved.commission_tax,
            amount: moved.amount,
        })
    }

    fn sources((vendor_id, _): &(VendorId, i64)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("vendor_account", vendor_id.as_uuid())])
    }
}

/// What an event moves.
#[derive(Default)]
struct Movement {
    kind: &'static str,
    order_id: Option<OrderId>,
    refund_id: Option<RefundId>,
    payout_id: Option<PayoutId>,
    reference: Option<String>,
    gross: i64,
    subsidy: i64,
    commission: i64,
    commission_tax: i64,
    amount: i64,
}

impl Movement {
    /// What a payout keeps aside is still owed: only what was paid has left.
    fn of(event: &VendorAccountEvent) -> Option<Self> {
        match event {
            VendorAccountEvent::Credited(credit) => Some(Self {
                kind: "sale",
                order_id: Some(credit.order_id),
                gross: credit.share.gross,
                subsidy: credit.share.subsidy,
                commission: credit.share.commission,
                commission_tax: credit.share.commission_tax,
                amount: credit.amount,
                ..Self::default()
            }),
            VendorAccountEvent::Debited(debit) => Some(Self {
                kind: "refund",
                order_id: Some(debit.order_id),
                refund_id: Some(debit.refund_id),
                gross: -debit.share.gross,
                subsidy: -debit.share.subsidy,
                commission: -debit.share.commission,
                commission_tax: -debit.share.commission_tax,
                amount: -debit.amount,
                ..Self::default()
            }),
            VendorAccountEvent::PayoutPaid {
                payout_id,
                amount,
                reference,
                ..
            } => Some(Self {
                kind: "payout",
                payout_id: Some(*payout_id),
                reference: Some(reference.to_string()),
                amount: -amount,
                ..Self::default()
            }),
            VendorAccountEvent::PayoutReturned {
                payout_id, amount, ..
            } => Some(Self {
                kind: "payout_returned",
                payout_id: Some(*payout_id),
                amount: *amount,
                ..Self::default()
            }),
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::PayoutAccountSet { .. }
            | VendorAccountEvent::PayoutRequested { .. }
            | VendorAccountEvent::PayoutApproved { .. }
            | VendorAccountEvent::PayoutRejected { .. }
            | VendorAccountEvent::PayoutStarted { .. }
            | VendorAccountEvent::PayoutSent { .. }
            | VendorAccountEvent::PayoutDoubted { .. }
            | VendorAccountEvent::PayoutFailed { .. } => None,
        }
    }
}
