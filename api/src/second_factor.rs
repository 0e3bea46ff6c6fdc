//! The second factor of an account: an authenticator app's codes (TOTP, RFC 6238), and recovery codes
//! for when the app is lost.

mod authenticator;
mod recovery_code;

use chrono::{DateTime, Utc};
use soko_domain::{AccountId, EmailAddress};
use soko_event_log::MasterKeys;
use sqlx::{PgPool, Postgres, Row, Transaction};
use zeroize::Zeroizing;

use self::authenticator::Authenticator;
pub use self::authenticator::Offer;
use crate::master_keys::Sealed;
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;

/// What a shared secret is sealed for.
const PURPOSE: &str = "second factor";

/// Where those lie.
pub(crate) const SEALED: Sealed = Sealed {
    table: "second_factors",
    id: "account_id",
    column: "sealed_secret",
    purpose: PURPOSE,
};

/// The second factors of all accounts.
#[derive(Clone)]
pub struct SecondFactors {
    pool: PgPool,
    masters: MasterKeys,
    service_name: String,
}

/// How a second factor was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    ByAuthenticator,
    /// And so many recovery codes are left.
    ByRecoveryCode {
        left: i64,
    },
}

impl SecondFactors {
    pub fn new(pool: PgPool, masters: MasterKeys, service_name: String) -> Self {
        Self {
            pool,
            masters,
            service_name,
        }
    }

