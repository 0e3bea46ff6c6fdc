//! Works what providers tell of their own accord.
//!
//! A callback is checked before anything of it is read, written down before it is answered, and
//! worked after. Only a signed word about exactly the money that was asked for is taken as it is; of
//! everything else the provider is asked.

mod receipts;
mod receiving;
mod working;

pub use receiving::{Came, Place, Received};

use super::inbox::Waiting;
use super::{Inbox, Teller};
use crate::Clock;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use soko_event_log::{Claims, MasterKeys};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How many are worked at the same time.
const AT_ONCE_MAX: usize = 64;

/// How often it is looked for what others left.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Receives and works callbacks; cheap to clone.
#[derive(Clone)]
pub struct CallbackWorker(Arc<Inner>);

struct Inner {
    teller: Teller,
    inbox: Inbox,
    claims: Claims,
    clock: Clock,
    /// What was written down here, to be worked at once.
    work: Mutex<mpsc::UnboundedReceiver<Waiting>>,
}

impl CallbackWorker {
    /// Call it within a runtime.
    pub fn new(teller: Teller, pool: PgPool, masters: MasterKeys, clock: Clock) -> Self {
        let (sender, work) = mpsc::unbounded_channel();
        Self(Arc::new(Inner {
            teller,
            inbox: Inbox::start(pool.clone(), masters, sender),
            claims: Claims::new(pool),
            clock,
            work: Mutex::new(work),
        }))
    }

    pub fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Works what comes, and what others left, until it is told to stop.
    pub async fn run(&self, shutdown: &CancellationToken) {
        let mut work = self.0.work.lock().await;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way = FuturesUnordered::new();
        loop {
            let has_room = under_way.len() < AT_ONCE_MAX;
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(()) = under_way.next() => (),
                Some(waiting) = work.recv(), if has_room => under_way.push(self.work(waiting)),
                _ = looks.tick(), if has_room => {
                    for waiting in self.left_by_others(AT_ONCE_MAX - under_way.len()).await {
                        under_way.push(self.work(waiting));
                    }
                }
            }
        }
        // What is begun is ended, so that nobody has to begin it again.
        while under_way.next().await.is_some() {}
    }

    async fn left_by_others(&self, room: usize) -> Vec<Waiting> {
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        match self.0.inbox.take_due(self.0.clock.now(), limit).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "callbacks that wait cannot be looked for"
                );
                vec![]
            }
        }
    }
}
