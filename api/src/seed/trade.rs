//! What customers did: orders in every state, and carts that were left behind.

use futures::{StreamExt, TryStreamExt, stream};
use soko_commands::handlers::{
    AddToCart, CancelOrder, CollectPayment, OrderSource, PlaceOrder, PlacedOrder, ShipOrder,
    add_to_cart, cancel_order, collect_payment, deliver_order, pack_order, place_order, ship_order,
};
use soko_domain::cart::CartOwner;
use soko_domain::order::{CancelledBy, Customer};
use soko_domain::payment::PaymentProvider;
use soko_domain::{AccountId, Address, CartId, OrderId, PaymentId, Quantity, Text, VariantId};

use super::promotions::WELCOME;
use super::{AT_ONCE, By, Market, Seed, SeedError, done, failed, id, parsed};

pub(super) const CUSTOMER: &str = "customer1@soko.example";

pub(super) const CUSTOMERS: [&str; 20] = [
    "Achieng Odhiambo",
    "Baraka Mwangi",
    "Chipo Ncube",
    "Dumisani Khumalo",
    "Esther Njeri",
    "Farai Chikwanha",
    "Grace Wambui",
    "Hassan Abdi",
    "Itumeleng Mokoena",
    "Jabulani Dlamini",
    "Kudzai Marufu",
    "Lerato Molefe",
    "Makena Kirimi",
    "Naledi Sithole",
    "Otieno Okoth",
    "Precious Banda",
    "Rutendo Gumbo",
    "Sipho Ndlovu",
    "Thandeka Zulu",
    "Zawadi Mutua",
];

const ORDERS: usize = 300;
const CARTS: usize = 24;

/// Where the goods go, by store.
const CITIES: [(&str, &str, &str, &str); 3] = [
    ("Moi Avenue", "Nairobi", "KE", "+254722000111"),
    ("Samora Machel Avenue", "Harare", "ZW", "+263772000111"),
    ("Commissioner Street", "Johannesburg", "ZA", "+27820001111"),
];

const CARRIERS: [&str; 3] = ["G4S", "Swift", "The Courier Guy"];

/// How far an order has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Cancelled,
    Placed,
    Packed,
    Shipped,
    Delivered,
    Collected,
}

const STAGES: [Stage; 10] = [
    Stage::Placed,
    Stage::Collected,
    Stage::Packed,
    Stage::Delivered,
    Stage::Shipped,
    Stage::Collected,
    Stage::Cancelled,
    Stage::Placed,
    Stage::Shipped,
    Stage::Delivered,
];

/// The number of orders.
pub(super) async fn trade(seed: &Seed<'_>, market: &Market) -> Result<usize, SeedError> {
    let orders = stream::iter((0..ORDERS).map(|n| order(seed, market, n)));
    orders.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let carts = stream::iter((0..CARTS).map(|n| cart(seed, market, n)));
    carts.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(ORDERS)
}

async fn order(seed: &Seed<'_>, market: &Market, n: usize) -> Result<(), SeedError> {
    let store = n % market.stores.len();
    let customer = customer(market, n * 7 + n / 20);
    let step = format!("order-{n}");
    let order_id: OrderId = id(&step);
    let (street, city, country, phone) = CITIES[store];
    let name = CUSTOMERS[(n * 7 + n / 20) % CUSTOMERS.len()];
    let address = Address {
        name: parsed(name)?,
        phone: parsed(phone)?,
        line1: parsed(&format!("{street} {}", 1 + n % 80))?,
        line2: None,
        city: parsed(city)?,
        province: None,
        postal_code: None,
        country: parsed(country)?,
    };
    let request = PlaceOrder {
        order_id,
        payment_id: id(&format!("{step}-payment")),
        store_id: market.stores[store],
        customer: Customer::Account(customer.account_id),
        source: OrderSource::Lines(lines(market, store, n)?),
        shipping_address: address,
        provider: PaymentProvider::CashOnDelivery,
        ask: None,
        coupon: if n.is_multiple_of(7) {
            Some(parsed(WELCOME)?)
        } else {
            None
        },
    };
    let context = seed.context(customer, &step);
    let placed = done(&step, place_order(seed.engine(), request, &context).await)?;
    bring(seed, market, &placed, (n, store)).await
}

