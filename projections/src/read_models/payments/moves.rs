//! Every movement of money, and the reference by which its carrier knows it.

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::payment::PaymentEvent;
use soko_domain::{AnyEvent, Currency, PaymentId, TenantId, Text};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// Money that came or went, at the position of its event.
    pub struct PaymentMove in "payment_moves" {
        key { payment_id: PaymentId, position: i64 }
        tenant_id: TenantId,
        at: DateTime<Utc>,
        /// `capture` or `refund`.
        kind: String,
        /// Minor units; what comes in is positive.
        delta: i64,
        currency: Currency,
        reference: String,
    }
}

/// The read model.
#[derive(Debug)]
pub struct PaymentMoves;

impl ReadModel for PaymentMoves {
    const VERSION: i32 = 1;
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
            reference: reference.to_string(),
        })
    }

    fn sources((payment_id, _): &(PaymentId, i64)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}

/// What kind of movement it is, how much comes, and under which reference; `None` if nothing moves.
fn moved(event: &PaymentEvent) -> Option<(&'static str, i64, Currency, &Text<200>)> {
    match event {
        PaymentEvent::Captured {
            amount, reference, ..
        } => Some(("capture", amount.amount(), amount.currency(), reference)),
        PaymentEvent::Refunded(refund) => {
            let amount = refund.amount;
            Some((
                "refund",
                -amount.amount(),
                amount.currency(),
                &refund.reference,
            ))
        }
        PaymentEvent::Initiated { .. } | PaymentEvent::Cancelled { .. } => None,
    }
}
