//! New events as they are recorded, in order and without a gap: from the log itself, or from
//! JetStream with the log behind it.

mod jetstream;
mod tail;

pub use jetstream::{JetStream, JetStreamOptions};
pub(crate) use tail::Pulse;
pub use tail::Tail;

use crate::read::{self, LogReader};
use crate::{Entry, Position, ReadError, StoredEvent};
use async_trait::async_trait;

/// A place in the log that moves forward.
#[async_trait]
pub trait Subscription: Send {
    /// The entries after those already given: contiguous, in order, at least one and at most
    /// `max`; waits for them. After an error, or when the future was dropped, the next call goes on
    /// where the last successful one ended.
    ///
    /// # Errors
    /// The log could not be read when it was needed.
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, SubscriptionError>;

    /// Everything up to here is taken care of and need not be sent again after a restart.
    ///
    /// # Errors
    /// It could not be passed on; what it was for is then sent again, which does no harm.
    async fn confirm(&mut self, position: Position) -> Result<(), SubscriptionError>;
}

/// An entry on its way to its readers.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub entry: Entry,
    /// The length of its stored texts: keeping it costs about as much again.
    pub text_bytes: usize,
}

impl Delivery {
    fn of<S: AsRef<str>>(stored: &StoredEvent<S>) -> Self {
        Self {
            entry: stored.decode(),
            text_bytes: stored.payload.as_ref().len() + stored.metadata.as_ref().len(),
        }
    }
}

/// Why no event could be given.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    #[error("the log cannot be followed")]
    Log(#[from] ReadError),
    #[error("the bus does not take the confirmation")]
    Bus(#[from] async_nats::PublishError),
}

impl LogReader {
    async fn deliveries(&self, after: Position, max: usize) -> Result<Vec<Delivery>, ReadError> {
        let rows = self.page(after, max).await?;
        rows.iter()
            .map(|row| Ok(Delivery::of(&read::stored(row)?)))
            .collect()
    }
}