    /// Whether the account has one that is in use.
    ///
    /// # Errors
    /// The database.
    pub async fn is_asked_of(&self, account_id: AccountId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM second_factors \
             WHERE account_id = $1 AND confirmed_at IS NOT NULL)",
        )
        .bind(account_id.as_uuid())
        .fetch_one(&self.pool)
        .await?)
    }

    /// A new secret for an authenticator; it is in use once a code of it was shown.
    ///
    /// # Errors
    /// `state-conflict` if one is in use already.
    pub async fn offer(
        &self,
        account_id: AccountId,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> Result<Offer> {
        let authenticator = Authenticator::random();
        let offered = sqlx::query(
            "INSERT INTO second_factors (account_id, sealed_secret, made_at) VALUES ($1, $2, $3) \
             ON CONFLICT (account_id) DO UPDATE SET \
             sealed_secret = excluded.sealed_secret, made_at = excluded.made_at, last_step = 0 \
             WHERE second_factors.confirmed_at IS NULL",
        )
        .bind(account_id.as_uuid())
        .bind(self.seal(account_id, authenticator.secret()))
        .bind(now)
        .execute(&self.pool)
        .await?;
        if offered.rows_affected() == 0 {
            return Err(in_use_already());
        }
        authenticator.offer(&self.service_name, email)
    }

    /// Whether the code is one of the authenticator that is on offer.
    ///
    /// # Errors
    /// `state-conflict` if none is.
    pub async fn is_of_offer(
        &self,
        account_id: AccountId,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let kept = self.kept(account_id).await?.ok_or_else(none_on_offer)?;
        if kept.is_in_use {
            return Err(in_use_already());
        }
        Ok(kept.authenticator.step_of(code, now).is_some())
    }

    /// From here on it is asked for. The recovery codes, which are shown this once.
    ///
    /// # Errors
    /// `state-conflict` if the code is good no more, or another request was faster.
    pub async fn confirm(
        &self,
        account_id: AccountId,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Vec<Secret>> {
        let kept = self.kept(account_id).await?.ok_or_else(none_on_offer)?;
        let step = kept.authenticator.step_of(code, now);
        let step = step.ok_or_else(none_on_offer)?;
        let mut transaction = self.pool.begin().await?;
        let confirmed = sqlx::query(
            "UPDATE second_factors SET confirmed_at = $2, last_step = $3 \
             WHERE account_id = $1 AND confirmed_at IS NULL AND sealed_secret = $4",
        )
        .bind(account_id.as_uuid())
        .bind(now)
        .bind(step)
        .bind(&kept.sealed)
        .execute(&mut *transaction)
        .await?;
        if confirmed.rows_affected() == 0 {
            return Err(in_use_already());
        }
        let codes = new_recovery_codes(&mut transaction, account_id).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Takes a code in, of the authenticator or one for when that is lost; `None` if it is not good.
    ///
    /// # Errors
    /// The database, or a secret that cannot be opened.
    pub async fn show(
        &self,
        account_id: AccountId,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<Shown>> {
        let Some(kept) = self.kept(account_id).await?.filter(|kept| kept.is_in_use) else {
            return Ok(None);
        };
        if let Some(hash) = recovery_code::hash(account_id, code) {
            return self.use_recovery_code(account_id, hash).await;
        }
        let Some(step) = kept.authenticator.step_of(code, now) else {
            return Ok(None);
        };
        // RFC 6238, 5.2: each code is good once.
        let taken = sqlx::query(
            "UPDATE second_factors SET last_step = $2 WHERE account_id = $1 AND last_step < $2",
        )
        .bind(account_id.as_uuid())
        .bind(step)
        .execute(&self.pool)
        .await?;
        Ok((taken.rows_affected() == 1).then_some(Shown::ByAuthenticator))
    }

    /// Other recovery codes in place of those there are.
    ///
    /// # Errors
    /// The database.
    pub async fn replace_recovery_codes(&self, account_id: AccountId) -> Result<Vec<Secret>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM recovery_codes WHERE account_id = $1")
            .bind(account_id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        let codes = new_recovery_codes(&mut transaction, account_id).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// # Errors
    /// The database.
    pub async fn remove(&self, account_id: AccountId) -> Result<()> {
        sqlx::query("DELETE FROM second_factors WHERE account_id = $1")
            .bind(account_id.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Removes what was offered to somebody who never showed a code of it.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_offers(
        &self,
        before: DateTime<Utc>,
    ) -> std::result::Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM second_factors WHERE confirmed_at IS NULL AND made_at < $1")
            .bind(before)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn use_recovery_code(
        &self,
        account_id: AccountId,
        hash: [u8; 32],
    ) -> Result<Option<Shown>> {
        let used =
            sqlx::query("DELETE FROM recovery_codes WHERE account_id = $1 AND code_hash = $2")
                .bind(account_id.as_uuid())
                .bind(&hash[..])
                .execute(&self.pool)
                .await?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        let left = sqlx::query_scalar("SELECT count(*) FROM recovery_codes WHERE account_id = $1")
            .bind(account_id.as_uuid())
            .fetch_one(&self.pool)
            .await?;
        Ok(Some(Shown::ByRecoveryCode { left }))
    }

    async fn kept(&self, account_id: AccountId) -> Result<Option<Kept>> {
        let row = sqlx::query(
            "SELECT sealed_secret, confirmed_at IS NOT NULL FROM second_factors \
             WHERE account_id = $1",
        )
        .bind(account_id.as_uuid())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get(0)?;
        let owner = account_id.as_uuid();
        let secret: Zeroizing<Vec<u8>> = self
            .masters
            .open(PURPOSE, owner.as_bytes(), &sealed)
            .map_err(|cause| Problem::ours(Code::Internal, &cause))?;
        Ok(Some(Kept {
            authenticator: Authenticator::of(&secret),
            is_in_use: row.try_get(1)?,
            sealed,
        }))
    }

    fn seal(&self, account_id: AccountId, secret: &[u8]) -> Vec<u8> {
        self.masters
            .seal(PURPOSE, account_id.as_uuid().as_bytes(), secret)
    }
}

struct Kept {
    authenticator: Authenticator,
    is_in_use: bool,
    sealed: Vec<u8>,
}

async fn new_recovery_codes(
    transaction: &mut Transaction<'_, Postgres>,
    account_id: AccountId,
) -> Result<Vec<Secret>> {
    let codes = recovery_code::several();
    let hashes = codes
        .iter()
        .filter_map(|code| recovery_code::hash(account_id, code))
        .map(|hash| hash.to_vec());
    sqlx::query("INSERT INTO recovery_codes SELECT $1, unnest($2::bytea[])")
        .bind(account_id.as_uuid())
        .bind(hashes.collect::<Vec<_>>())
        .execute(&mut **transaction)
        .await?;
    Ok(codes)
}

fn in_use_already() -> Problem {
    Problem::new(Code::StateConflict).with_detail("the account has a second factor already")
}

fn none_on_offer() -> Problem {
    Problem::new(Code::StateConflict).with_detail("no second factor was asked for")
}
