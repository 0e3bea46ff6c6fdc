//! Guesses at passwords, slowed down before any of them costs a hash.
//!
//! The counters stand in the database, so a restart or another node does not give a guesser a new
//! start. One counts the guesses at an e-mail from one network, and is strict; one counts those from
//! everywhere, and is not, so that a stranger cannot easily lock the owner out. E-mails that nobody
//! has are counted alike.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_domain::EmailAddress;
use sqlx::PgPool;

use crate::problem::{Code, Problem, Result};

const FREE_FROM_ONE_NETWORK: i32 = 10;
const FREE_FROM_EVERYWHERE: i32 = 50;

/// Counters that no guess has touched for this long start anew.
const MEMORY_HOURS: i32 = 24;

/// Who is guessing at whom.
pub struct Guess {
    from_network: [u8; 32],
    from_everywhere: [u8; 32],
}

impl Guess {
    pub fn new(email: &EmailAddress, network: IpAddr) -> Self {
        let from_everywhere = Sha256::digest(email.as_str()).into();
        let from_network = Sha256::digest(format!("{email} {network}")).into();
        Self {
            from_network,
            from_everywhere,
        }
    }

    /// Counts the guess as a wrong one, until [`Guess::was_right`] says otherwise: guesses made at
    /// the same time count each other.
    ///
    /// # Errors
    /// `rate-limited`, with the time to wait, if the guess came too soon after others.
    pub async fn count(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<()> {
        // After the free ones, 1 second to wait, then 2, 4, … up to 15 minutes.
        let counted = sqlx::query(
            "INSERT INTO login_failures AS f (guessed_at_hash, failures, free_failures, last_at)
             VALUES ($1, 1, $3, $5), ($2, 1, $4, $5)
             ON CONFLICT (guessed_at_hash) DO UPDATE SET
                 failures = CASE WHEN f.last_at < $5 - make_interval(hours => $6) THEN 1
                                 ELSE f.failures + 1 END,
                 last_at = $5
             WHERE f.last_at + CASE WHEN f.failures < f.free_failures THEN interval '0'
                 ELSE least(power(2, least(f.failures - f.free_failures, 10)), 900)
                     * interval '1 second' END <= $5",
        )
        .bind(&self.from_network[..])
        .bind(&self.from_everywhere[..])
        .bind(FREE_FROM_ONE_NETWORK)
        .bind(FREE_FROM_EVERYWHERE)
        .bind(now)
        .bind(MEMORY_HOURS)
        .execute(pool)
        .await?;
        if counted.rows_affected() == 2 {
            return Ok(());
        }
        let wait: f64 = sqlx::query_scalar(
            "SELECT coalesce(max(extract(epoch FROM last_at - $3
                 + least(power(2, least(failures - free_failures, 10)), 900)
                     * interval '1 second')), 1)::float8
             FROM login_failures WHERE guessed_at_hash IN ($1, $2) AND failures >= free_failures",
        )
        .bind(&self.from_network[..])
        .bind(&self.from_everywhere[..])
        .bind(now)
        .fetch_one(pool)
        .await?;
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::from_secs(1));
        Err(Problem::new(Code::RateLimited)
            .with_detail("too many wrong passwords")
            .with_retry_after(wait))
    }

    /// # Errors
    /// The database.
    pub async fn was_right(&self, pool: &PgPool) -> Result<()> {
        sqlx::query("DELETE FROM login_failures WHERE guessed_at_hash IN ($1, $2)")
            .bind(&self.from_network[..])
            .bind(&self.from_everywhere[..])
            .execute(pool)
            .await?;
        Ok(())
    }
}

/// Removes counters that would start anew anyway.
///
/// # Errors
/// The database.
pub async fn forget_old(pool: &PgPool, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM login_failures WHERE last_at < $1 - make_interval(hours => $2)")
        .bind(now)
        .bind(MEMORY_HOURS)
        .execute(pool)
        .await?;
    Ok(())
}
