//! What is new, for all workers of a process: followed once, decoded once, shared.

mod ring;

use crate::{Delivery, Entry, LogReader, Position, ReadError, Subscription, SubscriptionError};
use ring::{Found, Ring};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much of what is new is kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct FeedOptions {
    /// Entries that are kept for readers who lag; older ones they read from the log.
    pub entries_max: usize,
    /// What the kept entries may weigh, roughly.
    pub bytes_max: usize,
    /// Entries that are taken from the subscription at once.
    pub batch_max: usize,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            entries_max: 16_384,
            bytes_max: 24 * 1024 * 1024,
            batch_max: 1_000,
        }
    }
}

/// Why a feed gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("the feed is closed")]
    Closed,
    /// What has left the memory could not be read from the log.
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
}

/// One subscription, read by many. Cheap to clone; it closes when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Feed {
    shared: Arc<Shared>,
    reader: LogReader,
    stop: Arc<DropGuard>,
}

impl Feed {
    /// Follows a subscription that gives what comes after `from`. That should be the present head:
    /// who is further behind reads the log until it meets what is kept here.
    pub fn start(
        subscription: Box<dyn Subscription>,
        reader: LogReader,
        from: Position,
        options: FeedOptions,
    ) -> Self {
        let shared = Arc::new(Shared {
            ring: RwLock::new(Ring::new(from, options.entries_max, options.bytes_max)),
            head: watch::Sender::new(from),
        });
        let stop = CancellationToken::new();
        let follower = Follower {
            subscription,
            shared: Arc::clone(&shared),
            batch_max: options.batch_max.max(1),
        };
        tokio::spawn(follower.run(stop.clone()));
        Self {
            shared,
            reader,
            stop: Arc::new(stop.drop_guard()),
        }
    }

    /// The entries after a position: contiguous, in order, at least one and at most `max`; waits
    /// for them. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The feed is closed, or what is no longer in memory cannot be read: then ask again.
    pub async fn next(&self, after: Position, max: usize) -> Result<Vec<Entry>, FeedError> {
        let max = max.max(1);
        let mut head = self.shared.head.subscribe();
        loop {
            head.borrow_and_update();
            match self.shared.find(after, max) {
                Found::Entries(entries) => return Ok(entries),
                Found::Gone => return self.read(after, max).await,
                Found::Closed => return Err(FeedError::Closed),
                Found::NotYet => (),
            }
            head.changed().await.map_err(|_| FeedError::Closed)?;
        }
    }

    /// The last position that [`Self::next`] can give without waiting.
    pub fn head(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    /// Stops following. What is in memory can still be read; then readers get
    /// [`FeedError::Closed`] instead of waiting.
    pub fn close(&self) {
        self.stop.token().cancel();
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<Entry>, FeedError> {
        let entries = self.reader.read(after, max).await?;
        metrics::counter!("soko_feed_entries_read_again_total").increment(entries.len() as u64);
        if entries.is_empty() {
            // It was in memory, so it must be in the log.
            let expected = after.next();
            let found = None;
            return Err(ReadError::Gap { expected, found }.into());
        }
        Ok(entries)
    }
}

/// What the follower writes and the readers read.
#[derive(Debug)]
struct Shared {
    ring: RwLock<Ring>,
    head: watch::Sender<Position>,
}

impl Shared {
    // Nobody panics while holding this lock and leaves the ring half changed.
    fn find(&self, after: Position, max: usize) -> Found {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.find(after, max)
    }

    fn push(&self, deliveries: Vec<Delivery>) -> Result<Position, ReadError> {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for delivery in deliveries {
            ring.push(delivery)?;
        }
        Ok(ring.head())
    }

    fn close(&self) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.close();
        drop(ring);
        self.head.send_modify(|_| ());
    }
}

/// Fills the ring from the subscription, for as long as anybody may want it.
struct Follower {
    subscription: Box<dyn Subscription>,
    shared: Arc<Shared>,
    batch_max: usize,
}

impl Follower {
    const BACK_OFF_MIN: Duration = Duration::from_millis(50);
    const BACK_OFF_MAX: Duration = Duration::from_secs(2);

    async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.follow()).await;
        self.shared.close();
    }

    async fn follow(&mut self) {
        let mut back_off = Self::BACK_OFF_MIN;
        loop {
            match self.step().await {
                Ok(()) => back_off = Self::BACK_OFF_MIN,
                Err(error) => {
                    metrics::counter!("soko_feed_errors_total").increment(1);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the feed waits: it cannot follow the log"
                    );
                    tokio::time::sleep(back_off).await;
                    back_off = (back_off * 2).min(Self::BACK_OFF_MAX);
                }
            }
        }
    }

    async fn step(&mut self) -> Result<(), SubscriptionError> {
        let deliveries = self.subscription.next(self.batch_max).await?;
        let head = self.shared.push(deliveries)?;
        self.shared.head.send_replace(head);
        metrics::gauge!("soko_feed_position").set(approximate(head));
        // What is given from here can always be read again from the log, so the bus may forget it.
        self.subscription.confirm(head).await
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and positions stay far below 2^53"
)]
fn approximate(position: Position) -> f64 {
    position.get() as f64
}
