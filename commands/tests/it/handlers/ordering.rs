//! Orders are placed whole or not at all.

use super::market::{Market, Ware, context, json, kes, quantity, refusal};
use crate::world::new_id;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use soko_commands::handlers::{OrderSource, PlaceOrder, PlaceOrderError, ShortLine, place_order};
use soko_commands::{CommandContext, CommandError, IdempotencyKey, Lanes, UnitOfWork};
use soko_domain::cart::CartError;
use soko_domain::order::{self, FulfilmentStatus, OrderError, OrderStatus};
use soko_domain::payment::{PaymentProvider, PaymentStatus};
use soko_domain::product::ProductCommand;
use soko_domain::store::{StoreCommand, StoreError};
use soko_domain::vendor::VendorCommand;
use soko_domain::{Order, OrderId, Product, Quantity, Store, Vendor};
use soko_event_log::{Claim, ClaimKind};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn an_order_is_one_unit_with_its_stock_and_its_payment() {
    let market = Market::open().await;
    let bill = market.vendor().await;
    let (mug, pot) = (
        market.ware(650, 5).await,
        market.ware_of(bill, 2_500, 5).await,
    );
    let head = market.head().await;
    let request = market.order_of([(mug, 2), (pot, 1)]);
    let committed = market.place(request.clone()).await.unwrap();

    assert_eq!(
        market.events_since(head).await,
        [
            "order.placed",
            "payment.initiated",
            "stock.reserved",
            "stock.reserved"
        ]
    );
    let placed = committed.value;
    assert_eq!(placed.order_id, request.order_id);
    assert_eq!(placed.payment_id, request.payment_id);
    assert_eq!(placed.status, OrderStatus::Confirmed);
    assert_eq!(placed.payment_status, PaymentStatus::Pending);
    assert_eq!(
        (placed.totals.subtotal, placed.totals.total),
        (3_800, 3_800)
    );
    // 1 300 * 16 / 116 and 2 500 * 16 / 116, each rounded.
    assert_eq!(placed.totals.tax, 179 + 345);
    assert_eq!(
        placed.fulfilments,
        BTreeMap::from([
            (market.vendor_id, FulfilmentStatus::Pending),
            (bill, FulfilmentStatus::Pending)
        ])
    );
    let order = market.read::<Order>(request.order_id).await;
    let placement = order.state.progress().unwrap().placement();
    let address = placement.shipping_address.value();
    assert_eq!(address, Some(&request.shipping_address));
    assert_eq!(placement.customer, request.customer);
    assert_eq!(placement.number, placed.number);
    assert_eq!(placement.lines, placed.lines);
    let payment = market.payment(request.payment_id).await;
    assert_eq!(payment.state.demand().unwrap().amount(), placement.total());
    assert_eq!(market.available(mug).await, 3);
    assert_eq!(market.available(pot).await, 4);
}

#[tokio::test]
async fn an_order_from_the_cart_empties_it() {
    let market = Market::open().await;
    let (mug, pot) = (market.ware(650, 5).await, market.ware(2_500, 5).await);
    let cart_id = market.cart([(mug, 2), (pot, 1)]).await;
    let head = market.head().await;
    let request = market.order_from(OrderSource::Cart(cart_id));
    let placed = market.place(request).await.unwrap().value;

    assert_eq!(
        market.events_since(head).await,
        [
            "cart.checked_out",
            "order.placed",
            "payment.initiated",
            "stock.reserved",
            "stock.reserved"
        ]
    );
    assert_eq!(placed.totals.total, 3_800);
    assert!(market.items(cart_id).await.is_empty());
    let again = market.order_from(OrderSource::Cart(cart_id));
    assert_eq!(
        refusal(market.place(again).await),
        PlaceOrderError::Cart(CartError::Empty)
    );
}

#[tokio::test]
async fn what_is_paid_is_todays_price_not_that_of_the_cart() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let cart_id = market.cart([(mug, 1)]).await;
    let dearer = ProductCommand::ChangePrice {
        variant_id: mug.variant_id,
        price: kes(700),
    };
    market.execute::<Product>(mug.product_id, dearer).await;
    let request = market.order_from(OrderSource::Cart(cart_id));
    let placed = market.place(request).await.unwrap().value;
    assert_eq!(placed.totals.total, 700);
}

#[tokio::test]
async fn a_cart_is_ordered_in_its_own_store() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let cart_id = market.cart([(mug, 1)]).await;
    let elsewhere = PlaceOrder {
        store_id: market.another_store().await,
        ..market.order_from(OrderSource::Cart(cart_id))
    };
    assert_eq!(
        refusal(market.place(elsewhere).await),
        PlaceOrderError::Cart(CartError::AnotherCart)
    );
    let nobodys = market.order_from(OrderSource::Cart(new_id()));
    assert_eq!(
        refusal(market.place(nobodys).await),
        PlaceOrderError::Cart(CartError::Empty)
    );
}

