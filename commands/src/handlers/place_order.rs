//! A customer orders: the cart is checked out, the order placed, its stock reserved and its payment
//! initiated, and its coupon used, all at once or not at all.

mod basket;
mod bill;
mod commission;
mod coupon;

use super::attempt_payment::Ask;
use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use basket::Wanted;
use bill::Bill;
use coupon::Redemption;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use soko_domain::cart::{CartCommand, CartError};
use soko_domain::order::{
    self, Customer, FulfilmentStatus, OrderCommand, OrderError, OrderLine, OrderStatus, Placement,
    Totals,
};
use soko_domain::payment::{PaymentCommand, PaymentError, PaymentProvider, PaymentStatus};
use soko_domain::promotion::{PromotionError, Terms};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::store::StoreError;
use soko_domain::{
    Address, Cart, CartId, CouponCode, Currency, MoneyError, Order, OrderId, Payment, PaymentId,
    Personal, Promotion, PromotionId, Quantity, Stock, Store, StoreId, VariantId, VendorId,
};
use soko_event_log::ClaimKind;
use std::collections::BTreeMap;

/// How often another number is tried when a store has given one away: with a million orders, one
/// in a million finds its number taken.
const NUMBERS_MAX: u8 = 4;

#[derive(Debug, Clone)]
pub struct PlaceOrder {
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub store_id: StoreId,
    pub customer: Customer,
    pub source: OrderSource,
    pub shipping_address: Address,
    pub provider: PaymentProvider,
    /// Of a provider that is asked.
    pub ask: Option<Ask>,
    /// In place of the cart's, if it has one.
    pub coupon: Option<CouponCode>,
}

/// What is ordered.
#[derive(Debug, Clone)]
pub enum OrderSource {
    /// All that is in the cart, which is empty afterwards.
    Cart(CartId),
    /// The same variant may be named more than once.
    Lines(Vec<(VariantId, Quantity)>),
}

/// What the customer is told; nothing about the person, so that it may be kept with the
/// idempotency key. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub order_id: OrderId,
    pub number: String,
    pub status: OrderStatus,
    pub currency: Currency,
    pub totals: Totals,
    pub lines: Vec<OrderLine>,
    pub fulfilments: BTreeMap<VendorId, FulfilmentStatus>,
    pub payment_id: PaymentId,
    pub provider: PaymentProvider,
    pub payment_status: PaymentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponCode>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceOrderError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store does not take payment by this provider")]
    ProviderNotOffered { provider: PaymentProvider },
    #[error("the store has no account with this provider yet")]
    ProviderNotCarried { provider: PaymentProvider },
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error("no more than {} of one item can be ordered", Quantity::MAX)]
    TooManyOfOne { variant_id: VariantId },
    #[error("not on sale: {} of the lines", variant_ids.len())]
    NotOnSale { variant_ids: Vec<VariantId> },
    #[error("out of stock: {} of the lines", lines.len())]
    OutOfStock { lines: Vec<ShortLine> },
    #[error(transparent)]
    Price(#[from] MoneyError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    #[error("the coupon is for customers with an account")]
    CouponNeedsAccount,
    #[error("this customer has used the coupon as often as one may")]
    CouponUsedUp,
    #[error("a coupon must leave something to pay")]
    NothingLeftToPay,
}

/// A line of which there is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortLine {
    pub variant_id: VariantId,
    pub requested: Quantity,
    pub available: u32,
}

/// # Errors
/// [`PlaceOrderError`], and every other [`CommandError`].
pub async fn place_order(
    engine: &Engine,
    request: PlaceOrder,
    context: &CommandContext,
) -> Result<Committed<PlacedOrder>, CommandError<PlaceOrderError>> {
    let mut number_attempt = 0;
    let mut customer_use = 0;
    loop {
        let number = number(request.order_id, number_attempt);
        let result = engine
            .transact(context, lanes(&request), |unit| {
                place(unit, &request, &number, customer_use, context)
            })
            .await;
        match result {
            Err(CommandError::ClaimTaken {
                kind: ClaimKind::OrderNumber,
                ..
            }) if number_attempt + 1 < NUMBERS_MAX => number_attempt += 1,
            // The customer has used the coupon before: how often they may is said by its terms.
            Err(CommandError::ClaimTaken {
                kind: ClaimKind::CouponUse,
                ..
            }) if customer_use < Terms::USES_PER_CUSTOMER_MAX => customer_use += 1,
            result => return result,
        }
    }
}

