//! The caller's cart in a store: an account's own, or a guest's by its token.
//!
//! A cart is shown as it would be ordered now: with today's prices, and with what stands in the way.

use actix_web::web::Data;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use soko_commands::handlers::{
    AddToCart, CartItemError, SetCartQuantity, add_to_cart, set_cart_quantity,
};
use soko_commands::{Lanes, UnitOfWork};
use soko_domain::cart::{Cart, CartCommand, CartError, CartItem, CartOwner};
use soko_domain::{
    CartId, Money, Product, ProductId, Promotion, PromotionId, Quantity, Sku, Stock, Store,
    StoreId, Text, VariantId, Vendor, VendorId,
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::Found;
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query, query};
use crate::recorded::Recorded;
use crate::resources::cart_coupons::{CartCoupon, worth};
use crate::schema::{answer, body, words};

query! {
    pub(crate) struct OfStore {
        /// The store whose cart is meant.
        pub store: StoreId,
    }
}

body! {
    pub(crate) struct NewItem {
        pub store_id: StoreId,
        pub variant_id: VariantId,
        /// How many more.
        pub quantity: Quantity,
    }

    pub(crate) struct ItemQuantity {
        pub quantity: Quantity,
    }
}

answer! {
    pub(crate) struct CartDetails {
        pub store_id: StoreId,
        pub items: Vec<CartLine>,
        /// At today's prices; what is gone is left out.
        pub subtotal: Money,
        /// The coupon that was named, and what it is worth.
        pub coupon: Option<CartCoupon>,
        pub problems: Vec<CartProblem>,
        /// Of a guest: to be sent as `X-Cart-Token` from now on.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cart_token: Option<String>,
    }

    pub(crate) struct CartLine {
        pub variant_id: VariantId,
        pub product_id: ProductId,
        pub sku: Option<Sku>,
        pub name: Option<Text<200>>,
        pub quantity: Quantity,
        /// Today's price; null if it is gone.
        pub unit_price: Option<Money>,
        /// The price when it was put in.
        pub price_seen: Money,
    }

    pub(crate) struct CartProblem {
        pub variant_id: VariantId,
        pub kind: CartProblemKind,
        pub text: String,
    }
}

/// What stands in the way of ordering an item as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CartProblemKind {
    PriceChanged,
    TooLittleStock,
    Gone,
}

words! { CartProblemKind = "CartProblemKind" ["price_changed", "too_little_stock", "gone"] }

/// 128 bits.
const TOKEN_BYTES: usize = 16;

/// The caller's cart in a store, and whose it is.
///
/// # Errors
/// `validation` for a guest without a cart token: they have no cart yet.
pub(crate) fn cart_of(caller: &Caller, store_id: StoreId) -> Result<(CartId, CartOwner)> {
    match (caller.account_id(), caller.cart_token()) {
        (Some(account_id), _) => Ok((
            CartId::of_account(store_id, account_id),
            CartOwner::Account(account_id),
        )),
        (None, Some(token)) => Ok((CartId::of_guest(store_id, token), CartOwner::Guest)),
        (None, None) => {
            Err(Problem::new(Code::NotFound).with_detail("a guest's cart has an X-Cart-Token"))
        }
    }
}

/// A guest who has not yet been given a token.
fn is_without_cart(caller: &Caller) -> bool {
    caller.account_id().is_none() && caller.cart_token().is_none()
}

