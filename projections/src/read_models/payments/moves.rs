//! Every movement of money, and the reference by which its carrier knows it.

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::payment::PaymentEvent;
use soko_domain::{AnyEvent, Currency, PaymentId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// Money that came or went, at the position of its event.
    pub struct PaymentMove in "payment_moves" {
        key { payment_id: PaymentId, position: i64 }
        tenant_id: TenantId,
        at: DateTime<Utc>,
        /// `capture`.
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
            AnyEvent::Payment(payment_id, PaymentEvent::Captured { .. }) => {
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
        let AnyEvent::Payment(
            _,
            PaymentEvent::Captured {
                amount, reference, ..
            },
        ) = &recorded.event
        else {
            return None;
        };
        Some(PaymentMove {
            payment_id: *payment_id,
            position: *position,
            tenant_id: recorded.tenant_id,
            at: recorded.recorded_at,
            kind: "capture".to_owned(),
            delta: amount.amount(),
            currency: amount.currency(),
            reference: reference.to_string(),
        })
    }

    fn sources((payment_id, _): &(PaymentId, i64)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}
