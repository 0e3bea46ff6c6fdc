use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

const ISSUER: &str = "https://api.example";

#[test]
fn a_token_of_ours_speaks_for_its_account() {
    assert_eq!(tokens().verify(&token(), now()).unwrap(), bearer());
}

#[test]
fn a_token_is_good_for_fifteen_minutes() {
    let tokens = tokens();
    let token = token();
    let at = |seconds| tokens.verify(&token, now() + chrono::Duration::seconds(seconds));
    assert!(at(15 * 60 - 1).is_ok());
    // The first use was remembered; the time is looked at all the same.
    assert_eq!(at(15 * 60 + 5).unwrap_err().code(), Code::TokenExpired);
    assert_eq!(at(-60).unwrap_err().code(), Code::Unauthenticated);
}

#[test]
fn only_the_one_algorithm_is_believed() {
    for alg in ["none", "None", "nOnE", "HS256", "RS256", "ES256", ""] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid() });
        refused(&signed(&header, &claims()));
    }
    for header in [
        json!({ "typ": "at+jwt", "kid": kid() }),
        json!({ "alg": ["EdDSA"], "typ": "at+jwt", "kid": kid() }),
    ] {
        refused(&signed(&header, &claims()));
    }
    let unsigned = format!("{}.{}.", part(&header()), part(&claims()));
    refused(&unsigned);
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let public = key().verifying_key();
    for secret in [
        public.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.encode(public.as_bytes()).into_bytes(),
    ] {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid());
        let secret = jsonwebtoken::EncodingKey::from_secret(&secret);
        refused(&jsonwebtoken::encode(&header, &claims(), &secret).unwrap());
    }
}

#[test]
fn only_keys_of_the_ring_are_believed() {
    for kid in [
        "",
        "unknown",
        "../../etc/passwd",
        "' OR 1=1 --",
        "https://evil.example/jwks",
        "\u{0}",
    ] {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
        refused(&signed(&header, &claims()));
    }
    let stranger = SigningKey::from_bytes(&[9; 32]);
    refused(&signed_with(&stranger, &header(), &claims()));
}

#[test]
fn a_header_with_anything_more_is_refused() {
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("jwk", json!({ "kty": "OKP" })),
        ("x5u", json!("https://evil.example/cert")),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let mut header = header();
        header[name] = value;
        refused(&signed(&header, &claims()));
    }
    for typ in [json!("JWT"), json!(null), json!("refresh+jwt")] {
        let mut header = header();
        header["typ"] = typ;
        refused(&signed(&header, &claims()));
    }
    let twice = format!(
        r#"{{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#,
        kid()
    );
    refused(&signed_parts(
        &key(),
        &URL_SAFE_NO_PAD.encode(twice),
        &part(&claims()),
    ));
}

#[test]
fn every_claim_is_required() {
    for name in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        refused(&signed(&header(), &claims));
    }
}

#[test]
fn claims_of_others_are_refused() {
    let late = now().timestamp();
    for (name, value) in [
        ("iss", json!("https://api.example/")),
        ("iss", json!("http://api.example")),
        ("aud", json!("other")),
        ("aud", json!(["soko", "other"])),
        ("aud", json!("Soko")),
        ("sub", json!("admin")),
        ("sub", json!(1)),
        ("exp", json!("soon")),
        ("exp", json!(-1)),
        ("exp", json!(late + 1_000_000)),
        ("exp", json!(1e12)),
        ("nbf", json!(late + 60)),
        ("iat", json!(late + 60)),
        ("role", json!("admin")),
    ] {
        let mut claims = claims();
        claims[name] = value.clone();
        refused_for(&signed(&header(), &claims), &format!("{name}: {value}"));
    }
}

#[test]
fn a_changed_token_is_refused() {
    let token = token();
    for index in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        if let Ok(changed) = String::from_utf8(bytes) {
            refused_for(&changed, &format!("byte {index}"));
        }
    }
    // The last character of a signature has four bits that mean nothing.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|other| *other != last) {
        refused(&format!("{}{other}", &token[..token.len() - 1]));
    }
    for changed in [
        format!("{token}="),
        format!("{token}."),
        format!(" {token}"),
        token.replace('.', ".."),
        "a".repeat(1_000_000),
    ] {
        refused(&changed);
    }
}

#[test]
fn a_rotated_key_still_verifies_until_it_leaves_the_ring() {
    let tokens = tokens();
    let token = token();
    let (old, new) = (pair(&key()), pair(&SigningKey::from_bytes(&[2; 32])));
    tokens.replace_keys(KeyRing::new(new.clone(), [old.clone()]));
    assert!(tokens.verify(&token, now()).is_ok());
    let newer = tokens.sign(bearer(), now()).unwrap();
    assert!(tokens.verify(&newer, now()).is_ok());
    assert_eq!(tokens.keys().jwks()["keys"].as_array().unwrap().len(), 2);
    tokens.replace_keys(KeyRing::new(new, []));
    assert_eq!(
        tokens.verify(&token, now()).unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[test]
fn the_published_keys_are_public_and_named_by_their_thumbprint() {
    let jwks = tokens().keys().jwks();
    let jwk = jwks["keys"][0].as_object().unwrap();
    assert!(!jwk.contains_key("d"));
    assert_eq!(
        (jwk["kty"].as_str(), jwk["crv"].as_str()),
        (Some("OKP"), Some("Ed25519"))
    );
    assert_eq!(
        jwk["x"],
        URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes())
    );
}

/// From RFC 8037, appendix A.3.
#[test]
fn a_thumbprint_is_that_of_the_standard() {
    let seed = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let key = SigningKey::from_bytes(&seed.try_into().unwrap());
    assert_eq!(
        pair(&key).key_id(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert!(key.to_pkcs8_der().is_ok());
}

fn tokens() -> Tokens {
    Tokens::new(ISSUER.to_owned(), KeyRing::new(pair(&key()), []))
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn pair(key: &SigningKey) -> SigningPair {
    SigningPair::new(key).unwrap()
}

fn kid() -> String {
    pair(&key()).key_id().to_owned()
}

fn bearer() -> Bearer {
    Bearer {
        account_id: AccountId::from_uuid(Uuid::from_u128(7)),
        session_id: Uuid::from_u128(8),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn token() -> String {
    tokens().sign(bearer(), now()).unwrap()
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid() })
}

fn claims() -> Value {
    let now = now().timestamp();
    json!({
        "iss": ISSUER, "aud": "soko", "sub": Uuid::from_u128(7), "sid": Uuid::from_u128(8),
        "jti": Uuid::from_u128(9), "iat": now, "nbf": now, "exp": now + 900,
    })
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_with(&key(), header, claims)
}

fn signed_with(key: &SigningKey, header: &Value, claims: &Value) -> String {
    signed_parts(key, &part(header), &part(claims))
}

fn signed_parts(key: &SigningKey, header: &str, claims: &str) -> String {
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
    format!("{message}.{signature}")
}

/// What is made here by hand is good when nothing is wrong with it, so the refusals mean something.
#[test]
fn a_token_made_by_hand_is_as_good() {
    assert!(
        tokens()
            .verify(&signed(&header(), &claims()), now())
            .is_ok()
    );
}

fn refused(token: &str) {
    refused_for(token, token);
}

fn refused_for(token: &str, what: &str) {
    let code = tokens()
        .verify(token, now())
        .map_err(|problem| problem.code());
    assert!(
        matches!(code, Err(Code::Unauthenticated | Code::TokenExpired)),
        "{what:.200}"
    );
}
