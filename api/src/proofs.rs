//! What people are sent, to show by it that it reached them.
//!
//! A token goes out in a link and is all that whoever follows the link has; a code goes to a phone,
//! and is good only for the account that asked for it. Only their hashes are kept, each is good once
//! and for a short time, and asking again makes the one before good for nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use soko_domain::{AccountId, PhoneNumber};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::constant_time::is_same;
use crate::problem::Result;
use crate::secret::Secret;

/// Wrong codes after which another has to be sent.
const CODE_FAILURES_MAX: i32 = 5;

/// As many codes as there are; ASVS 5.0, 6.5.4 asks for 20 bits where guesses are counted.
const CODES: u32 = 1_000_000;

/// What a token shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    pub const fn lifetime(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::hours(24),
            Self::ResetPassword => Duration::minutes(30),
        }
    }
}

const VERIFY_PHONE: &str = "verify_phone";

/// ASVS 5.0, 6.5.5.
pub const CODE_LIFETIME: Duration = Duration::minutes(10);

/// All proofs that are still to come back.
#[derive(Clone)]
pub struct Proofs {
    pool: PgPool,
}

impl Proofs {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A token for a link.
    ///
    /// # Errors
    /// The database.
    pub async fn token(
        &self,
        purpose: Purpose,
        account_id: AccountId,
        now: DateTime<Utc>,
    ) -> Result<Secret> {
        let token = Secret::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let hash = token_hash(purpose, &token);
        self.keep(
            account_id,
            purpose.as_str(),
            &hash,
            now + purpose.lifetime(),
        )
        .await?;
        Ok(token)
    }

    /// A code for a phone.
    ///
    /// # Errors
    /// The database.
    pub async fn code(
        &self,
        account_id: AccountId,
        phone: &PhoneNumber,
        now: DateTime<Utc>,
    ) -> Result<Secret> {
        let code = Secret::from(format!("{:06}", rand::random_range(0..CODES)));
        let hash = code_hash(account_id, phone, &code);
        self.keep(account_id, VERIFY_PHONE, &hash, now + CODE_LIFETIME)
            .await?;
        Ok(code)
    }

    /// Whose token it is, if it is good.
    ///
    /// # Errors
    /// The database.
    pub async fn account_of(
        &self,
        purpose: Purpose,
        token: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<AccountId>> {
        let account_id: Option<Uuid> = sqlx::query_scalar(
            "SELECT account_id FROM proofs \
             WHERE secret_hash = $1 AND purpose = $2 AND expires_at > $3",
        )
        .bind(&token_hash(purpose, token)[..])
        .bind(purpose.as_str())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(account_id.map(AccountId::from_uuid))
    }

    /// Takes the token in; `false` if it is not good, or somebody was faster.
    ///
    /// # Errors
    /// The database.
    pub async fn spend(
        connection: &mut PgConnection,
        purpose: Purpose,
        token: &Secret,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let spent = sqlx::query(
            "DELETE FROM proofs WHERE secret_hash = $1 AND purpose = $2 AND expires_at > $3",
        )
        .bind(&token_hash(purpose, token)[..])
        .bind(purpose.as_str())
        .bind(now)
        .execute(connection)
        .await?;
        Ok(spent.rows_affected() == 1)
    }

    /// Takes the code in; `false` if it is not good. A wrong one counts before it is looked at, so
    /// that guesses made at the same time count each other.
    ///
    /// # Errors
    /// The database.
    pub async fn spend_code(
        &self,
        account_id: AccountId,
        phone: &PhoneNumber,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let kept: Option<Vec<u8>> = sqlx::query_scalar(
            "UPDATE proofs SET failures = failures + 1 \
             WHERE account_id = $1 AND purpose = $2 AND expires_at > $3 AND failures < $4 \
             RETURNING secret_hash",
        )
        .bind(account_id.as_uuid())
        .bind(VERIFY_PHONE)
        .bind(now)
        .bind(CODE_FAILURES_MAX)
        .fetch_optional(&self.pool)
        .await?;
        let Some(kept) = kept.filter(|kept| is_same(kept, &code_hash(account_id, phone, code)))
        else {
            return Ok(false);
        };
        let spent = sqlx::query("DELETE FROM proofs WHERE secret_hash = $1")
            .bind(kept)
            .execute(&self.pool)
            .await?;
        Ok(spent.rows_affected() == 1)
    }

    /// Removes what is good for nothing any more.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_expired(&self, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM proofs WHERE expires_at < $1")
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn keep(
        &self,
        account_id: AccountId,
        purpose: &str,
        hash: &[u8; 32],
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO proofs (account_id, purpose, secret_hash, expires_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, purpose) DO UPDATE SET \
             secret_hash = excluded.secret_hash, failures = 0, expires_at = excluded.expires_at",
        )
        .bind(account_id.as_uuid())
        .bind(purpose)
        .bind(&hash[..])
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// With its purpose, so that no token is good for two.
fn token_hash(purpose: Purpose, token: &Secret) -> [u8; 32] {
    Sha256::new()
        .chain_update(purpose.as_str())
        .chain_update("\0")
        .chain_update(token.expose())
        .finalize()
        .into()
}

/// With the phone that it was sent to: an account may change its number meanwhile.
fn code_hash(account_id: AccountId, phone: &PhoneNumber, code: &Secret) -> [u8; 32] {
    Sha256::new()
        .chain_update(account_id.as_uuid().as_bytes())
        .chain_update(phone.as_str())
        .chain_update("\0")
        .chain_update(code.expose())
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_purpose_alone() {
        let token = Secret::from("token".to_owned());
        assert_ne!(
            token_hash(Purpose::VerifyEmail, &token),
            token_hash(Purpose::ResetPassword, &token)
        );
    }

    #[test]
    fn a_code_is_good_for_its_account_and_its_phone_alone() {
        let code = Secret::from("123456".to_owned());
        let [amina, juma] = [1, 2].map(|id| AccountId::from_uuid(Uuid::from_u128(id)));
        let [one, other]: [PhoneNumber; 2] =
            ["+254712345678", "+254712345679"].map(|text| text.parse().unwrap());
        let hash = code_hash(amina, &one, &code);
        assert_ne!(hash, code_hash(juma, &one, &code));
        assert_ne!(hash, code_hash(amina, &other, &code));
    }
}
