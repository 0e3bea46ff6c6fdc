//! What has happened to the stock of a variant.

use super::StockNote;
use crate::event_names::event_names;
use crate::{LocationId, OrderId, ProductId, Quantity, Sku, StoreId, VendorId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockEvent {
    Tracked {
        store_id: StoreId,
        vendor_id: VendorId,
        product_id: ProductId,
        sku: Sku,
    },
    Received {
        location_id: LocationId,
        quantity: Quantity,
        note: StockNote,
    },
    /// `difference` is what was found too much (or, negative, too little).
    Adjusted {
        location_id: LocationId,
        difference: i64,
        note: StockNote,
    },
    /// Somebody counted `counted` on hand; `difference` to what the books said.
    Counted {
        location_id: LocationId,
        counted: u32,
        difference: i64,
        note: StockNote,
    },
    Reserved {
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    },
    Released {
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    },
    /// What was reserved has left the house.
    Committed {
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    },
    /// What had left came back and can be sold again.
    Returned {
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    },
    LowStockThresholdSet {
        threshold: u32,
    },
    /// What is available fell to the threshold or below.
    RanLow {
        available: u32,
        threshold: u32,
    },
    /// What is available rose above the threshold again.
    Replenished {
        available: u32,
        threshold: u32,
    },
}

event_names!(StockEvent, "stock", {
    Tracked => "tracked" v 1,
    Received => "received" v 1,
    Adjusted => "adjusted" v 1,
    Counted => "counted" v 1,
    Reserved => "reserved" v 1,
    Released => "released" v 1,
    Committed => "committed" v 1,
    Returned => "returned" v 1,
    LowStockThresholdSet => "low_stock_threshold_set" v 1,
    RanLow => "ran_low" v 1,
    Replenished => "replenished" v 1,
});
