//! Payments as they stand, and every movement of their money.

mod moves;
mod queries;
mod refunds;
mod report;
#[cfg(test)]
mod tests;

pub use moves::{PaymentMove, PaymentMoves};
pub use queries::{payment, payment_moves, payments_of_order};
pub use refunds::{PaymentRefund, PaymentRefunds, RefundStage};
pub use report::{PaymentsLine, PaymentsQuery, PaymentsReportError, report};

use crate::ReadModel;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::payment::{
    DisputeStage, DisputedMoney, PaymentEvent, PaymentProvider, PaymentStatus,
};
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
        /// What banks have taken back.
        charged_back: i64,
        /// Whether a bank has still to decide.
        is_disputed: bool,
        /// What is kept for the payer until somebody gives it back.
        credit: i64,
        /// Since when something is.
        credit_at: Option<DateTime<Utc>>,
        /// Until when that is to have happened.
        credit_by: Option<DateTime<Utc>>,
        /// Until when the bank hears what the store has to say.
        answer_by: Option<DateTime<Utc>>,
        /// Under which the money's carrier knows it, once it is there.
        reference: Option<String>,
        /// Why the reference is not to be relied on.
        reference_doubt: Option<ReferenceDoubt>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceDoubt {
    /// It is ours: the provider has not told its own.
    Provisional,
    /// Two callbacks name two: a person has to look.
    Contested,
}

/// The read model.
#[derive(Debug)]
pub struct Payments;

impl ReadModel for Payments {
    const VERSION: i32 = 3;
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
                ..
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
                charged_back: 0,
                is_disputed: false,
                credit: 0,
                credit_at: None,
                credit_by: None,
                answer_by: None,
                reference: None,
                reference_doubt: None,
                collected_by: None,
                reason: None,
                initiated_at: at,
                captured_at: None,
                cancelled_at: None,
                changed_at: at,
                version: 0,
            },
            _ => row?,
        };
        payment.apply(event, at);
        payment.changed_at = at;
        payment.version = recorded.sequence.cast_signed();
        Some(payment)
    }

    fn sources(payment_id: &PaymentId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("payment", payment_id.as_uuid())])
    }
}

impl Payment {
    fn apply(&mut self, event: &PaymentEvent, at: DateTime<Utc>) {
        match event {
            PaymentEvent::Initiated { .. }
            | PaymentEvent::PutOff { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundStarted { .. }
            | PaymentEvent::RefundDoubted { .. }
            | PaymentEvent::RefundFailed { .. } => (),
            PaymentEvent::Started { .. } | PaymentEvent::Resumed {} => {
                self.status = PaymentStatus::Pending;
            }
            PaymentEvent::Authorised { .. } => self.status = PaymentStatus::Authorised,
            PaymentEvent::Doubted { because } => {
                self.status = PaymentStatus::Unresolved;
                self.reason = Some(because.to_string());
            }
            PaymentEvent::Captured {
                amount,
                reference,
                collected_by,
                is_provisional,
                ..
            } => {
                self.captured += amount.amount();
                if self.reference.is_none() {
                    self.reference = Some(reference.to_string());
                    self.reference_doubt = is_provisional.then_some(ReferenceDoubt::Provisional);
                }
                self.collected_by = *collected_by;
                self.captured_at.get_or_insert(at);
                self.reason = None;
                self.weigh();
            }
            PaymentEvent::ReferenceLearned {
                provisional,
                reference,
                ..
            } => {
                if self.reference.as_deref() == Some(provisional.as_str()) {
                    self.reference = Some(reference.to_string());
                    self.reference_doubt = None;
                }
            }
            PaymentEvent::ReferenceContested { reference, .. } => {
                if self.reference.as_deref() == Some(reference.as_str()) {
                    self.reference_doubt = Some(ReferenceDoubt::Contested);
                }
            }
            PaymentEvent::Refunded(refund) => {
                self.refunded += refund.amount.amount();
                // What is the payer's anyway goes back first.
                self.keep(self.credit - self.credit.min(refund.amount.amount()), at);
                self.weigh();
            }
            PaymentEvent::RefundReturned { amount, .. } => {
                self.refunded -= amount.amount();
                self.keep(self.credit + amount.amount(), at);
                self.weigh();
            }
            PaymentEvent::Disputed(dispute) => {
                match dispute.money {
                    Some(DisputedMoney::Withdrawn) => {
                        self.charged_back += dispute.amount.amount();
                    }
                    Some(DisputedMoney::Reinstated) => {
                        self.charged_back -= dispute.amount.amount();
                    }
                    None => (),
                }
                self.is_disputed = dispute.stage == DisputeStage::Open;
                let answer_by = dispute.answer_by.or(self.answer_by);
                self.answer_by = answer_by.filter(|_| self.is_disputed);
                self.weigh();
            }
            PaymentEvent::CreditHeld {
                amount, decide_by, ..
            } => {
                self.credit_by = Some(*decide_by);
                self.keep(amount.amount(), at);
            }
            PaymentEvent::Failed { reason, .. } => {
                self.status = PaymentStatus::Failed;
                self.reason = Some(reason.to_string());
            }
            PaymentEvent::Expired {} => self.status = PaymentStatus::Expired,
            PaymentEvent::Cancelled { reason } => {
                self.status = PaymentStatus::Cancelled;
                self.reason = Some(reason.to_string());
                self.cancelled_at = Some(at);
            }
        }
    }

    /// So much is the payer's until somebody gives it back.
    fn keep(&mut self, credit: i64, at: DateTime<Utc>) {
        self.credit = credit;
        if credit > 0 {
            self.credit_at.get_or_insert(at);
        } else {
            self.credit_at = None;
            self.credit_by = None;
        }
    }

    /// Its status once money came, by what is left of it.
    fn weigh(&mut self) {
        let kept = self.captured - self.refunded - self.charged_back;
        self.status = if self.is_disputed || self.charged_back > 0 {
            PaymentStatus::Disputed
        } else {
            PaymentStatus::of_kept(kept, self.captured)
        };
    }
}
