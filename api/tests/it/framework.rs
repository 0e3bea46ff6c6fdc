//! What every route has from the server itself: refusals as problems, ids, headers, limits.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::soko::{Soko, code, problem};

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let soko = Soko::with(&[]).await;
    for path in [
        "/",
        "/api/v1/nothing",
        "/api/v1",
        "/healthy",
        "/docs/../Cargo.toml",
        "/%00",
    ] {
        assert_eq!(
            code(soko.get(path).await).await,
            (404, "not-found".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_method_that_a_resource_does_not_have_is_refused_with_those_it_has() {
    let soko = Soko::with(&[]).await;
    for method in [
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::TRACE,
    ] {
        let response = soko.request(method, "/health/live").send().await.unwrap();
        assert_eq!(response.headers()["allow"], "OPTIONS, GET, HEAD");
        assert_eq!(code(response).await, (405, "method-not-allowed".to_owned()));
    }
    let options = soko
        .request(Method::OPTIONS, "/health/live")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (options.status().as_u16(), &options.headers()["allow"]),
        (204, &"OPTIONS, GET, HEAD".parse().unwrap())
    );
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let soko = Soko::with(&[]).await;
    let response = soko
        .request(Method::HEAD, "/openapi.json")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_request_id_is_taken_or_made_and_returned() {
    let soko = Soko::with(&[]).await;
    let given = soko
        .request(Method::GET, "/health/live")
        .header("x-request-id", "walk-1");
    assert_eq!(
        given.send().await.unwrap().headers()["x-request-id"],
        "walk-1"
    );
    let made = soko.get("/health/live").await.headers()["x-request-id"].clone();
    assert_eq!(made.len(), 36);
    assert_ne!(
        soko.get("/health/live").await.headers()["x-request-id"],
        made
    );
}

#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do() {
    let soko = Soko::with(&[("SOKO_PUBLIC_URL", "https://api.example")]).await;
    for path in ["/health/live", "/nothing", "/openapi.json", "/metrics"] {
        let response = soko.get(path).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(
            headers["strict-transport-security"]
                .to_str()
                .unwrap()
                .contains("max-age")
        );
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("'none'")
        );
        assert!(headers.contains_key("cache-control"), "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_call_only_if_they_are_named() {
    let soko = Soko::with(&[("SOKO_CORS_ORIGINS", "https://shop.example")]).await;
    let origins = [
        "https://shop.example",
        "https://shop.example.evil",
        "null",
        "http://shop.example",
    ];
    for origin in origins {
        let request = soko
            .request(Method::GET, "/health/live")
            .header("origin", origin);
        let response = request.send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(
            allowed.is_some(),
            origin == "https://shop.example",
            "{origin}"
        );
    }
    let preflight = soko
        .request(Method::OPTIONS, "/health/live")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "GET")
        .header(
            "access-control-request-headers",
            "authorization,soko-min-position",
        );
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), 204);
    let header = |name: &str| preflight.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("access-control-allow-origin"),
        "https://shop.example"
    );
    let methods = header("access-control-allow-methods");
    assert!(methods.contains("DELETE"), "{methods}");
    let headers = header("access-control-allow-headers");
    for asked in ["authorization", "soko-min-position"] {
        assert!(headers.split(", ").any(|taken| taken == asked), "{headers}");
    }
    assert_eq!(header("vary"), "origin");
    // No page is ever let in by what a browser keeps.
    let credentials = "access-control-allow-credentials";
    assert!(!preflight.headers().contains_key(credentials));
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_who_asks() {
    let soko = Soko::with(&[]).await;
    let plain = soko.get("/openapi.json").await;
    assert!(plain.headers().get("content-encoding").is_none());
    let request = soko
        .request(Method::GET, "/openapi.json")
        .header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let small = soko
        .request(Method::GET, "/health/live")
        .header("accept-encoding", "gzip");
    assert!(
        small
            .send()
            .await
            .unwrap()
            .headers()
            .get("content-encoding")
            .is_none()
    );
}

#[tokio::test]
async fn a_client_that_asks_too_much_is_told_when_to_come_back() {
    let soko = Soko::with(&[("SOKO_REQUESTS_PER_SECOND", "1")]).await;
    let mut left = 10;
    loop {
        let response = soko.get("/api/v1/nothing").await;
        assert_eq!(
            response.headers()["ratelimit-policy"],
            "\"general\";q=10;w=10"
        );
        if left == 0 {
            let wait = response.headers()["retry-after"]
                .to_str()
                .unwrap()
                .to_owned();
            assert_eq!(code(response).await, (429, "rate-limited".to_owned()));
            tokio::time::sleep(Duration::from_secs(wait.parse().unwrap())).await;
            break;
        }
        assert_eq!(response.status(), 404);
        left -= 1;
        let state = response.headers()["ratelimit"].to_str().unwrap();
        assert!(
            state.starts_with(&format!("\"general\";r={left};")),
            "{state}"
        );
    }
    assert_eq!(soko.get("/api/v1/nothing").await.status(), 404);
    assert_eq!(
        soko.get("/health/live").await.headers().get("ratelimit"),
        None
    );
}

#[tokio::test]
async fn without_limits_nobody_is_told_of_any() {
    let soko = Soko::with(&[("SOKO_RATE_LIMITS", "off")]).await;
    assert!(
        soko.get("/nothing")
            .await
            .headers()
            .get("ratelimit")
            .is_none()
    );
}

#[tokio::test]
async fn without_its_database_the_process_lives_but_is_not_ready() {
    let mut soko = Soko::with(&[]).await;
    assert_eq!(soko.get("/health/ready").await.status(), 200);
    soko.lose_database();
    assert_eq!(soko.get("/health/live").await.status(), 200);
    let response = soko.get("/health/ready").await;
    assert!(response.headers().contains_key("retry-after"));
    let body = problem(response).await;
    assert_eq!(
        (&body["code"], &body["checks"][0]["is_ok"]),
        (&"unavailable".into(), &false.into())
    );
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let soko = Soko::with(&[]).await;
    soko.get("/openapi.json").await;
    soko.get("/openapi.json").await;
    let metrics = soko.get("/metrics").await.text().await.unwrap();
    let line = "soko_http_requests_total{route=\"/openapi.json\",method=\"GET\",status=\"200\"}";
    let count = metrics
        .lines()
        .find_map(|text| text.strip_prefix(line))
        .expect(&metrics);
    assert!(count.trim().parse::<u64>().unwrap() >= 2, "{metrics}");
    assert!(
        metrics.contains("soko_http_request_seconds_bucket"),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_documentation_page_finds_all_its_files() {
    let soko = Soko::with(&[]).await;
    assert_eq!(soko.get("/docs").await.headers()["location"], "/docs/");
    let page = soko.get("/docs/").await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    let page = page.text().await.unwrap();
    let files: Vec<_> = page
        .split("./")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(files.len() >= 4, "{page}");
    for file in files {
        assert_eq!(
            soko.get(&format!("/docs/{file}")).await.status(),
            200,
            "{file}"
        );
    }
    let start = soko
        .get("/docs/swagger-initializer.js")
        .await
        .text()
        .await
        .unwrap();
    assert!(start.contains("/openapi.json"), "{start}");
    // What the policy forbids must not be there.
    assert!(!page.contains("<script>"), "{page}");
    let document: Value = soko.get("/openapi.json").await.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let soko = Soko::with(&[]).await;
    let mut stream = TcpStream::connect(soko.address).await.unwrap();
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\nx-slow: ")
        .await
        .unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}
