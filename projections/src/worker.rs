//! Keeps one read model at the head of the log.
//!
//! One worker of a model is active, wherever it runs: it holds an advisory lock. The others stand
//! by and take over when the lock is free. The lock saves work; what makes each event count once
//! is the checkpoint, which is written with the rows and only from where it was left.

mod active;

use crate::checkpoint::{Recorded, record_running, record_stop, recorded, skipped};
use crate::connection::{LockKind, connect, try_lock};
use crate::engine::Checkpoint;
use crate::freshness::Progress;
use crate::rebuild::{RebuildError, RebuildOptions, rebuild};
use crate::row_store::StoreError;
use crate::{Freshness, ReadModel};
use active::Active;
use soko_event_log::{Feed, FeedError, LogReader, Position, ReadError};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a standby looks whether it is needed.
const STANDBY_INTERVAL: Duration = Duration::from_millis(500);
/// How often a stopped worker looks whether its event was skipped.
const SKIP_INTERVAL: Duration = Duration::from_millis(250);
/// How long until a version that could not be built is tried again, while another is in use.
const RETRY_BUILD: Duration = Duration::from_secs(60);
/// How long a worker waits after a failure, at first and at most.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A model that has to fold more than this from the start of the log is built beside and copied in.
const REBUILD_BEYOND: u64 = 50_000;

/// What a worker works with.
#[derive(Debug, Clone)]
pub struct Workplace {
    pub pool: PgPool,
    pub feed: Feed,
    pub freshness: Freshness,
}

