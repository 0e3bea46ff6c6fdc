//! The end of a process, asked for or not, and its next start.

use futures::future::join_all;
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const BUYERS: usize = 16;

#[tokio::test]
async fn who_is_asked_to_stop_answers_what_was_asked_before() {
    let mut soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100_000).await;
    let customer = soko.person("customer").await;
    let answered = buying(&market, &mug, &customer);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let status = soko.stop().await;
    assert!(status.success(), "{status:?}\n{}", soko.log());
    let orders = answered.end().await;
    assert!(orders.len() > BUYERS, "{}", orders.len());
    soko.launch().await;
    are_there(&customer, &orders).await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_power_failed() {
    let mut soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100_000).await;
    let customer = soko.person("customer").await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let answered = buying(&market, &mug, &customer);
        tokio::time::sleep(Duration::from_millis(500)).await;
        soko.kill().await;
        orders.extend(answered.end().await);
        soko.launch().await;
    }
    assert!(orders.len() > BUYERS, "{}", orders.len());
    are_there(&customer, &orders).await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_comes_back_with_the_same_key_after_a_crash_gets_the_same_order() {
    let mut soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let first = customer
        .post_with_key("/orders", "before", order.clone())
        .await
        .expect(201);
    soko.kill().await;
    soko.launch().await;
    let again = customer.post_with_key("/orders", "before", order).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201)["order_id"], first["order_id"]);
    check_everything(&soko).await;
}

/// Buyers who go on until the server is gone.
struct Buying {
    is_over: Arc<AtomicBool>,
    buyers: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

fn buying(market: &Market, mug: &soko_tests::Product, customer: &soko_tests::Person) -> Buying {
    let is_over = Arc::new(AtomicBool::new(false));
    let buyer = |_| {
        let (mut buyer, order) = (customer.clone(), market.order_of(&[(mug, 1)]));
        let is_over = Arc::clone(&is_over);
        tokio::spawn(async move {
            let mut answered = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                // What got no answer may have happened or not.
                let Some(answer) = buyer.try_post("/orders", order.clone()).await else {
                    break;
                };
                // Told that the server is going down, or that it is not there.
                if answer.status != 201 {
                    assert!(answer.status == 503, "{} {}", answer.status, answer.text);
                    break;
                }
                answered.push(text(&answer.body["order_id"]));
            }
            answered
        })
    };
    let buyers = (0..BUYERS).map(buyer).collect();
    Buying { is_over, buyers }
}

impl Buying {
    async fn end(self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        let all = join_all(self.buyers).await;
        all.into_iter().flat_map(Result::unwrap).collect()
    }
}

async fn are_there(customer: &soko_tests::Person, orders: &[String]) {
    let mut customer = customer.clone();
    // So that the read models are asked for what is new.
    customer
        .patch("/me", json!({ "name": "Still here" }))
        .await
        .ok();
    for order_id in orders {
        let shown = customer.get(&format!("/orders/{order_id}")).await;
        assert_eq!(shown.status, 200, "{order_id}: {}", shown.text);
    }
}
