//! What an access token says.

use serde::{Deserialize, Serialize};
use soko_domain::AccountId;
use uuid::Uuid;

/// Every claim but the last is required, and there is no other.
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
    /// When the session last showed a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor_at: Option<i64>,
}
