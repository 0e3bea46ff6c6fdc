//! Bodies that are wrong as a whole, and bodies that are wrong in one place.

use super::Attack;
use super::world::World;
use serde_json::{Value, json};
use soko_tests::{Contract, Operation};

/// Stands where raw text goes that no `Value` can hold.
const HERE: &str = "<<here>>";

/// The same bytes are flipped in each run.
const SEED: u64 = 0x5eed_50c0;

const FLIPS: usize = 12;

/// Within the largest body that is taken.
const LONG: usize = 60_000;

pub(super) fn attacks(contract: &Contract, operation: &Operation, world: &World) -> Vec<Attack> {
    let valid = world.request(contract, operation);
    let mut attacks = Vec::new();
    for (what, content_type, body) in whole_bodies(valid.body.as_deref().unwrap_or(b"{}")) {
        let request = valid.clone().with_only_header("Content-Type", content_type);
        attacks.push(Attack::new(what, request.with_body(body)));
    }
    let (Some(body), Some(schema)) = (world.body(contract, operation), &operation.body) else {
        return attacks;
    };
    let untyped = valid.clone().without_header("Content-Type");
    attacks.push(Attack::new("no content type", untyped));
    let full = world.full_body(contract, operation).unwrap();
    attacks.push(Attack::new(
        "everything at once",
        valid.clone().with_body(full.to_string()),
    ));
    for pointer in contract.members(schema) {
        for text in texts() {
            let mut body = body.clone();
            put(&mut body, &full, &pointer, json!(HERE));
            let body = with_text(&body, &text);
            let shown: String = String::from_utf8_lossy(&text).chars().take(40).collect();
            let request = valid.clone().with_body(body);
            attacks.push(Attack::new(format!("{pointer} = {shown}"), request));
        }
    }
    for (what, body) in other_members(&body) {
        attacks.push(Attack::new(what, valid.clone().with_body(body)));
    }
    attacks
}

/// What, its content type, the body.
#[rustfmt::skip]
fn whole_bodies(valid: &[u8]) -> Vec<(String, &'static str, Vec<u8>)> {
    let json = "application/json";
    let of_json = [
        ("nothing", Vec::new()),
        ("a space", b" ".to_vec()),
        ("not JSON", b"hello".to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf", valid].concat()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("NUL bytes", vec![0; 64]),
        ("ten thousand brackets", vec![b'['; 10_000]),
        ("ten thousand braces", b"{\"a\":".repeat(10_000)),
        ("deep and closed", [b"[".repeat(10_000), b"]".repeat(10_000)].concat()),
        ("too large", [b"\"".to_vec(), vec![b'x'; 70_000], b"\"".to_vec()].concat()),
        ("a huge number", vec![b'9'; LONG]),
        ("null", b"null".to_vec()),
        ("a number", b"1e999".to_vec()),
        ("text", b"\"text\"".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a list of it", [b"[", valid, b"]"].concat()),
        ("it twice", [valid, valid].concat()),
        ("a comment", [valid, b"// no"].concat()),
        ("the prototype", b"{\"__proto__\":{\"admin\":true},\"constructor\":1}".to_vec()),
        ("an unknown member", b"{\"no_such_member\":1}".to_vec()),
        ("an empty name", b"{\"\":{}}".to_vec()),
        ("the same member twice", b"{\"a\":1,\"a\":2}".to_vec()),
        ("a comma too many", b"{\"a\":1,}".to_vec()),
        ("an unescaped control character", b"{\"name\":\"a\nb\"}".to_vec()),
    ];
    let mut all: Vec<_> = of_json
        .into_iter()
        .map(|(what, body)| (what.to_owned(), json, body))
        .collect();
    for content_type in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/jsonp",
        "*/*",
        ";",
        "",
    ] {
        all.push((format!("as {content_type}"), content_type, valid.to_vec()));
    }
    let ends = (1..=4).map(|part| valid.len() * part / 5);
    all.extend(ends.map(|end| (format!("cut off at {end}"), json, valid[..end].to_vec())));
    let mut random = SEED;
    for _ in 0..FLIPS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut body = valid.to_vec();
        let place = usize::try_from(random >> 33).unwrap() % body.len();
        body[place] ^= 1 << (random >> 61);
        all.push((format!("a bit flipped at {place}"), json, body));
    }
    all
}

