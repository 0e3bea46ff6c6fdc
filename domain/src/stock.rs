//! The stock of one variant, over all places where it lies.
//!
//! One aggregate holds every place, so that a reservation over several of them is one decision.

mod command;
mod error;
mod event;
mod levels;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use command::StockCommand;
pub use error::StockError;
pub use event::StockEvent;
pub use levels::Levels;

use crate::{Decide, Text, VariantId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

/// Why somebody moved stock by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockNote {
    /// Such as `delivery`, `damaged`, `stocktake`.
    pub reason: Text<64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Stock {
    #[default]
    Untracked,
    Tracked(Box<Levels>),
}

type Decision = Result<Vec<StockEvent>, StockError>;

impl Stock {
    /// # Errors
    /// [`StockError::NotTracked`].
    pub fn levels(&self) -> Result<&Levels, StockError> {
        match self {
            Self::Untracked => Err(StockError::NotTracked),
            Self::Tracked(levels) => Ok(levels),
        }
    }

    fn levels_mut(&mut self) -> Option<&mut Levels> {
        match self {
            Self::Untracked => None,
            Self::Tracked(levels) => Some(levels),
        }
    }
}

impl Decide for Stock {
    type Id = VariantId;

    fn decide(&self, command: StockCommand) -> Decision {
        match command {
            StockCommand::Track {
                store_id,
                vendor_id,
                product_id,
                sku,
            } => match self {
                Self::Untracked => Ok(vec![StockEvent::Tracked {
                    store_id,
                    vendor_id,
                    product_id,
                    sku,
                }]),
                Self::Tracked(_) => Err(StockError::AlreadyTracked),
            },
            StockCommand::Receive {
                location_id,
                quantity,
                note,
            } => self.levels()?.receive(location_id, quantity, note),
            StockCommand::Adjust {
                location_id,
                difference,
                note,
            } => self.levels()?.adjust(location_id, difference, note),
            StockCommand::Count {
                location_id,
                counted,
                note,
            } => self.levels()?.count(location_id, counted, note),
            StockCommand::Reserve { order_id, quantity } => {
                self.levels()?.reserve(order_id, quantity)
            }
            StockCommand::Release { order_id } => self.levels()?.release(order_id),
            StockCommand::Commit { order_id } => self.levels()?.commit(order_id),
            StockCommand::Return {
                order_id,
                location_id,
                quantity,
            } => self.levels()?.take_back(order_id, location_id, quantity),
            StockCommand::SetLowStockThreshold { threshold } => {
                Ok(self.levels()?.set_threshold(threshold))
            }
        }
    }
}

impl Aggregate for Stock {
    const TYPE: &'static str = "stock";
    type Command = StockCommand;
    type Event = StockEvent;
    type Error = StockError;
    type Services = ();

    async fn handle(
        &mut self,
        command: StockCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), StockError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: StockEvent) {
        if let StockEvent::Tracked {
            store_id,
            vendor_id,
            product_id,
            sku,
        } = event
        {
            let levels = Levels::new(store_id, vendor_id, product_id, sku);
            *self = Self::Tracked(Box::new(levels));
        } else if let Some(levels) = self.levels_mut() {
            levels.apply(&event);
        }
    }
}