#[tokio::test]
async fn the_same_variant_is_one_line_however_often_it_is_named() {
    let market = Market::open().await;
    let (mug, pot) = (market.ware(650, 5).await, market.ware(2_500, 5).await);
    let request = market.order_of([(mug, 2), (pot, 1), (mug, 3)]);
    let lines = market.place(request).await.unwrap().value.lines;
    let lines: Vec<_> = lines.iter().map(|l| (l.variant_id, l.quantity)).collect();
    assert_eq!(
        lines,
        [(mug.variant_id, quantity(5)), (pot.variant_id, quantity(1))]
    );
    assert_eq!(market.available(mug).await, 0);
}

#[tokio::test]
async fn every_line_that_is_short_is_named_and_nothing_is_kept() {
    let market = Market::open().await;
    let plenty = market.ware(650, 5).await;
    let (scarce, none) = (market.ware(650, 1).await, market.ware(650, 0).await);
    let cart_id = market.cart([(plenty, 2), (scarce, 1)]).await;
    let head = market.head().await;
    let short = |ware: Ware, requested, available| ShortLine {
        variant_id: ware.variant_id,
        requested: quantity(requested),
        available,
    };
    let request = market.order_of([(none, 1), (plenty, 5), (scarce, 2)]);
    assert_eq!(
        refusal(market.place(request).await),
        PlaceOrderError::OutOfStock {
            lines: vec![short(none, 1, 0), short(scarce, 2, 1)]
        }
    );
    assert_eq!(market.head().await, head);
    assert_eq!(market.available(plenty).await, 5);

    market.placed([(scarce, 1)]).await;
    let request = market.order_from(OrderSource::Cart(cart_id));
    assert_eq!(
        refusal(market.place(request).await),
        PlaceOrderError::OutOfStock {
            lines: vec![short(scarce, 1, 0)]
        }
    );
    assert_eq!(
        market.items(cart_id).await.len(),
        2,
        "the cart is still full"
    );
}

#[tokio::test]
async fn every_line_that_is_not_on_sale_is_named() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let draft = market.ware(650, 5).await;
    market
        .execute::<Product>(draft.product_id, ProductCommand::Unpublish {})
        .await;
    let suspended = market.vendor().await;
    let theirs = market.ware_of(suspended, 650, 5).await;
    let suspend = VendorCommand::Suspend {
        reason: "late".parse().unwrap(),
    };
    market.execute::<Vendor>(suspended, suspend).await;
    let unknown = Ware {
        product_id: mug.product_id,
        variant_id: new_id(),
    };
    let request = market.order_of([(draft, 1), (mug, 1), (theirs, 1), (unknown, 1)]);
    let variant_ids = vec![draft.variant_id, theirs.variant_id, unknown.variant_id];
    assert_eq!(
        refusal(market.place(request).await),
        PlaceOrderError::NotOnSale { variant_ids }
    );
}

#[tokio::test]
async fn another_stores_goods_are_not_on_sale_here() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let request = PlaceOrder {
        store_id: market.another_store().await,
        ..market.order_of([(mug, 1)])
    };
    let variant_ids = vec![mug.variant_id];
    assert_eq!(
        refusal(market.place(request).await),
        PlaceOrderError::NotOnSale { variant_ids }
    );
}

#[tokio::test]
async fn a_store_takes_payment_as_it_offers_and_as_can_be_carried() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let paying = |provider| PlaceOrder {
        provider,
        ..market.order_of([(mug, 1)])
    };
    let provider = PaymentProvider::Stripe;
    assert_eq!(
        refusal(market.place(paying(provider)).await),
        PlaceOrderError::ProviderNotOffered { provider }
    );
    let provider = PaymentProvider::Mpesa;
    assert_eq!(
        refusal(market.place(paying(provider)).await),
        PlaceOrderError::ProviderNotCarried { provider }
    );
}

#[tokio::test]
async fn a_store_that_is_closed_or_anothers_takes_no_orders() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let request = market.order_of([(mug, 1)]);
    let answer = place_order(market.engine(), request.clone(), &context(new_id())).await;
    assert_eq!(
        refusal(answer),
        PlaceOrderError::Store(StoreError::NotOpened)
    );
    market
        .execute::<Store>(market.store_id, StoreCommand::Close)
        .await;
    assert_eq!(
        refusal(market.place(request).await),
        PlaceOrderError::Store(StoreError::Closed)
    );
}