/// Brings an order as far as it is to come.
async fn bring(
    seed: &Seed<'_>,
    market: &Market,
    placed: &PlacedOrder,
    (n, store): (usize, usize),
) -> Result<(), SeedError> {
    let stage = STAGES[n / market.stores.len() % STAGES.len()];
    let order_id = placed.order_id;
    if stage == Stage::Cancelled {
        let step = format!("order-{n}-cancelled");
        let context = seed.context(customer(market, n * 7 + n / 20), &step);
        let reason = Some(Text::literal("ordered twice"));
        let request = CancelOrder {
            order_id,
            by: CancelledBy::Customer,
            reason,
        };
        return done(&step, cancel_order(seed.engine(), request, &context).await).map(drop);
    }
    for vendor_id in placed.fulfilments.keys().copied() {
        let seller = market
            .vendors
            .iter()
            .find(|seller| seller.vendor_id == vendor_id);
        let account_id = seller.map_or(market.owner.account_id, |seller| seller.owner);
        let context = |what: &str| {
            let step = format!("order-{n}-{vendor_id}-{what}");
            (
                seed.context(
                    By {
                        account_id,
                        ..market.owner
                    },
                    &step,
                ),
                step,
            )
        };
        if stage >= Stage::Packed {
            let (context, step) = context("packed");
            done(
                &step,
                pack_order(seed.engine(), order_id, vendor_id, &context).await,
            )?;
        }
        if stage >= Stage::Shipped {
            let (context, step) = context("shipped");
            let request = ShipOrder {
                order_id,
                vendor_id,
                carrier: Some(parsed(CARRIERS[store])?),
                tracking_number: Some(parsed(&format!("SK{:06}", 100_000 + n))?),
            };
            done(&step, ship_order(seed.engine(), request, &context).await)?;
        }
        if stage >= Stage::Delivered {
            let (context, step) = context("delivered");
            done(
                &step,
                deliver_order(seed.engine(), order_id, vendor_id, &context).await,
            )?;
        }
    }
    if stage >= Stage::Collected {
        collect(seed, market.owner, placed.payment_id, n).await?;
    }
    Ok(())
}

async fn collect(
    seed: &Seed<'_>,
    by: By,
    payment_id: PaymentId,
    n: usize,
) -> Result<(), SeedError> {
    let step = format!("order-{n}-collected");
    let reference = Some(parsed(&format!("CASH-{:05}", 10_000 + n))?);
    let request = CollectPayment {
        payment_id,
        amount: None,
        reference,
        collected_by: by.account_id,
    };
    let context = seed.context(by, &step);
    done(
        &step,
        collect_payment(seed.engine(), request, &context).await,
    )
    .map(drop)
}

async fn cart(seed: &Seed<'_>, market: &Market, n: usize) -> Result<(), SeedError> {
    let store = n % market.stores.len();
    let customer = customer(market, n);
    let store_id = market.stores[store];
    for (variant_id, quantity) in lines(market, store, n + ORDERS)? {
        let step = format!("cart-{n}-{variant_id}");
        let request = AddToCart {
            cart_id: CartId::of_account(store_id, customer.account_id),
            store_id,
            owner: CartOwner::Account(customer.account_id),
            variant_id,
            quantity,
        };
        let context = seed.context(customer, &step);
        done(&step, add_to_cart(seed.engine(), request, &context).await)?;
    }
    Ok(())
}

fn customer(market: &Market, n: usize) -> By {
    let account_id: AccountId = market
        .customers
        .get(&(n % CUSTOMERS.len()))
        .copied()
        .unwrap_or(market.owner.account_id);
    By {
        account_id,
        ..market.owner
    }
}

/// One to three different things from a store.
fn lines(market: &Market, store: usize, n: usize) -> Result<Vec<(VariantId, Quantity)>, SeedError> {
    let articles: Vec<_> = market
        .products
        .iter()
        .filter(|article| article.store == store && !article.variants.is_empty())
        .collect();
    let mut lines: Vec<(VariantId, Quantity)> = Vec::new();
    for k in 0..=(n % 3) {
        let article = articles[(n * 11 + k * 17) % articles.len()];
        let variant_id = article.variants[(n + k) % article.variants.len()];
        let units = u32::try_from(1 + (n / 3 + k) % 3).map_err(|cause| failed("lines", cause))?;
        let quantity = Quantity::try_from(units).map_err(|cause| failed("lines", cause))?;
        if lines.iter().all(|(other, _)| *other != variant_id) {
            lines.push((variant_id, quantity));
        }
    }
    Ok(lines)
}
