//! What may be asked of the stock of a variant.

use super::StockNote;
use crate::{LocationId, OrderId, ProductId, Quantity, Sku, StoreId, VendorId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockCommand {
    Track {
        store_id: StoreId,
        vendor_id: VendorId,
        product_id: ProductId,
        sku: Sku,
    },
    Receive {
        location_id: LocationId,
        quantity: Quantity,
        note: StockNote,
    },
    Adjust {
        location_id: LocationId,
        difference: i64,
        note: StockNote,
    },
    Count {
        location_id: LocationId,
        counted: u32,
        note: StockNote,
    },
    Reserve {
        order_id: OrderId,
        quantity: Quantity,
    },
    Release {
        order_id: OrderId,
    },
    Commit {
        order_id: OrderId,
    },
    Return {
        order_id: OrderId,
        location_id: LocationId,
        quantity: Quantity,
    },
    SetLowStockThreshold {
        threshold: u32,
    },
}
