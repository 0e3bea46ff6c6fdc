//! What falls due.
//!
//! Timers are rows. Those that are due are leased, not locked: whoever fires one holds no
//! connection meanwhile, and if it dies, the lease ends by itself.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use soko_domain::TenantId;
use soko_event_log::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// A timer that is due.
#[derive(Debug, Clone)]
pub struct Timer {
    pub timer_id: Uuid,
    pub kind: String,
    pub tenant_id: TenantId,
    /// What it is about.
    pub stream_id: Uuid,
    /// The event that set it.
    pub position: Position,
    pub correlation: Uuid,
    pub due_at: DateTime<Utc>,
    /// How often it fired and was set to fire again.
    pub round: u32,
    /// How often this round was tried, this time included.
    pub attempts: u32,
    details: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Change {
    Set(SetTimer),
    Cancel,
}

#[derive(Debug)]
pub(crate) struct SetTimer {
    pub(crate) kind: &'static str,
    pub(crate) tenant_id: TenantId,
    pub(crate) stream_id: Uuid,
    pub(crate) position: Position,
    pub(crate) correlation: Uuid,
    pub(crate) details: Option<String>,
    pub(crate) due_at: DateTime<Utc>,
}

impl Timer {
    /// What the process manager noted for itself.
    ///
    /// # Errors
    /// It noted nothing, or something else.
    pub fn details<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.details.as_deref().unwrap_or("null"))
    }

    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let count = |index| row.try_get(index).map(i32::unsigned_abs);
        Ok(Self {
            timer_id: row.try_get(0)?,
            kind: row.try_get(1)?,
            tenant_id: TenantId::from_uuid(row.try_get(2)?),
            stream_id: row.try_get(3)?,
            position: Position::new(row.try_get(4)?),
            correlation: row.try_get(5)?,
            details: row.try_get(6)?,
            due_at: row.try_get(7)?,
            round: count(8)?,
            attempts: count(9)?,
        })
    }
}

/// Writes what became of timers.
pub(crate) async fn change(
    connection: &mut PgConnection,
    manager: &str,
    changes: &HashMap<Uuid, Change>,
) -> Result<(), sqlx::Error> {
    let mut set: Vec<(Uuid, &SetTimer)> = Vec::new();
    let mut cancelled: Vec<Uuid> = Vec::new();
    for (timer_id, change) in changes {
        match change {
            Change::Set(timer) => set.push((*timer_id, timer)),
            Change::Cancel => cancelled.push(*timer_id),
        }
    }
    if !set.is_empty() {
        sqlx::query(
            "INSERT INTO timers (manager, timer_id, kind, tenant_id, stream_id, position, \
                                 correlation, details, due_at) \
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], \
                                      $6::bigint[], $7::uuid[], $8::json[], $9::timestamptz[]) \
             ON CONFLICT (timer_id) DO UPDATE \
             SET position = excluded.position, correlation = excluded.correlation, \
                 details = excluded.details, due_at = excluded.due_at, round = 0, attempts = 0, \
                 reason = NULL, leased_until = NULL, fired_at = NULL",
        )
        .bind(manager)
        .bind(column(&set, |(timer_id, _)| *timer_id))
        .bind(column(&set, |(_, timer)| timer.kind))
        .bind(column(&set, |(_, timer)| timer.tenant_id.as_uuid()))
        .bind(column(&set, |(_, timer)| timer.stream_id))
        .bind(column(&set, |(_, timer)| timer.position.get()))
        .bind(column(&set, |(_, timer)| timer.correlation))
        .bind(column(&set, |(_, timer)| timer.details.as_deref()))
        .bind(column(&set, |(_, timer)| timer.due_at))
        .execute(&mut *connection)
        .await?;
    }
    if !cancelled.is_empty() {
        sqlx::query("DELETE FROM timers WHERE timer_id = ANY ($1) AND fired_at IS NULL")
            .bind(cancelled)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn column<'a, T, U>(rows: &'a [T], value: impl Fn(&'a T) -> U) -> Vec<U> {
    rows.iter().map(value).collect()
}

/// Takes timers of a manager that are due now, the oldest first, for as long as the lease lasts.
pub(crate) async fn take_due(
    pool: &PgPool,
    manager: &str,
    now: DateTime<Utc>,
    lease: Duration,
    limit: usize,
) -> Result<Vec<Timer>, sqlx::Error> {
    let rows = sqlx::query(
        "UPDATE timers SET attempts = attempts + 1, \
                           leased_until = clock_timestamp() + make_interval(secs => $3) \
         WHERE timer_id IN ( \
             SELECT timer_id FROM timers \
             WHERE manager = $1 AND fired_at IS NULL AND due_at <= $2 \
               AND (leased_until IS NULL OR leased_until <= clock_timestamp()) \
             ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED \
         ) \
         RETURNING timer_id, kind, tenant_id, stream_id, position, correlation, details::text, \
                   due_at, round, attempts",
    )
    .bind(manager)
    .bind(now)
    .bind(lease.as_secs_f64())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter().map(Timer::of).collect()
}

/// What was taken and not done can be taken again: nobody else is active.
pub(crate) async fn end_leases(
    connection: &mut PgConnection,
    manager: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE timers SET leased_until = NULL \
         WHERE manager = $1 AND fired_at IS NULL AND leased_until IS NOT NULL",
    )
    .bind(manager)
    .execute(connection)
    .await?;
    Ok(())
}

/// When the next timer of a manager can be taken.
pub(crate) async fn next_due(
    pool: &PgPool,
    manager: &str,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT due_at FROM timers \
         WHERE manager = $1 AND fired_at IS NULL \
           AND (leased_until IS NULL OR leased_until <= clock_timestamp()) \
         ORDER BY due_at LIMIT 1",
    )
    .bind(manager)
    .fetch_optional(pool)
    .await
}

