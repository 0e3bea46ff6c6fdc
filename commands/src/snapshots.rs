//! States written down now and then, so that a long stream need not be read from its start.
//!
//! A snapshot is a cache: it is taken only of what is durable, and one that cannot be used is
//! passed over. A state with personal data is never written: an erasure could not reach it.

use crate::error::Failure;
use crate::lane::{Lane, SharedState};
use metrics::{Counter, counter};
use soko_domain::Decide;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How many snapshots may wait to be written. What does not fit is taken another time.
const QUEUE_MAX: usize = 256;

/// How personal data shows in the JSON of a state or of an outcome.
const PERSONAL: &str = "\"personal_of\":";

pub(crate) fn is_personal(json: &str) -> bool {
    json.contains(PERSONAL)
}

/// Reads snapshots, and has them written in the background.
pub(crate) struct Snapshots {
    pool: PgPool,
    queue: mpsc::Sender<Taken>,
    dropped: Counter,
}

/// A state as it was right after one of its events.
#[derive(Default)]
pub(crate) struct StoredState<A> {
    pub(crate) state: A,
    pub(crate) sequence: u64,
    /// As it was stored.
    pub(crate) bytes: usize,
}

/// A durable state, to be written.
pub(crate) struct Taken {
    /// That it is of.
    pub(crate) lane: Arc<Lane>,
    pub(crate) state: SharedState,
    pub(crate) sequence: u64,
}

impl Snapshots {
    /// Spawns the task that writes; it ends when this is dropped and everything is written.
    pub(crate) fn start(pool: PgPool) -> Self {
        let (queue, taken) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(write_all(pool.clone(), taken));
        Self {
            pool,
            queue,
            dropped: counter!("soko_snapshots_total", "outcome" => "dropped"),
        }
    }

    pub(crate) fn write(&self, taken: Taken) {
        if self.queue.try_send(taken).is_err() {
            self.dropped.increment(1);
        }
    }

    /// The newest snapshot of an aggregate, if there is one of today's shape.
    pub(crate) async fn find<A: Decide>(
        &self,
        id: Uuid,
    ) -> Result<Option<StoredState<A>>, Failure> {
        let row: Option<(i64, String)> = sqlx::query_as(
            "SELECT sequence, state::text FROM snapshots \
             WHERE aggregate_type = $1 AND aggregate_id = $2 AND schema_version = $3",
        )
        .bind(A::TYPE)
        .bind(id)
        .bind(schema_version(A::SNAPSHOT_VERSION))
        .fetch_optional(&self.pool)
        .await?;
        let Some((sequence, state)) = row else {
            return Ok(None);
        };
        let bytes = state.len();
        match serde_json::from_str(&state) {
            Ok(state) => Ok(Some(StoredState {
                state,
                sequence: sequence.unsigned_abs(),
                bytes,
            })),
            Err(error) => {
                tracing::warn!(
                    stream.kind = A::TYPE,
                    stream.id = %id,
                    error = &error as &dyn std::error::Error,
                    "a snapshot cannot be read and is not used"
                );
                Ok(None)
            }
        }
    }
}

async fn write_all(pool: PgPool, mut queue: mpsc::Receiver<Taken>) {
    let written = counter!("soko_snapshots_total", "outcome" => "written");
    let failed = counter!("soko_snapshots_total", "outcome" => "failed");
    while let Some(taken) = queue.recv().await {
        let Taken { lane, sequence, .. } = &taken;
        match write(&pool, &taken).await {
            Ok(()) => written.increment(1),
            Err(error) => {
                failed.increment(1);
                tracing::warn!(
                    stream.kind = lane.key.stream_type,
                    stream.id = %lane.key.stream_id,
                    sequence,
                    error = &error as &dyn std::error::Error,
                    "a snapshot could not be written"
                );
            }
        }
    }
}

async fn write(pool: &PgPool, taken: &Taken) -> Result<(), Failure> {
    let Taken { lane, .. } = taken;
    let state = lane.kind.write(&taken.state)?;
    lane.set_snapshot_bytes(state.len());
    if is_personal(&state) {
        return Ok(());
    }
    // Another node may have written a later one meanwhile.
    sqlx::query(
        "INSERT INTO snapshots \
             (aggregate_type, aggregate_id, sequence, schema_version, state, taken_at) \
         VALUES ($1, $2, $3, $4, $5::json, clock_timestamp()) \
         ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE \
         SET sequence = excluded.sequence, schema_version = excluded.schema_version, \
             state = excluded.state, taken_at = excluded.taken_at \
         WHERE snapshots.schema_version < excluded.schema_version \
            OR (snapshots.schema_version = excluded.schema_version \
                AND snapshots.sequence < excluded.sequence)",
    )
    .bind(lane.key.stream_type)
    .bind(lane.key.stream_id)
    .bind(i64::try_from(taken.sequence).unwrap_or(i64::MAX))
    .bind(schema_version(lane.kind.snapshot_version()))
    .bind(state)
    .execute(pool)
    .await?;
    Ok(())
}

fn schema_version(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}
