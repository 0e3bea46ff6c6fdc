//! Access tokens: short-lived JWTs, signed with Ed25519, verified in full once and then remembered.

mod claims;
mod key_ring;
mod verified;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use soko_domain::AccountId;
use uuid::Uuid;

pub use self::claims::Claims;
pub use self::key_ring::{KeyRing, SigningPair};
use self::verified::Verified;
use crate::problem::{Code, Problem, Result};

/// How long an access token is good.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How much clocks of ours may differ.
const LEEWAY_SECONDS: i64 = 5;

/// Longer than any token of ours.
const TOKEN_BYTES_MAX: usize = 2048;

/// Whom access tokens are for.
const AUDIENCE: &str = "soko";

/// So that no other JWT can stand for an access token (RFC 9068).
const TYPE: &str = "at+jwt";

/// Signs and verifies in the name of one issuer.
pub struct Tokens {
    issuer: String,
    keys: RwLock<Arc<KeyRing>>,
    verified: Verified,
}

/// Who an access token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    pub account_id: AccountId,
    pub session_id: Uuid,
    /// When the session last showed a second factor, to the second; `None` if it never did.
    pub second_factor_at: Option<DateTime<Utc>>,
}

impl Tokens {
    pub fn new(issuer: String, keys: KeyRing) -> Self {
        Self {
            issuer,
            keys: RwLock::new(Arc::new(keys)),
            verified: Verified::default(),
        }
    }

    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on signs with the newest of these, and believes none but these.
    pub fn replace_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.verified.forget_all();
    }

    /// An access token for a session.
    ///
    /// # Errors
    /// The key cannot sign, which is a defect.
    pub fn sign(&self, bearer: Bearer, now: DateTime<Utc>) -> Result<String> {
        let keys = self.keys();
        let current = keys.current();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(current.key_id().to_owned());
        let issued_at = now.timestamp();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.account_id,
            sid: bearer.session_id,
            jti: Uuid::now_v7(),
            iat: issued_at,
            nbf: issued_at,
            exp: issued_at + LIFETIME.as_secs().cast_signed(),
            second_factor_at: bearer.second_factor_at.map(|at| at.timestamp()),
        };
        jsonwebtoken::encode(&header, &claims, current.encoding())
            .map_err(|cause| Problem::ours(Code::Internal, &cause))
    }

    /// Who the token speaks for.
    ///
    /// # Errors
    /// `token-expired`, or `unauthenticated` for everything else that is wrong with it.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Bearer> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Problem::new(Code::Unauthenticated));
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        let claims = if let Some(claims) = self.verified.get(&digest) {
            claims
        } else {
            let claims = self.verify_in_full(token)?;
            self.verified.put(digest, claims);
            claims
        };
        let seconds = now.timestamp();
        if seconds >= claims.expires_at.saturating_add(LEEWAY_SECONDS) {
            return Err(Problem::new(Code::TokenExpired));
        }
        if seconds + LEEWAY_SECONDS < claims.not_before {
            return Err(Problem::new(Code::Unauthenticated));
        }
        Ok(claims.bearer)
    }

    /// Everything but the time, which passes.
    fn verify_in_full(&self, token: &str) -> Result<verified::Lasting> {
        let refused = || Problem::new(Code::Unauthenticated);
        let header = StrictHeader::of(token).ok_or_else(refused)?;
        let keys = self.keys();
        let key = keys.verifying(&header.kid).ok_or_else(refused)?;
        let data = jsonwebtoken::decode::<Claims>(token, key, &self.validation())
            .map_err(|_| refused())?;
        let claims = data.claims;
        let lifetime = claims.exp.checked_sub(claims.iat).ok_or_else(refused)?;
        if !(0..=LIFETIME.as_secs().cast_signed()).contains(&lifetime) {
            return Err(refused());
        }
        Ok(verified::Lasting {
            bearer: Bearer {
                account_id: claims.sub,
                session_id: claims.sid,
                second_factor_at: claims
                    .second_factor_at
                    .and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            },
            not_before: claims.nbf.max(claims.iat),
            expires_at: claims.exp,
        })
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // By default the library compares them only where the token has them.
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        // Times are compared on every use, not only on the first.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }
}

/// The only header that we write; one with anything else (`jwk`, `jku`, `crit`, …) is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

impl StrictHeader {
    fn of(token: &str) -> Option<Self> {
        use base64::Engine;
        let (header, _) = token.split_once('.')?;
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(header)
            .ok()?;
        let header: Self = serde_json::from_slice(&json).ok()?;
        (header.alg == "EdDSA" && header.typ == TYPE).then_some(header)
    }
}

#[cfg(test)]
mod tests;
