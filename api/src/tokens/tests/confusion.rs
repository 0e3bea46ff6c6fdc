//! One kind of key taken for another, and signatures that many keys would accept.

use super::*;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha512;

/// The order of the group, little endian (RFC 8032): what may be added to half of a signature
/// without changing what it proves, where nobody looks.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn the_public_key_is_no_shared_secret() {
    for secret in forms_of_the_public_key() {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.typ = Some("at+jwt".to_owned());
            header.kid = Some(kid());
            let secret = jsonwebtoken::EncodingKey::from_secret(&secret);
            refused(&jsonwebtoken::encode(&header, &claims(), &secret).unwrap());
        }
    }
}

/// As long as a signature of ours, and said to be one.
#[test]
fn a_digest_with_the_public_key_is_no_signature() {
    for secret in forms_of_the_public_key() {
        let message = format!("{}.{}", part(&header()), part(&claims()));
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(&secret).unwrap();
        mac.update(message.as_bytes());
        let digest = mac.finalize().into_bytes();
        refused(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(digest)));
    }
}

#[test]
fn a_signature_that_proves_nothing_is_refused() {
    let mut identity = [0; 64];
    identity[0] = 1;
    let mut order = [0; 64];
    order[..32].copy_from_slice(&ORDER);
    for signature in [
        &[0; 64][..],
        &[0xff; 64],
        &identity,
        &order,
        &[],
        &[0; 63],
        &[0; 65],
        &[0; 128],
    ] {
        let message = format!("{}.{}", part(&header()), part(&claims()));
        refused(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
    }
}

/// Otherwise a token would have a second form that looks new to whoever remembers the first.
#[test]
fn a_signature_has_one_form_only() {
    let token = token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, of_order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(of_order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    refused(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
}

/// What everybody may know, in every form that it is written in.
fn forms_of_the_public_key() -> Vec<Vec<u8>> {
    let public = key().verifying_key();
    let der = public.to_public_key_der().unwrap().into_vec();
    let pem = |base64: &str, end: &str| {
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----{end}")
    };
    let base64 = STANDARD.encode(&der);
    let texts = [
        pem(&base64, ""),
        pem(&base64, "\n"),
        pem(&base64, "\r\n"),
        format!("{base64}\n"),
        base64,
        STANDARD.encode(public.as_bytes()),
        URL_SAFE_NO_PAD.encode(public.as_bytes()),
        hex::encode(public.as_bytes()),
        tokens().keys().jwks()["keys"][0].to_string(),
        tokens().keys().jwks().to_string(),
        kid(),
        String::new(),
    ];
    let texts = texts.into_iter().map(String::into_bytes);
    texts.chain([public.as_bytes().to_vec(), der]).collect()
}
