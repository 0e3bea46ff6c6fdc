//! The next table of a read model, built beside the one in use.
//!
//! The log is folded in memory from its first event on and written with `COPY`; what does not fit
//! in memory goes into the new table early and is loaded again when an event comes back to it. When
//! the new table has caught up, it takes the place of the old one in one short transaction.
//! Queries never see an empty or a missing table.

mod builder;

use crate::ReadModel;
use crate::checkpoint::recorded;
use crate::connection::{LockKind, connect, try_lock, unlock};
use crate::engine::Checkpoint;
use crate::fold::FoldFailed;
use crate::row_store::StoreError;
use builder::Builder;
use soko_event_log::{LogReader, Position, ReadError};
use sqlx::{Connection, PgConnection, PgPool};
use std::time::{Duration, Instant};

/// When so few events are missing, they are folded while queries wait.
const SWITCH_WITHIN: u64 = 500;
/// How long queries may wait behind a switch that waits for a long query before it.
const SWITCH_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '500ms'";
const SWITCH_ATTEMPTS_MAX: u32 = 60;
const SWITCH_PAUSE: Duration = Duration::from_millis(500);

/// How to build.
pub struct RebuildOptions {
    /// What the rows in memory may weigh, roughly.
    pub memory_bytes: usize,
    /// Is told now and then how far the build is, and where it goes.
    pub on_progress: Box<dyn Fn(Position, Position) + Send + Sync>,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * 1024 * 1024,
            on_progress: Box::new(|_, _| ()),
        }
    }
}

/// What a build has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Events that the model folds; others were not read.
    pub events: u64,
    /// The last event that the new table knew of when it took over.
    pub position: Position,
    pub elapsed: Duration,
}

/// Why there is no new table. The one in use is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("it is being built already")]
    UnderWay,
    #[error("the event at {position} cannot be folded: {reason}")]
    Poisoned { position: Position, reason: String },
    #[error("the table in use was built by version {0}, which is newer")]
    Outdated(i32),
    #[error("the queries on the table left no moment for the switch")]
    Busy,
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    #[error("the rows could not be written")]
    Rows(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<FoldFailed> for RebuildError {
    fn from(FoldFailed { position, reason }: FoldFailed) -> Self {
        Self::Poisoned { position, reason }
    }
}

impl From<StoreError> for RebuildError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => Self::Database(error),
            StoreError::Row(_) | StoreError::Fenced => Self::Rows(Box::new(error)),
        }
    }
}

/// Builds the next table and puts it in place of the one in use.
///
/// # Errors
/// Another build is under way, an event cannot be folded, or something failed; the table in use is
/// then as it was.
pub(crate) async fn rebuild<M: ReadModel>(
    pool: &PgPool,
    options: &RebuildOptions,
) -> Result<Rebuilt, RebuildError> {
    let began = Instant::now();
    let mut connection = connect(pool, &format!("build {}", M::NAME)).await?;
    if !try_lock(&mut connection, LockKind::Build, M::NAME).await? {
        return Err(RebuildError::UnderWay);
    }
    let built = build_alone::<M>(pool, &mut connection, options).await;
    // If this fails, the end of the connection gives it back.
    let _ = unlock(&mut connection, LockKind::Build, M::NAME).await;
    let (events, position) = built?;
    let elapsed = began.elapsed();
    tracing::info!(
        model = M::NAME,
        events,
        %position,
        duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "the read model was built anew"
    );
    Ok(Rebuilt {
        events,
        position,
        elapsed,
    })
}

/// While nobody else builds the model.
async fn build_alone<M: ReadModel>(
    pool: &PgPool,
    connection: &mut PgConnection,
    options: &RebuildOptions,
) -> Result<(u64, Position), RebuildError> {
    let version = recorded::<M>(connection).await?.version;
    if version > M::VERSION {
        return Err(RebuildError::Outdated(version));
    }
    let built = build::<M>(pool, connection, options).await;
    if built.is_err() {
        drop_build::<M>(connection).await;
    }
    built
}

