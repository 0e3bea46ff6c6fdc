//! Headers that name another algorithm, another key, or a way to find one.

use super::*;

#[test]
fn only_the_one_algorithm_is_believed() {
    let names = [
        "none",
        "None",
        "nOnE",
        "NONE",
        "none ",
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "PS256",
        "ES256",
        "ES256K",
        "ES384",
        "Ed25519",
        "Ed448",
        "eddsa",
        "EDDSA",
        "EdDSA ",
        "EdDSA\u{0}",
        "",
    ];
    let values = names.map(|name| json!(name)).into_iter();
    let others = [
        json!(["EdDSA"]),
        json!({ "EdDSA": "EdDSA" }),
        json!(null),
        json!(true),
        json!(0),
    ];
    for alg in values.chain(others) {
        let mut header = header();
        header["alg"] = alg.clone();
        refused_for(&signed(&header, &claims()), &format!("alg {alg}"));
        // The same with nothing where the signature should be.
        refused_for(&unsigned(&header), &format!("alg {alg}, unsigned"));
    }
    refused(&unsigned(&header()));
}

#[test]
fn every_member_of_the_header_is_required() {
    for name in ["alg", "typ", "kid"] {
        let mut header = header();
        header.as_object_mut().unwrap().remove(name);
        refused_for(&signed(&header, &claims()), &format!("no {name}"));
    }
}

#[test]
fn only_keys_of_the_ring_are_believed() {
    let kid = kid();
    let long = "k".repeat(1_000_000);
    let names = [
        "",
        "0",
        "unknown",
        "../../etc/passwd",
        "/dev/null",
        "../../../../dev/null",
        "' OR 1=1 --",
        "' UNION SELECT 'key' --",
        "| sleep 10",
        "https://evil.example/jwks",
        "file:///dev/null",
        "\u{0}",
        "*",
        &long,
        &format!("{kid}\u{0}"),
        &format!("{kid} "),
        &format!(" {kid}"),
        &format!("{kid}="),
        &kid.to_ascii_lowercase(),
        &kid[..kid.len() - 1],
    ];
    let values = names.iter().map(|name| json!(name));
    let others = [json!(null), json!(0), json!([kid]), json!({ "kid": kid })];
    for kid in values.chain(others) {
        let mut header = header();
        header["kid"] = kid.clone();
        refused_for(&signed(&header, &claims()), &format!("kid {kid:.60}"));
    }
    let stranger = SigningKey::from_bytes(&[9; 32]);
    refused(&signed_with(&stranger, &header(), &claims()));
}

/// A stranger's token that brings its own key is not believed, nor is one of ours that only has
/// more to say: nothing that a header asks for is done.
#[test]
fn a_header_with_anything_more_is_refused() {
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let jwk = KeyRing::new(pair(&stranger), []).jwks()["keys"][0].clone();
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("jwk", jwk),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("MIIB")),
        ("x5t#S256", json!("MIIB")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("epk", json!({})),
        ("exp", json!(4_000_000_000_u64)),
        ("", json!("")),
        ("ALG", json!("EdDSA")),
    ] {
        let mut header = header();
        header[name] = value;
        refused_for(&signed(&header, &claims()), name);
        refused_for(&signed_with(&stranger, &header, &claims()), name);
        header["kid"] = json!(pair(&stranger).key_id());
        refused_for(&signed_with(&stranger, &header, &claims()), name);
    }
}

#[test]
fn no_other_kind_of_token_is_an_access_token() {
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("refresh+jwt"),
        json!("id+jwt"),
        json!("JOSE"),
        json!(""),
        json!(null),
        json!(["at+jwt"]),
    ] {
        let mut header = header();
        header["typ"] = typ.clone();
        refused_for(&signed(&header, &claims()), &format!("typ {typ}"));
    }
}

/// Two readers of such a header may take different values for true.
#[test]
fn a_header_that_says_something_twice_is_refused() {
    let (kid, once) = (kid(), header().to_string());
    for twice in [
        r#""alg":"none""#.to_owned(),
        r#""alg":"EdDSA""#.to_owned(),
        r#""typ":"JWT""#.to_owned(),
        r#""typ":"at+jwt""#.to_owned(),
        r#""kid":"other""#.to_owned(),
        format!(r#""kid":"{kid}""#),
        // The same name, written in another way.
        r#""\u0061lg":"none""#.to_owned(),
    ] {
        let members = &once[1..once.len() - 1];
        for header in [
            format!("{{{twice},{members}}}"),
            format!("{{{members},{twice}}}"),
        ] {
            let header = URL_SAFE_NO_PAD.encode(header);
            refused_for(&signed_parts(&key(), &header, &part(&claims())), &twice);
        }
    }
}

#[test]
fn what_is_no_json_object_is_no_header() {
    for header in [
        "",
        "{",
        "[]",
        "null",
        "\"\"",
        "0",
        "EdDSA",
        "\u{feff}{}",
        "{}{}",
        "\u{0}",
    ] {
        let header = URL_SAFE_NO_PAD.encode(header);
        refused(&signed_parts(&key(), &header, &part(&claims())));
    }
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(1_000));
    refused(&signed_parts(&key(), &deep, &part(&claims())));
}

fn unsigned(header: &Value) -> String {
    format!("{}.{}.", part(header), part(&claims()))
}
