//! What has happened to a cart.

use crate::event_names::event_names;
use crate::{AccountId, CouponCode, Money, OrderId, ProductId, Quantity, StoreId, VariantId};
use serde::{Deserialize, Serialize};

/// Whose cart it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartOwner {
    Account(AccountId),
    /// Whoever holds the cart's token.
    Guest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartEvent {
    Started {
        store_id: StoreId,
        owner: CartOwner,
    },
    /// More of the same variant adds to its quantity; the price is what the shopper saw.
    ItemAdded {
        variant_id: VariantId,
        product_id: ProductId,
        quantity: Quantity,
        unit_price: Money,
    },
    QuantityChanged {
        variant_id: VariantId,
        quantity: Quantity,
    },
    ItemRemoved {
        variant_id: VariantId,
    },
    Cleared {},
    /// Its items became an order; the cart is empty and may be filled again.
    CheckedOut {
        order_id: OrderId,
    },
    /// Nobody came back to it.
    Abandoned {},
    /// In place of one that was there.
    CouponApplied {
        code: CouponCode,
    },
    CouponRemoved {},
}

event_names!(CartEvent, "cart", {
    Started => "started" v 1,
    ItemAdded => "item_added" v 1,
    QuantityChanged => "quantity_changed" v 1,
    ItemRemoved => "item_removed" v 1,
    Cleared => "cleared" v 1,
    CheckedOut => "checked_out" v 1,
    Abandoned => "abandoned" v 1,
    CouponApplied => "coupon_applied" v 1,
    CouponRemoved => "coupon_removed" v 1,
});
