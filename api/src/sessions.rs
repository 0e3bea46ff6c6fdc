//! Log-ins, and the refresh tokens that keep them alive: used once, each leads to the next.

mod refresh_token;
mod refreshing;
mod rotation;
mod turns;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use soko_domain::AccountId;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use self::refresh_token::RefreshToken;
pub use self::refreshing::refused;
use self::turns::Turns;
use crate::problem::Result;
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
    turns: Turns,
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

/// What came of a refresh token.
pub enum Refreshed {
    Continued(Continued),
    /// It came a second time, so two have it: the session of this account has ended.
    Stolen(AccountId),
}

impl Sessions {
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            turns: Turns::default(),
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
        let (rotation_key, token): ([u8; 32], _) = (rand::random(), RefreshToken::random());
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
        refreshing::insert_token(&mut transaction, &token, session_id, now).await?;
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
            refresh_token: token.written(),
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