/// The same again for a request that is repeated with its key, so that a guest who lost the answer
/// is given their cart and not another.
fn new_token(app: &App, caller: &Caller, key: Option<&str>) -> String {
    let bytes: [u8; TOKEN_BYTES] = match key {
        None => rand::random(),
        Some(key) => {
            let name = format!("{} {key}", caller.key_scope(key));
            let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
            let derived = app.tokens().keys().derived("cart token", name);
            std::array::from_fn(|index| derived[index])
        }
    };
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A guest's first look gives them the token of a cart that is empty.
pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    query: Query<OfStore>,
) -> Result<Found<CartDetails>> {
    let store_id = query.store;
    caller.permit(Place::store(store_id).owned(true)).await?;
    let new_token = is_without_cart(&caller).then(|| new_token(&app, &caller, None));
    let cart_id = match &new_token {
        Some(token) => CartId::of_guest(store_id, token),
        None => cart_of(&caller, store_id)?.0,
    };
    let details = details(&app, store_id, cart_id, caller.now()).await?;
    Ok(Found::new(CartDetails {
        cart_token: new_token,
        ..details
    }))
}

pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    command: Command<NewItem>,
) -> Result<Recorded<CartDetails>> {
    let NewItem {
        store_id,
        variant_id,
        quantity,
    } = command.body;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let key = command.conditions.idempotency_key.as_deref();
    let new_token = is_without_cart(&caller).then(|| new_token(&app, &caller, key));
    let (cart_id, owner) = match &new_token {
        Some(token) => (CartId::of_guest(store_id, token), CartOwner::Guest),
        None => cart_of(&caller, store_id)?,
    };
    let request = AddToCart {
        cart_id,
        store_id,
        owner,
        variant_id,
        quantity,
    };
    let added = add_to_cart(app.engine(), request, &context).await;
    let recorded: Recorded<()> = app
        .recorded_of::<Cart, _, _, _>(cart_id, added, &context)
        .await?;
    let token = new_token.or_else(|| caller.cart_token().map(str::to_owned));
    let details = details(&app, store_id, cart_id, caller.now()).await?;
    Ok(recorded.map(|()| CartDetails {
        cart_token: token,
        ..details
    }))
}

pub(crate) async fn set_quantity(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<ItemQuantity>,
) -> Result<Recorded<CartDetails>> {
    let store_id = store_of(&app, *variant_id).await?;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let (cart_id, _) = cart_of(&caller, store_id)?;
    let quantity = command.body.quantity;
    let request = SetCartQuantity {
        cart_id,
        variant_id: *variant_id,
        quantity,
    };
    let set = set_cart_quantity(app.engine(), request, &context).await;
    let recorded: Recorded<()> = app
        .recorded_of::<Cart, _, _, _>(cart_id, set, &context)
        .await?;
    let details = details(&app, store_id, cart_id, caller.now()).await?;
    Ok(recorded.map(|()| details))
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let store_id = store_of(&app, *variant_id).await?;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let (cart_id, _) = cart_of(&caller, store_id)?;
    let remove = CartCommand::Remove {
        variant_id: *variant_id,
    };
    let removed = app
        .engine()
        .execute::<Cart>(cart_id, remove, &context)
        .await;
    app.recorded_of::<Cart, _, _, _>(cart_id, removed, &context)
        .await
}

pub(crate) async fn clear(
    app: Data<App>,
    caller: Caller,
    query: Query<OfStore>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let store_id = query.store;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let (cart_id, _) = cart_of(&caller, store_id)?;
    let cleared = app
        .engine()
        .execute::<Cart>(cart_id, CartCommand::Clear {}, &context)
        .await;
    app.recorded_of::<Cart, _, _, _>(cart_id, cleared, &context)
        .await
}

async fn store_of(app: &App, variant_id: VariantId) -> Result<StoreId> {
    let stock = app.engine().read::<Stock>(variant_id).await?;
    let levels = stock
        .state
        .levels()
        .map_err(|_| Problem::new(Code::NotFound))?;
    Ok(levels.store_id())
}

pub(super) async fn details(
    app: &App,
    store_id: StoreId,
    cart_id: CartId,
    now: DateTime<Utc>,
) -> Result<CartDetails> {
    let lanes = Lanes::new().with::<Store>(store_id).with::<Cart>(cart_id);
    let look = |unit: &UnitOfWork<'_>| seen(unit, store_id, cart_id, now);
    app.engine().view(lanes, look).await?
}

