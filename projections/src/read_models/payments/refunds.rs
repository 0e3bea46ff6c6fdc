//! Each refund as far as it has come.

use crate::ReadModel;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::payment::PaymentEvent;
use soko_domain::{AnyEvent, Currency, PaymentId, RefundId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// Money that goes back; the amount is minor units.
    pub struct PaymentRefund in "payment_refunds" {
        key { payment_id: PaymentId, refund_id: RefundId }
        tenant_id: TenantId,
        stage: RefundStage,
        currency: Currency,
        amount: i64,
        /// Why it failed, or is not known.
        reason: Option<String>,
        requested_at: DateTime<Utc>,
        /// Since when it is at this stage.
        stage_at: DateTime<Utc>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStage {
    /// It is to be asked for, or was.
    Requested,
    /// Whether it was done is not known, and nobody can be asked: a person has to look.
    Unresolved,
    Done,
    /// It surely was not done.
    Failed,
    /// It was done, and the money has come to us again: it is kept for the payer.
    Returned,
}

/// The read model.
#[derive(Debug)]
pub struct PaymentRefunds;

impl ReadModel for PaymentRefunds {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["payment"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 256;

    type Key = (PaymentId, RefundId);
    type Row = PaymentRefund;

    fn keys(recorded: &RecordedEvent) -> Vec<(PaymentId, RefundId)> {
        let AnyEvent::Payment(payment_id, event) = &recorded.event else {
            return vec![];
        };
        let key = |refund_id| (*payment_id, refund_id);
        refund_of(event).map(key).into_iter().collect()
    }

    fn fold(
        row: Option<PaymentRefund>,
        (payment_id, refund_id): &(PaymentId, RefundId),
        recorded: &RecordedEvent,
    ) -> Option<PaymentRefund> {
        let AnyEvent::Payment(_, event) = &recorded.event else {
            return row;
        };
        let at = recorded.recorded_at;
        let asked = match event {
            PaymentEvent::RefundRequested { request, .. } => Some(request.amount),
            // By hand it goes back without having been asked for.
            PaymentEvent::Refunded(refund) => Some(refund.amount),
            _ => None,
        };
        let begun = || {
            let amount = asked?;
            Some(PaymentRefund {
                payment_id: *payment_id,
                refund_id: *refund_id,
                tenant_id: recorded.tenant_id,
                stage: RefundStage::Requested,
                currency: amount.currency(),
                amount: amount.amount(),
                reason: None,
                requested_at: at,
                stage_at: at,
            })
        };
        let mut refund = row.or_else(begun)?;
        refund.apply(event, at);
        Some(refund)
    }

    fn sources((payment_id, _): &(PaymentId, RefundId)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}

impl PaymentRefund {
    fn apply(&mut self, event: &PaymentEvent, at: DateTime<Utc>) {
        match event {
            PaymentEvent::RefundDoubted { because, .. } => {
                self.moves_to(RefundStage::Unresolved, at);
                self.reason = Some(because.to_string());
            }
            PaymentEvent::RefundFailed { reason, .. } => {
                self.moves_to(RefundStage::Failed, at);
                self.reason = Some(reason.to_string());
            }
            PaymentEvent::Refunded(_) => {
                self.moves_to(RefundStage::Done, at);
                self.reason = None;
            }
            PaymentEvent::RefundReturned { .. } => self.moves_to(RefundStage::Returned, at),
            PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundStarted { .. }
            | PaymentEvent::Initiated { .. }
            | PaymentEvent::Started { .. }
            | PaymentEvent::PutOff { .. }
            | PaymentEvent::Authorised { .. }
            | PaymentEvent::Doubted { .. }
            | PaymentEvent::Resumed {}
            | PaymentEvent::Captured { .. }
            | PaymentEvent::ReferenceLearned { .. }
            | PaymentEvent::ReferenceContested { .. }
            | PaymentEvent::Failed { .. }
            | PaymentEvent::Expired {}
            | PaymentEvent::Disputed(_)
            | PaymentEvent::CreditHeld { .. }
            | PaymentEvent::Cancelled { .. } => (),
        }
    }

    fn moves_to(&mut self, stage: RefundStage, at: DateTime<Utc>) {
        self.stage = stage;
        self.stage_at = at;
    }
}

/// The refund that the event moves on, if it is of one.
const fn refund_of(event: &PaymentEvent) -> Option<RefundId> {
    match event {
        PaymentEvent::RefundRequested { request, .. } => Some(request.refund_id),
        PaymentEvent::RefundDoubted { refund_id, .. }
        | PaymentEvent::RefundFailed { refund_id, .. }
        | PaymentEvent::RefundReturned { refund_id, .. } => Some(*refund_id),
        PaymentEvent::Refunded(refund) => Some(refund.refund_id),
        // It changes nothing that is kept here.
        PaymentEvent::RefundStarted { .. }
        | PaymentEvent::Initiated { .. }
        | PaymentEvent::Started { .. }
        | PaymentEvent::PutOff { .. }
        | PaymentEvent::Authorised { .. }
        | PaymentEvent::Doubted { .. }
        | PaymentEvent::Resumed {}
        | PaymentEvent::Captured { .. }
        | PaymentEvent::ReferenceLearned { .. }
        | PaymentEvent::ReferenceContested { .. }
        | PaymentEvent::Failed { .. }
        | PaymentEvent::Expired {}
        | PaymentEvent::Disputed(_)
        | PaymentEvent::CreditHeld { .. }
        | PaymentEvent::Cancelled { .. } => None,
    }
}
