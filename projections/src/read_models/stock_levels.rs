//! What there is of each variant, in all and by location.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::{StockFilter, StockPage, level, levels};

use crate::ReadModel;
use crate::row::Json;
use serde::{Deserialize, Serialize};
use soko_domain::stock::StockEvent;
use soko_domain::{AnyEvent, LocationId, ProductId, StoreId, TenantId, VariantId, VendorId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// The stock of one variant.
    pub struct StockLevel in "stock_levels" {
        key { variant_id: VariantId }
        tenant_id: TenantId,
        store_id: StoreId,
        vendor_id: VendorId,
        product_id: ProductId,
        sku: String,
        on_hand: i64,
        reserved: i64,
        low_stock_threshold: i64,
        is_low: bool,
        /// In the order of their ids.
        locations: Json<Vec<LocationLevel>>,
    }
}

/// What lies in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationLevel {
    pub location_id: LocationId,
    pub on_hand: i64,
    pub reserved: i64,
}

impl StockLevel {
    /// What can still be promised.
    pub const fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    fn shift(&mut self, location_id: LocationId, on_hand: i64, reserved: i64) {
        let locations = &mut self.locations.0;
        let index = match locations.binary_search_by_key(&location_id, |level| level.location_id) {
            Ok(index) => index,
            Err(index) => {
                let empty = LocationLevel {
                    location_id,
                    on_hand: 0,
                    reserved: 0,
                };
                locations.insert(index, empty);
                index
            }
        };
        let location = &mut locations[index];
        location.on_hand += on_hand;
        location.reserved += reserved;
        self.on_hand += on_hand;
        self.reserved += reserved;
    }
}

/// How an event moves stock: where, by how much on hand, by how much reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) location_id: LocationId,
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
}

pub(super) fn move_of(event: &StockEvent) -> Option<Move> {
    let moved = |location_id: &LocationId, on_hand, reserved| {
        Some(Move {
            location_id: *location_id,
            on_hand,
            reserved,
        })
    };
    match event {
        StockEvent::Received {
            location_id,
            quantity,
            ..
        }
        | StockEvent::Returned {
            location_id,
            quantity,
            ..
        } => moved(location_id, quantity.units(), 0),
        StockEvent::Adjusted {
            location_id,
            difference,
            ..
        }
        | StockEvent::Counted {
            location_id,
            difference,
            ..
        } => moved(location_id, *difference, 0),
        StockEvent::Reserved {
            location_id,
            quantity,
            ..
        } => moved(location_id, 0, quantity.units()),
        StockEvent::Released {
            location_id,
            quantity,
            ..
        } => moved(location_id, 0, -quantity.units()),
        StockEvent::Committed {
            location_id,
            quantity,
            ..
        } => moved(location_id, -quantity.units(), -quantity.units()),
        StockEvent::Tracked { .. }
        | StockEvent::LowStockThresholdSet { .. }
        | StockEvent::RanLow { .. }
        | StockEvent::Replenished { .. } => None,
    }
}

/// The read model.
#[derive(Debug)]
pub struct StockLevels;

impl ReadModel for StockLevels {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["stock"];
    const CACHE_ROWS: usize = 8_192;
    const ROW_BYTES: usize = 320;

    type Key = VariantId;
    type Row = StockLevel;

    fn keys(recorded: &RecordedEvent) -> Vec<VariantId> {
        match &recorded.event {
            // Marks that say what the numbers say as well.
            AnyEvent::Stock(_, StockEvent::RanLow { .. } | StockEvent::Replenished { .. }) => {
                vec![]
            }
            AnyEvent::Stock(variant_id, _) => vec![*variant_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(
        row: Option<StockLevel>,
        variant_id: &VariantId,
        recorded: &RecordedEvent,
    ) -> Option<StockLevel> {
        let AnyEvent::Stock(_, event) = &recorded.event else {
            return row;
        };
        if let StockEvent::Tracked {
            store_id,
            vendor_id,
            product_id,
            sku,
        } = event
        {
            return Some(StockLevel {
                variant_id: *variant_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                vendor_id: *vendor_id,
                product_id: *product_id,
                sku: sku.to_string(),
                on_hand: 0,
                reserved: 0,
                low_stock_threshold: 0,
                is_low: true,
                locations: Json::default(),
            });
        }
        let mut level = row?;
        if let Some(moved) = move_of(event) {
            level.shift(moved.location_id, moved.on_hand, moved.reserved);
        }
        if let StockEvent::LowStockThresholdSet { threshold } = event {
            level.low_stock_threshold = i64::from(*threshold);
        }
        level.is_low = level.available() <= level.low_stock_threshold;
        Some(level)
    }

    fn sources(variant_id: &VariantId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("stock", variant_id.as_uuid())])
    }
}
