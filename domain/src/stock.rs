//! The stock of one variant, over all places where it lies.
//!
//! One aggregate holds every place, so that a reservation over several of them is one decision.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::StockCommand;
pub use error::StockError;
pub use event::StockEvent;

use crate::{
    Decide, LocationId, OrderId, ProductId, Quantity, Sku, StoreId, Text, VariantId, VendorId,
    write_decision,
};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Levels {
    store_id: StoreId,
    vendor_id: VendorId,
    product_id: ProductId,
    sku: Sku,
    threshold: u32,
    is_low: bool,
    places: BTreeMap<LocationId, Place>,
    held: BTreeMap<OrderId, Vec<(LocationId, Quantity)>>,
}

/// Counts what is free, not what is on hand: what is on hand can then never fall below what is
/// reserved.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Place {
    available: u32,
    reserved: u32,
}

impl Place {
    fn on_hand(self) -> i64 {
        i64::from(self.available) + i64::from(self.reserved)
    }
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

impl Levels {
    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn vendor_id(&self) -> VendorId {
        self.vendor_id
    }

    pub fn product_id(&self) -> ProductId {
        self.product_id
    }

    pub fn sku(&self) -> &Sku {
        &self.sku
    }

    /// What can still be promised, over all places.
    pub fn available(&self) -> i64 {
        self.places
            .values()
            .map(|place| i64::from(place.available))
            .sum()
    }

    fn place(&self, location_id: LocationId) -> Place {
        self.places.get(&location_id).copied().unwrap_or_default()
    }

    fn receive(&self, location_id: LocationId, quantity: Quantity, note: StockNote) -> Decision {
        self.room_for(location_id, quantity.units())?;
        let received = StockEvent::Received {
            location_id,
            quantity,
            note,
        };
        Ok(self.with_mark(vec![received], quantity.units()))
    }

    fn adjust(&self, location_id: LocationId, difference: i64, note: StockNote) -> Decision {
        if difference == 0 {
            return Ok(vec![]);
        }
        self.room_for(location_id, difference)?;
        let adjusted = StockEvent::Adjusted {
            location_id,
            difference,
            note,
        };
        Ok(self.with_mark(vec![adjusted], difference))
    }

    fn count(&self, location_id: LocationId, counted: u32, note: StockNote) -> Decision {
        let difference = i64::from(counted) - self.place(location_id).on_hand();
        self.room_for(location_id, difference)?;
        let counted = StockEvent::Counted {
            location_id,
            counted,
            difference,
            note,
        };
        Ok(self.with_mark(vec![counted], difference))
    }

    /// Asked twice for the same, it decides once: deliveries may repeat.
    fn reserve(&self, order_id: OrderId, quantity: Quantity) -> Decision {
        if let Some(held) = self.held.get(&order_id) {
            let held: u32 = held.iter().map(|(_, quantity)| quantity.get()).sum();
            return if held == quantity.get() {
                Ok(vec![])
            } else {
                Err(StockError::AlreadyReserved { order_id })
            };
        }
        let reserved = self
            .allocate(quantity)?
            .into_iter()
            .map(|(location_id, quantity)| StockEvent::Reserved {
                order_id,
                location_id,
                quantity,
            })
            .collect();
        Ok(self.with_mark(reserved, -quantity.units()))
    }

    /// From the first place that has it all, else from as many as it takes.
    fn allocate(&self, quantity: Quantity) -> Result<Vec<(LocationId, Quantity)>, StockError> {
        let wanted = quantity.get();
        if let Some((id, _)) = self
            .places
            .iter()
            .find(|(_, place)| place.available >= wanted)
        {
            return Ok(vec![(*id, quantity)]);
        }
        let mut missing = wanted;
        let mut parts = Vec::new();
        for (id, place) in &self.places {
            if let Ok(part) = Quantity::try_from(place.available.min(missing)) {
                parts.push((*id, part));
                missing -= part.get();
            }
        }
        if missing > 0 {
            let available = wanted - missing;
            return Err(StockError::OutOfStock {
                requested: quantity,
                available,
            });
        }
        Ok(parts)
    }

    fn release(&self, order_id: OrderId) -> Decision {
        let held = self
            .held
            .get(&order_id)
            .ok_or(StockError::NotReserved { order_id })?;
        let quantity = held.iter().map(|(_, quantity)| quantity.units()).sum();
        let released = held
            .iter()
            .map(|(location_id, quantity)| StockEvent::Released {
                order_id,
                location_id: *location_id,
                quantity: *quantity,
            })
            .collect();
        Ok(self.with_mark(released, quantity))
    }

