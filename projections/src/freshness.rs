//! Reading one's own writes: waiting until a read model knows of a position.

use soko_event_log::Position;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};

/// How often the positions of read models that other processes fold are asked for, while somebody
/// waits for one.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Where the read models of this system are. Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct Freshness {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    models: RwLock<HashMap<String, Arc<Progress>>>,
    /// When the positions were last asked for: one question at a time is enough for everybody.
    last_poll: Mutex<Option<Instant>>,
}

/// How far one read model is, as far as this process knows.
#[derive(Debug)]
pub(crate) struct Progress {
    reached: watch::Sender<Position>,
    /// How many wait for more than is there.
    waiters: watch::Sender<usize>,
    is_folded_here: AtomicBool,
}

/// A read model does not know of a position yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{model} is at {reached}, not yet at {wanted}")]
pub struct ProjectionBehind {
    pub model: String,
    pub reached: Position,
    pub wanted: Position,
}

impl Freshness {
    /// The pool is asked for the positions of what other processes fold.
    pub fn new(pool: PgPool) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool,
                models: RwLock::default(),
                last_poll: Mutex::default(),
            }),
        }
    }

    /// Waits until a read model knows of an event and of all before it.
    ///
    /// # Errors
    /// It does not within `timeout`.
    pub async fn wait_for(
        &self,
        model: &str,
        position: Position,
        timeout: Duration,
    ) -> Result<(), ProjectionBehind> {
        let progress = self.progress(model);
        let mut reached = progress.reached.subscribe();
        if *reached.borrow_and_update() >= position {
            return Ok(());
        }
        let _waiter = Waiter::at(&progress);
        let waited = tokio::time::timeout(timeout, async {
            tokio::select! {
                arrived = reached.wait_for(|reached| *reached >= position) => arrived.is_ok(),
                never = self.keep_polling(&progress) => never,
            }
        });
        match waited.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(ProjectionBehind {
                model: model.to_owned(),
                reached: *progress.reached.borrow(),
                wanted: position,
            }),
        }
    }

    /// Where a read model is, as far as this process knows.
    pub fn reached(&self, model: &str) -> Position {
        self.progress(model).reached()
    }

    /// Where a read model is that a worker of this process keeps; `None` if another process does,
    /// for then only the database knows.
    pub fn folded_here(&self, model: &str) -> Option<Position> {
        let progress = self.progress(model);
        progress
            .is_folded_here
            .load(Ordering::Acquire)
            .then(|| progress.reached())
    }

    pub(crate) fn progress(&self, model: &str) -> Arc<Progress> {
        let models = &self.shared.models;
        let known = models.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = known.get(model) {
            return Arc::clone(progress);
        }
        drop(known);
        let mut known = models.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(model.to_owned()).or_default())
    }

    async fn keep_polling(&self, progress: &Progress) -> bool {
        loop {
            if !progress.is_folded_here.load(Ordering::Relaxed) {
                self.poll().await;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn poll(&self) {
        let mut last_poll = self.shared.last_poll.lock().await;
        if last_poll.is_some_and(|last| last.elapsed() < POLL_INTERVAL) {
            return;
        }
        let positions: Result<Vec<(String, i64)>, _> =
            sqlx::query_as("SELECT name, position FROM projections")
                .fetch_all(&self.shared.pool)
                .await;
        *last_poll = Some(Instant::now());
        drop(last_poll);
        match positions {
            Ok(positions) => {
                for (model, position) in positions {
                    let progress = self.progress(&model);
                    if !progress.is_folded_here.load(Ordering::Relaxed) {
                        progress.reach(Position::new(position));
                    }
                }
            }
            // Whoever waits is told by their time-out.
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the positions of the read models cannot be read"
                );
            }
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            reached: watch::Sender::new(Position::START),
            waiters: watch::Sender::new(0),
            is_folded_here: AtomicBool::new(false),
        }
    }
}

impl Progress {
    /// Says who tells of the progress: this process' worker, or the database.
    pub(crate) fn fold_here(&self, is_folded_here: bool) {
        self.is_folded_here.store(is_folded_here, Ordering::Release);
    }

    pub(crate) fn reached(&self) -> Position {
        *self.reached.borrow()
    }

    pub(crate) fn reach(&self, position: Position) {
        self.reached.send_if_modified(|reached| {
            let is_news = *reached != position;
            *reached = position;
            is_news
        });
    }

    /// Returns once somebody waits.
    pub(crate) async fn is_waited_for(&self) {
        let mut waiters = self.waiters.subscribe();
        // The sender is in `self`, so it is not gone.
        let _ = waiters.wait_for(|waiters| *waiters > 0).await;
    }
}

/// Somebody who waits, for as long as this is there: whoever asks for what will never come hurries
/// nobody after they have given up.
struct Waiter<'a>(&'a Progress);

impl<'a> Waiter<'a> {
    fn at(progress: &'a Progress) -> Self {
        progress.waiters.send_modify(|waiters| *waiters += 1);
        Self(progress)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiters.send_modify(|waiters| *waiters -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_given_up_hurries_nobody() {
        let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/nowhere").unwrap();
        let freshness = Freshness::new(pool);
        let progress = freshness.progress("orders");
        progress.fold_here(true);
        let never = Position::new(i64::MAX);
        let waited = freshness.wait_for("orders", never, Duration::from_millis(20));
        tokio::join!(progress.is_waited_for(), async {
            waited.await.unwrap_err();
        });
        assert_eq!(*progress.waiters.borrow(), 0);
    }

    #[tokio::test]
    async fn who_waits_for_what_is_there_does_not_wait() {
        let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/nowhere").unwrap();
        let freshness = Freshness::new(pool);
        let progress = freshness.progress("orders");
        progress.fold_here(true);
        progress.reach(Position::new(7));
        for position in [0, 7] {
            let wanted = Position::new(position);
            freshness
                .wait_for("orders", wanted, Duration::ZERO)
                .await
                .unwrap();
        }
        assert_eq!(freshness.reached("orders"), Position::new(7));
    }
}