/// What came of a timer that was taken.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It did what it was set for.
    Fired { at: DateTime<Utc> },
    /// It is to fire again, for the next round.
    Again { due_at: DateTime<Utc> },
    /// Nothing was done: it is to fire as if it had not fired.
    NotYet { due_at: DateTime<Utc> },
    /// It could not do what it was set for, and is to try again.
    Failed {
        due_at: DateTime<Utc>,
        reason: String,
    },
}

/// Puts on record what came of timers. Those that were set anew meanwhile stay. What a crash of the
/// database forgets of it fires once more, as another try.
pub(crate) async fn end(pool: &PgPool, ended: &[(Timer, Ending)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE timers AS t \
         SET fired_at = e.fired_at, due_at = coalesce(e.due_at, t.due_at), \
             round = t.round + e.rounds, reason = e.reason, leased_until = NULL, \
             attempts = CASE WHEN e.is_anew THEN 0 ELSE t.attempts END \
         FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::timestamptz[], $5::timestamptz[], \
                     $6::int[], $7::boolean[], $8::text[]) \
                  AS e (timer_id, position, round, fired_at, due_at, rounds, is_anew, reason), \
              set_config('synchronous_commit', 'off', true) \
         WHERE t.timer_id = e.timer_id AND t.position = e.position AND t.round = e.round",
    )
    .bind(column(ended, |(timer, _)| timer.timer_id))
    .bind(column(ended, |(timer, _)| timer.position.get()))
    .bind(column(ended, |(timer, _)| {
        i32::try_from(timer.round).unwrap_or(i32::MAX)
    }))
    .bind(column(ended, |(_, ending)| ending.fired_at()))
    .bind(column(ended, |(_, ending)| ending.due_at()))
    .bind(column(ended, |(_, ending)| ending.rounds()))
    .bind(column(ended, |(_, ending)| ending.is_anew()))
    .bind(column(ended, |(_, ending)| ending.reason()))
    .execute(pool)
    .await?;
    Ok(())
}

impl Ending {
    const fn fired_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Fired { at } => Some(*at),
            Self::Again { .. } | Self::NotYet { .. } | Self::Failed { .. } => None,
        }
    }

    /// When it fires again.
    pub(crate) const fn due_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Fired { .. } => None,
            Self::Again { due_at } | Self::NotYet { due_at } | Self::Failed { due_at, .. } => {
                Some(*due_at)
            }
        }
    }

    const fn rounds(&self) -> i32 {
        matches!(self, Self::Again { .. }) as i32
    }

    const fn is_anew(&self) -> bool {
        matches!(self, Self::Again { .. } | Self::NotYet { .. })
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Failed { reason, .. } => Some(reason.clone()),
            Self::Fired { .. } | Self::Again { .. } | Self::NotYet { .. } => None,
        }
    }
}

/// Deletes timers that fired long ago; true if there may be more of them.
pub(crate) async fn forget_fired(
    pool: &PgPool,
    manager: &str,
    before: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    const BATCH: u64 = 1_000;
    let deleted = sqlx::query(
        "DELETE FROM timers WHERE timer_id IN ( \
             SELECT timer_id FROM timers WHERE manager = $1 AND fired_at < $2 LIMIT $3)",
    )
    .bind(manager)
    .bind(before)
    .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected() == BATCH)
}
