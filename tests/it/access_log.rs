//! Who looked at what of others: what is put on record, who may read it, and what costs nothing.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Market, Person, Soko, send, text};

#[tokio::test]
async fn a_business_sees_what_the_platforms_people_looked_at() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let placed = customer.post("/orders", order).await.expect(201);
    let order_id = text(&placed["order_id"]);
    let admin = soko.admin().await.after(&customer);

    let order = format!("/orders/{order_id}");
    let seen = admin.with_header("X-Request-Id", "ticket-4711");
    seen.get(&order).await.expect(200);
    let orders = format!("/orders?store={}&status=confirmed", market.store_id);
    admin.get(&orders).await.expect(200);
    // What is only tried shows things, and leaves no event.
    let cancel = admin.request(Method::POST, &format!("{order}/cancel?dry_run=true"));
    let cancel = cancel.header("Idempotency-Key", "tried");
    send(cancel.json(&json!({ "reason": "asked for" })))
        .await
        .ok();

    let log = log_of(&market.owner, &market).await;
    let [tried, list, one] = &log[..] else {
        panic!("three looks: {log:?}");
    };
    let account = admin_id(&admin).await;
    for look in &log {
        assert_eq!(look["account_id"], account, "{look}");
        assert_eq!(look["roles"], json!(["platform_admin"]), "{look}");
        assert_eq!(look["tenant_id"], market.tenant_id.as_str(), "{look}");
    }
    assert_eq!(one["kind"], "read");
    assert_eq!(one["permission"], "view_orders");
    assert_eq!(one["route"], "/api/v1/orders/{id}");
    assert_eq!(one["object"], order_id);
    assert_eq!(one["request_id"], "ticket-4711");
    assert!(text(&list["query"]).contains("status=confirmed"), "{list}");
    assert_eq!(
        (&tried["kind"], &tried["method"]),
        (&json!("tried"), &json!("POST"))
    );
}

#[tokio::test]
async fn every_export_is_on_record_whoever_makes_it() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let sales = format!("/reports/sales?store={}", market.store_id);
    let csv = market.owner.with_header("Accept", "text/csv");
    csv.get(&sales).await.ok();
    let trail = format!("/audit/events?tenant={}", market.tenant_id);
    market.owner.get(&trail).await.ok();

    let log = log_of(&market.owner, &market).await;
    let kinds: Vec<_> = log.iter().map(|look| text(&look["permission"])).collect();
    assert_eq!(kinds, ["read_audit", "view_reports"]);
    assert!(log.iter().all(|look| look["kind"] == "export"), "{log:?}");
    let owner = market.owner.account_id.clone().unwrap();
    assert!(log.iter().all(|look| look["account_id"] == owner.as_str()));
}

#[tokio::test]
async fn daily_work_and_refusals_leave_no_trace() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let placed = customer.post("/orders", order).await.expect(201);
    let order = format!("/orders/{}", text(&placed["order_id"]));
    customer.get(&order).await.expect(200);
    market.owner.after(&customer).get(&order).await.expect(200);
    market.vendor.after(&customer).get(&order).await.expect(200);
    let foreign = Market::open(&soko).await.owner;
    foreign.get(&order).await.expect_problem(404, "not-found");
    assert_eq!(log_of(&market.owner, &market).await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_looks_at_everybody_at_once_is_seen_by_each() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let admin = soko.admin().await;
    admin
        .get("/audit/events?actor=system:setup&limit=5")
        .await
        .expect(200);

    let log = log_of(&market.owner, &market).await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0]["route"], "/api/v1/audit/events");
    // What was searched for may be about others.
    assert_eq!(log[0]["query"], "");
    let all = admin.walk("/audit/access-log", 2).await;
    let found = all
        .iter()
        .find(|look| look["route"] == "/api/v1/audit/events");
    assert!(
        text(&found.unwrap()["query"]).contains("actor=system"),
        "{all:?}"
    );
}

#[tokio::test]
async fn the_record_is_walked_page_by_page_and_is_nobody_elses() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let admin = soko.admin().await;
    let store = format!("/stores/{}/locations", market.store_id);
    for _ in 0..5 {
        admin.get(&store).await.expect(200);
    }
    let path = format!("/tenants/{}/access-log", market.tenant_id);
    assert_eq!(market.owner.walk(&path, 2).await.len(), 5);
    let nobody = format!("{path}?account=018f0000-0000-7000-8000-000000000000");
    assert_eq!(market.owner.walk(&nobody, 2).await.len(), 0);
    let page = market
        .owner
        .get(&format!("{path}?limit=1"))
        .await
        .expect(200);
    let cursor = text(&page["next_cursor"]);
    let other = market.owner.get(&format!("{nobody}&cursor={cursor}")).await;
    other.expect_problem(400, "bad-cursor");
    market
        .vendor
        .get(&path)
        .await
        .expect_problem(404, "not-found");
    let everything = market.owner.get("/audit/access-log").await;
    assert!(
        [403, 404].contains(&everything.status),
        "{}",
        everything.text
    );
    // The admin, who looks at this too, is seen.
    admin.get(&path).await.expect(200);
    assert_eq!(market.owner.walk(&path, 100).await.len(), 6);
}

#[tokio::test]
async fn without_a_record_nothing_is_shown() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let admin = soko.admin().await;
    let store = format!("/stores/{}/locations", market.store_id);
    admin.get(&store).await.expect(200);
    sqlx::query("ALTER TABLE access_log RENAME TO access_log_gone")
        .execute(soko.database())
        .await
        .unwrap();
    let refused = admin.get(&store).await;
    assert!(refused.status >= 500, "{} {}", refused.status, refused.text);
    assert!(!refused.text.contains("items"), "{}", refused.text);
    // Who needs no record goes on.
    market.owner.get(&store).await.expect(200);
}

async fn log_of(person: &Person, market: &Market) -> Vec<Value> {
    let path = format!("/tenants/{}/access-log", market.tenant_id);
    person.walk(&path, 100).await
}

async fn admin_id(admin: &Person) -> Value {
    admin.get("/me").await.expect(200)["account_id"].clone()
}
