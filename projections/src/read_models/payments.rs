//! Payments as they stand, and every movement of their money.

mod moves;
mod queries;
#[cfg(test)]
mod tests;

pub use moves::{PaymentMove, PaymentMoves};
pub use queries::{payment, payment_moves, payments_of_order};

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::payment::{PaymentEvent, PaymentProvider, PaymentStatus};
use soko_domain::{AccountId, AnyEvent, Currency, OrderId, PaymentId, StoreId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// A payment; amounts are minor units of its currency.
    pub struct Payment in "payments" {
        key { payment_id: PaymentId }
        tenant_id: TenantId,
        store_id: StoreId,
        order_id: OrderId,
        provider: PaymentProvider,
        status: PaymentStatus,
        currency: Currency,
        /// What was asked for.
        amount: i64,
        captured: i64,
        refunded: i64,
        /// Under which the money's carrier knows it, once it is there.
        reference: Option<String>,
        /// Who took the cash.
        collected_by: Option<AccountId>,
        /// Why it will not be asked for again.
        reason: Option<String>,
        initiated_at: DateTime<Utc>,
        captured_at: Option<DateTime<Utc>>,
        cancelled_at: Option<DateTime<Utc>>,
        changed_at: DateTime<Utc>,
        /// The sequence of the payment's last event.
        version: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Payments;

impl ReadModel for Payments {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["payment"];
    /// Money comes once, minutes or days after it was asked for.
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 448;

    type Key = PaymentId;
    type Row = Payment;

    fn keys(recorded: &RecordedEvent) -> Vec<PaymentId> {
        match &recorded.event {
            AnyEvent::Payment(payment_id, _) => vec![*payment_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(
        row: Option<Payment>,
        payment_id: &PaymentId,
        recorded: &RecordedEvent,
    ) -> Option<Payment> {
        let AnyEvent::Payment(_, event) = &recorded.event else {
            return row;
        };
        let at = recorded.recorded_at;
        let mut payment = match event {
            PaymentEvent::Initiated {
                order_id,
                store_id,
                provider,
                amount,
            } => Payment {
                payment_id: *payment_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                order_id: *order_id,
                provider: *provider,
                status: PaymentStatus::at_first(*provider),
                currency: amount.currency(),
                amount: amount.amount(),
                captured: 0,
                refunded: 0,
                reference: None,
                collected_by: None,
                reason: None,
                initiated_at: at,
                captured_at: None,
                cancelled_at: None,
                changed_at: at,
                version: 0,
            },
            PaymentEvent::Captured { .. }
            | PaymentEvent::Refunded(_)
            | PaymentEvent::Cancelled { .. } => row?,
        };
        match event {
            PaymentEvent::Initiated { .. } => (),
            PaymentEvent::Captured {
                amount,
                reference,
                collected_by,
            } => {
                payment.status = PaymentStatus::Captured;
                payment.captured += amount.amount();
                payment.reference = Some(reference.to_string());
                payment.collected_by = *collected_by;
                payment.captured_at = Some(at);
            }
            PaymentEvent::Refunded(refund) => {
                payment.refunded += refund.amount.amount();
                let kept = payment.captured - payment.refunded;
                payment.status = PaymentStatus::of_kept(kept, payment.captured);
            }
            PaymentEvent::Cancelled { reason } => {
                payment.status = PaymentStatus::Cancelled;
                payment.reason = Some(reason.to_string());
                payment.cancelled_at = Some(at);
            }
        }
        payment.changed_at = at;
        payment.version = recorded.sequence.cast_signed();
        Some(payment)
    }

    fn sources(payment_id: &PaymentId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}
