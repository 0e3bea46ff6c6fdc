//! The same token written in another way, and what only looks like a token.

use super::*;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};

#[test]
fn a_changed_token_is_refused() {
    let token = token();
    for index in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            refused_for(&changed, &format!("bit {bit} of byte {index}"));
        }
        let (before, after) = token.split_at(index);
        refused_for(before, &format!("cut off at {index}"));
        refused_for(after.get(1..).unwrap_or_default(), &format!("from {index}"));
    }
}

/// The last character of a signature has four bits that mean nothing.
#[test]
fn bits_that_mean_nothing_are_looked_at_all_the_same() {
    let token = token();
    let (rest, last) = token.split_at(token.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|other| !last.starts_with(*other)) {
        refused(&format!("{rest}{other}"));
    }
}

#[test]
fn base64_is_that_of_urls_without_padding() {
    // In the base64 of this issuer stand characters in which the alphabets differ.
    let issuer = "https://api.example/???>>>~~~";
    let tokens = Tokens::new(issuer.to_owned(), KeyRing::new(pair(&key()), []));
    let mut claims = claims();
    claims["iss"] = json!(issuer);
    let (header, claims) = (unaligned(&header()), unaligned(&claims));
    let plain = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let verify =
        |header: &str, claims: &str| tokens.verify(&signed_parts(&key(), header, claims), now());
    assert!(verify(&plain(&header), &plain(&claims)).is_ok());
    assert!(plain(&claims).contains(['-', '_']));
    for (what, header, claims) in [
        ("padded", URL_SAFE.encode(&header), plain(&claims)),
        ("padded", plain(&header), URL_SAFE.encode(&claims)),
        (
            "the other alphabet",
            plain(&header),
            STANDARD_NO_PAD.encode(&claims),
        ),
        (
            "cut off",
            plain(&header),
            plain(&claims)[..plain(&claims).len() - 2].to_owned(),
        ),
    ] {
        assert!(verify(&header, &claims).is_err(), "{what}");
    }
}

#[test]
fn a_signature_is_written_in_one_way() {
    let token = token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for (what, changed) in [
        (
            "padded",
            format!("{message}.{}", URL_SAFE.encode(&signature)),
        ),
        ("padded by half", format!("{token}=")),
        (
            "in hexadecimal",
            format!("{message}.{}", hex::encode(&signature)),
        ),
        ("escaped", token.replace('.', "%2E")),
        ("escaped", token.replace('.', "%2e")),
    ] {
        refused_for(&changed, what);
    }
    let mut differing = 0;
    for number in 0..64 {
        let mut claims = claims();
        claims["jti"] = json!(Uuid::from_u128(number));
        let token = signed(&header(), &claims);
        assert!(tokens().verify(&token, now()).is_ok());
        let other = token.replace('-', "+").replace('_', "/");
        if other != token {
            differing += 1;
            refused_for(&other, "the other alphabet");
        }
    }
    assert!(differing > 0);
}

#[test]
fn space_around_a_token_or_in_it_is_not_overlooked() {
    let token = token();
    for space in [
        " ", "\t", "\n", "\r\n", "\u{0}", "\u{a0}", "\u{200b}", "\u{feff}",
    ] {
        for changed in [
            format!("{space}{token}"),
            format!("{token}{space}"),
            token.replace('.', &format!("{space}.")),
            token.replace('.', &format!(".{space}")),
            format!("{}{space}{}", &token[..9], &token[9..]),
        ] {
            refused_for(&changed, &format!("{space:?}"));
        }
    }
}

#[test]
fn only_the_compact_form_is_read() {
    let token = token();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token} is no JWT");
    };
    let flattened = json!({ "protected": header, "payload": claims, "signature": signature });
    let unprotected = json!({
        "header": super::header(), "payload": claims, "signature": signature,
    });
    let general = json!({
        "payload": claims, "signatures": [{ "protected": header, "signature": signature }],
    });
    let nested = signed_parts(&key(), header, &URL_SAFE_NO_PAD.encode(&token));
    for (what, changed) in [
        ("flattened JSON", flattened.to_string()),
        ("flattened JSON, unprotected", unprotected.to_string()),
        ("general JSON", general.to_string()),
        (
            "JSON in base64",
            URL_SAFE_NO_PAD.encode(flattened.to_string()),
        ),
        ("detached", format!("{header}..{signature}")),
        ("nested", nested),
        (
            "encrypted",
            format!("{header}.{claims}.{claims}.{claims}.{signature}"),
        ),
        ("four parts", format!("{token}.{signature}")),
        ("a part too many", format!("{token}.")),
        ("a part before", format!(".{token}")),
        ("two parts", format!("{header}.{claims}")),
        ("one part", header.to_owned()),
        ("dots", "..".to_owned()),
        ("dots", token.replace('.', "..")),
        ("nothing", String::new()),
        ("twice", format!("{token},{token}")),
        ("with its scheme", format!("Bearer {token}")),
        (
            "parts in another order",
            format!("{claims}.{header}.{signature}"),
        ),
        ("long", "a".repeat(1_000_000)),
        (
            "long, with dots",
            format!("{}.{claims}.{signature}", "a".repeat(1_000_000)),
        ),
        ("dots only", ".".repeat(1_000_000)),
    ] {
        refused_for(&changed, what);
    }
}

/// A signature is of one message; of other parts it says nothing.
#[test]
fn parts_of_two_tokens_make_none() {
    let mut others = claims();
    others["sub"] = json!(Uuid::from_u128(70));
    let (one, other) = (signed(&header(), &claims()), signed(&header(), &others));
    let (one, other): (Vec<_>, Vec<_>) = (one.split('.').collect(), other.split('.').collect());
    refused(&[one[0], other[1], one[2]].join("."));
    refused(&[one[0], one[1], other[2]].join("."));
}

/// JSON of a length that base64 would pad.
fn unaligned(json: &Value) -> String {
    let mut text = json.to_string();
    if text.len().is_multiple_of(3) {
        text.push(' ');
    }
    text
}