/// What may stand in place of any value.
#[rustfmt::skip]
fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        "null", "true", "0", "-0", "-1", "1.5", "0.1", "1e3", "1e400", "-1e-400",
        "255", "65536", "2147483648", "4294967295", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "18446744073709551616", "123456789012345678901234567890",
        "0.1e1", "01", "+1", "NaN", "Infinity", "[]", "{}", "[[]]", "[null]", "{\"a\":{\"b\":[]}}",
        r#""""#, r#"" ""#, r#""\u0000""#, r#""a\u0000b""#, r#""\ud800""#, r#""\udc00\ud800""#,
        r#""\u001b[31m""#, r#""a\r\nSet-Cookie: b""#, r#""\u202e\u2066\ufeff""#, r#""\uffff""#,
        r#""1""#, r#""1.50""#, r#""-1""#, r#""null""#, r#""true""#,
        r#""'; DROP TABLE events; --""#, r#""%s%n${7*7}{{7*7}}""#, r#""../../etc/passwd""#,
        r#""00000000-0000-0000-0000-000000000000""#, r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#,
        r#""018F000000007000800000000000000""#, r#""2026-13-45T99:99:99Z""#, r#""+262142-12-31T23:59:59Z""#,
        r#""Z̸̡a̶l̷g̵o̶ 🏳️‍🌈 ﷽""#, r#""KES""#, r#""a@b""#, r#""@""#, r#""+""#, r#""\\""#,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    texts.push(b"\"\xff\xfe\x80\"".to_vec());
    texts.push(b"\"\xed\xa0\x80\"".to_vec());
    texts.push([b"\"", "x".repeat(LONG).as_bytes(), b"\""].concat());
    texts.push([b"\"", "é".repeat(150).as_bytes(), b"\""].concat());
    texts.push([b"[".repeat(100), b"]".repeat(100)].concat());
    texts.push(format!("[1{}]", ",1".repeat(10_000)).into_bytes());
    texts
}

/// The body without each of its members, and with more of them.
fn other_members(body: &Value) -> Vec<(String, Vec<u8>)> {
    let Some(members) = body.as_object() else {
        return Vec::new();
    };
    let mut bodies = Vec::new();
    for (name, value) in members {
        let mut rest = members.clone();
        rest.remove(name);
        let rest_text = json!(rest).to_string();
        bodies.push((format!("without {name}"), rest_text.into_bytes()));
        let whole = body.to_string();
        let twice = format!("{},\"{name}\":{value}}}", &whole[..whole.len() - 1]);
        bodies.push((format!("{name} twice"), twice.into_bytes()));
        rest.insert(name.to_uppercase(), value.clone());
        bodies.push((
            format!("{name} in capitals"),
            json!(rest).to_string().into_bytes(),
        ));
    }
    let mut more = members.clone();
    more.insert("tenant_id ".to_owned(), json!(1));
    more.insert("admin".to_owned(), json!(true));
    bodies.push((
        "more than is known".to_owned(),
        json!(more).to_string().into_bytes(),
    ));
    bodies
}

/// Puts a value at a place; what the place lies in is taken from `full` if it is not there.
pub(super) fn put(body: &mut Value, full: &Value, pointer: &str, value: Value) {
    let mut at = String::new();
    let mut place = body;
    for step in pointer.split('/').skip(1) {
        at = format!("{at}/{step}");
        let missing = || full.pointer(&at).cloned().unwrap_or_default();
        place = match place {
            Value::Array(items) => {
                if items.is_empty() {
                    items.push(missing());
                }
                &mut items[0]
            }
            Value::Object(members) => members.entry(step).or_insert_with(missing),
            other => {
                *other = json!({ step: missing() });
                &mut other[step]
            }
        };
    }
    *place = value;
}

fn with_text(body: &Value, text: &[u8]) -> Vec<u8> {
    let body = body.to_string();
    let (before, after) = body
        .split_once(&json!(HERE).to_string())
        .expect("it stands there");
    [before.as_bytes(), text, after.as_bytes()].concat()
}
