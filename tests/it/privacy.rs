//! Somebody takes their data away, and somebody is forgotten.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::checkers::{auditor, catch_up, check_everything};
use soko_tests::{Market, Person, Product, Settings, Soko, address, send, text};
use sqlx::Row;
use std::time::Duration;

#[tokio::test]
async fn whoever_asks_is_given_all_that_is_kept_about_them() {
    let soko = Soko::start().await;
    let (_, mut wanjiru, placed) = sold(&soko).await;
    wanjiru
        .patch("/me", json!({ "name": "Wanjiru Kamau" }))
        .await
        .ok();

    let data = wanjiru.get("/me/export").await.expect(200);
    assert_eq!(data["account"]["name"], "Wanjiru Kamau");
    assert_eq!(data["orders"][0]["order_id"], placed["order_id"]);
    assert_eq!(data["orders"][0]["shipping_address"], address());
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    let history = data["history"].as_array().unwrap();
    let events: Vec<&str> = history
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    assert_eq!(events, ["account.registered", "account.profile_changed"]);
    let first = &history[0]["payload"]["registered"]["email"]["value"];
    assert_eq!(first, &data["account"]["email"]);

    let other = soko.person("other").await;
    let theirs = other.get("/me/export").await.expect(200);
    assert_eq!(theirs["orders"], json!([]));
}

#[tokio::test]
async fn nothing_personal_can_be_read_in_the_database() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut wanjiru = soko.person("wanjiru").await.after(&market.vendor);
    wanjiru
        .post("/orders", order(&market, &mug))
        .await
        .expect(201);
    let mut guest = soko.guest().after(&market.vendor);
    let mut as_guest = order(&market, &mug);
    as_guest["email"] = json!("canary-guest@example.com");
    guest.post("/orders", as_guest).await.expect(201);
    catch_up(&soko).await;

    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    assert!(tables.len() > 30, "{tables:?}");
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT t::text FROM {table} AS t"))
            .fetch_all(soko.database())
            .await
            .unwrap();
        let shown = rows
            .iter()
            .find(|row| row.to_lowercase().contains("canary"));
        assert!(shown.is_none(), "{table}: {shown:?}");
    }
}

#[tokio::test]
async fn whoever_is_erased_is_forgotten_and_what_they_bought_is_not() {
    let soko = Soko::start().await;
    let (market, mut wanjiru, placed) = sold(&soko).await;
    let order = format!("/orders/{}", text(&placed["order_id"]));
    let me = wanjiru.get("/me").await.expect(200);
    let key = json!({ "name": "till", "permissions": ["view_orders"] });
    let key = wanjiru.post("/api-keys", key).await.expect(201);
    let program = wanjiru.with_token(&text(&key["key"]));
    program.get(&order).await.expect(200);
    let seller = market.vendor.after(&wanjiru);
    assert_eq!(
        seller.get(&order).await.expect(200)["shipping_address"],
        address()
    );

    let asked = wanjiru.delete("/me").await;
    let erased = asked.expect(200);
    let streams: Vec<String> = erased["touched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| {
            format!(
                "{} {}",
                text(&stream["stream_type"]),
                text(&stream["stream_id"])
            )
        })
        .collect();
    let account_id = text(&me["account_id"]);
    let expected = [
        format!("account {account_id}"),
        format!("order {}", text(&placed["order_id"])),
    ];
    assert_eq!(streams, expected);

    // In no way does anybody come in.
    wanjiru
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
    program
        .get(&order)
        .await
        .expect_problem(401, "unauthenticated");
    let log_in = json!({ "email": me["email"], "password": "karibu-sokoni" });
    let refused = soko.guest().post("/auth/login", log_in).await;
    refused.expect_problem(401, "unauthenticated");

    // The order is what it was, but for whom.
    let seen = seller.get(&order).await.expect(200);
    assert_eq!(seen["shipping_address"], Value::Null);
    assert_eq!(seen["totals"], placed["totals"]);
    catch_up(&soko).await;
    let mut auditor = auditor(&soko).await;
    let row = sqlx::query(
        "SELECT payload::text FROM audit.events WHERE stream_id::text = $1 AND sequence = 1",
    )
    .bind(&account_id)
    .fetch_one(&mut auditor)
    .await
    .unwrap();
    let payload: String = row.get(0);
    assert!(payload.contains("sealed") && !payload.to_lowercase().contains("wanjiru"));

    // The e-mail is free again, for another account.
    let again = json!({
        "email": me["email"], "password": "karibu-sokoni-tena", "name": "Wanjiru"
    });
    let again = soko.guest().post("/auth/register", again).await.expect(201);
    assert_ne!(text(&again["account_id"]), account_id);
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_erasure_counts_on_every_node_within_a_second() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let (market, mut wanjiru, placed) = sold(&soko).await;
    let order = format!("/orders/{}", text(&placed["order_id"]));
    let elsewhere = wanjiru.at(&node.base());
    let seller = market.vendor.at(&node.base()).after(&wanjiru);
    assert_eq!(
        seller.get(&order).await.expect(200)["shipping_address"],
        address()
    );
    elsewhere.get("/me").await.expect(200);
    wanjiru.delete("/me").await.expect(200);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    elsewhere
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(
        seller.get(&order).await.expect(200)["shipping_address"],
        Value::Null
    );
}

