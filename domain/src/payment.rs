//! Money asked for, for one order, from one provider.

mod command;
mod error;
mod event;
#[cfg(test)]
mod properties;
mod refund;
#[cfg(test)]
mod tests;

pub use command::PaymentCommand;
pub use error::PaymentError;
pub use event::{PaymentEvent, PaymentProvider};
pub use refund::{Refund, RefundMethod};

use crate::{AccountId, Decide, Money, OrderId, PaymentId, StoreId, Text, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Payment {
    #[default]
    NotInitiated,
    Initiated(Box<Demand>),
}

/// What is to be paid, and how far that has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demand {
    order_id: OrderId,
    store_id: StoreId,
    provider: PaymentProvider,
    amount: Money,
    progress: Progress,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Progress {
    Open,
    Captured(Box<Captured>),
    Cancelled,
}

/// Money that came, and what of it went back.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Captured {
    reference: Text<200>,
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Its provider has not been asked yet.
    Initiated,
    /// The payer's turn: cash on delivery from the start, as nobody needs to be asked.
    Pending,
    Captured,
    PartlyRefunded,
    /// All of it went back.
    Refunded,
    /// It will not be asked for again; no money had moved.
    Cancelled,
}

impl PaymentStatus {
    /// Of a payment whose money came, by what is left of it.
    pub const fn of_kept(kept: i64, captured: i64) -> Self {
        if kept == captured {
            Self::Captured
        } else if kept == 0 {
            Self::Refunded
        } else {
            Self::PartlyRefunded
        }
    }

    /// Whether the money came, whatever became of it since.
    pub const fn was_captured(self) -> bool {
        match self {
            Self::Captured | Self::PartlyRefunded | Self::Refunded => true,
            Self::Initiated | Self::Pending | Self::Cancelled => false,
        }
    }

    /// Before anything has happened to the payment.
    pub const fn at_first(provider: PaymentProvider) -> Self {
        if provider.is_paid_on_delivery() {
            Self::Pending
        } else {
            Self::Initiated
        }
    }
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
    ) -> Decision {
        match self {
            Self::Initiated(demand) if demand.is_for(order_id, store_id, provider, amount) => {
                Ok(vec![])
            }
            Self::Initiated(_) => Err(PaymentError::AlreadyInitiated),
            Self::NotInitiated if amount.is_negative() => Err(PaymentError::NegativeAmount),
            Self::NotInitiated => Ok(vec![PaymentEvent::Initiated {
                order_id,
                store_id,
                provider,
                amount,
            }]),
        }
    }
}

impl Decide for Payment {
    type Id = PaymentId;

    fn decide(&self, command: PaymentCommand) -> Decision {
        match command {
            PaymentCommand::Initiate {
                order_id,
                store_id,
                provider,
                amount,
            } => self.initiate(order_id, store_id, provider, amount),
            PaymentCommand::Capture {
                amount,
                reference,
                collected_by,
            } => self.demand()?.capture(amount, reference, collected_by),
            PaymentCommand::Refund(refund) => self.demand()?.refund(refund),
            PaymentCommand::Cancel { reason } => self.demand()?.cancel(reason),
        }
    }
}

impl Demand {
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn provider(&self) -> PaymentProvider {
        self.provider
    }

    pub fn amount(&self) -> Money {
        self.amount
    }

    pub fn status(&self) -> PaymentStatus {
        match &self.progress {
            Progress::Captured(_) => {
                PaymentStatus::of_kept(self.kept().amount(), self.amount.amount())
            }
            Progress::Cancelled => PaymentStatus::Cancelled,
            Progress::Open => PaymentStatus::at_first(self.provider),
        }
    }

    /// By which the money's carrier knows it, once it is there.
    pub fn reference(&self) -> Option<&Text<200>> {
        match &self.progress {
            Progress::Captured(captured) => Some(&captured.reference),
            Progress::Open | Progress::Cancelled => None,
        }
    }

    /// What came and has not gone back.
    pub fn kept(&self) -> Money {
        match &self.progress {
            Progress::Captured(captured) => {
                let amounts = captured.refunds.iter().map(|refund| refund.amount.amount());
                // Each was checked against what was left.
                let refunded: i64 = amounts.sum();
                Money::new(self.amount.amount() - refunded, self.amount.currency())
            }
            Progress::Open | Progress::Cancelled => Money::new(0, self.amount.currency()),
        }
    }

    fn is_for(
        &self,
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
    ) -> bool {
        (self.order_id, self.store_id, self.provider, self.amount)
            == (order_id, store_id, provider, amount)
    }

    /// Told twice of the same money, it takes it once: providers repeat themselves.
    fn capture(
        &self,
        amount: Money,
        reference: Text<200>,
        collected_by: Option<AccountId>,
    ) -> Decision {
        if amount != self.amount {
            return Err(PaymentError::AmountDiffers {
                expected: self.amount,
                found: amount,
            });
        }
        match &self.progress {
            Progress::Open => Ok(vec![PaymentEvent::Captured {
                amount,
                reference,
                collected_by,
            }]),
            Progress::Captured(captured) if captured.reference == reference => Ok(vec![]),
            Progress::Captured(_) => Err(PaymentError::AlreadyCaptured),
            Progress::Cancelled => Err(PaymentError::Cancelled),
        }
    }

    /// Asked twice for the same, it decides once. Never more goes back than is left.
    fn refund(&self, refund: Refund) -> Decision {
        let Progress::Captured(captured) = &self.progress else {
            return Err(PaymentError::NotCaptured);
        };
        let mut known = captured.refunds.iter();
        if let Some(known) = known.find(|known| known.refund_id == refund.refund_id) {
            return if *known == refund {
                Ok(vec![])
            } else {
                Err(PaymentError::AlreadyRefunded)
            };
        }
        let (asked, refundable) = (refund.amount, self.kept());
        if asked.amount() <= 0 || asked.currency() != refundable.currency() {
            return Err(PaymentError::NoRefund);
        }
        if asked.amount() > refundable.amount() {
            return Err(PaymentError::RefundTooLarge { refundable, asked });
        }
        Ok(vec![PaymentEvent::Refunded(refund)])
    }

    fn cancel(&self, reason: Text<500>) -> Decision {
        match self.progress {
            Progress::Open => Ok(vec![PaymentEvent::Cancelled { reason }]),
            Progress::Captured(_) => Err(PaymentError::AlreadyCaptured),
            Progress::Cancelled => Ok(vec![]),
        }
    }

    fn apply(&mut self, event: PaymentEvent) {
        match event {
            PaymentEvent::Initiated { .. } => (),
            PaymentEvent::Captured { reference, .. } => {
                let refunds = Vec::new();
                self.progress = Progress::Captured(Box::new(Captured { reference, refunds }));
            }
            PaymentEvent::Refunded(refund) => {
                if let Progress::Captured(captured) = &mut self.progress {
                    captured.refunds.push(refund);
                }
            }
            PaymentEvent::Cancelled { .. } => self.progress = Progress::Cancelled,
        }
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
        } = event
        {
            *self = Self::Initiated(Box::new(Demand {
                order_id,
                store_id,
                provider,
                amount,
                progress: Progress::Open,
            }));
        } else if let Self::Initiated(demand) = self {
            demand.apply(event);
        }
    }
}