/// Made of the order's id, but not to be told from it: who knows a number knows no id.
fn number(order_id: OrderId, attempt: u8) -> String {
    let digest = Sha256::new()
        .chain_update(order_id.as_uuid().as_bytes())
        .chain_update([attempt])
        .finalize();
    let bits = digest.iter().take(8);
    order::number(bits.fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

fn lanes(request: &PlaceOrder) -> Lanes {
    let always = Lanes::new()
        .with_new::<Order>(request.order_id)
        .with_new::<Payment>(request.payment_id)
        .with::<Store>(request.store_id)
        .with_all::<Promotion>(request.coupon.iter().map(|code| promotion(request, code)));
    match &request.source {
        OrderSource::Cart(cart_id) => always.with::<Cart>(*cart_id),
        OrderSource::Lines(lines) => {
            always.with_all::<Stock>(lines.iter().map(|(variant_id, _)| *variant_id))
        }
    }
}

fn promotion(request: &PlaceOrder, code: &CouponCode) -> PromotionId {
    PromotionId::of_code(request.store_id, code)
}

fn place(
    unit: &mut UnitOfWork<'_>,
    request: &PlaceOrder,
    number: &str,
    customer_use: u8,
    context: &CommandContext,
) -> Result<PlacedOrder, PlaceOrderError> {
    let PlaceOrder {
        order_id,
        payment_id,
        store_id,
        provider,
        ..
    } = *request;
    let shop = shelf::open_store(unit, store_id, context.tenant_id)?;
    if !shop.takes(provider) {
        return Err(PlaceOrderError::ProviderNotOffered { provider });
    }
    if !shop.can_take(provider) {
        return Err(PlaceOrderError::ProviderNotCarried { provider });
    }
    let (tax, currency) = (shop.tax(), shop.currency());
    let rules = shop.commission().clone();
    let wanted = Wanted::of(unit, &request.source, store_id)?;
    let code = coupon_of(unit, request);
    unit.require::<Promotion>(code.iter().map(|code| promotion(request, code)));
    let items = wanted.items(unit, store_id)?;
    let mut bill = Bill::of(items, tax, currency)?;
    let now = context.now;
    let redemption = code
        .map(|code| coupon::take_off(unit, request, code, customer_use, now, &mut bill))
        .transpose()?;
    commission::keep(unit, &rules, &mut bill)?;
    if let OrderSource::Cart(cart_id) = request.source {
        unit.execute::<Cart>(cart_id, CartCommand::CheckOut { order_id })?;
    }
    let placement = Placement {
        number: number.to_owned(),
        store_id,
        customer: request.customer.clone(),
        currency,
        lines: bill.lines,
        totals: bill.totals,
        tax,
        shipping_address: Personal::new(
            request.customer.subject(order_id),
            request.shipping_address.clone(),
        ),
        payment_id,
        provider,
        coupon: redemption.as_ref().map(Redemption::coupon).cloned(),
    };
    let initiate = PaymentCommand::Initiate {
        order_id,
        store_id,
        provider,
        amount: placement.total(),
        terms: request.ask.as_ref().map(|ask| {
            let subject = request.customer.subject(order_id);
            Box::new(ask.terms(subject, context.now))
        }),
    };
    unit.execute::<Order>(order_id, OrderCommand::Place(Box::new(placement)))?;
    unit.execute::<Payment>(payment_id, initiate)?;
    reserve(unit, order_id, &wanted)?;
    if let Some(redemption) = redemption {
        redemption.redeem(unit, request, bill.totals.discount, now)?;
    }
    unit.claim(Name::order_number(store_id, number).claimed_by(order_id));
    tell(unit, order_id)
}

fn coupon_of(unit: &UnitOfWork<'_>, request: &PlaceOrder) -> Option<CouponCode> {
    let of_cart = match request.source {
        OrderSource::Cart(cart_id) => unit.state::<Cart>(cart_id).coupon(),
        OrderSource::Lines(_) => None,
    };
    request.coupon.as_ref().or(of_cart).cloned()
}

/// Names every line of which there is too little, not only the first.
fn reserve(
    unit: &mut UnitOfWork<'_>,
    order_id: OrderId,
    wanted: &Wanted,
) -> Result<(), PlaceOrderError> {
    let mut short = Vec::new();
    for (variant_id, quantity) in wanted.lines() {
        let command = StockCommand::Reserve { order_id, quantity };
        match unit.execute::<Stock>(variant_id, command) {
            Ok(()) => (),
            Err(StockError::OutOfStock {
                requested,
                available,
            }) => short.push(ShortLine {
                variant_id,
                requested,
                available,
            }),
            Err(error) => return Err(error.into()),
        }
    }
    if short.is_empty() {
        Ok(())
    } else {
        Err(PlaceOrderError::OutOfStock { lines: short })
    }
}

fn tell(unit: &UnitOfWork<'_>, order_id: OrderId) -> Result<PlacedOrder, PlaceOrderError> {
    let progress = unit.state::<Order>(order_id).progress()?;
    let placement = progress.placement();
    let payment = unit.state::<Payment>(placement.payment_id).demand()?;
    let fulfilments = progress.fulfilments().iter();
    Ok(PlacedOrder {
        order_id,
        number: placement.number.clone(),
        status: progress.status(),
        currency: placement.currency,
        totals: placement.totals,
        lines: placement.lines.clone(),
        fulfilments: fulfilments
            .map(|(vendor_id, fulfilment)| (*vendor_id, fulfilment.status))
            .collect(),
        payment_id: placement.payment_id,
        provider: placement.provider,
        payment_status: payment.status(),
        coupon: placement.coupon.as_ref().map(|coupon| coupon.code.clone()),
    })
}
