//! What an access token says.

use serde::{Deserialize, Serialize};
use soko_domain::AccountId;
use uuid::Uuid;

/// Every claim is required, and there is no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: AccountId,
    /// The session that it was issued in.
    pub sid: Uuid,
    pub jti: Uuid,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
}
