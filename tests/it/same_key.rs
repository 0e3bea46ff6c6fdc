//! One idempotency key a hundred times at once, on everything that moves money or stock.

use futures::future::join_all;
use serde_json::{Value, json};
use soko_tests::checkers::{auditor, check_everything};
use soko_tests::{Market, Person, Settings, Soko, text};
use std::slice;

const TIMES: usize = 100;

#[tokio::test]
async fn an_order_that_is_sent_a_hundred_times_at_once_is_placed_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000).await;
    let customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let (told, after) = at_once(slice::from_ref(&customer), "/orders", &order).await;
    assert!(
        told.iter()
            .all(|body| body["order_id"] == told[0]["order_id"])
    );
    assert_eq!(happened(&soko, "order.placed").await, 1);
    let stock = stock_of(&market, &after, &mug.variant_id).await;
    assert_eq!(stock["reserved"], 1);
    check_everything(&soko).await;
}

#[tokio::test]
async fn at_two_processes_too() {
    let shared = Settings::default().with("SOKO_PUBLIC_URL", "http://soko.test");
    let soko = Soko::start_with(shared).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000).await;
    let customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let both = [customer.clone(), customer.at(&node.base())];
    let (told, _) = at_once(&both, "/orders", &order).await;
    assert!(
        told.iter()
            .all(|body| body["order_id"] == told[0]["order_id"])
    );
    assert_eq!(happened(&soko, "order.placed").await, 1);
    check_everything(&soko).await;
}

#[tokio::test]
async fn cash_is_taken_and_goods_come_in_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let placed = customer.post("/orders", order).await.expect(201);
    let payment_id = text(&placed["payment"]["payment_id"]);
    let collect = format!("/payments/{payment_id}/collect");
    at_once(slice::from_ref(&market.owner), &collect, &json!({})).await;
    assert_eq!(happened(&soko, "payment.captured").await, 1);

    let receive = format!("/stock/{}/receive", mug.variant_id);
    let delivery = json!({ "quantity": 5, "reason": "delivery" });
    at_once(slice::from_ref(&market.vendor), &receive, &delivery).await;
    let adjust = format!("/stock/{}/adjust", mug.variant_id);
    let broken = json!({ "quantity": -2, "reason": "damage" });
    let (_, after) = at_once(slice::from_ref(&market.vendor), &adjust, &broken).await;
    let stock = stock_of(&market, &after, &mug.variant_id).await;
    assert_eq!(stock["on_hand"], 13);
    check_everything(&soko).await;
}

/// Sends the same at once; every answer is the first one again, or that it is still being worked
/// on. One more comes when all is done, and is told what they were told. Gives what that was, and
/// somebody who has seen it done.
async fn at_once(people: &[Person], path: &str, body: &Value) -> (Vec<Value>, Person) {
    let key = format!("once-{}", path.replace('/', "-"));
    let requests = (0..TIMES).map(|number| {
        let (mut person, key) = (people[number % people.len()].clone(), &key);
        async move { person.post_with_key(path, key, body.clone()).await }
    });
    let answers = join_all(requests).await;
    let (done, running): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| (200..300).contains(&answer.status));
    for answer in running {
        answer.expect_problem(409, "operation-in-progress");
    }
    let first = done
        .iter()
        .filter(|answer| answer.header("idempotency-replayed").is_none());
    assert_eq!(
        first.count(),
        1,
        "one has done it, the others are told again"
    );
    let mut after = people[0].clone();
    let last = after.post_with_key(path, &key, body.clone()).await;
    assert_eq!(last.header("idempotency-replayed"), Some("true"));
    assert_eq!(last.status, done[0].status);
    let last = last.body;
    assert!(done.iter().all(|answer| answer.body == last), "{last}");
    let told = done.into_iter().map(|answer| answer.body);
    (told.collect(), after)
}

async fn happened(soko: &Soko, event: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM audit.events WHERE event_type = $1")
        .bind(event)
        .fetch_one(&mut auditor(soko).await)
        .await
        .unwrap()
}

async fn stock_of(market: &Market, after: &Person, variant_id: &str) -> Value {
    let path = format!("/stock/{variant_id}");
    market.vendor.after(after).get(&path).await.expect(200)
}
