//! Programs that speak for a person: what their keys open, and what they never do.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Contract, Market, Person, Settings, Soko, send, text};
use std::time::Duration;

#[tokio::test]
async fn a_key_may_do_what_it_was_made_for_and_nothing_else() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let made = make(&mut market.owner, &["view_stock", "move_stock"]).await;
    let till = market.owner.with_token(&text(&made["key"]));
    let mut till = till.after(&market.vendor);
    let stock = format!("/stock/{}", mug.variant_id);
    assert_eq!(till.get(&stock).await.expect(200)["on_hand"], 10);
    let delivery = json!({ "quantity": 5, "reason": "delivery" });
    till.post(&format!("{stock}/receive"), delivery).await.ok();

    let rename = json!({ "name": "Another" });
    till.patch(&format!("/stores/{}", market.store_id), rename)
        .await
        .expect_problem(403, "forbidden");
    till.get("/me").await.expect_problem(403, "forbidden");

    // What the key was made for, but its account may not do.
    let stranger = Market::open(&soko).await;
    let theirs = format!("/stock?store={}", stranger.store_id);
    till.get(&theirs).await.expect_problem(404, "not-found");
}

/// Where money goes is for people to say, who can show that it is them.
#[tokio::test]
async fn no_key_redirects_money() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let wanted = ["manage_payment_accounts", "change_store"];
    let made = make(&mut market.owner, &wanted).await;
    let mut program = market.owner.with_token(&text(&made["key"]));
    let store = format!("/stores/{}", market.store_id);
    program
        .get(&format!("{store}/payment-accounts"))
        .await
        .expect(200);
    for (path, body) in [
        (
            "payment-accounts/paystack",
            json!({ "secret_key": "sk_live_1" }),
        ),
        ("payout-rules", json!({})),
    ] {
        let answer = program.put(&format!("{store}/{path}"), body).await;
        answer.expect_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn what_a_key_does_is_known_to_be_done_by_it() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let made = make(&mut market.owner, &["move_stock"]).await;
    let mut till = market.owner.with_token(&text(&made["key"]));
    let delivery = json!({ "quantity": 5, "reason": "delivery" });
    till.post(&format!("/stock/{}/receive", mug.variant_id), delivery)
        .await
        .ok();
    let events = market
        .owner
        .walk(&format!("/audit/streams/stock/{}", mug.variant_id), 100)
        .await;
    let last = events.last().unwrap();
    assert_eq!(last["event_type"], "stock.received");
    let account_id = market.owner.account_id.clone().unwrap();
    assert_eq!(last["actor"], format!("account:{account_id}"));
    assert_eq!(last["metadata"]["api_key"], made["key_id"]);
    assert_eq!(events[0]["metadata"]["api_key"], Value::Null);
}

