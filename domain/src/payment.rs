//! Money asked for, for one order, from one provider.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::PaymentCommand;
pub use error::PaymentError;
pub use event::{PaymentEvent, PaymentProvider};

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
    Captured { reference: Text<200> },
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Its provider has not been asked yet.
    Initiated,
    /// The payer's turn: cash on delivery from the start, as nobody needs to be asked.
    Pending,
    Captured,
    /// It will not be asked for again; no money had moved.
    Cancelled,
}

impl PaymentStatus {
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
            Progress::Captured { .. } => PaymentStatus::Captured,
            Progress::Cancelled => PaymentStatus::Cancelled,
            Progress::Open => PaymentStatus::at_first(self.provider),
        }
    }

    /// By which the money's carrier knows it, once it is there.
    pub fn reference(&self) -> Option<&Text<200>> {
        match &self.progress {
            Progress::Captured { reference } => Some(reference),
            Progress::Open | Progress::Cancelled => None,
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
            Progress::Captured { reference: known } if *known == reference => Ok(vec![]),
            Progress::Captured { .. } => Err(PaymentError::AlreadyCaptured),
            Progress::Cancelled => Err(PaymentError::Cancelled),
        }
    }

    fn cancel(&self, reason: Text<500>) -> Decision {
        match self.progress {
            Progress::Open => Ok(vec![PaymentEvent::Cancelled { reason }]),
            Progress::Captured { .. } => Err(PaymentError::AlreadyCaptured),
            Progress::Cancelled => Ok(vec![]),
        }
    }

    fn apply(&mut self, event: PaymentEvent) {
        match event {
            PaymentEvent::Initiated { .. } => (),
            PaymentEvent::Captured { reference, .. } => {
                self.progress = Progress::Captured { reference };
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
