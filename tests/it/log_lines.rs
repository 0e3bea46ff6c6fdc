//! Nothing that somebody sends can pass for a line of the log, or change how the log is read.

use serde_json::{Value, json};
use soko_tests::{Market, RawRequest, Settings, Soko};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(5);

/// What a log must never show as it is: what ends a line, what moves the cursor or colours it, and
/// what turns the direction of the text.
const TRICKS: [&str; 6] = [
    "\r\nFORGED level=error",
    "\n{\"level\":\"ERROR\",\"message\":\"FORGED\"}",
    "\u{1b}[2J\u{1b}[31mFORGED",
    "\u{202e}FORGED\u{2066}",
    "\u{85}FORGED\u{2028}FORGED",
    "\0FORGED\u{7f}\u{9b}31m",
];

#[tokio::test]
async fn no_header_and_no_text_can_forge_a_line_of_the_log() {
    for format in ["text", "json"] {
        let settings = Settings::default()
            .with("SOKO_LOG_FORMAT", format)
            .with("SOKO_LOG", "debug,soko_api=trace,sqlx=info");
        let soko = Soko::start_with(settings).await;
        let mut market = Market::open(&soko).await;
        let before = soko.log().len();
        for trick in TRICKS {
            send_in_headers(&soko, trick).await;
            send_in_texts(&mut market, trick).await;
            send_in_target(&soko, trick).await;
        }
        let log = soko.log();
        let lines = log[before..].lines();
        assert!(lines.clone().count() > 20, "it does log:\n{log}");
        for line in lines {
            is_a_line_of_ours(line, format);
        }
    }
}

fn address(soko: &Soko) -> String {
    soko.base().trim_start_matches("http://").to_owned()
}

fn is_a_line_of_ours(line: &str, format: &str) {
    assert!(!line.contains("FORGED") || format == "json", "{line:?}");
    let is_plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    assert!(line.chars().all(is_plain), "{line:?}");
    if format == "json" {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
        assert!(!line.to_string().contains("FORGED"), "{line}");
    } else {
        // Each begins with its time.
        assert!(
            line.starts_with("20") && line.as_bytes().get(10) == Some(&b'T'),
            "{line:?}"
        );
    }
}

/// What the form of a header leaves room for: its bytes without those that would end it.
async fn send_in_headers(soko: &Soko, trick: &str) {
    let value: Vec<u8> = trick
        .bytes()
        .filter(|byte| !b"\r\n\0".contains(byte))
        .collect();
    let names = [
        "X-Request-Id",
        "User-Agent",
        "Referer",
        "Origin",
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Soko-Min-Position",
        "X-Cart-Token",
        "X-Order-Token",
        "X-Forwarded-For",
        "Forwarded",
        "Cookie",
        "Last-Event-ID",
    ];
    for name in names {
        for value in [value.clone(), [b"Bearer ".as_slice(), &value].concat()] {
            let login = json!({ "email": "nobody@soko.test", "password": "not the password" });
            let request = RawRequest::new("POST", "/api/v1/auth/login")
                .with_header("Content-Type", "application/json")
                .with_only_header(name, value.clone())
                .with_body(login.to_string());
            // Whatever is said to it, only the log is looked at.
            let _ = request.send(&address(soko), WITHIN).await;
            let request = RawRequest::new("GET", "/api/v1/me").with_only_header(name, value);
            let _ = request.send(&address(soko), WITHIN).await;
        }
    }
}

/// Every text of a body: the names of things, e-mails, passwords, and members that are not known.
async fn send_in_texts(market: &mut Market, trick: &str) {
    let store = format!("/stores/{}", market.store_id);
    let vendor = format!("/vendors/{}", market.vendor_id);
    let owner = &mut market.owner;
    for (path, body) in [
        ("/auth/login", json!({ "email": trick, "password": trick })),
        (
            "/auth/login",
            json!({ "email": "a@soko.test", "password": trick }),
        ),
        (
            "/auth/register",
            json!({ "email": format!("{trick}@soko.test"), "password": trick, "name": trick }),
        ),
        ("/auth/refresh", json!({ "refresh_token": trick })),
        ("/tenants", json!({ "name": format!("x{trick}x") })),
        ("/tenants", json!({ trick: trick })),
        (
            "/categories",
            json!({ "store_id": market.store_id, "name": trick }),
        ),
        ("/categories", json!({ "store_id": trick, "name": "x" })),
        (
            "/orders",
            json!({ "store_id": market.store_id, "lines": [], "shipping_address": { "name": trick } }),
        ),
        (
            "/api-keys",
            json!({ "name": trick, "permissions": [trick] }),
        ),
    ] {
        let _ = owner.post(path, body).await;
    }
    let _ = owner
        .patch(&store, json!({ "name": trick, "time_zone": trick }))
        .await;
    let _ = owner
        .post(&format!("{vendor}/suspend"), json!({ "reason": trick }))
        .await;
}

/// In paths and queries, encoded as a client would, and as it comes.
async fn send_in_target(soko: &Soko, trick: &str) {
    let encoded: Vec<String> = trick.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let plain: Vec<u8> = trick
        .bytes()
        .filter(|byte| !b"\r\n ".contains(byte))
        .collect();
    let method = plain
        .iter()
        .map(|byte| char::from(*byte))
        .collect::<String>();
    for request in [
        RawRequest::new(
            "GET",
            format!("/api/v1/products?q={encoded}&store={encoded}"),
        ),
        RawRequest::new("GET", format!("/api/v1/stores/{encoded}")),
        RawRequest::new("GET", format!("/{encoded}")),
        RawRequest::new("GET", [b"/api/v1/".as_slice(), &plain].concat()),
        RawRequest::new(&method, "/api/v1/products"),
    ] {
        let _ = request.send(&address(soko), WITHIN).await;
    }
}
