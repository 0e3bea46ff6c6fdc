//! What people mean to buy.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::rows;
use crate::row::Json;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::cart::{CartEvent, CartItem, CartOwner};
use soko_domain::{AccountId, AnyEvent, CartId, OrderId, StoreId, TenantId};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;
use uuid::Uuid;

crate::row! {
    /// A cart.
    pub struct Cart in "carts" {
        key { cart_id: CartId }
        tenant_id: TenantId,
        store_id: StoreId,
        /// None for a guest's.
        account_id: Option<AccountId>,
        status: CartStatus,
        /// In the order in which they were added.
        items: Json<Vec<CartItem>>,
        /// What its items became when it was last checked out.
        last_order: Option<OrderId>,
        version: i64,
        started_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    Active,
    Empty,
    CheckedOut,
    /// Nobody came back to it.
    Abandoned,
}

/// The read model.
#[derive(Debug)]
pub struct Carts;

impl ReadModel for Carts {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["cart"];
    const CACHE_ROWS: usize = 4_096;
    const ROW_BYTES: usize = 512;

    type Key = CartId;
    type Row = Cart;

    fn keys(recorded: &RecordedEvent) -> Vec<CartId> {
        match &recorded.event {
            AnyEvent::Cart(cart_id, _) => vec![*cart_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(row: Option<Cart>, cart_id: &CartId, recorded: &RecordedEvent) -> Option<Cart> {
        let AnyEvent::Cart(_, event) = &recorded.event else {
            return row;
        };
        let mut cart = match (row, event) {
            (None, CartEvent::Started { store_id, owner }) => Cart {
                cart_id: *cart_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                account_id: match owner {
                    CartOwner::Account(account_id) => Some(*account_id),
                    CartOwner::Guest => None,
                },
                status: CartStatus::Empty,
                items: Json::default(),
                last_order: None,
                version: 0,
                started_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
            },
            (row, _) => row?,
        };
        cart.apply(event);
        cart.version = super::version(recorded);
        cart.updated_at = recorded.recorded_at;
        Some(cart)
    }

    fn sources(cart_id: &CartId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("cart", cart_id.as_uuid())])
    }
}

impl Cart {
    fn apply(&mut self, event: &CartEvent) {
        let items = &mut self.items.0;
        let mut emptied = CartStatus::Empty;
        match event {
            CartEvent::Started { .. }
            | CartEvent::CouponApplied { .. }
            | CartEvent::CouponRemoved {} => (),
            CartEvent::ItemAdded {
                variant_id,
                product_id,
                quantity,
                unit_price,
            } => {
                let known = items.iter_mut().find(|item| item.variant_id == *variant_id);
                if let Some(item) = known {
                    item.quantity = item.quantity.plus(*quantity).unwrap_or(*quantity);
                    item.unit_price = *unit_price;
                } else {
                    items.push(CartItem {
                        variant_id: *variant_id,
                        product_id: *product_id,
                        quantity: *quantity,
                        unit_price: *unit_price,
                    });
                }
            }
            CartEvent::QuantityChanged {
                variant_id,
                quantity,
            } => {
                for item in items.iter_mut() {
                    if item.variant_id == *variant_id {
                        item.quantity = *quantity;
                    }
                }
            }
            CartEvent::ItemRemoved { variant_id } => {
                items.retain(|item| item.variant_id != *variant_id);
            }
            CartEvent::Cleared {} => items.clear(),
            CartEvent::CheckedOut { order_id } => {
                items.clear();
                self.last_order = Some(*order_id);
                emptied = CartStatus::CheckedOut;
            }
            CartEvent::Abandoned {} => {
                items.clear();
                emptied = CartStatus::Abandoned;
            }
        }
        self.status = if items.is_empty() {
            emptied
        } else {
            CartStatus::Active
        };
    }
}

/// One cart. Its id is made of its store and its account or token, so whoever can name it may see
/// it.
///
/// # Errors
/// The database failed.
pub async fn cart(reader: &ScopedReader, cart_id: CartId) -> Result<Option<Cart>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Cart>());
    query.push(" WHERE cart_id = ").push_bind(cart_id.as_uuid());
    rows::optional(query, reader, &Scope::Cart(cart_id)).await
}
