//! How far a process manager is, what it stopped at, and what it was told to leave out.

use super::{ProcessManager, Start};
use chrono::{DateTime, Utc};
use soko_event_log::{LogReader, Position, ReadError};
use sqlx::{PgConnection, PgPool, Row};
use std::collections::HashSet;

/// How a process manager is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct ManagerStatus {
    pub name: String,
    pub position: Position,
    /// The event that it cannot react to, and why. It goes on when a person has skipped it.
    pub stopped: Option<(Position, String)>,
    /// Timers that have not fired, and when the first of them should or should have.
    pub waiting: u64,
    pub next_due_at: Option<DateTime<Utc>>,
    /// Timers whose last try failed.
    pub failing: u64,
}

/// Why an event could not be skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    #[error("{0} has not stopped at that event")]
    NotStopped(String),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// How all process managers are doing.
///
/// # Errors
/// The database failed.
pub async fn statuses(pool: &PgPool) -> Result<Vec<ManagerStatus>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.name, m.position, m.stopped_at, m.reason, count(t.timer_id), min(t.due_at), \
                count(t.reason) \
         FROM process_managers m \
         LEFT JOIN timers t ON t.manager = m.name AND t.fired_at IS NULL \
         GROUP BY m.name ORDER BY m.name",
    );
    let rows = rows.fetch_all(pool).await?;
    let status = |row: &sqlx::postgres::PgRow| {
        let stopped_at: Option<i64> = row.try_get(2)?;
        let reason: Option<String> = row.try_get(3)?;
        Ok(ManagerStatus {
            name: row.try_get(0)?,
            position: Position::new(row.try_get(1)?),
            stopped: stopped_at.map(Position::new).zip(reason),
            waiting: row.try_get(4).map(i64::unsigned_abs)?,
            next_due_at: row.try_get(5)?,
            failing: row.try_get(6).map(i64::unsigned_abs)?,
        })
    };
    rows.iter().map(status).collect()
}

/// How far behind a process manager is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerLag {
    pub name: String,
    /// Events in the log that it has not seen.
    pub lag: u64,
    pub is_stopped: bool,
    /// When the first of its timers that have not fired should, or should have.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// As [`statuses`], so far as it can be asked often: no timer is counted.
///
/// # Errors
/// The database failed.
pub async fn lags(pool: &PgPool) -> Result<Vec<ManagerLag>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.name, h.position - m.position, m.status = 'stopped', \
                (SELECT min(due_at) FROM timers AS t \
                 WHERE t.manager = m.name AND t.fired_at IS NULL) \
         FROM process_managers AS m CROSS JOIN log_head AS h ORDER BY m.name",
    );
    let rows = rows.fetch_all(pool).await?;
    let lag = |row: &sqlx::postgres::PgRow| {
        let behind: i64 = row.try_get(1)?;
        Ok(ManagerLag {
            name: row.try_get(0)?,
            lag: behind.max(0).unsigned_abs(),
            is_stopped: row.try_get(2)?,
            next_due_at: row.try_get(3)?,
        })
    };
    rows.iter().map(lag).collect()
}

/// Has a stopped process manager leave out the event that it stopped at. It is recorded who did so,
/// and why.
///
/// # Errors
/// It has not stopped there.
pub async fn skip_event(
    pool: &PgPool,
    manager: &str,
    position: Position,
    actor: &str,
    reason: &str,
) -> Result<(), SkipError> {
    let skipped = sqlx::query(
        "INSERT INTO process_manager_skips (name, position, actor, reason) \
         SELECT name, stopped_at, $3, $4 FROM process_managers \
         WHERE name = $1 AND stopped_at = $2 ON CONFLICT DO NOTHING",
    )
    .bind(manager)
    .bind(position.get())
    .bind(actor)
    .bind(reason)
    .execute(pool)
    .await?;
    if skipped.rows_affected() == 0 {
        return Err(SkipError::NotStopped(manager.to_owned()));
    }
    Ok(())
}

/// Where a manager goes on; one that has not run before is recorded where it starts.
pub(super) async fn start<M: ProcessManager>(
    connection: &mut PgConnection,
    log: &LogReader,
) -> Result<Position, ReadError> {
    let start = match M::START {
        Start::Beginning => Position::START,
        Start::Head => log.head().await?,
    };
    sqlx::query(
        "INSERT INTO process_managers (name, position) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(M::NAME)
    .bind(start.get())
    .execute(&mut *connection)
    .await?;
    let position = sqlx::query_scalar("SELECT position FROM process_managers WHERE name = $1")
        .bind(M::NAME)
        .fetch_one(&mut *connection)
        .await?;
    Ok(Position::new(position))
}

/// Moves on; false if the manager is not where it was left, which means that another one runs.
pub(super) async fn advance(
    connection: &mut PgConnection,
    manager: &str,
    from: Position,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE process_managers SET position = $3, status = 'running', stopped_at = NULL, \
                reason = NULL, updated_at = clock_timestamp() \
         WHERE name = $1 AND position = $2",
    )
    .bind(manager)
    .bind(from.get())
    .bind(to.get())
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

pub(super) async fn stop(
    connection: &mut PgConnection,
    manager: &str,
    stopped_at: Position,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE process_managers SET status = 'stopped', stopped_at = $2, reason = $3, \
                updated_at = clock_timestamp() WHERE name = $1",
    )
    .bind(manager)
    .bind(stopped_at.get())
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

/// The events after a position that a manager was told to leave out.
pub(super) async fn skipped(
    connection: &mut PgConnection,
    manager: &str,
    after: Position,
) -> Result<HashSet<Position>, sqlx::Error> {
    let skipped: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM process_manager_skips WHERE name = $1 AND position > $2",
    )
    .bind(manager)
    .bind(after.get())
    .fetch_all(connection)
    .await?;
    Ok(skipped.into_iter().map(Position::new).collect())
}