/// Why a worker had to start over.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("its rows could not be read or written")]
    Store(#[from] StoreError),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the feed gave nothing")]
    Feed(#[from] FeedError),
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    #[error("it could not be built anew")]
    Rebuild(#[from] RebuildError),
}

/// How a worker's time with its model ended, if not by a failure.
enum Ended {
    /// It was told to stop.
    ShutDown,
    /// The table or the checkpoint is no longer what it folded for.
    TakenAway,
}

/// Works until it is told to stop; no failure ends it.
pub(crate) async fn run<M: ReadModel>(workplace: &Workplace, shutdown: &CancellationToken) {
    let progress = workplace.freshness.progress(M::NAME);
    let mut backoff = BACKOFF_MIN;
    while !shutdown.is_cancelled() {
        let before = progress.reached();
        let ended = Worker::<M>::start(workplace, &progress, shutdown).await;
        progress.fold_here(false);
        if progress.reached() > before {
            // It had got on, so whatever ended it is new.
            backoff = BACKOFF_MIN;
        }
        match ended {
            Ok(Ended::ShutDown) => return,
            Ok(Ended::TakenAway) | Err(WorkerError::Store(StoreError::Fenced)) => {
                tracing::info!(model = M::NAME, "the read model's table was replaced");
                backoff = BACKOFF_MIN;
            }
            Err(error) => {
                if matches!(error, WorkerError::Feed(FeedError::Closed)) {
                    return;
                }
                metrics::counter!("soko_projection_failures_total", "model" => M::NAME)
                    .increment(1);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    model = M::NAME,
                    "the worker starts over"
                );
                tokio::select! {
                    () = tokio::time::sleep(backoff) => (),
                    () = shutdown.cancelled() => (),
                }
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
        }
    }
}

/// A worker with a connection, until something ends it.
struct Worker<'a, M> {
    workplace: &'a Workplace,
    progress: &'a Arc<Progress>,
    shutdown: &'a CancellationToken,
    connection: PgConnection,
    model: std::marker::PhantomData<fn() -> M>,
}

impl<M: ReadModel> Worker<'_, M> {
    async fn start(
        workplace: &Workplace,
        progress: &Arc<Progress>,
        shutdown: &CancellationToken,
    ) -> Result<Ended, WorkerError> {
        let worker = Worker::<M> {
            connection: connect(&workplace.pool, M::NAME).await?,
            workplace,
            progress,
            shutdown,
            model: std::marker::PhantomData,
        };
        worker.work().await
    }

    async fn work(mut self) -> Result<Ended, WorkerError> {
        loop {
            let recorded = recorded::<M>(&mut self.connection).await?;
            if recorded.version < M::VERSION {
                match self.rebuild().await? {
                    Built::Done => continue,
                    Built::UnderWay => (),
                    Built::Poisoned(stop) => {
                        if let Some(ended) = self.cannot_build(stop).await? {
                            return Ok(ended);
                        }
                        continue;
                    }
                }
            } else if recorded.version == M::VERSION && self.try_lock().await? {
                break;
            }
            // A newer program folds it, or another worker does, or builds.
            if self.pause(STANDBY_INTERVAL).await {
                return Ok(Ended::ShutDown);
            }
        }
        let recorded = recorded::<M>(&mut self.connection).await?;
        if recorded.version != M::VERSION {
            return Ok(Ended::TakenAway);
        }
        if self.is_far_behind(recorded).await? {
            match self.rebuild().await? {
                Built::Done => return Ok(Ended::TakenAway),
                // Folding step by step ends where it must, in the sight of everybody.
                Built::UnderWay | Built::Poisoned(_) => (),
            }
        }
        Active::<M>::new(self, recorded).await?.run().await
    }

    async fn try_lock(&mut self) -> Result<bool, sqlx::Error> {
        try_lock(&mut self.connection, LockKind::Fold, M::NAME).await
    }

    /// True if it was told to stop.
    async fn pause(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = self.shutdown.cancelled() => true,
        }
    }

    async fn is_far_behind(&self, recorded: Recorded) -> Result<bool, WorkerError> {
        let checkpoint = recorded.checkpoint;
        if checkpoint.position != Position::START || recorded.is_stopped {
            return Ok(false);
        }
        let head = LogReader::new(self.workplace.pool.clone()).head().await?;
        Ok(head.distance_from(checkpoint.position) > REBUILD_BEYOND)
    }

    /// Builds the model's next table, unless somebody is at it already.
    async fn rebuild(&self) -> Result<Built, WorkerError> {
        let options = RebuildOptions::default();
        let built = tokio::select! {
            built = rebuild::<M>(&self.workplace.pool, &options) => built,
            () = self.shutdown.cancelled() => return Ok(Built::UnderWay),
        };
        match built {
            Ok(_) => Ok(Built::Done),
            Err(RebuildError::UnderWay) => Ok(Built::UnderWay),
            Err(RebuildError::Poisoned { position, reason }) => {
                Ok(Built::Poisoned(Stop { position, reason }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next version cannot be built; the present table stays in use. If nobody folds that one
    /// any more, the model has stopped, and says so.
    async fn cannot_build(&mut self, stop: Stop) -> Result<Option<Ended>, WorkerError> {
        if self.try_lock().await? {
            let checkpoint = recorded::<M>(&mut self.connection).await?.checkpoint;
            return self
                .stay_stopped(checkpoint, stop)
                .await
                .map(|stopped| match stopped {
                    Stayed::Skipped => None,
                    Stayed::Ended(ended) => Some(ended),
                });
        }
        let Stop { position, reason } = stop;
        tracing::error!(model = M::NAME, %position, reason, "the next version cannot be built");
        Ok(self.pause(RETRY_BUILD).await.then_some(Ended::ShutDown))
    }

    /// Says that the model has stopped, and returns when a person has skipped the event.
    async fn stay_stopped(
        &mut self,
        checkpoint: Checkpoint,
        stop: Stop,
    ) -> Result<Stayed, WorkerError> {
        let Stop { position, reason } = stop;
        if !record_stop::<M>(&mut self.connection, checkpoint, position, &reason).await? {
            return Ok(Stayed::Ended(Ended::TakenAway));
        }
        metrics::gauge!("soko_projection_stopped", "model" => M::NAME).set(1);
        tracing::error!(model = M::NAME, %position, reason, "the read model has stopped");
        loop {
            if self.pause(SKIP_INTERVAL).await {
                return Ok(Stayed::Ended(Ended::ShutDown));
            }
            if recorded::<M>(&mut self.connection).await?.checkpoint != checkpoint {
                return Ok(Stayed::Ended(Ended::TakenAway));
            }
            if skipped::<M>(&mut self.connection)
                .await?
                .contains(&position)
            {
                record_running::<M>(&mut self.connection).await?;
                metrics::gauge!("soko_projection_stopped", "model" => M::NAME).set(0);
                tracing::warn!(model = M::NAME, %position, "the event is skipped");
                return Ok(Stayed::Skipped);
            }
        }
    }
}

/// An event that the model cannot take in.
struct Stop {
    position: Position,
    reason: String,
}

enum Built {
    Done,
    UnderWay,
    Poisoned(Stop),
}

enum Stayed {
    Skipped,
    Ended(Ended),
}
