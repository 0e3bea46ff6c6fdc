//! The whole log, forward from a position; and the history of one stream.
//!
//! Writers take turns until their commit, so positions become visible in their order and
//! `position > checkpoint` is enough. What is read is counted all the same: a reader that finds a
//! position missing fails instead of going on without it.

mod scan;
mod trail;

pub use scan::Scan;
pub use trail::{Stretch, Trail};

use crate::{Entry, Position, StoredEvent};
use chrono::{DateTime, Utc};
use soko_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Row};
use uuid::Uuid;

/// The columns of a [`StoredEvent`], in the order in which [`stored`] reads them.
const COLUMNS: &str = "position, tenant_id, aggregate_type, aggregate_id, sequence, event_type, \
                       event_version, payload, metadata, recorded_at";

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// An event that must be there is not: the log was tampered with or restored badly.
    #[error("the log is broken: {expected} should follow, {found:?} does")]
    Gap {
        expected: Position,
        found: Option<Position>,
    },
    #[error("the log is broken: {found} events after {after} up to {until}, the last {last:?}")]
    Missing {
        after: Position,
        until: Position,
        found: u64,
        last: Option<Position>,
    },
    #[error("the history of {stream_type} {stream_id} is broken: event {expected} is missing")]
    SequenceGap {
        stream_type: String,
        stream_id: Uuid,
        expected: u64,
    },
    #[error("the database sent something that is not an event: {0}")]
    Malformed(&'static str),
    #[error("the reading was stopped")]
    Stopped,
    #[error("the log cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Reads the log; cheap to clone.
#[derive(Debug, Clone)]
pub struct LogReader {
    pool: PgPool,
}

impl LogReader {
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The position of the last event.
    ///
    /// # Errors
    /// [`ReadError::Database`].
    pub async fn head(&self) -> Result<Position, ReadError> {
        head(&self.pool).await
    }

    /// The events after a position, at most `limit`; fewer, or none, at the end of the log.
    ///
    /// # Errors
    /// [`ReadError::Gap`] if one is missing; [`ReadError::Database`].
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Entry>, ReadError> {
        let rows = self.page(after, limit).await?;
        rows.iter().map(|row| Ok(stored(row)?.decode())).collect()
    }

    /// As [`Self::read`], undecoded: for who passes the events on, or hashes them.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_stored(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ReadError> {
        let rows = self.page(after, limit).await?;
        rows.iter()
            .map(|row| Ok(stored(row)?.to_stored()))
            .collect()
    }

    /// The events of some stream types (all, if none is named) after one position and up to
    /// another, as fast as they can be had: for rebuilds and audits. It holds a connection.
    ///
    /// # Errors
    /// [`ReadError::Database`].
    pub async fn scan(
        &self,
        after: Position,
        until: Position,
        stream_types: &[&str],
    ) -> Result<Scan, ReadError> {
        Scan::start(&self.pool, after, until, stream_types).await
    }

    /// All events of one stream, from its first on; none if there is no such stream.
    ///
    /// # Errors
    /// [`ReadError::SequenceGap`] if one is missing; [`ReadError::Database`].
    pub async fn stream(
        &self,
        stream_type: &str,
        stream_id: Uuid,
    ) -> Result<Vec<Entry>, ReadError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 \
             ORDER BY sequence"
        );
        let rows = sqlx::query(&sql)
            .bind(stream_type)
            .bind(stream_id.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .zip(1..)
            .map(|(row, expected)| {
                let stored = stored(row)?;
                if stored.sequence == expected {
                    Ok(stored.decode())
                } else {
                    Err(ReadError::SequenceGap {
                        stream_type: stream_type.to_owned(),
                        stream_id,
                        expected,
                    })
                }
            })
            .collect()
    }

    /// The position of the last event recorded at or before a moment.
    ///
    /// # Errors
    /// [`ReadError::Database`].
    pub async fn position_at(&self, time: DateTime<Utc>) -> Result<Position, ReadError> {
        // Times never fall along the positions, so halving finds it without an index on time.
        let position = sqlx::query_scalar(
            "WITH RECURSIVE halving (low, high) AS (
                 SELECT 0::bigint, position FROM log_head
                 UNION ALL
                 SELECT CASE WHEN recorded_at <= $1 THEN middle ELSE low END,
                        CASE WHEN recorded_at <= $1 THEN high ELSE middle - 1 END
                 FROM halving
                 CROSS JOIN LATERAL (SELECT (low + high + 1) / 2) AS m (middle)
                 JOIN events ON events.position = middle
                 WHERE low < high
             )
             SELECT low FROM halving WHERE low = high",
        )
        .bind(time)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(ReadError::Malformed("a position is missing"))?;
        Ok(Position::new(position))
    }

    pub(crate) async fn page(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<PgRow>, ReadError> {
        page(&self.pool, after, limit).await
    }
}

pub(crate) async fn head(executor: impl PgExecutor<'_>) -> Result<Position, ReadError> {
    let head = sqlx::query_scalar("SELECT position FROM log_head")
        .fetch_one(executor)
        .await?;
    Ok(Position::new(head))
}

/// The rows after a position, for [`stored`]; over a connection of one's own if need be.
pub(crate) async fn page(
    executor: impl PgExecutor<'_>,
    after: Position,
    limit: usize,
) -> Result<Vec<PgRow>, ReadError> {
    let sql =
        format!("SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2");
    let rows = sqlx::query(&sql)
        .bind(after.get())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(executor)
        .await?;
    rows.iter().try_fold(after, |last, row| {
        follows(last, Position::new(row.try_get(0)?))
    })?;
    Ok(rows)
}

fn follows(last: Position, found: Position) -> Result<Position, ReadError> {
    if found == last.next() {
        Ok(found)
    } else {
        Err(ReadError::Gap {
            expected: last.next(),
            found: Some(found),
        })
    }
}

/// `json` travels as its text, so it is read without a cast, which would copy it once more.
pub(crate) fn stored(row: &PgRow) -> Result<StoredEvent<&str>, ReadError> {
    let sequence: i64 = row.try_get(4)?;
    Ok(StoredEvent {
        position: Position::new(row.try_get(0)?),
        tenant_id: TenantId::from_uuid(row.try_get(1)?),
        stream_type: row.try_get(2)?,
        stream_id: row.try_get(3)?,
        sequence: u64::try_from(sequence).map_err(|_| ReadError::Malformed("its sequence"))?,
        event_type: row.try_get(5)?,
        event_version: row.try_get(6)?,
        payload: row.try_get_unchecked(7)?,
        metadata: row.try_get_unchecked(8)?,
        recorded_at: row.try_get(9)?,
    })
}
