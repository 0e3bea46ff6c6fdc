//! The row of a read model in `projections`, and what it was told to leave out.

use crate::ReadModel;
use crate::engine::Checkpoint;
use soko_event_log::Position;
use sqlx::{PgConnection, Row as _};
use std::collections::HashSet;

/// What `projections` says of a read model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) version: i32,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) is_stopped: bool,
}

/// The recorded state of a read model; a model that is new is recorded at the start of the log.
pub(crate) async fn recorded<M: ReadModel>(
    connection: &mut PgConnection,
) -> Result<Recorded, sqlx::Error> {
    sqlx::query("INSERT INTO projections (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(M::NAME)
        .bind(M::VERSION)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(
        "SELECT version, generation, position, status = 'stopped' FROM projections WHERE name = $1",
    )
    .bind(M::NAME)
    .fetch_one(connection)
    .await?;
    Ok(Recorded {
        version: row.try_get(0)?,
        checkpoint: Checkpoint {
            generation: row.try_get(1)?,
            position: Position::new(row.try_get(2)?),
        },
        is_stopped: row.try_get(3)?,
    })
}

/// The events that this version of the model was told to leave out.
pub(crate) async fn skipped<M: ReadModel>(
    connection: &mut PgConnection,
) -> Result<HashSet<Position>, sqlx::Error> {
    let positions: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM projection_skips WHERE name = $1 AND version = $2",
    )
    .bind(M::NAME)
    .bind(M::VERSION)
    .fetch_all(connection)
    .await?;
    Ok(positions.into_iter().map(Position::new).collect())
}

/// Records that the model cannot go on; false if the checkpoint is not the model's own any more.
pub(crate) async fn record_stop<M: ReadModel>(
    connection: &mut PgConnection,
    checkpoint: Checkpoint,
    stopped_at: Position,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE projections SET status = 'stopped', stopped_at = $1, reason = $2, \
                updated_at = clock_timestamp() \
         WHERE name = $3 AND position = $4 AND generation = $5",
    )
    .bind(stopped_at.get())
    .bind(reason)
    .bind(M::NAME)
    .bind(checkpoint.position.get())
    .bind(checkpoint.generation)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records that the model goes on.
pub(crate) async fn record_running<M: ReadModel>(
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE projections SET status = 'running', stopped_at = NULL, reason = NULL, \
                updated_at = clock_timestamp() \
         WHERE name = $1 AND status = 'stopped'",
    )
    .bind(M::NAME)
    .execute(connection)
    .await?;
    Ok(())
}
