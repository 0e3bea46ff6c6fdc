//! One thing that is done only so often.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;

use super::counter::{self, Counter, Limit};
use crate::problem::{Code, Problem, Result};

/// Nobody waits longer for the next guess.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// One guess, or another thing that is done only so often, and what it is counted by.
pub struct Attempt {
    pub(super) counters: Vec<Counter>,
    pub(super) about: About,
}

/// What an attempt is at.
#[derive(Debug, Clone, Copy)]
pub(super) enum About {
    Password,
    SecondFactor,
    Message,
}

impl About {
    /// What whoever comes too soon is told.
    const fn refusal(self) -> &'static str {
        match self {
            Self::Password => "too many wrong passwords",
            Self::SecondFactor => "too many wrong codes",
            Self::Message => "too many messages",
        }
    }
}

impl Attempt {
    /// Counts the guess as a wrong one, until [`Attempt::was_right`] says otherwise: guesses made at
    /// the same time count each other.
    ///
    /// # Errors
    /// `rate-limited`, with the time to wait, if the guess came too soon after others;
    /// `unauthenticated` if there were so many that only a reset opens the account again.
    pub async fn count(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = pool.begin().await?;
        // What a crash of the database forgets are the guesses of half a second; waiting for the
        // disk would hold the counter of all guesses for as long.
        sqlx::query("SET LOCAL synchronous_commit = off")
            .execute(&mut *transaction)
            .await?;
        let limits = || self.counters.iter().map(|counter| counter.limit);
        let (wait, is_closed): (PgInterval, bool) = sqlx::query_as(
            "SELECT wait, closed FROM count_login_guess($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(hashes(&self.counters))
        .bind(limits().map(Limit::free).collect::<Vec<_>>())
        .bind(limits().map(Limit::closed_at).collect::<Vec<_>>())
        .bind(limits().map(Limit::each).collect::<Vec<_>>())
        .bind(limits().map(Limit::burst).collect::<Vec<_>>())
        .bind(limits().map(Limit::memory).collect::<Vec<_>>())
        .bind(counter::interval(WAIT_MAX))
        .bind(now)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if is_closed {
            tracing::warn!("a log-in to an account that too many have guessed at");
            return Err(Problem::new(Code::Unauthenticated).with_detail(CLOSED));
        }
        match u64::try_from(wait.microseconds) {
            Ok(0) | Err(_) => Ok(()),
            Ok(microseconds) => Err(Problem::new(Code::RateLimited)
                .with_detail(self.about.refusal())
                .with_retry_after(Duration::from_micros(microseconds))),
        }
    }

    /// It was no guess: the streaks end, and the budgets get back what it cost.
    ///
    /// # Errors
    /// The database.
    pub async fn was_right(&self, pool: &PgPool) -> Result<()> {
        let (streaks, budgets): (Vec<Counter>, Vec<Counter>) = self
            .counters
            .iter()
            .copied()
            .partition(|counter| counter.limit.each().is_none());
        forget(&streaks, pool).await?;
        if budgets.is_empty() {
            return Ok(());
        }
        let eaches = budgets.iter().map(|counter| counter.limit.each());
        sqlx::query(
            "UPDATE login_counters c SET whole_at = c.whole_at - b.each
             FROM (SELECT l.counter_hash, u.each
                   FROM unnest($1::bytea[], $2::interval[]) AS u (hash, each)
                   JOIN login_counters l ON l.counter_hash = u.hash
                   ORDER BY l.counter_hash FOR UPDATE OF l) b
             WHERE c.counter_hash = b.counter_hash",
        )
        .bind(hashes(&budgets))
        .bind(eaches.collect::<Vec<_>>())
        .execute(pool)
        .await?;
        Ok(())
    }
}

/// The same for an e-mail that nobody has.
const CLOSED: &str =
    "too many wrong passwords or codes were tried: set another password by a reset";

pub(super) async fn forget(counters: &[Counter], pool: &PgPool) -> Result<()> {
    sqlx::query("DELETE FROM login_counters WHERE counter_hash = ANY($1)")
        .bind(hashes(counters))
        .execute(pool)
        .await?;
    Ok(())
}

fn hashes(counters: &[Counter]) -> Vec<Vec<u8>> {
    counters
        .iter()
        .map(|counter| counter.hash.to_vec())
        .collect()
}
