//! Every refusal has one form, those of the framework too.

use reqwest::Method;
use serde_json::json;
use soko_tests::{Market, Soko, send};

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_said_in_one_form() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let owner = &market.owner;
    let text = |method: Method, path: &str, content_type: &str, body: String| {
        let request = owner
            .request(method, path)
            .header("Content-Type", content_type);
        send(request.header("Idempotency-Key", "k").body(body))
    };
    let json_type = "application/json";
    let (post, get) = (Method::POST, Method::GET);

    owner
        .get("/no-such-thing")
        .await
        .expect_problem(404, "not-found");
    send(owner.request(get.clone(), "//nowhere"))
        .await
        .expect_problem(404, "not-found");
    send(owner.request(Method::PUT, "/tenants"))
        .await
        .expect_problem(405, "method-not-allowed");
    send(owner.request(Method::DELETE, "//health/live"))
        .await
        .expect_problem(405, "method-not-allowed");
    for body in [
        "{",
        "",
        "{\"name\": }",
        "\u{0}",
        "{\"name\":\"x\"} trailing",
    ] {
        let answer = text(post.clone(), "/tenants", json_type, body.to_owned()).await;
        answer.expect_problem(400, "malformed-json");
    }
    for body in [
        "[]",
        "null",
        "7",
        "{\"name\":7}",
        "{}",
        "{\"name\":\"a\",\"name\":\"b\"}",
    ] {
        let answer = text(post.clone(), "/tenants", json_type, body.to_owned()).await;
        answer.expect_problem(422, "validation");
    }
    let deep = "[".repeat(5_000);
    let answer = text(post.clone(), "/tenants", json_type, deep).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(100_000));
    let answer = text(post.clone(), "/tenants", json_type, large).await;
    answer.expect_problem(413, "body-too-large");
    for wrong in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
    ] {
        let answer = text(post.clone(), "/tenants", wrong, "{}".to_owned()).await;
        answer.expect_problem(415, "unsupported-media-type");
    }
    owner
        .get("/tenants/not-an-id")
        .await
        .expect_problem(404, "not-found");
    owner
        .get("/orders/%00")
        .await
        .expect_problem(404, "not-found");
    let other = format!("/tenants/{}", "018f0000-0000-7000-8000-000000000000");
    owner.get(&other).await.expect_problem(404, "not-found");

    let bad = owner.get("/orders?cursor=AAAA").await;
    bad.expect_problem(400, "bad-cursor");
    for wrong in [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=-1",
        "offset=3",
        "status=lost",
    ] {
        let answer = owner.get(&format!("/orders?{wrong}")).await;
        answer.expect_problem(422, "validation");
    }
    let ahead = owner
        .with_header("Soko-Min-Position", "soon")
        .get("/orders")
        .await;
    ahead.expect_problem(400, "malformed-header");
}

#[tokio::test]
async fn a_view_that_is_behind_says_when_to_ask_again() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let request = person
        .request(Method::GET, "/orders")
        .header("Soko-Min-Position", "999999999");
    let answer = send(request).await;
    assert!(answer.header("retry-after").is_some(), "{}", answer.text);
    answer.expect_problem(503, "projection-behind");
}

#[tokio::test]
async fn every_answer_carries_the_name_of_its_request() {
    let soko = Soko::start().await;
    let mut person = soko
        .person("amina")
        .await
        .with_header("X-Request-Id", "walk-17");
    let created = person.post("/tenants", json!({ "name": "Duka" })).await;
    assert_eq!(created.header("x-request-id"), Some("walk-17"));
    created.expect(201);
    let refused = person.get("/no-such-thing").await;
    assert_eq!(refused.header("x-request-id"), Some("walk-17"));
    assert!(
        refused.expect_problem(404, "not-found")["instance"]
            .to_string()
            .contains("walk-17")
    );
    let unnamed = soko.guest().get("/no-such-thing").await;
    assert!(
        unnamed
            .header("x-request-id")
            .is_some_and(|id| !id.is_empty())
    );
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait() {
    let limits = soko_tests::Settings::default()
        .with("SOKO_RATE_LIMITS", "on")
        .with("SOKO_REQUESTS_PER_SECOND", "1");
    let soko = Soko::start_with(limits).await;
    let guest = soko.guest();
    for _ in 0..50 {
        let answer = guest.get("/me").await;
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
            answer.expect_problem(429, "rate-limited");
            return;
        }
    }
    panic!("fifty requests in a moment were all answered");
}