/// The cart, and what has become of the things in it.
fn seen(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    cart_id: CartId,
    now: DateTime<Utc>,
) -> Result<CartDetails> {
    let currency = unit.state::<Store>(store_id).shop()?.currency();
    let mut details = CartDetails {
        store_id,
        items: vec![],
        subtotal: Money::zero(currency),
        coupon: None,
        problems: vec![],
        cart_token: None,
    };
    let items = unit.state::<Cart>(cart_id).items();
    unit.require::<Product>(items.iter().map(|item| item.product_id));
    unit.require::<Stock>(items.iter().map(|item| item.variant_id));
    let code = unit.state::<Cart>(cart_id).coupon();
    unit.require::<Promotion>(code.map(|code| PromotionId::of_code(store_id, code)));
    let mut goods = Vec::with_capacity(items.len());
    for item in items {
        goods.extend(show(unit, item, &mut details)?);
    }
    details.coupon = worth(unit, (store_id, cart_id), &goods, currency, now);
    Ok(details)
}

/// Whose it is and what so many of it cost, if they are on sale.
fn show(
    unit: &UnitOfWork<'_>,
    item: &CartItem,
    details: &mut CartDetails,
) -> Result<Option<(VendorId, Money)>> {
    let variant_id = item.variant_id;
    let listing = unit.state::<Product>(item.product_id).listing().ok();
    let variant = listing.and_then(|listing| listing.variant(variant_id).ok());
    let is_on_sale = listing.is_some_and(|listing| {
        listing.is_published() && unit.state::<Vendor>(listing.vendor_id()).is_trading()
    });
    let levels = unit.state::<Stock>(variant_id).levels();
    let available = levels.map_or(0, soko_domain::stock::Levels::available);
    let mut goods = None;
    let price = variant.filter(|_| is_on_sale).map(|variant| variant.price);
    let mut problem = |kind, text: String| {
        details.problems.push(CartProblem {
            variant_id,
            kind,
            text,
        });
    };
    match price {
        None => problem(CartProblemKind::Gone, "is not on sale any more".to_owned()),
        Some(price) => {
            if price != item.unit_price {
                let text = format!("costs {price}, not {} any more", item.unit_price);
                problem(CartProblemKind::PriceChanged, text);
            }
            if available < item.quantity.units() {
                let text = format!("only {available} available");
                problem(CartProblemKind::TooLittleStock, text);
            }
            let too_large =
                |_| Problem::new(Code::StateConflict).with_detail("too much in the cart");
            let total = price.times(item.quantity).map_err(too_large)?;
            details.subtotal = details.subtotal.add(total).map_err(too_large)?;
            goods = listing.map(|listing| (listing.vendor_id(), total));
        }
    }
    details.items.push(CartLine {
        variant_id,
        product_id: item.product_id,
        sku: variant.map(|variant| variant.sku.clone()),
        name: variant.map(|variant| variant.name.clone()),
        quantity: item.quantity,
        unit_price: price,
        price_seen: item.unit_price,
    });
    Ok(goods)
}

impl From<CartItemError> for Problem {
    fn from(error: CartItemError) -> Self {
        let detail = error.to_string();
        match error {
            CartItemError::Store(error) => error.into(),
            CartItemError::Cart(error) => error.into(),
            CartItemError::NotOnSale { .. } => Self::new(Code::StateConflict).with_detail(detail),
            CartItemError::OutOfStock {
                variant_id,
                requested,
                available,
            } => Self::new(Code::OutOfStock)
                .with_detail(detail)
                .with_member("variant_id", variant_id)
                .with_member("requested", requested)
                .with_member("available", available),
        }
    }
}

impl From<CartError> for Problem {
    fn from(error: CartError) -> Self {
        let code = match &error {
            CartError::NotInCart { .. } => Code::NotFound,
            _ => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
