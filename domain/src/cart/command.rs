//! What may be asked of a cart.

use super::{CartItem, CartOwner};
use crate::{CouponCode, OrderId, Quantity, StoreId, VariantId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartCommand {
    /// Starts the cart if this is its first item; more of what is there adds to its quantity.
    Add {
        store_id: StoreId,
        owner: CartOwner,
        item: CartItem,
    },
    SetQuantity {
        variant_id: VariantId,
        quantity: Quantity,
    },
    Remove {
        variant_id: VariantId,
    },
    Clear {},
    /// Its items become this order.
    CheckOut {
        order_id: OrderId,
    },
    /// Nobody has come back to it for long enough.
    Abandon {},
    /// Its order is to be given what this stands for, in place of what was named before.
    ApplyCoupon {
        code: CouponCode,
    },
    RemoveCoupon {},
}
