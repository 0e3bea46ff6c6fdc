//! The log itself, read as it grows.

use super::{Delivery, Subscription, SubscriptionError};
use crate::{LogReader, Position};
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;

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
        loop {
            self.pulse.look();
            let found = self.reader.deliveries(self.after, max.max(1)).await?;
            if let Some(last) = found.last() {
                self.after = last.entry.position;
                self.pulse.found();
                return Ok(found);
            }
            self.pulse.wait().await;
        }
    }

    async fn confirm(&mut self, _position: Position) -> Result<(), SubscriptionError> {
        Ok(())
    }
}

/// When to look again: at once if woken, else after a pause that grows while nothing is found.
#[derive(Debug)]
pub(crate) struct Pulse {
    head: Option<watch::Receiver<Position>>,
    pause: Duration,
}

impl Pulse {
    pub(crate) const fn new(head: Option<watch::Receiver<Position>>) -> Self {
        Self {
            head,
            pause: Tail::POLL_MIN,
        }
    }

    /// Call it before looking: what wakes us from then on counts for the next [`Self::wait`].
    pub(crate) fn look(&mut self) {
        if let Some(head) = &mut self.head {
            head.borrow_and_update();
        }
    }

    pub(crate) const fn found(&mut self) {
        self.pause = Tail::POLL_MIN;
    }

    pub(crate) async fn wait(&mut self) {
        let pause = tokio::time::sleep(self.pause);
        let is_woken = match &mut self.head {
            None => {
                pause.await;
                Ok(false)
            }
            Some(head) => tokio::select! {
                changed = head.changed() => changed.map(|()| true),
                () = pause => Ok(false),
            },
        };
        match is_woken {
            Ok(true) => self.pause = Tail::POLL_MIN,
            Ok(false) => self.pause = (self.pause * 3 / 2).min(Tail::POLL_MAX),
            // Whoever woke us is gone; the clock stays.
            Err(_) => self.head = None,
        }
    }
}
