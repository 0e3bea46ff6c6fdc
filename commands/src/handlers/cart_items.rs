//! What a shopper puts into a cart must be on sale and in stock at that moment. Nothing is held:
//! it is looked at again when the order is placed.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::cart::{CartCommand, CartError, CartItem, CartOwner};
use soko_domain::store::StoreError;
use soko_domain::{
    Cart, CartId, Product, ProductId, Quantity, Stock, Store, StoreId, VariantId, Vendor, VendorId,
};

#[derive(Debug, Clone)]
pub struct AddToCart {
    pub cart_id: CartId,
    pub store_id: StoreId,
    pub owner: CartOwner,
    pub variant_id: VariantId,
    /// How many more.
    pub quantity: Quantity,
}

#[derive(Debug, Clone)]
pub struct SetCartQuantity {
    pub cart_id: CartId,
    pub variant_id: VariantId,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartItemError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{variant_id} is not on sale")]
    NotOnSale { variant_id: VariantId },
    #[error("{requested} of {variant_id} asked for, {available} available")]
    OutOfStock {
        variant_id: VariantId,
        /// With those in the cart already.
        requested: u32,
        available: u32,
    },
    #[error(transparent)]
    Cart(#[from] CartError),
}

/// What the books say of a variant's stock. A cart does not depend on them to stay as they are: a
/// busy variant must not keep shoppers from filling their carts.
struct Looked {
    product_id: ProductId,
    vendor_id: VendorId,
    available: u32,
}

/// # Errors
/// [`CartItemError`], and every other [`CommandError`].
pub async fn add_to_cart(
    engine: &Engine,
    request: AddToCart,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<CartItemError>> {
    let looked = look_up(engine, request.variant_id).await?;
    let mut lanes = Lanes::new()
        .with::<Cart>(request.cart_id)
        .with::<Store>(request.store_id);
    if let Some(looked) = &looked {
        lanes = lanes
            .with::<Product>(looked.product_id)
            .with::<Vendor>(looked.vendor_id);
    }
    engine
        .transact(context, lanes, |unit| {
            add(unit, &request, looked.as_ref(), context)
        })
        .await
}

/// # Errors
/// [`CartItemError`], and every other [`CommandError`].
pub async fn set_cart_quantity(
    engine: &Engine,
    request: SetCartQuantity,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<CartItemError>> {
    let SetCartQuantity {
        cart_id,
        variant_id,
        quantity,
    } = request;
    let looked = look_up(engine, variant_id).await?;
    let lanes = Lanes::new().with::<Cart>(cart_id);
    engine
        .transact(context, lanes, |unit| {
            let basket = unit.state::<Cart>(cart_id).basket();
            let basket = basket.ok_or(CartError::NotInCart { variant_id })?;
            if !shelf::is_store_of(unit, basket.store_id(), context.tenant_id) {
                return Err(CartError::AnotherCart.into());
            }
            let items = basket.items();
            let item = items.iter().find(|item| item.variant_id == variant_id);
            let item = item.ok_or(CartError::NotInCart { variant_id })?;
            // Less of what has become scarce is always welcome.
            if quantity > item.quantity {
                let looked = looked.as_ref();
                let looked = looked.ok_or(CartItemError::NotOnSale { variant_id })?;
                looked.has(variant_id, quantity.get())?;
            }
            let command = CartCommand::SetQuantity {
                variant_id,
                quantity,
            };
            Ok(unit.execute::<Cart>(cart_id, command)?)
        })
        .await
}

/// `None` if no stock is kept of it: then there is no such variant.
async fn look_up(
    engine: &Engine,
    variant_id: VariantId,
) -> Result<Option<Looked>, CommandError<CartItemError>> {
    let stock = engine.read::<Stock>(variant_id).await;
    let stock = stock.map_err(|error| error.map_rejection(|never| match never {}))?;
    Ok(stock.state.levels().ok().map(|levels| Looked {
        product_id: levels.product_id(),
        vendor_id: levels.vendor_id(),
        available: u32::try_from(levels.available()).unwrap_or(u32::MAX),
    }))
}

fn add(
    unit: &mut UnitOfWork<'_>,
    request: &AddToCart,
    looked: Option<&Looked>,
    context: &CommandContext,
) -> Result<(), CartItemError> {
    let AddToCart {
        cart_id,
        store_id,
        owner,
        variant_id,
        quantity,
    } = *request;
    shelf::open_store(unit, store_id, context.tenant_id)?;
    let not_on_sale = CartItemError::NotOnSale { variant_id };
    let Some(looked) = looked else {
        return Err(not_on_sale);
    };
    let Some((variant, _)) = shelf::on_sale(unit, store_id, looked.product_id, variant_id) else {
        return Err(not_on_sale);
    };
    let item = CartItem {
        variant_id,
        product_id: looked.product_id,
        quantity,
        unit_price: variant.price,
    };
    let items = unit.state::<Cart>(cart_id).items();
    let present = items.iter().find(|item| item.variant_id == variant_id);
    let present = present.map_or(0, |item| item.quantity.get());
    looked.has(variant_id, present.saturating_add(quantity.get()))?;
    let command = CartCommand::Add {
        store_id,
        owner,
        item,
    };
    Ok(unit.execute::<Cart>(cart_id, command)?)
}

impl Looked {
    fn has(&self, variant_id: VariantId, requested: u32) -> Result<(), CartItemError> {
        if requested <= self.available {
            Ok(())
        } else {
            Err(CartItemError::OutOfStock {
                variant_id,
                requested,
                available: self.available,
            })
        }
    }
}
