//! Runs one process manager.

use super::ProcessManager;
use super::checkpoint::{advance, skipped, start, stop};
use super::effects::Changes;
use super::firing::Firing;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::timers;
use metrics::{counter, gauge};
use soko_event_log::{Entry, Feed, FeedError, LogReader, Position, ReadError, connect_in_time};
use sqlx::{Connection, PgConnection, PgPool};
use std::collections::HashSet;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// The first half of the key of the advisory lock that the active runner of a manager holds.
const LOCK: i32 = 0x736f_6b03;

/// Entries that are taken in at once, at most.
const BATCH_MAX: usize = 1_000;

/// How long after events that set timers the next ones are taken in: under load, many then share a
/// transaction, and a timer that is moved again and again is written once.
const PACE: Duration = Duration::from_millis(25);

/// How often a standby looks whether it is needed.
const STANDBY_INTERVAL: Duration = Duration::from_millis(500);

/// How often a stopped manager looks whether its event was skipped.
const SKIP_INTERVAL: Duration = Duration::from_millis(250);

/// How far the recorded checkpoint may stay behind while nothing concerns the manager.
const RECORD_AFTER: Duration = Duration::from_secs(1);

/// How long a runner waits after a failure, at first and at most.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// What a runner works with.
#[derive(Debug, Clone)]
pub struct Workplace {
    pub engine: Engine,
    pub pool: PgPool,
    pub feed: Feed,
    pub clock: Clock,
}

#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// How many timers fire at the same time.
    pub timers_at_once_max: usize,
    /// How long firing a timer may take.
    pub fire_timeout: Duration,
    /// How long a timer is left to whoever took it. Longer than it may take to fire.
    pub lease: Duration,
    /// How often it is looked for due timers, if nothing says when the next is due.
    pub poll: Duration,
    /// How long timers that fired can be looked at.
    pub keep_fired: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            timers_at_once_max: 16,
            fire_timeout: Duration::from_secs(60),
            lease: Duration::from_secs(90),
            poll: Duration::from_secs(1),
            keep_fired: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// Why a runner had to start over.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunnerError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the feed gave nothing")]
    Feed(#[from] FeedError),
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    /// Another runner has moved the checkpoint: the lock was lost.
    #[error("another runner is active")]
    Fenced,
}