/// On every operation that there is: no key opens what is the person's alone, a key without the
/// permission opens nothing, whatever its account may do.
#[tokio::test]
async fn no_key_opens_more_than_the_table_of_routes_says() {
    let soko = Soko::start().await;
    let mut admin = soko.admin().await;
    let made = make(&mut admin, &["request_return"]).await;
    let contract = Contract::of(&soko).await;
    let mut asked = 0;
    for operation in contract.operations() {
        if operation.is_open {
            continue;
        }
        let path = operation.path.replace(['{', '}'], "");
        let path = path.strip_prefix("/api/v1").unwrap().to_owned();
        let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
        let program = admin.with_token(&text(&made["key"]));
        let answer = send(program.request(method, &path).json(&json!({}))).await;
        // What is no id is not found before anybody asks who wants it.
        assert!(
            [403, 404].contains(&answer.status),
            "{} {path}: {} {}",
            operation.method,
            answer.status,
            answer.text
        );
        assert_eq!(
            operation.is_open_to_programs,
            !is_of_the_person(&operation.path, &operation.method),
            "{} {path}",
            operation.method
        );
        asked += 1;
    }
    assert!(asked > 60, "{asked}");
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_the_next_request_on() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let made = make(&mut market.owner, &["view_store"]).await;
    let program = market.owner.with_token(&text(&made["key"]));
    let members = format!("/stores/{}/members", market.store_id);
    program.get(&members).await.expect(200);
    program.at(&node.base()).get(&members).await.expect(200);

    let path = format!("/api-keys/{}", text(&made["key_id"]));
    let other = soko.person("other").await;
    other
        .clone()
        .delete(&path)
        .await
        .expect_problem(404, "not-found");
    market.owner.delete(&path).await.expect(204);
    program
        .get(&members)
        .await
        .expect_problem(401, "unauthenticated");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let elsewhere = program.at(&node.base()).get(&members).await;
    elsewhere.expect_problem(401, "unauthenticated");
    market
        .owner
        .delete(&path)
        .await
        .expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_nowhere() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let made = make(&mut amina, &["view_orders"]).await;
    let key = text(&made["key"]);
    let mine = amina.get("/api-keys").await.expect(200);
    let listed = &mine["items"][0];
    assert_eq!(listed["key_id"], made["key_id"]);
    assert_eq!(listed["permissions"], json!(["view_orders"]));
    assert_eq!(listed["last_used_at"], Value::Null);
    let prefix = text(&listed["prefix"]);
    assert!(key.starts_with(&prefix) && prefix.len() < key.len() / 2);
    assert!(!mine.to_string().contains(&key));
    let stored: String = sqlx::query_scalar("SELECT string_agg(k::text, '') FROM api_keys AS k")
        .fetch_one(soko.database())
        .await
        .unwrap();
    assert!(!stored.contains(&key[prefix.len()..]));

    amina.with_token(&key).get("/orders").await.expect(200);
    let mine = amina.get("/api-keys").await.expect(200);
    assert!(mine["items"][0]["last_used_at"].is_string());
    let others = soko.person("other").await.get("/api-keys").await;
    assert_eq!(others.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn the_same_request_for_a_key_gets_the_same_key() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let wanted = json!({ "name": "till", "permissions": ["view_orders"] });
    let first = amina
        .post_with_key("/api-keys", "one", wanted.clone())
        .await
        .expect(201);
    let again = amina.post_with_key("/api-keys", "one", wanted).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    let other = json!({ "name": "till", "permissions": ["view_stock"] });
    amina
        .post_with_key("/api-keys", "one", other.clone())
        .await
        .expect_problem(422, "idempotency-mismatch");
    amina
        .post("/api-keys?dry_run=true", other)
        .await
        .expect(200);
    let mine = amina.get("/api-keys").await.expect(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_would_be_too_much_is_not_made() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    for (body, pointer) in [
        (json!({ "name": "a", "permissions": [] }), "/permissions"),
        (
            json!({ "name": "a", "permissions": ["manage_self"] }),
            "/permissions/0",
        ),
        (
            json!({ "name": "a", "permissions": ["change_payout_account", "view_stock"] }),
            "/permissions/0",
        ),
        (
            json!({ "name": "a", "permissions": ["fly"] }),
            "/permissions/0",
        ),
        (
            json!({ "name": "a", "permissions": ["view_stock"], "expires_in_days": 366 }),
            "/expires_in_days",
        ),
        (
            json!({ "name": "a", "permissions": ["view_stock"], "expires_in_days": 0 }),
            "/expires_in_days",
        ),
    ] {
        let refused = amina.post("/api-keys", body.clone()).await;
        let problem = refused.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    for _ in 0..50 {
        make(&mut amina, &["view_stock"]).await;
    }
    let wanted = json!({ "name": "a", "permissions": ["view_stock"] });
    let refused = amina.post("/api-keys", wanted).await;
    refused.expect_problem(409, "state-conflict");
}

#[tokio::test]
async fn what_only_looks_like_a_key_opens_nothing() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let made = make(&mut amina, &["view_orders"]).await;
    let key = text(&made["key"]);
    sqlx::query("UPDATE api_keys SET expires_at = now()")
        .execute(soko.database())
        .await
        .unwrap();
    let flipped = if key.ends_with('A') { "B" } else { "A" };
    for token in [
        key.clone(),
        format!("{}{flipped}", &key[..key.len() - 1]),
        key[..key.len() - 1].to_owned(),
        format!("{key}A"),
        "soko_key_".to_owned(),
        format!("soko_key_{}", "'".repeat(43)),
        format!("soko_key_{}", "A".repeat(43)),
        format!("SOKO_KEY_{}", &key[9..]),
    ] {
        let refused = amina.with_token(&token).get("/orders").await;
        refused.expect_problem(401, "unauthenticated");
    }
    assert!(amina.get("/api-keys").await.expect(200)["items"] == json!([]));
}

async fn make(person: &mut Person, permissions: &[&str]) -> Value {
    let wanted = json!({ "name": "till", "permissions": permissions });
    person.post("/api-keys", wanted).await.expect(201)
}

/// The account itself and what it lists as its own; and who belongs to whom.
fn is_of_the_person(path: &str, method: &str) -> bool {
    [
        "/v1/me",
        "/v1/auth/",
        "/v1/api-keys",
        "/v1/commands/",
        "invitation",
    ]
    .iter()
    .any(|part| path.contains(part))
        || (method != "GET"
            && [
                "/members",
                "/payouts",
                "/payout-account",
                "/payout-rules",
                "/payment-accounts/{provider}",
            ]
            .iter()
            .any(|part| path.contains(part)))
        || (method == "GET" && ["/api/v1/tenants", "/api/v1/vendors"].contains(&path))
}
