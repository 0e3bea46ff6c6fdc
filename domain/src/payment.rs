//! Money asked for, for one order, from one provider.

mod captured;
mod command;
mod decisions;
mod demand;
mod dispute;
mod error;
mod event;
#[cfg(test)]
mod properties;
mod purpose;
mod refund;
mod status;
mod terms;
#[cfg(test)]
mod tests;

pub use captured::{Captured, ReferenceSource, ReferenceStanding};
pub use command::PaymentCommand;
pub use demand::Demand;
pub use dispute::{Dispute, DisputeStage, DisputeState, DisputedMoney};
pub use error::PaymentError;
pub use event::{PaymentEvent, PaymentProvider};
pub use purpose::Purpose;
pub use refund::{Refund, RefundMethod, RefundRequest, Return, ReturnStage};
pub use status::PaymentStatus;
pub use terms::{NextAction, Payer, Terms, Wallet};

use crate::{Decide, Money, OrderId, PaymentId, StoreId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use decisions::Told;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Payment {
    #[default]
    NotInitiated,
    Initiated(Box<Demand>),
}

type Decision = Result<Vec<PaymentEvent>, PaymentError>;

impl Payment {
    /// # Errors
    /// [`PaymentError::NotInitiated`].
    pub fn demand(&self) -> Result<&Demand, PaymentError> {
        match self {
            Self::NotInitiated => Err(PaymentError::NotInitiated),
            Self::Initiated(demand) => Ok(demand),
        }
    }

    /// Asked twice for the same, it decides once.
    fn initiate(
        &self,
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
        terms: Option<Box<Terms>>,
    ) -> Decision {
        if let Self::Initiated(demand) = self {
            let known = (
                demand.order_id,
                demand.store_id,
                demand.provider,
                demand.amount,
                &demand.terms,
            );
            return if known == (order_id, store_id, provider, amount, &terms) {
                Ok(vec![])
            } else {
                Err(PaymentError::AlreadyInitiated)
            };
        }
        if amount.is_negative() {
            return Err(PaymentError::NegativeAmount);
        }
        if terms.is_some() == provider.is_recorded_by_hand() {
            return Err(PaymentError::WrongTerms);
        }
        Ok(vec![PaymentEvent::Initiated {
            order_id,
            store_id,
            provider,
            amount,
            terms,
        }])
    }
}

impl Decide for Payment {
    type Id = PaymentId;

    const SNAPSHOT_VERSION: u32 = 3;

    fn decide(&self, command: PaymentCommand) -> Decision {
        let decided = match command {
            PaymentCommand::Initiate {
                order_id,
                store_id,
                provider,
                amount,
                terms,
            } => self.initiate(order_id, store_id, provider, amount, terms),
            PaymentCommand::RecordStart { handle, next } => {
                self.demand()?.record_start(handle, next)
            }
            PaymentCommand::PutOff { because } => self.demand()?.put_off(because),
            PaymentCommand::Authorise { amount } => self.demand()?.authorise(amount),
            PaymentCommand::Doubt { because } => self.demand()?.doubt(because),
            PaymentCommand::Resume {} => self.demand()?.resume(),
            PaymentCommand::Capture {
                amount,
                reference,
                collected_by,
                fee,
                source,
            } => self.demand()?.capture(Told {
                amount,
                reference,
                collected_by,
                fee,
                source,
            }),
            PaymentCommand::Fail { reason, words } => self.demand()?.fail(reason, words),
            PaymentCommand::Expire {} => Ok(self.demand()?.expire()),
            PaymentCommand::RequestRefund { request, of } => {
                self.demand()?.request_refund(request, of.as_ref())
            }
            PaymentCommand::RecordRefundStart { refund_id, handle } => {
                self.demand()?.record_refund_start(refund_id, handle)
            }
            PaymentCommand::DoubtRefund { refund_id, because } => {
                self.demand()?.doubt_refund(refund_id, because)
            }
            PaymentCommand::FailRefund {
                refund_id,
                reason,
                words,
            } => self.demand()?.fail_refund(refund_id, reason, words),
            PaymentCommand::CompleteRefund {
                refund_id,
                reference,
            } => self.demand()?.complete_refund(refund_id, reference),
            PaymentCommand::ReturnRefund { refund_id } => self.demand()?.return_refund(refund_id),
            PaymentCommand::Refund(refund) => self.demand()?.refund_by_hand(refund),
            PaymentCommand::RecordDispute(told) => self.demand()?.record_dispute(told),
            PaymentCommand::HoldCredit {
                amount,
                decide_by,
                because,
            } => Ok(self.demand()?.hold_credit(amount, decide_by, because)),
            PaymentCommand::Cancel { reason } => self.demand()?.cancel(reason),
        };
        decided.map(|events| self.with_purpose(events))
    }
}

impl Aggregate for Payment {
    const TYPE: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;
    type Services = ();

    async fn handle(
        &mut self,
        command: PaymentCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), PaymentError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: PaymentEvent) {
        if let PaymentEvent::Initiated {
            order_id,
            store_id,
            provider,
            amount,
            terms,
        } = event
        {
            let demand = Demand::new(order_id, store_id, provider, amount, terms);
            *self = Self::Initiated(Box::new(demand));
        } else if let Self::Initiated(demand) = self {
            demand.apply(event);
        }
    }
}