    fn commit(&self, order_id: OrderId) -> Decision {
        let held = self
            .held
            .get(&order_id)
            .ok_or(StockError::NotReserved { order_id })?;
        let committed = |(location_id, quantity): &(LocationId, Quantity)| StockEvent::Committed {
            order_id,
            location_id: *location_id,
            quantity: *quantity,
        };
        Ok(held.iter().map(committed).collect())
    }

    fn take_back(
        &self,
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    ) -> Decision {
        self.room_for(location_id, quantity.units())?;
        let returned = StockEvent::Returned {
            order_id,
            location_id,
            quantity,
        };
        Ok(self.with_mark(vec![returned], quantity.units()))
    }

    fn set_threshold(&self, threshold: u32) -> Vec<StockEvent> {
        if threshold == self.threshold {
            return vec![];
        }
        let set = StockEvent::LowStockThresholdSet { threshold };
        let mark = self.mark(self.available(), threshold);
        std::iter::once(set).chain(mark).collect()
    }

    /// Whether a place can take the difference without overflowing or eating into reservations.
    fn room_for(&self, location_id: LocationId, difference: i64) -> Result<(), StockError> {
        let place = self.place(location_id);
        let on_hand = place
            .on_hand()
            .checked_add(difference)
            .ok_or(StockError::TooMany)?;
        if on_hand < i64::from(place.reserved) {
            return Err(StockError::BelowReserved {
                reserved: place.reserved,
                on_hand,
            });
        }
        if on_hand > i64::from(u32::MAX) {
            return Err(StockError::TooMany);
        }
        Ok(())
    }

    /// The events, and the low-stock mark if they move what is available across the threshold.
    fn with_mark(&self, mut events: Vec<StockEvent>, difference: i64) -> Vec<StockEvent> {
        events.extend(self.mark(self.available() + difference, self.threshold));
        events
    }

    fn mark(&self, available: i64, threshold: u32) -> Option<StockEvent> {
        let is_low = available <= i64::from(threshold);
        let available = u32::try_from(available).unwrap_or(u32::MAX);
        match (self.is_low, is_low) {
            (false, true) => Some(StockEvent::RanLow {
                available,
                threshold,
            }),
            (true, false) => Some(StockEvent::Replenished {
                available,
                threshold,
            }),
            (false, false) | (true, true) => None,
        }
    }

    /// Adds to what is free in a place. `decide` has made sure that it fits.
    fn shift(&mut self, location_id: LocationId, difference: i64) {
        let place = self.places.entry(location_id).or_default();
        let available = i64::from(place.available) + difference;
        place.available = u32::try_from(available.max(0)).unwrap_or(u32::MAX);
    }

    /// Takes one place's part out of what an order holds.
    fn let_go(&mut self, order_id: OrderId, location_id: LocationId, quantity: Quantity) {
        if let Some(held) = self.held.get_mut(&order_id) {
            held.retain(|part| *part != (location_id, quantity));
            if held.is_empty() {
                self.held.remove(&order_id);
            }
        }
        let place = self.places.entry(location_id).or_default();
        place.reserved = place.reserved.saturating_sub(quantity.get());
    }

    fn apply(&mut self, event: &StockEvent) {
        match *event {
            StockEvent::Tracked { .. } => (),
            StockEvent::Received {
                location_id,
                quantity,
                ..
            }
            | StockEvent::Returned {
                location_id,
                quantity,
                ..
            } => {
                self.shift(location_id, quantity.units());
            }
            StockEvent::Adjusted {
                location_id,
                difference,
                ..
            }
            | StockEvent::Counted {
                location_id,
                difference,
                ..
            } => {
                self.shift(location_id, difference);
            }
            StockEvent::Reserved {
                order_id,
                location_id,
                quantity,
            } => {
                self.shift(location_id, -quantity.units());
                self.places.entry(location_id).or_default().reserved += quantity.get();
                self.held
                    .entry(order_id)
                    .or_default()
                    .push((location_id, quantity));
            }
            StockEvent::Released {
                order_id,
                location_id,
                quantity,
            } => {
                self.let_go(order_id, location_id, quantity);
                self.shift(location_id, quantity.units());
            }
            StockEvent::Committed {
                order_id,
                location_id,
                quantity,
            } => {
                self.let_go(order_id, location_id, quantity);
            }
            StockEvent::LowStockThresholdSet { threshold } => self.threshold = threshold,
            StockEvent::RanLow { .. } => self.is_low = true,
            StockEvent::Replenished { .. } => self.is_low = false,
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
            *self = Self::Tracked(Box::new(Levels {
                store_id,
                vendor_id,
                product_id,
                sku,
                threshold: 0,
                is_low: true,
                places: BTreeMap::new(),
                held: BTreeMap::new(),
            }));
        } else if let Some(levels) = self.levels_mut() {
            levels.apply(&event);
        }
    }
}
