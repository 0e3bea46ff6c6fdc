//! Headers that no client of ours sends, and what is not HTTP.

use super::Attack;
use soko_tests::{Operation, RawRequest};

/// Longer than anything that we give or take.
const LONG: usize = 10_000;

/// What each operation reads alike need not be tried with every value at each.
const SELDOM: usize = 7;

/// Headers that are read before an operation is known.
#[rustfmt::skip]
const EVERYWHERE: [&str; 16] = [
    "Accept", "Accept-Encoding", "Authorization", "Content-Encoding", "Content-Type", "Cookie",
    "Expect", "Forwarded", "If-None-Match", "Origin", "Range", "User-Agent", "X-Cart-Token",
    "X-Forwarded-For", "X-HTTP-Method-Override", "X-Request-Id",
];

#[rustfmt::skip]
pub(super) fn attacks(operation: &Operation, valid: &RawRequest) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let of_operation = operation.parameters.iter().filter(|one| one.place == "header");
    let of_operation = of_operation.map(|one| (one.name.as_str(), 1));
    let everywhere = EVERYWHERE.iter().map(|name| (*name, SELDOM));
    for (name, every) in of_operation.chain(everywhere) {
        for (value, is_http) in values().into_iter().step_by(every) {
            let shown: String = String::from_utf8_lossy(&value).chars().take(40).collect();
            attacks.push(Attack {
                what: format!("{name}: {shown}"),
                is_http,
                request: valid.clone().with_only_header(name, value),
            });
        }
        let twice = valid.clone().with_only_header(name, "1").with_header(name, "2");
        attacks.push(Attack::new(format!("{name} twice"), twice));
    }
    for token in [
        "Bearer", "Bearer ", "bearer x", "Basic YWRtaW46YWRtaW4=", "Bearer a.b.c", "Bearer ..",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "Digest username=\"a\"",
    ] {
        let request = valid.clone().with_only_header("Authorization", token);
        attacks.push(Attack::new(format!("Authorization: {token}"), request));
    }
    let unkeyed = valid.clone().without_header("Idempotency-Key");
    attacks.push(Attack::new("no key", unkeyed));
    for method in ["HEAD", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "get"] {
        let request = RawRequest { method: method.to_owned(), ..valid.clone() };
        attacks.push(Attack::new(method, request));
    }
    attacks
}

/// A value, and whether a header may have it.
#[rustfmt::skip]
fn values() -> Vec<(Vec<u8>, bool)> {
    let mut values: Vec<_> = [
        "", "*", "\"", "\"\"", "\"7\"", "\"99999999999999999999\"", "\"-1\"", "W/\"1\"", "7", "-1",
        "0", "9223372036854775807", "99999999999999999999", "1e3", "null", "a b", "a,b;q=2",
        "text/csv", "gzip;q=0,*;q=9", "bytes=0-1", "100-continue", "DELETE", "::1, 1.2.3.4",
    ]
    .iter()
    .map(|text| (text.as_bytes().to_vec(), true))
    .collect();
    values.push(("k".repeat(256).into_bytes(), true));
    values.push((vec![b'k'; LONG], true));
    values.push(("ü💥".as_bytes().to_vec(), true));
    values.push((b"\xff\xfe".to_vec(), true));
    values.push((b"a\tb".to_vec(), true));
    values.push((b"a\x01b".to_vec(), false));
    values.push((b"a\0b".to_vec(), false));
    values.push((b"a\x7fb".to_vec(), false));
    values
}

/// Requests that end before they are understood.
#[rustfmt::skip]
pub(super) fn beyond_http() -> Vec<Attack> {
    let path = "/api/v1/tenants";
    let get = || RawRequest::new("GET", path);
    let post = || {
        RawRequest::new("POST", path)
            .with_header("Content-Type", "application/json")
            .with_body("{\"name\":\"Duka\"}")
    };
    let chunked = |body: &str| post().with_header("Transfer-Encoding", "chunked").with_body(body);
    let many = (0..500).fold(get(), |request, number| {
        request.with_header(&format!("X-Many-{number}"), "1")
    });
    let mut requests = vec![
        ("no path", RawRequest::new("GET", "")),
        ("not a path", RawRequest::new("GET", "tenants")),
        ("another authority", RawRequest::new("GET", "http://elsewhere.test/api/v1/tenants")),
        ("a tunnel", RawRequest::new("CONNECT", "elsewhere.test:443")),
        ("no method", RawRequest::new("", path)),
        ("a method of bytes", RawRequest::new("\u{1}\u{2}", path)),
        ("a fragment", RawRequest::new("GET", format!("{path}#a"))),
        ("a long path", RawRequest::new("GET", format!("/{}", "a".repeat(70_000)))),
        ("a long query", RawRequest::new("GET", format!("{path}?{}", "a".repeat(70_000)))),
        ("an endless head", get().with_header("X-Long", vec![b'a'; 300_000])),
        ("many headers", many),
        ("a name with a space", get().with_header("X Y", "1")),
        ("no name", get().with_header("", "1")),
        ("a folded line", get().with_header("X-Folded", "a\r\n b")),
        ("a negative length", post().with_header("Content-Length", "-1")),
        ("a length that is none", post().with_header("Content-Length", "many")),
        ("a length beyond all", post().with_header("Content-Length", "99999999999999999999")),
        ("two lengths", post().with_header("Content-Length", "1").with_header("Content-Length", "15")),
        ("a length and chunks", chunked("0\r\n\r\n").with_header("Content-Length", "5")),
        ("chunks that are none", chunked("hello")),
        ("a chunk of too much", chunked("ffffffffffffffffff\r\n")),
        ("chunks", chunked("f\r\n{\"name\":\"Duka\"}\r\n0\r\n\r\n")),
        ("an unknown coding", post().with_header("Transfer-Encoding", "gzip")),
    ];
    requests.extend([("two hosts", get().with_header("Host", "a").with_header("Host", "b"))]);
    let attack = |(what, request): (&str, RawRequest)| Attack {
        what: what.to_owned(),
        request,
        is_http: false,
    };
    requests.into_iter().map(attack).collect()
}
