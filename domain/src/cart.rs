//! What somebody means to buy. It promises nothing: prices and stock are looked at again when an
//! order is placed.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::CartCommand;
pub use error::CartError;
pub use event::{CartEvent, CartOwner};

use crate::decide::only_if;
use crate::{
    CartId, CouponCode, Decide, Money, OrderId, ProductId, Quantity, StoreId, VariantId,
    write_decision,
};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

/// A cart starts with its first item and is never over: emptied, it may be filled again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Cart {
    #[default]
    NotStarted,
    Started(Box<Basket>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Basket {
    store_id: StoreId,
    owner: CartOwner,
    /// In the order in which they were added; one for each variant.
    items: Vec<CartItem>,
    /// What its items became when it was last checked out.
    last_order: Option<OrderId>,
    /// Goes with the items.
    coupon: Option<CouponCode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartItem {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub quantity: Quantity,
    /// What the shopper saw when it was last added.
    pub unit_price: Money,
}

type Decision = Result<Vec<CartEvent>, CartError>;

impl Cart {
    /// `None` if nothing was ever put into it.
    pub fn basket(&self) -> Option<&Basket> {
        match self {
            Self::NotStarted => None,
            Self::Started(basket) => Some(basket),
        }
    }

    /// In the order in which they were added.
    pub fn items(&self) -> &[CartItem] {
        self.basket().map_or(&[], Basket::items)
    }

    /// What its order is to be given.
    pub fn coupon(&self) -> Option<&CouponCode> {
        self.basket().and_then(|basket| basket.coupon.as_ref())
    }

    fn add(&self, store_id: StoreId, owner: CartOwner, item: CartItem) -> Decision {
        let added = |item: CartItem| CartEvent::ItemAdded {
            variant_id: item.variant_id,
            product_id: item.product_id,
            quantity: item.quantity,
            unit_price: item.unit_price,
        };
        match self {
            Self::NotStarted => Ok(vec![CartEvent::Started { store_id, owner }, added(item)]),
            Self::Started(basket) => {
                basket.check_room_for(store_id, owner, &item)?;
                Ok(vec![added(item)])
            }
        }
    }

    fn set_quantity(&self, variant_id: VariantId, quantity: Quantity) -> Decision {
        match self.item(variant_id) {
            None => Err(CartError::NotInCart { variant_id }),
            Some(item) if item.quantity == quantity => Ok(vec![]),
            Some(_) => Ok(vec![CartEvent::QuantityChanged {
                variant_id,
                quantity,
            }]),
        }
    }

    /// What is not there needs no removing: requests may repeat.
    fn remove(&self, variant_id: VariantId) -> Vec<CartEvent> {
        match self.item(variant_id) {
            None => vec![],
            Some(_) => vec![CartEvent::ItemRemoved { variant_id }],
        }
    }

    fn check_out(&self, order_id: OrderId) -> Decision {
        if !self.items().is_empty() {
            return Ok(vec![CartEvent::CheckedOut { order_id }]);
        }
        match self.basket().and_then(|basket| basket.last_order) {
            Some(last_order) if last_order == order_id => Ok(vec![]),
            Some(_) | None => Err(CartError::Empty),
        }
    }

    /// Whether it is worth anything is for its promotion to say, now and when an order is placed.
    fn apply_coupon(&self, code: CouponCode) -> Decision {
        if self.items().is_empty() {
            return Err(CartError::Empty);
        }
        let is_new = self.coupon() != Some(&code);
        Ok(only_if(is_new, CartEvent::CouponApplied { code }))
    }

    fn unless_empty(&self, event: CartEvent) -> Vec<CartEvent> {
        if self.items().is_empty() {
            vec![]
        } else {
            vec![event]
        }
    }

    fn item(&self, variant_id: VariantId) -> Option<&CartItem> {
        self.items()
            .iter()
            .find(|item| item.variant_id == variant_id)
    }
}

impl Decide for Cart {
    type Id = CartId;

    /// 2: with coupons.
    const SNAPSHOT_VERSION: u32 = 2;

    fn decide(&self, command: CartCommand) -> Decision {
        match command {
            CartCommand::Add {
                store_id,
                owner,
                item,
            } => self.add(store_id, owner, item),
            CartCommand::SetQuantity {
                variant_id,
                quantity,
            } => self.set_quantity(variant_id, quantity),
            CartCommand::Remove { variant_id } => Ok(self.remove(variant_id)),
            CartCommand::Clear {} => Ok(self.unless_empty(CartEvent::Cleared {})),
            CartCommand::CheckOut { order_id } => self.check_out(order_id),
            CartCommand::Abandon {} => Ok(self.unless_empty(CartEvent::Abandoned {})),
            CartCommand::ApplyCoupon { code } => self.apply_coupon(code),
            CartCommand::RemoveCoupon {} => {
                let is_there = self.coupon().is_some();
                Ok(only_if(is_there, CartEvent::CouponRemoved {}))
            }
        }
    }
}

impl Basket {
    /// As many lines as an order may have.
    pub const ITEMS_MAX: usize = 100;

    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn owner(&self) -> CartOwner {
        self.owner
    }

    /// In the order in which they were added.
    pub fn items(&self) -> &[CartItem] {
        &self.items
    }

    /// What its items became when it was last checked out.
    pub fn last_order(&self) -> Option<OrderId> {
        self.last_order
    }

    fn check_room_for(
        &self,
        store_id: StoreId,
        owner: CartOwner,
        item: &CartItem,
    ) -> Result<(), CartError> {
        if store_id != self.store_id || owner != self.owner {
            return Err(CartError::AnotherCart);
        }
        let currency = item.unit_price.currency();
        if let Some(first) = self.items.first()
            && first.unit_price.currency() != currency
        {
            return Err(CartError::CurrencyDiffers {
                expected: first.unit_price.currency(),
                found: currency,
            });
        }
        let present = self
            .items
            .iter()
            .find(|present| present.variant_id == item.variant_id);
        match present {
            Some(present) => match present.quantity.plus(item.quantity) {
                Some(_) => Ok(()),
                None => Err(CartError::TooManyOfOne),
            },
            None if self.items.len() >= Self::ITEMS_MAX => Err(CartError::TooManyItems),
            None => Ok(()),
        }
    }

    fn put_in(&mut self, item: CartItem) {
        let present = self
            .items
            .iter_mut()
            .find(|present| present.variant_id == item.variant_id);
        match present {
            None => self.items.push(item),
            Some(present) => {
                let sum = present.quantity.plus(item.quantity);
                present.quantity = sum.unwrap_or(item.quantity);
                present.unit_price = item.unit_price;
            }
        }
    }

    fn empty(&mut self) {
        self.items.clear();
        self.coupon = None;
    }

    fn apply(&mut self, event: CartEvent) {
        match event {
            CartEvent::Started { .. } => (),
            CartEvent::ItemAdded {
                variant_id,
                product_id,
                quantity,
                unit_price,
            } => self.put_in(CartItem {
                variant_id,
                product_id,
                quantity,
                unit_price,
            }),
            CartEvent::QuantityChanged {
                variant_id,
                quantity,
            } => {
                let mut items = self.items.iter_mut();
                if let Some(item) = items.find(|item| item.variant_id == variant_id) {
                    item.quantity = quantity;
                }
            }
            CartEvent::ItemRemoved { variant_id } => {
                self.items.retain(|item| item.variant_id != variant_id);
            }
            CartEvent::Cleared {} | CartEvent::Abandoned {} => self.empty(),
            CartEvent::CheckedOut { order_id } => {
                self.empty();
                self.last_order = Some(order_id);
            }
            CartEvent::CouponApplied { code } => self.coupon = Some(code),
            CartEvent::CouponRemoved {} => self.coupon = None,
        }
    }
}

impl Aggregate for Cart {
    const TYPE: &'static str = "cart";
    type Command = CartCommand;
    type Event = CartEvent;
    type Error = CartError;
    type Services = ();

    async fn handle(
        &mut self,
        command: CartCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), CartError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: CartEvent) {
        if let CartEvent::Started { store_id, owner } = event {
            *self = Self::Started(Box::new(Basket {
                store_id,
                owner,
                items: Vec::new(),
                last_order: None,
                coupon: None,
            }));
        } else if let Self::Started(basket) = self {
            basket.apply(event);
        }
    }
}
