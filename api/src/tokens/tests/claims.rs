//! Claims that are missing, said twice, or somebody else's.

use super::*;

#[test]
fn every_claim_is_required() {
    for name in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        refused_for(&signed(&header(), &claims), &format!("no {name}"));
        claims[name] = json!(null);
        refused_for(&signed(&header(), &claims), &format!("{name} null"));
    }
}

#[test]
fn claims_of_others_are_refused() {
    for (name, value) in [
        ("iss", json!("https://api.example/")),
        ("iss", json!("http://api.example")),
        ("iss", json!("HTTPS://API.EXAMPLE")),
        ("iss", json!("https://api.example.evil.example")),
        ("iss", json!([ISSUER])),
        ("iss", json!("")),
        ("aud", json!("other")),
        ("aud", json!("Soko")),
        ("aud", json!("soko/")),
        ("aud", json!("")),
        ("aud", json!(["soko", "other"])),
        ("aud", json!(["soko"])),
        ("aud", json!([])),
        ("aud", json!({ "soko": true })),
        ("sub", json!("admin")),
        ("sub", json!("")),
        ("sub", json!(1)),
        ("sub", json!([Uuid::from_u128(7)])),
        ("sid", json!("")),
        ("sid", json!(8)),
        ("jti", json!("")),
        // What we do not write says nothing.
        ("role", json!("admin")),
        ("scope", json!("*")),
        ("tenant_id", json!(Uuid::from_u128(1))),
        ("azp", json!("soko")),
    ] {
        let mut claims = claims();
        claims[name] = value.clone();
        refused_for(&signed(&header(), &claims), &format!("{name}: {value}"));
    }
}

#[test]
fn times_are_whole_seconds_that_fit_together() {
    let now = now().timestamp();
    let values = [
        json!("soon"),
        json!(now.to_string()),
        json!(f64::MAX),
        json!(1e12),
        json!(1_800_000_000.5),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!([now]),
        json!(true),
    ];
    for name in ["exp", "nbf", "iat"] {
        for value in &values {
            // From the distant past on it is good by now.
            if name == "nbf" && *value == json!(i64::MIN) {
                continue;
            }
            let mut claims = claims();
            claims[name] = value.clone();
            refused_for(&signed(&header(), &claims), &format!("{name}: {value}"));
        }
    }
    for (what, iat, nbf, exp) in [
        ("over", now - 900, now - 900, now - 5),
        ("over before it began", now, now, now - 1),
        ("negative", -2, -2, -1),
        ("not yet good", now, now + 6, now + 900),
        ("not yet made", now + 6, now, now + 900),
        ("good for too long", now, now, now + 901),
        ("good for ever", now, now, i64::MAX),
        ("made at the beginning", i64::MIN, now, now + 900),
        ("made and good at the ends", i64::MIN, now, i64::MAX),
        ("at the very end", i64::MAX - 1, now, i64::MAX),
        ("all at the end", i64::MAX, i64::MAX, i64::MAX),
        ("all at the beginning", i64::MIN, i64::MIN, i64::MIN),
    ] {
        refused_for(&signed(&header(), &timed(iat, nbf, exp)), what);
    }
}

#[test]
fn clocks_may_differ_by_five_seconds_and_no_more() {
    let now = now().timestamp();
    for (iat, nbf, exp, is_good) in [
        (now + 5, now + 5, now + 900, true),
        (now + 6, now + 5, now + 900, false),
        (now + 5, now + 6, now + 900, false),
        (now - 100, now - 100, now - 4, true),
        (now - 100, now - 100, now - 5, false),
    ] {
        let token = signed(&header(), &timed(iat, nbf, exp));
        let verified = tokens().verify(&token, super::now());
        assert_eq!(verified.is_ok(), is_good, "{iat} {nbf} {exp}");
    }
}

/// Two readers of such claims may take different values for true.
#[test]
fn claims_that_say_something_twice_are_refused() {
    let once = claims();
    for (name, value) in once.as_object().unwrap() {
        for second in [value.clone(), json!(Uuid::from_u128(1)), json!(null)] {
            let text = once.to_string();
            let twice = format!("{},\"{name}\":{second}}}", &text[..text.len() - 1]);
            let claims = URL_SAFE_NO_PAD.encode(&twice);
            refused_for(&signed_parts(&key(), &part(&header()), &claims), &twice);
        }
    }
}

#[test]
fn what_is_no_json_object_is_no_claims() {
    for claims in [
        "",
        "{",
        "[]",
        "null",
        "\"\"",
        "0",
        "{}{}",
        "\u{0}",
        "\u{feff}{}",
    ] {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        refused(&signed_parts(&key(), &part(&header()), &claims));
    }
}

fn timed(iat: i64, nbf: i64, exp: i64) -> Value {
    let mut claims = claims();
    claims["iat"] = json!(iat);
    claims["nbf"] = json!(nbf);
    claims["exp"] = json!(exp);
    claims
}
