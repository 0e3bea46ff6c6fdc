//! What people are told of the read models, and what they may tell them.

use crate::connection::LockKind;
use chrono::{DateTime, Utc};
use serde::Serialize;
use soko_event_log::Position;
use sqlx::PgPool;
use sqlx::Row as _;

/// One read model as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectionStatus {
    pub name: String,
    pub version: i32,
    pub position: Position,
    /// Events in the log that it does not know of.
    pub lag: u64,
    /// Set while it cannot go on.
    pub stopped: Option<Stopped>,
    /// Set while a new table is built beside the one in use.
    pub build: Option<Build>,
    /// How many rows it has, roughly.
    pub rows_estimate: u64,
    pub updated_at: DateTime<Utc>,
}

/// The event that a read model cannot fold. It goes on when a person has skipped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stopped {
    pub position: Position,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    pub version: i32,
    pub position: Position,
    pub target: Position,
    pub started_at: DateTime<Utc>,
}

/// The read models that have ever folded, by name.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<ProjectionStatus>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT p.name, p.version, p.position, h.position, p.stopped_at, p.reason, \
                b.version, b.position, b.target, b.started_at, p.updated_at, \
                greatest(c.reltuples, 0)::bigint \
         FROM projections AS p \
         CROSS JOIN log_head AS h \
         LEFT JOIN projection_builds AS b ON b.name = p.name AND EXISTS (\
             SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database \
             WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted \
               AND l.classid = $1::bigint::oid \
               AND l.objid = (hashtext(p.name)::bigint & 4294967295)::oid) \
         LEFT JOIN pg_class AS c ON c.oid = to_regclass(format('read_models.%I', p.name)) \
         ORDER BY p.name",
    )
    // Whoever builds holds the lock; what a killed program has left behind is no build.
    .bind(LockKind::Build as i32)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let position = Position::new(row.try_get(2)?);
            let head = Position::new(row.try_get(3)?);
            let stopped_at: Option<i64> = row.try_get(4)?;
            let reason: Option<String> = row.try_get(5)?;
            let build_version: Option<i32> = row.try_get(6)?;
            let build = match build_version {
                None => None,
                Some(version) => Some(Build {
                    version,
                    position: Position::new(row.try_get(7)?),
                    target: Position::new(row.try_get(8)?),
                    started_at: row.try_get(9)?,
                }),
            };
            let rows_estimate: Option<i64> = row.try_get(11)?;
            Ok(ProjectionStatus {
                name: row.try_get(0)?,
                version: row.try_get(1)?,
                position,
                lag: head.distance_from(position),
                stopped: stopped_at
                    .map(Position::new)
                    .zip(reason)
                    .map(|(position, reason)| Stopped { position, reason }),
                build,
                rows_estimate: rows_estimate.unwrap_or_default().unsigned_abs(),
                updated_at: row.try_get(10)?,
            })
        })
        .collect()
}

/// The content of a read model in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    pub position: Position,
    pub rows: u64,
    /// The same for equal tables, in whatever order their rows lie.
    pub digest: String,
}

/// The digest of a read model's table, with the position that it is of; `None` if there is no such
/// model.
///
/// # Errors
/// The database failed.
pub async fn digest(pool: &PgPool, name: &str) -> Result<Option<Digest>, sqlx::Error> {
    let found: Option<(i64, i64, String)> = sqlx::query_as(
        "SELECT position, d.rows, d.digest \
         FROM projections, LATERAL projection_digest(name) AS d WHERE name = $1",
    )
    .bind(name)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(position, rows, digest)| Digest {
        position: Position::new(position),
        rows: rows.unsigned_abs(),
        digest,
    }))
}

/// Why an event cannot be skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    #[error("{name} has not stopped at {position}")]
    NotStoppedThere { name: String, position: Position },
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Lets a stopped read model go on without the event that stopped it, on the record: every replay
/// of this version leaves the event out as well.
///
/// # Errors
/// The model is not stopped at that event.
pub(crate) async fn skip(
    pool: &PgPool,
    name: &str,
    version: i32,
    position: Position,
    actor: &str,
    reason: &str,
) -> Result<(), SkipError> {
    let done = sqlx::query(
        "INSERT INTO projection_skips (name, version, position, actor, reason) \
         SELECT name, $2, stopped_at, $4, $5 FROM projections \
         WHERE name = $1 AND status = 'stopped' AND stopped_at = $3 \
         ON CONFLICT DO NOTHING",
    )
    .bind(name)
    .bind(version)
    .bind(position.get())
    .bind(actor)
    .bind(reason)
    .execute(pool)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(SkipError::NotStoppedThere {
        name: name.to_owned(),
        position,
    })
}
