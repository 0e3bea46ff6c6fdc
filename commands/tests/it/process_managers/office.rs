//! Where process managers work, with a clock that the test sets.

use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use soko_commands::process_managers::{ProcessManager, RunnerOptions, Workplace, run};
use soko_commands::{Clock, Engine};
use soko_embedded::testing::{PATIENCE, server_activity, until};
use soko_event_log::{Feed, FeedOptions, LogReader, Tail};
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub(super) struct Office {
    pub(super) world: World,
    micros: Arc<AtomicI64>,
}

/// A runner at work, until it is dropped.
pub(super) struct AtWork {
    stop: DropGuard,
    work: JoinHandle<()>,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct TimerRow {
    pub(super) due_at: DateTime<Utc>,
    pub(super) round: i32,
    pub(super) attempts: i32,
    pub(super) reason: Option<String>,
    pub(super) fired_at: Option<DateTime<Utc>>,
}

impl Office {
    pub(super) async fn new() -> Self {
        Self::of(World::new().await)
    }

    /// Where something has happened already.
    pub(super) fn of(world: World) -> Self {
        // Ahead of the log, so that what is to be done at once is due.
        let now = (Utc::now() + TimeDelta::hours(1)).timestamp_micros();
        Self {
            world,
            micros: Arc::new(AtomicI64::new(now)),
        }
    }

    pub(super) fn pool(&self) -> PgPool {
        self.world.pool()
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.world.engine
    }

    pub(super) fn set_clock(&self, now: DateTime<Utc>) {
        self.micros.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    pub(super) fn advance_clock(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }

    pub(super) async fn start<M: ProcessManager>(&self, manager: M) -> AtWork {
        let options = RunnerOptions {
            poll: Duration::from_millis(10),
            fire_timeout: Duration::from_millis(500),
            ..RunnerOptions::default()
        };
        self.start_with(manager, options).await
    }

    pub(super) async fn start_with<M: ProcessManager>(
        &self,
        manager: M,
        options: RunnerOptions,
    ) -> AtWork {
        let micros = Arc::clone(&self.micros);
        let reader = LogReader::new(self.pool());
        let head = reader.head().await.unwrap();
        let tail = Box::new(Tail::new(reader.clone(), head));
        let workplace = Workplace {
            engine: self.world.node().await,
            pool: self.pool(),
            feed: Feed::start(tail, reader, head, FeedOptions::default()),
            clock: Clock::new(move || {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap()
            }),
        };
        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        let work = tokio::spawn(async move {
            run(&manager, &workplace, &options, &shutdown).await;
        });
        AtWork {
            stop: stop.drop_guard(),
            work,
        }
    }

    /// The timers about a stream that there are.
    pub(super) async fn timers(&self, stream_id: Uuid) -> Vec<TimerRow> {
        sqlx::query_as(
            "SELECT due_at, round, attempts, reason, fired_at FROM timers \
             WHERE stream_id = $1 ORDER BY position",
        )
        .bind(stream_id)
        .fetch_all(&self.pool())
        .await
        .unwrap()
    }

    /// Waits until a stream's only timer is as wanted.
    pub(super) async fn timer(
        &self,
        stream_id: Uuid,
        is_wanted: impl Fn(&TimerRow) -> bool,
    ) -> TimerRow {
        let waiting = async {
            loop {
                let mut timers = self.timers(stream_id).await;
                if timers.len() == 1 && is_wanted(&timers[0]) {
                    return timers.remove(0);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let Ok(timer) = timeout(PATIENCE, waiting).await else {
            let timers = self.timers(stream_id).await;
            panic!("{timers:?}\n{}", server_activity().await);
        };
        timer
    }

    /// Waits until a manager has seen all there is.
    pub(super) async fn caught_up(&self, manager: &str) {
        let head = self.world.head().await;
        until("the manager has seen all there is", async || {
            let position: Option<i64> =
                sqlx::query_scalar("SELECT position FROM process_managers WHERE name = $1")
                    .bind(manager)
                    .fetch_optional(&self.pool())
                    .await
                    .unwrap();
            position == Some(head.get())
        })
        .await;
    }
}

impl AtWork {
    pub(super) async fn stop(self) {
        drop(self.stop);
        self.work.await.unwrap();
    }

    /// Ends it in the middle of whatever it does.
    pub(super) async fn crash(self) {
        self.work.abort();
        let _ = self.work.await;
    }
}
