//! Every movement of money, and the reference by which its carrier knows it.

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::payment::{DisputedMoney, PaymentEvent, Refund, RefundMethod};
use soko_domain::{AnyEvent, Currency, Money, PaymentId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// Money that came or went, at the position of its event.
    pub struct PaymentMove in "payment_moves" {
        key { payment_id: PaymentId, position: i64 }
        tenant_id: TenantId,
        at: DateTime<Utc>,
        /// `capture`, `refund`, `refund_returned`, `chargeback`, `chargeback_reversed`, or
        /// `reference` for a capture's own reference that was told after it.
        kind: String,
        /// Minor units; what comes in is positive.
        delta: i64,
        currency: Currency,
        reference: String,
        /// A refund that a person saw to: its reference is the store's own, not the provider's.
        by_hand: bool,
    }
}

/// The read model.
#[derive(Debug)]
pub struct PaymentMoves;

impl ReadModel for PaymentMoves {
    const VERSION: i32 = 2;
    const STREAMS: &'static [&'static str] = &["payment"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 256;

    type Key = (PaymentId, i64);
    type Row = PaymentMove;

    fn keys(recorded: &RecordedEvent) -> Vec<(PaymentId, i64)> {
        match &recorded.event {
            AnyEvent::Payment(payment_id, event) if moved(event).is_some() => {
                vec![(*payment_id, recorded.position.get())]
            }
            _ => vec![],
        }
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<PaymentMove>,
        (payment_id, position): &(PaymentId, i64),
        recorded: &RecordedEvent,
    ) -> Option<PaymentMove> {
        let AnyEvent::Payment(_, event) = &recorded.event else {
            return None;
        };
        let (kind, delta, currency, reference) = moved(event)?;
        Some(PaymentMove {
            payment_id: *payment_id,
            position: *position,
            tenant_id: recorded.tenant_id,
            at: recorded.recorded_at,
            kind: kind.to_owned(),
            delta,
            currency,
            reference,
            by_hand: is_by_hand(event),
        })
    }

    fn sources((payment_id, _): &(PaymentId, i64)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}

fn is_by_hand(event: &PaymentEvent) -> bool {
    matches!(event, PaymentEvent::Refunded(refund) if refund.method != RefundMethod::Provider)
}

/// What kind of movement it is, how much comes, and under which reference; `None` if nothing moves.
fn moved(event: &PaymentEvent) -> Option<(&'static str, i64, Currency, String)> {
    let of = |kind, money: Money, delta, reference: String| {
        Some((kind, delta, money.currency(), reference))
    };
    match event {
        PaymentEvent::Captured {
            amount, reference, ..
        } => of("capture", *amount, amount.amount(), reference.to_string()),
        PaymentEvent::ReferenceLearned {
            amount, reference, ..
        } => of("reference", *amount, 0, reference.to_string()),
        PaymentEvent::Refunded(Refund {
            amount, reference, ..
        }) => of("refund", *amount, -amount.amount(), reference.to_string()),
        PaymentEvent::RefundReturned {
            refund_id, amount, ..
        } => {
            let delta = amount.amount();
            of("refund_returned", *amount, delta, refund_id.to_string())
        }
        PaymentEvent::Disputed(dispute) => {
            let (amount, reference) = (dispute.amount, dispute.reference.to_string());
            match dispute.money? {
                DisputedMoney::Withdrawn => of("chargeback", amount, -amount.amount(), reference),
                DisputedMoney::Reinstated => {
                    of("chargeback_reversed", amount, amount.amount(), reference)
                }
            }
        }
        PaymentEvent::Initiated { .. }
        | PaymentEvent::Started { .. }
        | PaymentEvent::PutOff { .. }
        | PaymentEvent::Authorised { .. }
        | PaymentEvent::Doubted { .. }
        | PaymentEvent::Resumed {}
        | PaymentEvent::ReferenceContested { .. }
        | PaymentEvent::Failed { .. }
        | PaymentEvent::Expired {}
        | PaymentEvent::RefundRequested { .. }
        | PaymentEvent::RefundStarted { .. }
        | PaymentEvent::RefundDoubted { .. }
        | PaymentEvent::RefundFailed { .. }
        | PaymentEvent::CreditHeld { .. }
        | PaymentEvent::Cancelled { .. } => None,
    }
}
