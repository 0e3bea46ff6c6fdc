//! Coupons of which there is one use left: in all, or for one customer.

use super::{TRACKS, divided, happened, on_tracks, rounds};
use futures::future::{join, join_all};
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Product, Soko, text};

const BUYERS: usize = 8;

#[tokio::test]
async fn the_last_use_of_a_coupon_is_given_once() {
    let soko = Soko::start().await;
    let (market, mug) = market(&soko).await;
    let customer = soko.person("customer").await;
    let (market, mug, customer) = (&market, &mug, &customer);
    on_tracks(vec![(); TRACKS], |number, ()| async move {
        let code = format!("LAST-{number}");
        let made = coupon(market, &code, json!({ "uses_max": 1 })).await;
        let buyers = (0..BUYERS).map(|_| order(market, mug, customer, &code));
        let (placed, refused) = divided(join_all(buyers).await);
        assert_eq!(placed.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "coupon-exhausted");
        }
        let found = market.owner.get(&made).await.expect(200);
        assert_eq!(
            (&found["uses"], &found["status"]),
            (&json!(1), &json!("exhausted"))
        );
    })
    .await;
    assert_eq!(happened(&soko, "promotion.redeemed").await, rounds());
    assert_eq!(happened(&soko, "order.placed").await, rounds());
    check_everything(&soko).await;
}

/// Many orders of one customer at once, and another's beside them.
#[tokio::test]
async fn a_customer_is_given_a_coupon_once() {
    let soko = Soko::start().await;
    let (market, mug) = market(&soko).await;
    let (one, other) = (soko.person("one").await, soko.person("other").await);
    let (market, mug, one, other) = (&market, &mug, &one, &other);
    on_tracks(vec![(); TRACKS], |number, ()| async move {
        let code = format!("ONCE-{number}");
        let made = coupon(market, &code, json!({ "uses_per_customer": 1 })).await;
        let ones = join_all((0..BUYERS).map(|_| order(market, mug, one, &code)));
        let (ones, others) = join(ones, order(market, mug, other, &code)).await;
        others.expect(201);
        let (placed, refused) = divided(ones);
        assert_eq!(placed.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "coupon-exhausted");
        }
        assert_eq!(market.owner.get(&made).await.expect(200)["uses"], 2);
    })
    .await;
    assert_eq!(happened(&soko, "promotion.redeemed").await, 2 * rounds());
    check_everything(&soko).await;
}

/// The order that has it is called off while others want it.
#[tokio::test]
async fn a_coupon_that_is_given_back_is_given_to_one_other_at_most() {
    let soko = Soko::start().await;
    let (market, mug) = market(&soko).await;
    let customer = soko.person("customer").await;
    let (market, mug, customer) = (&market, &mug, &customer);
    on_tracks(vec![(); TRACKS], |number, ()| async move {
        let code = format!("BACK-{number}");
        let made = coupon(market, &code, json!({ "uses_max": 1 })).await;
        let first = order(market, mug, customer, &code).await.expect(201);
        let cancel = format!("/orders/{}/cancel", text(&first["order_id"]));
        let mut first_buyer = customer.clone();
        let cancelling = first_buyer.post(&cancel, json!({}));
        let buyers = (0..BUYERS).map(|_| order(market, mug, customer, &code));
        let (done, orders) = join(cancelling, join_all(buyers)).await;
        done.ok();
        let (placed, refused) = divided(orders);
        assert!(placed.len() <= 1, "{}", placed.len());
        for answer in refused {
            answer.expect_problem(409, "coupon-exhausted");
        }
        let uses = market.owner.get(&made).await.expect(200)["uses"].clone();
        assert_eq!(uses, placed.len());
    })
    .await;
    assert_eq!(happened(&soko, "promotion.released").await, rounds());
    check_everything(&soko).await;
}

async fn market(soko: &Soko) -> (Market, Product) {
    let mut market = Market::open(soko).await;
    let stock = u32::try_from(4 * rounds()).unwrap();
    let mug = market.product("Mug", 500, stock).await;
    (market, mug)
}

/// Where it can be looked at.
async fn coupon(market: &Market, code: &str, limits: Value) -> String {
    let mut body = soko_tests::coupon(&market.store_id, code);
    for (name, limit) in limits.as_object().unwrap() {
        body[name] = limit.clone();
    }
    let made = market
        .owner
        .clone()
        .post("/promotions", body)
        .await
        .expect(201);
    format!("/promotions/{}", text(&made["promotion_id"]))
}

async fn order(
    market: &Market,
    mug: &Product,
    customer: &Person,
    code: &str,
) -> soko_tests::Answer {
    let mut order = market.order_of(&[(mug, 1)]);
    order["coupon"] = json!(code);
    customer.clone().post("/orders", order).await
}