#[tokio::test]
async fn what_is_not_ones_own_alone_is_handed_over_before() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let owned = market
        .owner
        .delete("/me")
        .await
        .expect_problem(409, "state-conflict");
    assert_eq!(owned["owned"]["scope"], "tenant");
    market.owner.get("/me").await.expect(200);
    let mut admin = soko.admin().await;
    admin
        .delete("/me")
        .await
        .expect_problem(409, "state-conflict");
    admin.get("/me").await.expect(200);

    // A store's manager leaves it, and nobody is left in the team who cannot come in.
    let manager = soko.person("manager").await;
    let members = format!("/stores/{}/members", market.store_id);
    let member = json!({ "email": manager.email, "role": "manager" });
    market.owner.post(&members, member).await.ok();
    let mut manager = manager.after(&market.owner);
    manager.delete("/me").await.expect(200);
    let people = market.owner.after(&manager).get(&members).await.expect(200);
    assert_eq!(people["items"], json!([]));
}

#[tokio::test]
async fn a_dry_run_forgets_nobody() {
    let soko = Soko::start().await;
    let mut wanjiru = soko.person("wanjiru").await;
    let told = send(wanjiru.request(Method::DELETE, "/me?dry_run=true"))
        .await
        .expect(200);
    assert_eq!(told["events"][0]["event_type"], "account.erased");
    wanjiru.get("/me").await.expect(200);
    wanjiru.delete("/me").await.expect(200);
}

#[tokio::test]
async fn a_new_master_key_takes_over_from_the_one_before() {
    let (old, new) = (format!("B{BASE64}"), format!("C{BASE64}"));
    let with = |current: &str, previous: &str| {
        Settings::of_one_issuer()
            .with("SOKO_MASTER_KEY", current)
            .with("SOKO_PREVIOUS_MASTER_KEYS", previous)
    };
    let first = Soko::start_with(with(&old, "")).await;
    let mut wanjiru = first.person("wanjiru").await;
    let me = wanjiru.get("/me").await.expect(200);
    let app = super::second_factor::add_to(&mut wanjiru, "a long enough password").await;

    let second = Soko::start_at(first.database_url(), with(&new, &old)).await;
    let seen = wanjiru.at(&second.base()).get("/me").await.expect(200);
    assert_eq!(seen["name"], me["name"]);
    let done = "earlier ones are needed no more";
    while !second.log().contains(done) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let third = Soko::start_at(first.database_url(), with(&new, "")).await;
    let mut there = wanjiru.at(&third.base());
    let seen = there.get("/me").await.expect(200);
    assert_eq!(seen["email"], me["email"]);
    let code = json!({ "code": app.code(1) });
    there.post("/auth/step-up", code).await.expect(200);
    assert!(
        ![&first, &second, &third]
            .iter()
            .any(|soko| soko.log().contains(&old))
    );
}

/// 32 bytes, but for the first six bits.
const BASE64: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A market, a customer of it, and what they were told of their order.
async fn sold(soko: &Soko) -> (Market, Person, Value) {
    let mut market = Market::open(soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut wanjiru = soko.person("wanjiru").await.after(&market.vendor);
    let order = market.order_of(&[(&mug, 2)]);
    let placed = wanjiru.post("/orders", order).await.expect(201);
    (market, wanjiru, placed)
}

fn order(market: &Market, product: &Product) -> Value {
    let mut order = market.order_of(&[(product, 1)]);
    order["shipping_address"] = json!({
        "name": "Canary Wanjiru", "phone": "+254722000111", "line1": "Canary Avenue 12",
        "city": "Canary", "country": "KE",
    });
    order
}
