//! Continuing a session.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_domain::AccountId;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row, Transaction};
use uuid::Uuid;

use super::refresh_token::RefreshToken;
use super::rotation::{self, Presented, Ruling};
use super::{Continued, EndReason, IDLE_MAX, Refreshed, Sessions};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::tokens::Bearer;

impl Sessions {
    /// The next refresh token for this one; the same again for the same idempotency key.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is not good.
    pub async fn refresh(
        &self,
        token: &Secret,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Refreshed> {
        let token = RefreshToken::read(token).ok_or_else(refused)?;
        let key_hash: Option<[u8; 32]> = key.map(|key| Sha256::digest(key).into());
        let session_id = self.going_on(&token).await?.ok_or_else(refused)?;
        let _turn = self.turns.take(session_id).await?;
        let mut transaction = self.pool.begin().await?;
        let session = lock(&mut transaction, session_id).await?;
        let session = session.ok_or_else(refused)?;
        let next = token.successor(session.try_get("rotation_key")?);
        let presented = presented(&mut transaction, &session, [&token, &next], key_hash).await?;
        match rotation::rule(presented, now) {
            Ruling::Rotate => {
                spend(&mut transaction, &token, key_hash, session_id, now).await?;
                insert_token(&mut transaction, &next, session_id, now).await?;
            }
            Ruling::Repeat => (),
            Ruling::Reused => {
                end(&mut transaction, session_id, EndReason::TokenReused, now).await?;
                transaction.commit().await?;
                self.note_ended([session_id]);
                tracing::warn!(session.id = %session_id, "a refresh token came twice; its session has ended");
                let account_id = session.try_get("account_id")?;
                return Ok(Refreshed::Stolen(AccountId::from_uuid(account_id)));
            }
            Ruling::Refuse => return Err(refused()),
        }
        transaction.commit().await?;
        let bearer = Bearer {
            account_id: AccountId::from_uuid(session.try_get("account_id")?),
            session_id,
            second_factor_at: session.try_get("second_factor_at")?,
        };
        Ok(Refreshed::Continued(Continued {
            bearer,
            refresh_token: next.written(),
        }))
    }

    /// The session of a token, unless it has ended: that it then cannot be continued needs no turn.
    async fn going_on(
        &self,
        token: &RefreshToken,
    ) -> std::result::Result<Option<Uuid>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT session_id FROM refresh_tokens t JOIN sessions s USING (session_id) \
             WHERE t.token_hash = $1 AND s.ended_at IS NULL",
        )
        .bind(&token.hash()[..])
        .fetch_optional(&self.pool)
        .await
    }
}

/// Other nodes have refreshes of the same session: there, this makes them take turns.
async fn lock(
    transaction: &mut Transaction<'_, Postgres>,
    session_id: Uuid,
) -> std::result::Result<Option<PgRow>, sqlx::Error> {
    sqlx::query(
        "SELECT account_id, rotation_key, expires_at, last_used_at, ended_at, second_factor_at \
         FROM sessions \
         WHERE session_id = $1 FOR UPDATE",
    )
    .bind(session_id)
    .fetch_optional(&mut **transaction)
    .await
}

/// What is known of a token and of its successor, once nobody else can spend them.
async fn presented(
    transaction: &mut Transaction<'_, Postgres>,
    session: &PgRow,
    [token, next]: [&RefreshToken; 2],
    key_hash: Option<[u8; 32]>,
) -> std::result::Result<Presented, sqlx::Error> {
    let spent = sqlx::query(
        "SELECT t.spent_at, t.key_hash, n.spent_at IS NOT NULL AS is_successor_spent \
         FROM refresh_tokens t LEFT JOIN refresh_tokens n ON n.token_hash = $2 \
         WHERE t.token_hash = $1",
    )
    .bind(&token.hash()[..])
    .bind(&next.hash()[..])
    .fetch_one(&mut **transaction)
    .await?;
    let spent_with: Option<Vec<u8>> = spent.try_get("key_hash")?;
    let ended_at: Option<DateTime<Utc>> = session.try_get("ended_at")?;
    Ok(Presented {
        has_ended: ended_at.is_some(),
        expires_at: session.try_get("expires_at")?,
        idle_until: session.try_get::<DateTime<Utc>, _>("last_used_at")? + IDLE_MAX,
        spent_at: spent.try_get("spent_at")?,
        is_same_request: key_hash.is_some()
            && spent_with.as_deref() == key_hash.as_ref().map(|hash| &hash[..]),
        is_successor_spent: spent.try_get("is_successor_spent")?,
    })
}

pub(super) async fn insert_token(
    transaction: &mut Transaction<'_, Postgres>,
    token: &RefreshToken,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refresh_tokens (token_hash, session_id, issued_at) VALUES ($1, $2, $3)",
    )
    .bind(&token.hash()[..])
    .bind(session_id)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn spend(
    transaction: &mut Transaction<'_, Postgres>,
    token: &RefreshToken,
    key_hash: Option<[u8; 32]>,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("UPDATE refresh_tokens SET spent_at = $2, key_hash = $3 WHERE token_hash = $1")
        .bind(&token.hash()[..])
        .bind(now)
        .bind(key_hash.as_ref().map(|hash| &hash[..]))
        .execute(&mut **transaction)
        .await?;
    sqlx::query("UPDATE sessions SET last_used_at = $2 WHERE session_id = $1")
        .bind(session_id)
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn end(
    transaction: &mut Transaction<'_, Postgres>,
    session_id: Uuid,
    reason: EndReason,
    now: DateTime<Utc>,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE session_id = $1")
        .bind(session_id)
        .bind(now)
        .bind(reason.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// The same, whatever is wrong with it.
pub fn refused() -> Problem {
    Problem::new(Code::Unauthenticated).with_detail("the refresh token is not good")
}
