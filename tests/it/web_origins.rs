//! From where a store's web shops may call, as browsers ask.

use serde_json::{Value, json};
use soko_tests::{Market, RawAnswer, RawRequest, Settings, Soko};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(5);

/// What one node changes counts on the others within a second; this leaves room for a busy machine.
const EVERYWHERE_WITHIN: Duration = Duration::from_secs(10);

const SHOP: &str = "https://duka.example";

#[tokio::test]
async fn the_pages_of_a_store_may_call_from_when_it_says_so_until_it_takes_that_back() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let store = format!("/stores/{}", market.store_id);
    assert_eq!(readable_from(&soko, SHOP).await, None);

    let shops = json!({ "web_origins": ["HTTPS://Duka.example:443", "http://localhost:3000"] });
    owner.patch(&store, shops).await.ok();
    for origin in [SHOP, "http://localhost:3000"] {
        assert_eq!(readable_from(&soko, origin).await.as_deref(), Some(origin));
        let preflight = preflight(&soko, origin).await;
        assert_eq!(preflight.status, 204, "{}", preflight.excerpt());
        let allowed = preflight.header("access-control-allow-origin");
        assert_eq!(allowed, Some(origin));
        let credentials = preflight.header("access-control-allow-credentials");
        assert_eq!(credentials, None);
    }
    for other in [
        "null",
        "https://duka.example.evil.example",
        "https://evilduka.example",
        "https://www.duka.example",
        "https://duka.example:8443",
        "https://duka.example.",
        "http://duka.example",
        "http://localhost:3001",
        "http://localhost",
    ] {
        assert_eq!(readable_from(&soko, other).await, None, "{other}");
        let preflight = preflight(&soko, other).await;
        for header in ["origin", "methods", "headers"] {
            let name = format!("access-control-allow-{header}");
            assert_eq!(preflight.header(&name), None, "{other}");
        }
    }

    owner.patch(&store, json!({ "web_origins": [] })).await.ok();
    assert_eq!(readable_from(&soko, SHOP).await, None);
}

#[tokio::test]
async fn a_store_opens_with_its_web_shops_and_they_close_with_it() {
    let soko = Soko::start().await;
    let market = Market::open_with(&soko, json!({ "web_origins": [SHOP] })).await;
    assert_eq!(readable_from(&soko, SHOP).await.as_deref(), Some(SHOP));
    let mut owner = market.owner.clone();
    let store = format!("/stores/{}", market.store_id);
    owner.delete(&store).await.ok();
    assert_eq!(readable_from(&soko, SHOP).await, None);
}

#[tokio::test]
async fn what_one_node_was_told_all_nodes_know_soon_and_after_a_restart() {
    let settings = Settings::of_one_issuer().with("SOKO_CORS_ORIGINS", "https://admin.example");
    let mut soko = Soko::start_with(settings).await;
    let other = soko.beside().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let store = format!("/stores/{}", market.store_id);
    for (origins, expected) in [(json!([SHOP]), Some(SHOP)), (json!([]), None)] {
        let changed = json!({ "web_origins": origins });
        owner.patch(&store, changed).await.ok();
        let since = Instant::now();
        while readable_from(&other, SHOP).await.as_deref() != expected {
            assert!(since.elapsed() < EVERYWHERE_WITHIN, "{expected:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Those that the operator named stay what they are.
        let admin = readable_from(&other, "https://admin.example").await;
        assert_eq!(admin.as_deref(), Some("https://admin.example"));
    }
    let changed = json!({ "web_origins": [SHOP] });
    owner.patch(&store, changed).await.ok();
    // As the read model has it, which is what a node that starts goes by.
    let since = Instant::now();
    while readable_from(&other, SHOP).await.is_none() {
        assert!(since.elapsed() < EVERYWHERE_WITHIN);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    soko.kill().await;
    soko.launch().await;
    assert_eq!(readable_from(&soko, SHOP).await.as_deref(), Some(SHOP));
}

#[tokio::test]
async fn only_whoever_runs_a_store_says_and_sees_where_its_pages_come_from() {
    let soko = Soko::start().await;
    let market = Market::open_with(&soko, json!({ "web_origins": [SHOP] })).await;
    let store = format!("/stores/{}", market.store_id);
    let path = format!("{store}/web-origins");
    let seen = market.owner.get(&path).await.expect(200);
    assert_eq!(seen, json!({ "web_origins": [SHOP] }));
    let stranger = soko.person("stranger").await;
    stranger.get(&path).await.expect_problem(404, "not-found");
    let mut vendor = market.vendor.clone();
    vendor.get(&path).await.expect_problem(404, "not-found");
    let changed = vendor.patch(&store, json!({ "web_origins": [] })).await;
    changed.expect_problem(404, "not-found");
    let shown = soko.guest().get(&store).await.expect(200).to_string();
    assert!(!shown.contains("duka.example"), "{shown}");
    assert_eq!(readable_from(&soko, SHOP).await.as_deref(), Some(SHOP));
}

#[tokio::test]
async fn what_is_no_origin_of_a_web_shop_is_refused_and_changes_nothing() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let store = format!("/stores/{}", market.store_id);
    let eleven: Vec<_> = (0..11).map(|n| format!("{SHOP}:{}", 8000 + n)).collect();
    let mut refused = vec![(json!(eleven), "/web_origins")];
    for wrong in ["*", "null", "http://duka.example", "https://duka.example/"] {
        refused.push((json!([SHOP, wrong]), "/web_origins/1"));
    }
    for (web_origins, pointer) in refused {
        let changed = json!({ "web_origins": web_origins });
        let answer = owner.patch(&store, changed).await;
        let problem = answer.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let trial = json!({ "web_origins": [SHOP] });
    let tried = owner.patch(&format!("{store}?dry_run=true"), trial).await;
    assert!(
        tried.text.contains("store.web_origins_changed"),
        "{tried:?}"
    );
    assert_eq!(readable_from(&soko, SHOP).await, None);
    let none: Value = owner.get(&format!("{store}/web-origins")).await.expect(200);
    assert_eq!(none, json!({ "web_origins": [] }));
}

/// As whom the browser is told that the page may read the answer.
async fn readable_from(soko: &Soko, origin: &str) -> Option<String> {
    let request = RawRequest::new("GET", "/api/v1/products").with_header("Origin", origin);
    let answer = send(soko, request).await;
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let vary: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, value)| name == "vary" && value == "origin")
        .collect();
    assert_eq!(vary.len(), 1, "{:?}", answer.headers);
    answer
        .header("access-control-allow-origin")
        .map(str::to_owned)
}

async fn preflight(soko: &Soko, origin: &str) -> RawAnswer {
    let request = RawRequest::new("OPTIONS", "/api/v1/orders")
        .with_header("Origin", origin)
        .with_header("Access-Control-Request-Method", "POST")
        .with_header(
            "Access-Control-Request-Headers",
            "authorization,content-type,idempotency-key",
        );
    send(soko, request).await
}

async fn send(soko: &Soko, request: RawRequest) -> RawAnswer {
    let address = soko.base().replace("http://", "");
    request.send(&address, WITHIN).await.expect("an answer")
}