/// Runs a process manager until it is told to stop, or the feed is closed; no failure ends it.
pub async fn run<M: ProcessManager>(
    manager: &M,
    workplace: &Workplace,
    options: &RunnerOptions,
    shutdown: &CancellationToken,
) {
    let mut backoff = BACKOFF_MIN;
    loop {
        let began = Instant::now();
        let work = shutdown.run_until_cancelled(work(manager, workplace, options));
        let error = match work.await {
            None | Some(Err(RunnerError::Feed(FeedError::Closed))) => return,
            Some(Err(error)) => error,
        };
        counter!("soko_process_manager_failures_total", "manager" => M::NAME).increment(1);
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            manager = M::NAME,
            "the process manager starts over"
        );
        if began.elapsed() > BACKOFF_MAX {
            backoff = BACKOFF_MIN;
        }
        if shutdown.run_until_cancelled(sleep(backoff)).await.is_none() {
            return;
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

async fn work<M: ProcessManager>(
    manager: &M,
    workplace: &Workplace,
    options: &RunnerOptions,
) -> Result<Infallible, RunnerError> {
    let mut runner = Runner::start(manager, workplace).await?;
    let news = Notify::new();
    let firing = Firing::new(manager, workplace, options, &news);
    tokio::select! {
        followed = runner.follow(&news) => followed,
        fired = firing.run() => fired,
    }
}

/// The one runner of a manager that is active.
struct Runner<'a, M> {
    manager: &'a M,
    feed: &'a Feed,
    /// It holds the lock, and writes what the lock protects: who loses it can write no more.
    connection: PgConnection,
    /// What stands in `process_managers`.
    saved: Position,
    /// Nothing between `saved` and here concerns the manager.
    reached: Position,
    skipped: HashSet<Position>,
}

/// An event that the manager cannot react to.
struct Stop {
    position: Position,
    reason: String,
}

impl<'a, M: ProcessManager> Runner<'a, M> {
    /// Waits until no other runner is active.
    async fn start(manager: &'a M, workplace: &'a Workplace) -> Result<Self, RunnerError> {
        let options = (*workplace.pool.connect_options()).clone();
        let options = options
            .application_name(&format!("soko {}", M::NAME))
            // What a crash forgets is written again: checkpoint and timers are forgotten together.
            .options([("synchronous_commit", "off")]);
        let mut connection = connect_in_time(&options).await?;
        while !try_lock(&mut connection, M::NAME).await? {
            sleep(STANDBY_INTERVAL).await;
        }
        let log = LogReader::new(workplace.pool.clone());
        let position = start::<M>(&mut connection, &log).await?;
        let skipped = skipped(&mut connection, M::NAME, position).await?;
        timers::end_leases(&mut connection, M::NAME).await?;
        tracing::info!(manager = M::NAME, %position, "the process manager is active");
        Ok(Self {
            manager,
            feed: &workplace.feed,
            connection,
            saved: position,
            reached: position,
            skipped,
        })
    }

    async fn follow(&mut self, news: &Notify) -> Result<Infallible, RunnerError> {
        loop {
            let entries = tokio::select! {
                entries = self.feed.next(self.reached, BATCH_MAX) => entries?,
                () = sleep(RECORD_AFTER) => {
                    self.save().await?;
                    continue;
                }
            };
            let began = Instant::now();
            let saved = self.saved;
            let stop = self.take_in(&entries, news).await?;
            self.publish();
            if let Some(stop) = stop {
                self.stay_stopped(stop).await?;
            }
            if self.saved != saved && entries.len() < BATCH_MAX {
                sleep_until(began + PACE).await;
            }
        }
    }

    /// Takes in entries, up to the first that the manager needs and cannot have.
    async fn take_in(
        &mut self,
        entries: &[Entry],
        news: &Notify,
    ) -> Result<Option<Stop>, RunnerError> {
        let mut changes = Changes::new(M::NAME);
        let mut to = self.reached;
        let mut stop = None;
        for entry in entries {
            if !self.skipped.contains(&entry.position)
                && let Err(reason) = self.react(entry, &mut changes)
            {
                let position = entry.position;
                stop = Some(Stop { position, reason });
                break;
            }
            to = entry.position;
        }
        if !changes.is_empty() {
            let mut transaction = self.connection.begin().await?;
            if !advance(&mut transaction, M::NAME, self.saved, to).await? {
                return Err(RunnerError::Fenced);
            }
            changes.write(&mut transaction).await?;
            transaction.commit().await?;
            self.saved = to;
            news.notify_one();
        }
        self.reached = to;
        Ok(stop)
    }

    fn react(&self, entry: &Entry, changes: &mut Changes) -> Result<(), String> {
        match &entry.event {
            Ok(recorded) if M::STREAMS.contains(&recorded.event.stream_type()) => {
                let reacting = AssertUnwindSafe(|| self.manager.react(recorded));
                let effects = catch_unwind(reacting).map_err(|_| "it panicked")?;
                changes
                    .add(recorded, effects)
                    .map_err(|error| error.to_string())
            }
            Err(poisoned) if M::STREAMS.contains(&poisoned.stream_type.as_str()) => {
                Err(poisoned.reason.clone())
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Says that the manager has stopped, and returns when a person has skipped the event. Timers
    /// that are set fire all the same.
    async fn stay_stopped(&mut self, event: Stop) -> Result<(), RunnerError> {
        let Stop { position, reason } = event;
        self.save().await?;
        stop(&mut self.connection, M::NAME, position, &reason).await?;
        gauge!("soko_process_manager_stopped", "manager" => M::NAME).set(1);
        tracing::error!(manager = M::NAME, %position, reason, "the process manager has stopped");
        while !self.skipped.contains(&position) {
            sleep(SKIP_INTERVAL).await;
            self.skipped = skipped(&mut self.connection, M::NAME, self.saved).await?;
        }
        gauge!("soko_process_manager_stopped", "manager" => M::NAME).set(0);
        tracing::warn!(manager = M::NAME, %position, "the event is skipped");
        Ok(())
    }

    /// Records how far the manager is, and notices if the lock is lost.
    async fn save(&mut self) -> Result<(), RunnerError> {
        if self.saved == self.reached {
            self.connection.ping().await?;
        } else if advance(&mut self.connection, M::NAME, self.saved, self.reached).await? {
            self.saved = self.reached;
        } else {
            return Err(RunnerError::Fenced);
        }
        Ok(())
    }

    fn publish(&self) {
        let head = *self.feed.head().borrow();
        let lag = u32::try_from(head.distance_from(self.reached)).unwrap_or(u32::MAX);
        gauge!("soko_process_manager_lag", "manager" => M::NAME).set(lag);
    }
}

async fn try_lock(connection: &mut PgConnection, manager: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
        .bind(LOCK)
        .bind(manager)
        .fetch_one(connection)
        .await
}
