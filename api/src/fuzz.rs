//! What is read before anybody knows who sent it, given any bytes: nothing panics, and nothing
//! passes that should not. What providers of payments send is tried beside its parsers in `gateways`,
//! by tests that are called `…_without_harm`.
//!
//! Each runs for a moment with the other tests; `make fuzz` gives each a minute. A failure tells
//! the seed to run it again with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bolero::check;
use chrono::DateTime;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use soko_domain::AccountId;
use uuid::Uuid;

use crate::body::{Readable, parse};
use crate::problem::Code;
use crate::query::{Cursor, Parameter, cursor};
use crate::resources::auth::Register;
use crate::resources::orders::NewOrder;
use crate::resources::products::NewProduct;
use crate::tokens::{Bearer, KeyRing, SigningPair, Tokens};

const ISSUER: &str = "https://api.example";
const NOW: i64 = 1_800_000_000;

/// At a place, how many bytes fewer, and what instead.
type Edits = Vec<(u16, u8, Vec<u8>)>;

#[test]
fn no_bytes_are_a_token() {
    let (tokens, now) = (tokens(), DateTime::from_timestamp(NOW, 0).unwrap());
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        assert!(tokens.verify(&text, now).is_err(), "{text}");
    });
}

#[test]
fn no_edit_of_a_token_leaves_it_good() {
    let (tokens, now) = (tokens(), DateTime::from_timestamp(NOW, 0).unwrap());
    let token = tokens.sign(bearer(), now).unwrap();
    check!().with_type::<Edits>().for_each(|edits| {
        let edited = edited(token.as_bytes(), edits);
        let text = String::from_utf8_lossy(&edited);
        assert_eq!(tokens.verify(&text, now).is_ok(), text == token, "{text}");
    });
}

/// As if somebody could make our key sign what they like: then what is signed is still read
/// strictly, and speaks for nobody but who is named in it.
#[test]
fn what_is_signed_is_read_strictly() {
    let (tokens, now) = (tokens(), DateTime::from_timestamp(NOW, 0).unwrap());
    let token = tokens.sign(bearer(), now).unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let parts: Vec<_> = token.split('.').map(decode).collect();
    check!()
        .with_type::<(Edits, Edits)>()
        .for_each(|(of_header, of_claims)| {
            let (header, claims) = (edited(&parts[0], of_header), edited(&parts[1], of_claims));
            let Ok(bearer) = tokens.verify(&signed(&header, &claims), now) else {
                return;
            };
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            let named = |name: &str| claims[name].as_str().and_then(|id| id.parse().ok());
            assert_eq!(named("sub"), Some(bearer.account_id.as_uuid()));
            assert_eq!(named("sid"), Some(bearer.session_id));
            assert_eq!(
                (&claims["iss"], &claims["aud"]),
                (&json!(ISSUER), &json!("soko"))
            );
            let time = |name: &str| claims[name].as_i64().unwrap();
            assert!(time("exp") > NOW - 5 && time("nbf").max(time("iat")) <= NOW + 5);
        });
}

#[test]
fn no_bytes_are_a_cursor() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(read) = Cursor::read(Some(&text)) {
            let refused = read.key::<(u32, String)>("stores").unwrap_err();
            assert_eq!(refused.code(), Code::BadCursor);
        }
    });
}

#[test]
fn no_edit_of_a_cursor_leaves_it_good() {
    let good = cursor("stores", &(7, "a"));
    check!().with_type::<Edits>().for_each(|edits| {
        let edited = edited(good.as_bytes(), edits);
        let text = String::from_utf8_lossy(&edited);
        if let Ok(read) = Cursor::read(Some(&text)) {
            assert_eq!(read.key::<(u32, String)>("stores").is_ok(), text == good);
            assert!(read.key::<(u32, String)>("vendors").is_err());
        }
    });
}

#[test]
fn whatever_a_body_is_it_is_read_or_refused_with_a_reason() {
    check!().for_each(|bytes: &[u8]| {
        is_read_or_refused::<Register>(bytes);
        is_read_or_refused::<NewOrder>(bytes);
        is_read_or_refused::<NewProduct>(bytes);
    });
}

#[test]
fn so_is_an_edit_of_a_good_one() {
    let id = Uuid::from_u128(7);
    let register = json!({
        "email": "amina@soko.test", "password": "a long enough password", "name": "Amina",
        "phone": "+254712345678",
    });
    let order = json!({
        "store_id": id, "lines": [{ "variant_id": id, "quantity": 1 }], "email": "a@soko.test",
        "shipping_address": {
            "name": "Wanjiku", "phone": "+254722000111", "line1": "Moi Avenue 12",
            "city": "Nairobi", "country": "KE",
        },
        "payment": { "provider": "cash_on_delivery" },
    });
    let product = json!({
        "store_id": id, "vendor_id": id, "name": "Mug", "slug": "mug", "description": "A mug",
        "category_ids": [id], "images": ["https://soko.test/mug.png"], "seo": { "title": "Mug" },
        "variants": [{
            "sku": "MUG-1", "name": "Mug", "price": { "amount": 500, "currency": "KES" },
            "weight_g": 300, "options": { "colour": "red" },
        }],
    });
    let [register, order, product] = [register, order, product].map(|body| body.to_string());
    assert!(parse::<Register>(register.as_bytes()).is_ok());
    assert!(parse::<NewOrder>(order.as_bytes()).is_ok());
    assert!(parse::<NewProduct>(product.as_bytes()).is_ok());
    check!().with_type::<Edits>().for_each(|edits| {
        is_read_or_refused::<Register>(&edited(register.as_bytes(), edits));
        is_read_or_refused::<NewOrder>(&edited(order.as_bytes(), edits));
        is_read_or_refused::<NewProduct>(&edited(product.as_bytes(), edits));
    });
}

fn is_read_or_refused<T: Readable>(bytes: &[u8]) {
    let Err(problem) = parse::<T>(bytes) else {
        // What is taken was JSON, and one object.
        assert!(serde_json::from_slice::<Value>(bytes).unwrap().is_object());
        return;
    };
    match problem.code() {
        Code::MalformedJson => (),
        Code::Validation => assert!(!problem.faults().is_empty()),
        other => panic!("{other:?}"),
    }
}

fn edited(valid: &[u8], edits: &Edits) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for (place, fewer, instead) in edits {
        let from = usize::from(*place) % (bytes.len() + 1);
        let to = (from + usize::from(*fewer % 8)).min(bytes.len());
        bytes.splice(from..to, instead.iter().copied());
    }
    bytes
}

fn tokens() -> Tokens {
    let pair = SigningPair::new(&key()).unwrap();
    Tokens::new(ISSUER.to_owned(), KeyRing::new(pair, []))
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn bearer() -> Bearer {
    Bearer {
        account_id: AccountId::from_uuid(Uuid::from_u128(7)),
        session_id: Uuid::from_u128(8),
        second_factor_at: None,
    }
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key().sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", part(&signature))
}