#[tokio::test]
async fn an_order_has_from_one_to_a_hundred_lines_of_a_million_at_most() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let of = |lines| market.order_from(OrderSource::Lines(lines));
    assert_eq!(
        refusal(market.place(of(vec![])).await),
        PlaceOrderError::Order(OrderError::NoLines)
    );
    let many = (0..101).map(|_| (new_id(), quantity(1))).collect();
    assert_eq!(
        refusal(market.place(of(many)).await),
        PlaceOrderError::Order(OrderError::TooManyLines)
    );
    let variant_id = mug.variant_id;
    let much = vec![
        (variant_id, quantity(Quantity::MAX)),
        (variant_id, quantity(1)),
    ];
    assert_eq!(
        refusal(market.place(of(much)).await),
        PlaceOrderError::TooManyOfOne { variant_id }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_buyers_five_get_the_five_and_the_others_hear_the_truth() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let head = market.head().await;
    let buyers = (0..50).map(|_| {
        let (engine, context) = (market.engine().clone(), market.context());
        let request = market.order_of([(mug, 1)]);
        tokio::spawn(async move { place_order(&engine, request, &context).await })
    });
    let mut numbers = BTreeSet::new();
    let mut told = 0;
    for answer in join_all(buyers).await {
        match answer.unwrap() {
            Ok(committed) => assert!(numbers.insert(committed.value.number)),
            Err(CommandError::Rejected {
                rejection: PlaceOrderError::OutOfStock { lines },
                replayed: false,
            }) => {
                let line = ShortLine {
                    variant_id: mug.variant_id,
                    requested: quantity(1),
                    available: 0,
                };
                assert_eq!(lines, [line]);
                told += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((numbers.len(), told), (5, 45));
    assert_eq!(market.available(mug).await, 0);
    let placed = market.events_since(head).await;
    assert_eq!(
        placed
            .iter()
            .filter(|name| **name == "order.placed")
            .count(),
        5
    );
    assert_eq!(
        placed
            .iter()
            .filter(|name| **name == "stock.reserved")
            .count(),
        5
    );
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_and_places_nothing() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let keyed = || CommandContext {
        idempotency: Some(IdempotencyKey {
            scope: "buyer".to_owned(),
            key: "order-1".to_owned(),
            digest: [7; 32],
        }),
        ..market.context()
    };
    // The ids are made for each request anew; those of the first count.
    let ask = async || {
        let request = market.order_of([(mug, 2)]);
        place_order(market.engine(), request, &keyed()).await
    };
    let first = ask().await.unwrap();
    let second = ask().await.unwrap();
    assert!(!first.replayed && second.replayed);
    assert_eq!(json(&first.value), json(&second.value));
    assert_eq!(first.position, second.position);
    assert_eq!(market.available(mug).await, 3);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_does_nothing() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let head = market.head().await;
    let context = CommandContext {
        dry_run: true,
        ..market.context()
    };
    let request = market.order_of([(mug, 2)]);
    let tried = place_order(market.engine(), request, &context)
        .await
        .unwrap();
    assert_eq!(tried.position, None);
    assert_eq!(tried.value.totals.total, 1_300);
    let events: Vec<_> = tried
        .dry_run_events
        .iter()
        .map(|e| &e["event_type"])
        .collect();
    assert_eq!(
        events,
        ["order.placed", "payment.initiated", "stock.reserved"]
    );
    assert_eq!(market.head().await, head);
    assert_eq!(market.available(mug).await, 5);
}

#[tokio::test]
async fn a_number_that_is_given_away_makes_way_for_another() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let request = market.order_of([(mug, 1)]);
    let first = number(request.order_id, 0);
    let claim = Claim {
        kind: ClaimKind::OrderNumber,
        value: format!("{}/{first}", market.store_id),
        owner: None,
        digest: None,
        outcome: None,
    };
    let give_away = |unit: &mut UnitOfWork<'_>| {
        unit.claim(claim.clone());
        Ok::<_, OrderError>(())
    };
    let given = market
        .engine()
        .transact(&market.context(), Lanes::new(), give_away)
        .await;
    given.unwrap();

    let placed = market.place(request.clone()).await.unwrap().value;
    assert_ne!(placed.number, first);
    assert_eq!(placed.number, number(request.order_id, 1));
    assert_eq!(market.available(mug).await, 4, "reserved once");
}

/// As the handler makes it, so that a test can be first.
fn number(order_id: OrderId, attempt: u8) -> String {
    let bytes = [order_id.as_uuid().as_bytes().as_slice(), &[attempt]].concat();
    let digest = Sha256::digest(bytes);
    order::number(u64::from_be_bytes(digest[..8].try_into().unwrap()))
}
