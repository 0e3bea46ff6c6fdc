//! Whose password is what, beside the log: a password must be forgettable.

use chrono::{DateTime, Utc};
use soko_commands::handlers::email_claim;
use soko_domain::{AccountId, EmailAddress};
use soko_event_log::ClaimKind;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::problem::Result;

/// An account's password, as it is kept.
#[derive(Debug, Clone)]
pub struct Credential {
    pub account_id: AccountId,
    pub password_hash: String,
}

/// The passwords of all accounts.
#[derive(Clone)]
pub struct Credentials {
    pool: PgPool,
}

impl Credentials {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Who logs in with this e-mail: whoever the log says has it.
    ///
    /// # Errors
    /// The database.
    pub async fn of_email(&self, email: &EmailAddress) -> Result<Option<Credential>> {
        let row = sqlx::query(
            "SELECT c.account_id, c.password_hash FROM claims e \
             JOIN credentials c ON c.account_id = e.owner::uuid \
             WHERE e.kind = $1 AND e.value = $2",
        )
        .bind(ClaimKind::Email.as_str())
        .bind(email_claim(email))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| credential(&row)).transpose()?)
    }

    /// # Errors
    /// The database.
    pub async fn of(&self, account_id: AccountId) -> Result<Option<Credential>> {
        let row =
            sqlx::query("SELECT account_id, password_hash FROM credentials WHERE account_id = $1")
                .bind(account_id.as_uuid())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|row| credential(&row)).transpose()?)
    }

    /// As [`set`], by itself.
    ///
    /// # Errors
    /// The database.
    pub async fn set(
        &self,
        account_id: AccountId,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        set(&mut connection, account_id, password_hash, now).await
    }

    /// # Errors
    /// The database.
    pub async fn forget(&self, account_id: AccountId) -> Result<()> {
        sqlx::query("DELETE FROM credentials WHERE account_id = $1")
            .bind(account_id.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Sets the password of an account, also before the account is registered: only with its
/// registration can anybody reach it.
///
/// # Errors
/// The database.
pub(crate) async fn set(
    connection: &mut PgConnection,
    account_id: AccountId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO credentials (account_id, password_hash, created_at, changed_at) \
         VALUES ($1, $2, $3, $3) ON CONFLICT (account_id) \
         DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
    )
    .bind(account_id.as_uuid())
    .bind(password_hash)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

fn credential(row: &sqlx::postgres::PgRow) -> std::result::Result<Credential, sqlx::Error> {
    Ok(Credential {
        account_id: AccountId::from_uuid(row.try_get::<Uuid, _>("account_id")?),
        password_hash: row.try_get("password_hash")?,
    })
}
