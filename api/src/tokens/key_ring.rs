//! The keys that sign and verify: the one in use, and those whose tokens may still be about.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A private key, and its name.
#[derive(Clone)]
pub struct SigningPair {
    key_id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// The public key, as a JWK has it.
    x: String,
    /// What other tokens of ours are derived from.
    secret: [u8; 32],
}

/// One key to sign with, some to verify with.
pub struct KeyRing {
    current: SigningPair,
    others: BTreeMap<String, SigningPair>,
}

impl SigningPair {
    /// # Errors
    /// The key has no PKCS#8 form, which every Ed25519 key has.
    pub fn new(key: &SigningKey) -> Result<Self, ed25519_dalek::pkcs8::Error> {
        let public = key.verifying_key();
        let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
        Ok(Self {
            key_id: thumbprint(&x),
            encoding: EncodingKey::from_ed_der(key.to_pkcs8_der()?.as_bytes()),
            decoding: DecodingKey::from_ed_der(public.as_bytes()),
            x,
            secret: secret(key),
        })
    }

    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.key_id, "x": self.x,
        })
    }
}

impl KeyRing {
    pub fn new(current: SigningPair, others: impl IntoIterator<Item = SigningPair>) -> Self {
        let others = others
            .into_iter()
            .filter(|pair| pair.key_id != current.key_id);
        let others = others.map(|pair| (pair.key_id.clone(), pair)).collect();
        Self { current, others }
    }

    pub(super) fn current(&self) -> &SigningPair {
        &self.current
    }

    /// Only by a name in this ring: nothing is fetched, whatever a token says of itself.
    pub(super) fn verifying(&self, key_id: &str) -> Option<&DecodingKey> {
        if key_id == self.current.key_id {
            return Some(&self.current.decoding);
        }
        self.others.get(key_id).map(|pair| &pair.decoding)
    }

    /// Thirty-two bytes that only we can make, and always the same of the same id: so that a token
    /// can be shown again to who lost the answer, without being stored. It is only *made* of this;
    /// whether it is good is for its hash to say, so it outlives the key.
    pub fn derived(&self, purpose: &str, id: Uuid) -> [u8; 32] {
        let mut mac = mac(&self.current.secret);
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The public keys, for others who verify our tokens (RFC 7517).
    pub fn jwks(&self) -> Value {
        let keys = std::iter::once(&self.current).chain(self.others.values());
        json!({ "keys": keys.map(SigningPair::jwk).collect::<Vec<_>>() })
    }
}

fn secret(key: &SigningKey) -> [u8; 32] {
    let mut mac = mac(&key.to_bytes());
    mac.update(b"soko: what tokens are derived from");
    mac.finalize().into_bytes().into()
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    // A key shorter than a block is one that is filled up with zeros (RFC 2104).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

/// The name of a key, computed from it (RFC 7638).
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}
