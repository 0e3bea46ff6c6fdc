//! The last of something, and orders that two do different things with.

use super::{TRACKS, divided, happened, on_tracks, rounds};
use futures::future::{join, join_all};
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};

const BUYERS: usize = 8;

const REFUNDS: usize = 6;

#[tokio::test]
async fn the_last_one_is_sold_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Last Mug", 500, 0).await;
    let mut products = vec![mug];
    for _ in 1..TRACKS {
        products.push(market.product("Last Mug", 500, 0).await);
    }
    let (market, customer) = (&market, &soko.person("customer").await);
    on_tracks(products, |_, mug| async move {
        let delivery = json!({ "quantity": 1, "reason": "delivery" });
        let receive = format!("/stock/{}/receive", mug.variant_id);
        market.vendor.clone().post(&receive, delivery).await.ok();
        let buyers = (0..BUYERS).map(|_| {
            let (mut buyer, order) = (customer.clone(), market.order_of(&[(&mug, 1)]));
            async move { buyer.post("/orders", order).await }
        });
        let (sold, refused) = divided(join_all(buyers).await);
        assert_eq!(sold.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "out-of-stock");
        }
        mug
    })
    .await;
    assert_eq!(happened(&soko, "order.placed").await, rounds());
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_order_is_cancelled_or_shipped_and_never_both() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let stock = u32::try_from(rounds()).unwrap();
    let mug = market.product("Mug", 500, stock).await;
    let customer = soko.person("customer").await;
    let tracks = vec![(0, 0); TRACKS];
    let (market, mug, customer) = (&market, &mug, &customer);
    let tracks = on_tracks(tracks, |number, (cancelled, shipped)| async move {
        let (mut buyer, mut vendor) = (customer.clone(), market.vendor.clone());
        let placed = buyer.post("/orders", market.order_of(&[(mug, 1)])).await;
        let order = format!("/orders/{}", text(&placed.expect(201)["order_id"]));
        let fulfilment = format!("{order}/fulfilments/{}", market.vendor_id);
        let (cancel, ship) = (format!("{order}/cancel"), format!("{fulfilment}/ship"));
        let parcel = json!({ "carrier": "G4S", "tracking_number": "KE-1" });
        let cancelling = buyer.post(&cancel, json!({}));
        let shipping = vendor.post(&ship, parcel);
        // Whoever is asked for first has a small lead.
        let (cancel, ship) = if number % 2 == 0 {
            join(cancelling, shipping).await
        } else {
            let (ship, cancel) = join(shipping, cancelling).await;
            (cancel, ship)
        };
        let is_cancelled = cancel.status < 300;
        let (winner, loser) = if is_cancelled {
            (cancel, ship)
        } else {
            (ship, cancel)
        };
        winner.ok();
        loser.expect_problem(409, "state-conflict");
        let seen = buyer.after(&vendor).get(&order).await.expect(200);
        let status = if is_cancelled { "cancelled" } else { "shipped" };
        assert_eq!(seen["status"], status);
        (
            cancelled + usize::from(is_cancelled),
            shipped + usize::from(!is_cancelled),
        )
    })
    .await;
    let cancelled: usize = tracks.iter().map(|(cancelled, _)| cancelled).sum();
    let shipped: usize = tracks.iter().map(|(_, shipped)| shipped).sum();
    assert_eq!(cancelled + shipped, rounds());
    assert_eq!(happened(&soko, "order.cancelled").await, cancelled);
    assert_eq!(happened(&soko, "order.shipped").await, shipped);
    check_everything(&soko).await;
}

/// Each wants more than half of it back.
#[tokio::test]
async fn money_goes_back_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let stock = u32::try_from(rounds()).unwrap();
    let mug = market.product("Mug", 1_000, stock).await;
    let customer = soko.person("customer").await;
    let (market, mug, customer) = (&market, &mug, &customer);
    on_tracks(vec![(); TRACKS], |_, ()| async move {
        let mut buyer = customer.clone();
        let placed = buyer.post("/orders", market.order_of(&[(mug, 1)])).await;
        let placed = placed.expect(201);
        let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
        let mut owner = market.owner.clone();
        owner
            .post(&format!("{payment}/collect"), json!({}))
            .await
            .ok();
        let refunds = &*format!("{payment}/refunds");
        let asking = (0..REFUNDS).map(|_| {
            let mut owner = owner.clone();
            let amount = json!({ "amount": 600, "currency": "KES" });
            let refund = json!({ "amount": amount, "reason": "it was broken" });
            async move { owner.post(refunds, refund).await }
        });
        let (paid, refused) = divided(join_all(asking).await);
        assert_eq!(paid.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "state-conflict");
        }
    })
    .await;
    assert_eq!(happened(&soko, "payment.refunded").await, rounds());
    check_everything(&soko).await;
}

/// Six want one thing, two another, all under the same key.
#[tokio::test]
async fn one_key_stands_for_one_order() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let stock = u32::try_from(2 * rounds()).unwrap();
    let mug = market.product("Mug", 500, stock).await;
    let customer = soko.person("customer").await;
    let (market, mug, customer) = (&market, &mug, &customer);
    on_tracks(vec![(); TRACKS], |number, ()| async move {
        let key = format!("round-{number}");
        let buyers = (0..8).map(|buyer| {
            let quantity = if buyer % 4 == 3 { 2 } else { 1 };
            let (mut buyer, order) = (customer.clone(), market.order_of(&[(mug, quantity)]));
            let key = &key;
            async move { (quantity, buyer.post_with_key("/orders", key, order).await) }
        });
        let (mut placed, mut first) = (Vec::new(), 0);
        for (quantity, answer) in join_all(buyers).await {
            match answer.status {
                201 => {
                    first += usize::from(answer.header("idempotency-replayed").is_none());
                    placed.push((quantity, text(&answer.body["order_id"])));
                }
                409 => _ = answer.expect_problem(409, "operation-in-progress"),
                _ => _ = answer.expect_problem(422, "idempotency-mismatch"),
            }
        }
        assert_eq!(first, 1);
        assert!(placed.iter().all(|one| *one == placed[0]), "{placed:?}");
    })
    .await;
    assert_eq!(happened(&soko, "order.placed").await, rounds());
    check_everything(&soko).await;
}
