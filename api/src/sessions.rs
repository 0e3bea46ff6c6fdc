//! Log-ins, and the refresh tokens that keep them alive: used once, each leads to the next.

mod rotation;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use soko_domain::AccountId;
use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction};
use uuid::Uuid;

use self::rotation::{Presented, Ruling};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::tokens::{self, Bearer};

/// How long a session may go on, and how long it may rest.
const LIFETIME: Duration = Duration::days(30);
const IDLE_MAX: Duration = Duration::days(7);

/// Sessions that one account may have; the oldest end first.
const SESSIONS_MAX: i64 = 50;

const USER_AGENT_CHARACTERS_MAX: usize = 200;

/// The sessions of all accounts.
pub struct Sessions {
    pool: PgPool,
    /// Sessions that ended while their access tokens may still be good, and when we heard of it.
    ended: Mutex<HashMap<Uuid, Instant>>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    Logout,
    EndedByOwner,
    PasswordChanged,
    PasswordReset,
    SecondFactorChanged,
    TokenReused,
    TooMany,
}

impl EndReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::EndedByOwner => "ended_by_owner",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::SecondFactorChanged => "second_factor_changed",
            Self::TokenReused => "token_reused",
            Self::TooMany => "too_many",
        }
    }
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct Session {
    pub session_id: Uuid,
    pub user_agent: Option<String>,
    pub started_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A session, and the refresh token that continues it.
pub struct Continued {
    pub bearer: Bearer,
    pub refresh_token: Secret,
}

impl Sessions {
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            ended: Mutex::default(),
        }
    }

    /// `second_factor_at` is when a second factor was shown, if one was.
    ///
    /// # Errors
    /// The database.
    pub async fn start(
        &self,
        account_id: AccountId,
        user_agent: Option<&str>,
        second_factor_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Continued> {
        let session_id = Uuid::now_v7();
        let (rotation_key, token): ([u8; 32], [u8; 32]) = (rand::random(), rand::random());
        let user_agent: Option<String> =
            user_agent.map(|text| text.chars().take(USER_AGENT_CHARACTERS_MAX).collect());
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO sessions (session_id, account_id, rotation_key, user_agent, started_at, \
             last_used_at, expires_at, second_factor_at) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        )
        .bind(session_id)
        .bind(account_id.as_uuid())
        .bind(&rotation_key[..])
        .bind(user_agent)
        .bind(now)
        .bind(now + LIFETIME)
        .bind(second_factor_at)
        .execute(&mut *transaction)
        .await?;
        insert_token(&mut transaction, &token, session_id, now).await?;
        let surplus = sqlx::query(
            "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE session_id IN \
             (SELECT session_id FROM sessions WHERE account_id = $1 AND ended_at IS NULL \
              ORDER BY started_at DESC, session_id DESC OFFSET $4) RETURNING session_id",
        )
        .bind(account_id.as_uuid())
        .bind(now)
        .bind(EndReason::TooMany.as_str())
        .bind(SESSIONS_MAX)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.note_ended(surplus.iter().map(|row| row.get(0)));
        let bearer = Bearer {
            account_id,
            session_id,
            second_factor_at,
        };
        Ok(Continued {
            bearer,
            refresh_token: written(&token),
        })
    }

    /// The next refresh token for this one; the same again for the same idempotency key.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is not good; if it was used before, its session ends.
    pub async fn refresh(
        &self,
        token: &Secret,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Continued> {
        let token = read(token).ok_or_else(refused)?;
        let key_hash: Option<[u8; 32]> = key.map(|key| Sha256::digest(key).into());
        let mut transaction = self.pool.begin().await?;
        // The session's lock makes refreshes of one session take turns.
        let row = sqlx::query(
            "SELECT s.session_id, s.account_id, s.rotation_key, s.expires_at, s.last_used_at, \
             s.ended_at, s.second_factor_at FROM refresh_tokens t JOIN sessions s USING (session_id) \
             WHERE t.token_hash = $1 FOR UPDATE OF s",
        )
        .bind(&hash(&token)[..])
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(refused)?;
        let session_id: Uuid = row.try_get("session_id")?;
        let next = successor(row.try_get("rotation_key")?, &token);
        // Read again: whoever had the lock before us may have spent the token.
        let spent =
            sqlx::query("SELECT spent_at, key_hash FROM refresh_tokens WHERE token_hash = $1")
                .bind(&hash(&token)[..])
                .fetch_one(&mut *transaction)
                .await?;
        let spent_with: Option<Vec<u8>> = spent.try_get("key_hash")?;
        let is_same_request =
            key_hash.is_some() && spent_with.as_deref() == key_hash.as_ref().map(|hash| &hash[..]);
        let is_successor_spent: Option<bool> = sqlx::query_scalar(
            "SELECT spent_at IS NOT NULL FROM refresh_tokens WHERE token_hash = $1",
        )
        .bind(&hash(&next)[..])
        .fetch_optional(&mut *transaction)
        .await?;
        let ruling = rotation::rule(
            Presented {
                has_ended: row
                    .try_get::<Option<DateTime<Utc>>, _>("ended_at")?
                    .is_some(),
                expires_at: row.try_get::<DateTime<Utc>, _>("expires_at")?,
                idle_until: row.try_get::<DateTime<Utc>, _>("last_used_at")? + IDLE_MAX,
                spent_at: spent.try_get("spent_at")?,
                is_same_request,
                is_successor_spent: is_successor_spent.unwrap_or(false),
            },
            now,
        );
        match ruling {
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
                return Err(refused());
            }
            Ruling::Refuse => return Err(refused()),
        }
        transaction.commit().await?;
        let account_id = AccountId::from_uuid(row.try_get("account_id")?);
        let bearer = Bearer {
            account_id,
            session_id,
            second_factor_at: row.try_get("second_factor_at")?,
        };
        Ok(Continued {
            bearer,
            refresh_token: written(&next),
        })
    }

    /// Ends one session of the account; `false` if it has no such session going on.
    ///
    /// # Errors
    /// The database.
    pub async fn end(&self, bearer: Bearer, reason: EndReason, now: DateTime<Utc>) -> Result<bool> {
        let ended = sqlx::query(
            "UPDATE sessions SET ended_at = $3, end_reason = $4 \
             WHERE session_id = $1 AND account_id = $2 AND ended_at IS NULL",
        )
        .bind(bearer.session_id)
        .bind(bearer.account_id.as_uuid())
        .bind(now)
        .bind(reason.as_str())
        .execute(&self.pool)
        .await?;
        let is_ended = ended.rows_affected() > 0;
        if is_ended {
            self.note_ended([bearer.session_id]);
        }
        Ok(is_ended)
    }

    /// Notes that the session has shown a second factor just now: its access tokens say so from the
    /// next one on.
    ///
    /// # Errors
    /// The database.
    pub async fn second_factor_shown(&self, bearer: Bearer, now: DateTime<Utc>) -> Result<Bearer> {
        sqlx::query("UPDATE sessions SET second_factor_at = $2 WHERE session_id = $1")
            .bind(bearer.session_id)
            .bind(now)
            .execute(&self.pool)
            .await?;
        let second_factor_at = Some(now);
        Ok(Bearer {
            second_factor_at,
            ..bearer
        })
    }

    /// Ends all sessions of the account, once the transaction is durable. Then [`Self::note_ended`]
    /// makes it count here at once.
    ///
    /// # Errors
    /// The database.
    pub async fn end_all(
        connection: &mut PgConnection,
        account_id: AccountId,
        reason: EndReason,
        now: DateTime<Utc>,
    ) -> Result<Vec<Uuid>> {
        Ok(sqlx::query_scalar(
            "UPDATE sessions SET ended_at = $2, end_reason = $3 \
             WHERE account_id = $1 AND ended_at IS NULL RETURNING session_id",
        )
        .bind(account_id.as_uuid())
        .bind(now)
        .bind(reason.as_str())
        .fetch_all(connection)
        .await?)
    }

    /// Ends all sessions of the account but this one.
    ///
    /// # Errors
    /// The database.
    pub async fn end_others(
        &self,
        bearer: Bearer,
        reason: EndReason,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let ended = sqlx::query(
            "UPDATE sessions SET ended_at = $3, end_reason = $4 \
             WHERE account_id = $2 AND session_id <> $1 AND ended_at IS NULL RETURNING session_id",
        )
        .bind(bearer.session_id)
        .bind(bearer.account_id.as_uuid())
        .bind(now)
        .bind(reason.as_str())
        .fetch_all(&self.pool)
        .await?;
        self.note_ended(ended.iter().map(|row| row.get(0)));
        Ok(())
    }

    /// The sessions that go on, newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn of(&self, account_id: AccountId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let rows = sqlx::query(
            "SELECT session_id, user_agent, started_at, last_used_at, expires_at FROM sessions \
             WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_used_at > $3 \
             ORDER BY started_at DESC, session_id DESC LIMIT $4",
        )
        .bind(account_id.as_uuid())
        .bind(now)
        .bind(now - IDLE_MAX)
        .bind(SESSIONS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let session = |row: &sqlx::postgres::PgRow| {
            Ok(Session {
                session_id: row.try_get("session_id")?,
                user_agent: row.try_get("user_agent")?,
                started_at: row.try_get("started_at")?,
                last_used_at: row.try_get("last_used_at")?,
                expires_at: row.try_get("expires_at")?,
            })
        };
        Ok(rows
            .iter()
            .map(session)
            .collect::<std::result::Result<_, sqlx::Error>>()?)
    }

    /// Whether a session's access tokens are no longer good.
    pub fn has_ended(&self, session_id: Uuid) -> bool {
        self.known_ended().contains_key(&session_id)
    }

    /// Learns which sessions have ended on other nodes. Called every second, so that a log-out
    /// counts everywhere within one.
    ///
    /// # Errors
    /// The database.
    pub async fn learn_ended(&self, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
        let since = now - tokens::LIFETIME - Duration::minutes(1);
        let ended: Vec<Uuid> =
            sqlx::query_scalar("SELECT session_id FROM sessions WHERE ended_at > $1")
                .bind(since)
                .fetch_all(&self.pool)
                .await?;
        self.note_ended(ended);
        self.known_ended()
            .retain(|_, heard_at| heard_at.elapsed() < 2 * tokens::LIFETIME);
        Ok(())
    }

    /// Removes what nobody can use any more.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_expired(&self, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM sessions WHERE expires_at < $1 OR ended_at < $1")
            .bind(now - Duration::days(1))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// From here on their access tokens are no longer good on this node.
    pub fn note_ended(&self, sessions: impl IntoIterator<Item = Uuid>) {
        let now = Instant::now();
        self.known_ended()
            .extend(sessions.into_iter().map(|session_id| (session_id, now)));
    }

    fn known_ended(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn insert_token(
    transaction: &mut Transaction<'_, Postgres>,
    token: &[u8; 32],
    session_id: Uuid,
    now: DateTime<Utc>,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refresh_tokens (token_hash, session_id, issued_at) VALUES ($1, $2, $3)",
    )
    .bind(&hash(token)[..])
    .bind(session_id)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn spend(
    transaction: &mut Transaction<'_, Postgres>,
    token: &[u8; 32],
    key_hash: Option<[u8; 32]>,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("UPDATE refresh_tokens SET spent_at = $2, key_hash = $3 WHERE token_hash = $1")
        .bind(&hash(token)[..])
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

/// Only who has the token can compute it, and always gets the same.
fn successor(rotation_key: [u8; 32], token: &[u8; 32]) -> [u8; 32] {
    // A key shorter than a block is one that is filled up with zeros (RFC 2104).
    let mut block = [0; 64];
    block[..32].copy_from_slice(&rotation_key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(token);
    mac.finalize().into_bytes().into()
}

fn hash(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn written(token: &[u8; 32]) -> Secret {
    URL_SAFE_NO_PAD.encode(token).into()
}

fn read(token: &Secret) -> Option<[u8; 32]> {
    // Looked at before decoding, so that no long text is.
    let text = Some(token.expose()).filter(|text| text.len() == 43)?;
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn refused() -> Problem {
    Problem::new(Code::Unauthenticated).with_detail("the refresh token is not good")
}
