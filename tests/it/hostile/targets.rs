//! Paths and queries that no link leads to.

use super::Attack;
use super::world::{World, target};
use soko_tests::{Operation, RawRequest};

pub(super) fn attacks(operation: &Operation, world: &World, valid: &RawRequest) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for hostile in operation
        .parameters
        .iter()
        .filter(|one| one.place == "path")
    {
        for segment in segments() {
            let target = target(operation, |parameter| {
                if parameter.name == hostile.name {
                    HERE.to_owned()
                } else {
                    world.value_of(operation, parameter)
                }
            });
            let (before, after) = target.split_once(HERE).unwrap();
            let target = [before.as_bytes(), &segment, after.as_bytes()].concat();
            let shown: String = String::from_utf8_lossy(&segment).chars().take(40).collect();
            attacks.push(Attack {
                what: format!("{} = {shown}", hostile.name),
                is_http: segment.iter().all(u8::is_ascii_graphic),
                request: at(valid, target),
            });
        }
    }
    let path = valid.target.split(|byte| *byte == b'?').next().unwrap();
    let mut names: Vec<_> = operation
        .parameters
        .iter()
        .filter(|one| one.place == "query")
        .map(|one| one.name.as_str())
        .collect();
    names.extend(["dry_run", "no_such_parameter"]);
    for name in names {
        // What nothing reads, nothing takes for something else.
        let every = if name == "no_such_parameter" { 20 } else { 1 };
        for value in values().into_iter().step_by(every) {
            let others = others(&valid.target, name);
            let target = [path, format!("?{others}{name}=").as_bytes(), &value].concat();
            let shown: String = String::from_utf8_lossy(&value).chars().take(40).collect();
            attacks.push(Attack {
                what: format!("?{name}={shown}"),
                is_http: value.iter().all(u8::is_ascii_graphic),
                request: at(valid, target),
            });
        }
    }
    for query in [
        "?",
        "?&&&",
        "?=",
        "?%00",
        "?a[]=1&a[]=2",
        "?limit",
        "?limit=1&limit=2",
        "?%",
    ] {
        let target = [path, query.as_bytes()].concat();
        attacks.push(Attack::new(query, at(valid, target)));
    }
    attacks
}

const HERE: &str = "<<here>>";

fn at(valid: &RawRequest, target: Vec<u8>) -> RawRequest {
    RawRequest {
        target,
        ..valid.clone()
    }
}

/// What else a valid query has.
fn others(target: &[u8], name: &str) -> String {
    let target = String::from_utf8_lossy(target);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let mut others: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    others.retain(|pair| pair.split('=').next() != Some(name));
    // One more, so that another can follow.
    others.push("");
    others.join("&")
}

/// In place of an id, or of a name.
#[rustfmt::skip]
fn segments() -> Vec<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = [
        "..", ".", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..", "%00", "a%00b", "%ff",
        "%c0%ae", "%ed%a0%80", "%0d%0aSet-Cookie:%20a=b", "%", "%z", "%zz", "%2", "ü", "💥",
        "%F0%9F%92%A5", "-1", "0", "1", "1e9", "9223372036854775808", "null", "undefined", "*",
        "{id}", "%7Bid%7D", "'", "%27%20OR%201=1--", ";a=b", "a,b", "a b", "+", "%20", "",
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "018f0000-0000-7000-8000-00000000000g", "018F00000000700080000000000000000",
        "{018f0000-0000-7000-8000-000000000000}", "urn:uuid:018f0000-0000-7000-8000-000000000000",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    segments.push(vec![b'a'; 10_000]);
    segments.push("%41".repeat(5_000).into_bytes());
    segments.push(b"\xff\xfe".to_vec());
    segments.push(b"a\tb".to_vec());
    segments.push(b"a\x7fb".to_vec());
    segments
}

/// In place of any value of a query.
#[rustfmt::skip]
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "", "0", "-1", "1.5", "1e3", "abc", "999999999", "9223372036854775807",
        "9223372036854775808", "-9223372036854775809", "true", "TRUE", "null", "%00", "a%00b",
        "%ff", "%", "%zz", "+", "%20", "ü", "%F0%9F%92%A5", "'", "%27%3B--", "%25", "_%25_",
        "a%26b", "a|b", "%5B%5D", "(((", "%22", "%5C", "00000000-0000-0000-0000-000000000000",
        "AAAA", "bnVsbA", "W10", "e30", "WzFd", "WyJhIiwiYiJd", "____", "====",
        "0000-01-01", "9999-12-31", "-9999-01-01", "%2B262142-12-31", "2026-02-30", "2026-01-31",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "%2B262142-12-31T23:59:59Z",
        "2026-01-31T12:00:00%2B99:99", "1970-01-01T00:00:60Z", "Africa/Nairobi", "../../etc/passwd",
        "UTC%00", "utc-99:99", "hour", "day", "month", "product", "store,product,no_such",
        "price", "newest", "relevance",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    values.push(vec![b'a'; 10_000]);
    values.push("a%20".repeat(2_500).into_bytes());
    values.push("%F0%9F%92%A5".repeat(500).into_bytes());
    values.push(b"\xff\xfe".to_vec());
    values
}