async fn build<M: ReadModel>(
    pool: &PgPool,
    connection: &mut PgConnection,
    options: &RebuildOptions,
) -> Result<(u64, Position), RebuildError> {
    let reader = LogReader::new(pool.clone());
    let mut builder = Builder::<M>::start(connection, &reader, options).await?;
    builder.fold_to_head().await?;
    builder.finish_table().await?;
    for _ in 0..SWITCH_ATTEMPTS_MAX {
        builder.catch_up(SWITCH_WITHIN).await?;
        match switch::<M>(&mut builder).await {
            Ok(true) => return Ok((builder.events(), builder.position())),
            Ok(false) => (),
            Err(RebuildError::Database(error)) if is_lock_timeout(&error) => (),
            Err(error) => return Err(error),
        }
        // What the failed transaction had folded is not in the table.
        builder.forget_uncommitted();
        tokio::time::sleep(SWITCH_PAUSE).await;
    }
    Err(RebuildError::Busy)
}

/// Folds what is missing and switches, in one transaction. False if too much was missing.
async fn switch<M: ReadModel>(builder: &mut Builder<'_, M>) -> Result<bool, RebuildError> {
    run(builder.connection(), "BEGIN").await?;
    let switched = switch_within::<M>(builder).await;
    let end = if matches!(switched, Ok(true)) {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    let ended = run(builder.connection(), end).await;
    let is_switched = switched?;
    ended?;
    Ok(is_switched)
}

async fn switch_within<M: ReadModel>(builder: &mut Builder<'_, M>) -> Result<bool, RebuildError> {
    run(builder.connection(), SWITCH_LOCK_TIMEOUT).await?;
    sqlx::query("SELECT projection_switch_lock($1)")
        .bind(M::NAME)
        .execute(builder.connection())
        .await?;
    let (live, generation): (i64, i32) =
        sqlx::query_as("SELECT position, generation FROM projections WHERE name = $1 FOR UPDATE")
            .bind(M::NAME)
            .fetch_one(builder.connection())
            .await?;
    let live = Checkpoint {
        position: Position::new(live),
        generation,
    };
    if live.position.distance_from(builder.position()) > SWITCH_WITHIN {
        return Ok(false);
    }
    if live.position > builder.position() {
        builder.fold_to(live.position).await?;
    }
    sqlx::query("SELECT projection_switch($1)")
        .bind(M::NAME)
        .execute(builder.connection())
        .await?;
    sqlx::query(
        "UPDATE projections SET version = $1, generation = generation + 1, position = $2, \
                status = 'running', stopped_at = NULL, reason = NULL, \
                updated_at = clock_timestamp() \
         WHERE name = $3",
    )
    .bind(M::VERSION)
    .bind(builder.position().get())
    .bind(M::NAME)
    .execute(builder.connection())
    .await?;
    sqlx::query("DELETE FROM projection_builds WHERE name = $1")
        .bind(M::NAME)
        .execute(builder.connection())
        .await?;
    Ok(true)
}

async fn run(connection: &mut PgConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const DEADLOCK_DETECTED: &str = "40P01";
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == LOCK_NOT_AVAILABLE || code == DEADLOCK_DETECTED)
}

/// What is left of a build that failed would be dropped by the next one as well.
async fn drop_build<M: ReadModel>(connection: &mut PgConnection) {
    if let Err(error) = try_drop_build::<M>(connection).await {
        tracing::warn!(
            error = &error as &(dyn std::error::Error + Send + Sync),
            model = M::NAME,
            "a failed build was left behind"
        );
    }
}

async fn try_drop_build<M: ReadModel>(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.ping().await?;
    sqlx::query("SELECT projection_build_drop($1)")
        .bind(M::NAME)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM projection_builds WHERE name = $1")
        .bind(M::NAME)
        .execute(connection)
        .await?;
    Ok(())
}
