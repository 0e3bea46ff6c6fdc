//! The same request twice, a trial run, and a version that has passed.

use reqwest::Method;
use serde_json::json;
use soko_embedded::testing::until;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, send, text};
use uuid::Uuid;

#[tokio::test]
async fn the_same_order_twice_with_one_key_is_one_order() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut amina = soko.person("amina").await;
    let order = market.order_of(&[(&mug, 1)]);
    let key = Uuid::new_v4().to_string();
    let first = amina.post_with_key("/orders", &key, order.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.expect(201);
    let second = amina.post_with_key("/orders", &key, order.clone()).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let second = second.expect(201);
    for field in [
        "order_id",
        "number",
        "status",
        "totals",
        "lines",
        "fulfilments",
        "payment",
    ] {
        assert_eq!(first[field], second[field], "{field}");
    }
    assert_eq!(amina.walk("/orders", 10).await.len(), 1);

    let other = market.order_of(&[(&mug, 2)]);
    let mismatch = amina.post_with_key("/orders", &key, other).await;
    mismatch.expect_problem(422, "idempotency-mismatch");
    let outcome = amina.get(&format!("/commands/{key}")).await.expect(200);
    assert_eq!(outcome["status"], "succeeded");
    assert_eq!(outcome["outcome"]["order_id"], first["order_id"]);
    // A key is its owner's: others may use the same.
    let mut brian = soko.person("brian").await;
    brian
        .get(&format!("/commands/{key}"))
        .await
        .expect_problem(404, "not-found");
    let his = brian
        .post_with_key("/orders", &key, order)
        .await
        .expect(201);
    assert_ne!(his["order_id"], first["order_id"]);
    check_everything(&soko).await;
}

#[tokio::test]
async fn twenty_of_the_same_request_at_once_are_one_order() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100).await;
    let amina = soko.person("amina").await;
    let order = market.order_of(&[(&mug, 1)]);
    let same = (0..20).map(|_| {
        let (mut amina, order) = (amina.clone(), order.clone());
        async move {
            amina
                .post_with_key("/orders", "one-and-the-same", order)
                .await
        }
    });
    let mut ids = Vec::new();
    for answer in futures::future::join_all(same).await {
        if answer.status == 409 {
            answer.expect_problem(409, "operation-in-progress");
        } else {
            ids.push(text(&answer.expect(201)["order_id"]));
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let reader = amina.clone();
    let mut orders = Vec::new();
    until("the order is shown", async || {
        orders = reader.walk("/orders", 10).await;
        !orders.is_empty()
    })
    .await;
    assert_eq!(orders.len(), 1);
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_refusal_is_replayed_too() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1).await;
    let mut amina = soko.person("amina").await;
    let order = market.order_of(&[(&mug, 2)]);
    let first = amina
        .post_with_key("/orders", "too-many", order.clone())
        .await;
    first.expect_problem(409, "out-of-stock");
    let mut vendor = market.vendor.clone();
    let more = json!({ "quantity": 5, "reason": "delivery" });
    vendor
        .post(&format!("/stock/{}/receive", mug.variant_id), more)
        .await
        .ok();
    let again = amina
        .post_with_key("/orders", "too-many", order.clone())
        .await;
    assert_eq!(
        again.header("idempotency-replayed"),
        Some("true"),
        "{}",
        again.text
    );
    again.expect_problem(409, "out-of-stock");
    amina
        .post_with_key("/orders", "another", order)
        .await
        .expect(201);
    check_everything(&soko).await;
}

#[tokio::test]
async fn where_money_or_stock_moves_a_key_is_needed() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let order = market.order_of(&[(&mug, 1)]);
    let receive = format!("/stock/{}/receive", mug.variant_id);
    let goods = json!({ "quantity": 1, "reason": "delivery" });
    let collect = format!("/payments/{}/collect", Uuid::new_v4());
    for (path, body) in [
        ("/orders", order),
        (receive.as_str(), goods),
        (collect.as_str(), json!({})),
    ] {
        let request = market.vendor.request(Method::POST, path).json(&body);
        send(request)
            .await
            .expect_problem(400, "missing-idempotency-key");
        let request = market.vendor.request(Method::POST, path).json(&body);
        let wrong = send(request.header("Idempotency-Key", "a b")).await;
        wrong.expect_problem(400, "malformed-header");
    }
}

#[tokio::test]
async fn a_trial_run_tells_what_would_happen_and_changes_nothing() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1).await;
    let mut amina = soko.person("amina").await;
    let order = market.order_of(&[(&mug, 1)]);
    let trial = amina.post("/orders?dry_run=true", order.clone()).await;
    assert_eq!(trial.header("soko-position"), None);
    let trial = trial.expect(200);
    assert_eq!(trial["dry_run"], true);
    let events = trial["events"].to_string();
    assert!(
        events.contains("placed") && events.contains("reserved"),
        "{events}"
    );
    assert_eq!(amina.walk("/orders", 10).await.len(), 0);
    amina.post("/orders", order.clone()).await.expect(201);
    let trial = amina.post("/orders?dry_run=true", order).await;
    trial.expect_problem(409, "out-of-stock");
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_version_that_has_passed_is_refused() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let path = format!("/variants/{}", mug.variant_id);
    let price = |amount: i64| json!({ "price": { "amount": amount, "currency": "KES" } });
    let mut vendor = market.vendor.clone();
    let changed = vendor.patch(&path, price(600)).await;
    let tag = changed.header("etag").unwrap().to_owned();
    changed.ok();
    vendor.patch(&path, price(700)).await.ok();
    let mut stale = vendor.with_header("If-Match", &tag);
    let refused = stale.patch(&path, price(650)).await;
    let problem = refused.expect_problem(412, "precondition-failed");
    assert_eq!(problem["changes"].as_array().unwrap().len(), 1, "{problem}");
    let mut malformed = vendor.with_header("If-Match", "newest");
    malformed
        .patch(&path, price(650))
        .await
        .expect_problem(400, "malformed-header");
}
