//! Two processes on one database, and one product that everybody wants.

use futures::future::join_all;
use serde_json::json;
use soko_embedded::{Nats, NatsOptions};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Settings, Soko, text};

#[tokio::test]
async fn two_processes_never_sell_one_thing_twice() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Last Mugs", 500, 20).await;
    let customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let buyers = (0..80).map(|n| {
        let base = if n % 2 == 0 { soko.base() } else { node.base() };
        let (mut buyer, order) = (customer.at(&base), order.clone());
        async move {
            loop {
                let answer = buyer.post("/orders", order.clone()).await;
                // Tried too often against the other process: the truth comes with another try.
                if answer.body["code"] != "version-conflict" {
                    return answer;
                }
            }
        }
    });
    let answers = join_all(buyers).await;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        refused.expect_problem(409, "out-of-stock");
    }
    assert_eq!(sold, 20);
    check_everything(&soko).await;
}

#[tokio::test]
async fn orders_go_on_and_stay_right_when_nats_dies() {
    let folder = soko_embedded::testing::scratch_folder();
    let nats = Nats::start(folder.path(), NatsOptions::default());
    let nats = nats.await.expect("a nats-server is installed");
    let soko = Soko::start_with(Settings::of_one_issuer().with("NATS_URL", nats.url())).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100).await;
    let customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    for base in [soko.base(), node.base()] {
        let mut buyer = customer.at(&base);
        let placed = buyer.post("/orders", order.clone()).await.expect(201);
        let path = format!("/orders/{}", text(&placed["order_id"]));
        buyer.get(&path).await.expect(200);
    }
    nats.stop().await.unwrap();
    for base in [soko.base(), node.base()] {
        let mut buyer = customer.at(&base);
        let placed = buyer.post("/orders", order.clone()).await.expect(201);
        assert_eq!(placed["status"], "confirmed");
    }
    // Read models come as far without it.
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_one_process_did_the_other_knows() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 2)]);
    let placed = customer
        .post_with_key("/orders", "one", order.clone())
        .await
        .expect(201);
    let path = format!("/orders/{}", text(&placed["order_id"]));
    let mut elsewhere = customer.at(&node.base());
    assert_eq!(
        elsewhere.get(&path).await.expect(200)["status"],
        "confirmed"
    );
    let again = elsewhere.post_with_key("/orders", "one", order).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201)["order_id"], placed["order_id"]);
    elsewhere
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .ok();
    let shown = customer.after(&elsewhere).get(&path).await.expect(200);
    assert_eq!(shown["status"], "cancelled");
    check_everything(&soko).await;
}

#[tokio::test]
async fn read_models_go_on_when_the_process_that_keeps_them_dies() {
    let mut soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let customer = soko.person("customer").await;
    soko.kill().await;
    let mut elsewhere = customer.at(&node.base());
    let placed = elsewhere
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let path = format!("/orders/{}", text(&placed["order_id"]));
    let mut shown = elsewhere.get(&path).await;
    for _ in 0..10 {
        if shown.status == 200 {
            break;
        }
        shown.expect_problem(503, "projection-behind");
        shown = elsewhere.get(&path).await;
    }
    assert_eq!(shown.expect(200)["status"], "confirmed");
    check_everything(&node).await;
}
