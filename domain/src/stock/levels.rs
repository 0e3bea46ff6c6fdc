//! What of a variant lies where, and for whom it is held.

use super::{Decision, StockError, StockEvent, StockNote};
use crate::{LocationId, OrderId, ProductId, Quantity, Sku, StoreId, VendorId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Levels {
    store_id: StoreId,
    vendor_id: VendorId,
    product_id: ProductId,
    sku: Sku,
    threshold: u32,
    is_low: bool,
    pub(super) places: BTreeMap<LocationId, Place>,
    pub(super) held: BTreeMap<OrderId, Vec<(LocationId, Quantity)>>,
}

/// Counts what is free, not what is on hand: what is on hand can then never fall below what is
/// reserved.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Place {
    available: u32,
    pub(super) reserved: u32,
}

impl Place {
    pub(super) fn on_hand(self) -> i64 {
        i64::from(self.available) + i64::from(self.reserved)
    }
}

impl Levels {
    /// Nothing on hand, which is low.
    pub(super) fn new(
        store_id: StoreId,
        vendor_id: VendorId,
        product_id: ProductId,
        sku: Sku,
    ) -> Self {
        Self {
            store_id,
            vendor_id,
            product_id,
            sku,
            threshold: 0,
            is_low: true,
            places: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

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

    /// What lies there, reserved or not, over all places.
    pub fn on_hand(&self) -> i64 {
        self.places.values().map(|place| place.on_hand()).sum()
    }

    /// What can still be promised, over all places.
    pub fn available(&self) -> i64 {
        self.places
            .values()
            .map(|place| i64::from(place.available))
            .sum()
    }

    pub(super) fn place(&self, location_id: LocationId) -> Place {
        self.places.get(&location_id).copied().unwrap_or_default()
    }

    pub(super) fn receive(
        &self,
        location_id: LocationId,
        quantity: Quantity,
        note: StockNote,
    ) -> Decision {
        self.room_for(location_id, quantity.units())?;
        let received = StockEvent::Received {
            location_id,
            quantity,
            note,
        };
        Ok(self.with_mark(vec![received], quantity.units()))
    }

    pub(super) fn adjust(
        &self,
        location_id: LocationId,
        difference: i64,
        note: StockNote,
    ) -> Decision {
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

    pub(super) fn count(&self, location_id: LocationId, counted: u32, note: StockNote) -> Decision {
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
    pub(super) fn reserve(&self, order_id: OrderId, quantity: Quantity) -> Decision {
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

    pub(super) fn release(&self, order_id: OrderId) -> Decision {
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

    pub(super) fn commit(&self, order_id: OrderId) -> Decision {
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

    pub(super) fn take_back(
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

    pub(super) fn set_threshold(&self, threshold: u32) -> Vec<StockEvent> {
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

    pub(super) fn apply(&mut self, event: &StockEvent) {
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
