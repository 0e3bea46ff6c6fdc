//! What is not a token of ours, in every way that tokens were ever forged.

mod claims;
mod confusion;
mod forms;
mod headers;

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
        second_factor_at: None,
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
