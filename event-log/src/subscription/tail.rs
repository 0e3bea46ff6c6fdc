//! The log itself, read as it grows.

use super::{Delivery, Subscription, SubscriptionError};
use crate::{LogReader, Position};
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Follows the log by reading it. Nothing can be missed: what is given is what the log holds after
/// the last position.
#[derive(Debug)]
pub struct Tail {
    reader: LogReader,
    /// The last position given.
    after: Position,
    pulse: Pulse,
}

impl Tail {
    /// How soon a busy log is looked at again. Who appends in the same process wakes us sooner.
    pub const POLL_MIN: Duration = Duration::from_millis(20);
    /// How long an idle log is left alone: ten questions a second, a few milliseconds of work.
    pub const POLL_MAX: Duration = Duration::from_millis(100);

    pub const fn new(reader: LogReader, after: Position) -> Self {
        Self {
            reader,
            after,
            pulse: Pulse::new(None),
        }
    }

    /// Woken by what is appended in this process, such as by [`crate::Appender::head`].
    pub fn woken_by(self, head: watch::Receiver<Position>) -> Self {
        Self {
            pulse: Pulse::new(Some(head)),
            ..self
        }
    }
}

#[async_trait]
impl Subscription for Tail {
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, SubscriptionError> {
        let max = max.max(1);
        loop {
            self.pulse.wait().await;
            self.pulse.look();
            let found = self.reader.deliveries(self.after, max).await?;
            match found.last() {
                Some(last) => {
                    self.after = last.entry.position;
                    self.pulse.found(found.len() < max);
                    return Ok(found);
                }
                None => self.pulse.found_nothing(),
            }
        }
    }

    async fn confirm(&mut self, _position: Position) -> Result<(), SubscriptionError> {
        Ok(())
    }
}

/// When to look again: at once if woken, but for a rest under load; else after a pause that grows
/// while nothing is found.
#[derive(Debug)]
pub(crate) struct Pulse {
    head: Option<watch::Receiver<Position>>,
    pause: Duration,
    /// Not before this, even if woken; and at the latest at that, even if not. Times and not
    /// durations, so that a wait that is given up and begun again does not begin from the start.
    due: Option<(Instant, Instant)>,
}

impl Pulse {
    /// Looking costs about the same for one event as for a hundred, here, in the database and on
    /// all the way behind us; so under load it is done a hundred times a second, not after each append.
    const REST: Duration = Duration::from_millis(10);

    pub(crate) const fn new(head: Option<watch::Receiver<Position>>) -> Self {
        Self {
            head,
            pause: Tail::POLL_MIN,
            due: None,
        }
    }

    /// Call it before looking: what wakes us from then on counts for the next [`Self::wait`].
    pub(crate) fn look(&mut self) {
        self.due = None;
        if let Some(head) = &mut self.head {
            head.borrow_and_update();
        }
    }

    /// Whether it was all there is.
    pub(crate) fn found(&mut self, is_all: bool) {
        let now = Instant::now();
        self.pause = Tail::POLL_MIN;
        self.due = is_all.then(|| (now + Self::REST, now + self.pause));
    }

    pub(crate) fn found_nothing(&mut self) {
        let now = Instant::now();
        self.due = Some((now, now + self.pause));
        self.pause = (self.pause * 3 / 2).min(Tail::POLL_MAX);
    }

    /// Waits until it is worth while to look again.
    pub(crate) async fn wait(&mut self) {
        let Some((earliest, latest)) = self.due else {
            return;
        };
        sleep_until(earliest).await;
        let is_woken = async {
            match &mut self.head {
                Some(head) => head.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        match timeout_at(latest, is_woken).await {
            Ok(true) => self.pause = Tail::POLL_MIN,
            // Whoever woke us is gone; the clock stays.
            Ok(false) => {
                self.head = None;
                sleep_until(latest).await;
            }
            Err(_) => (),
        }
    }
}
