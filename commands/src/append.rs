//! The engine's one way into the log.

use futures::future::{BoxFuture, FutureExt};
use soko_event_log::{AppendError, Appended, Appender, Unit};

/// What the engine asks of the log when it writes: a trait, so that tests can make it fail.
pub trait Append: Send + Sync + 'static {
    /// Takes a unit to be appended, in the order of the calls. It does not wait, and the append is
    /// carried out even if nobody waits for its outcome.
    ///
    /// # Errors
    /// [`AppendError::Overloaded`] or [`AppendError::Closed`]; then the unit was not taken.
    fn enqueue(&self, unit: Unit) -> Result<Pending, AppendError>;

    /// Whether every unit up to this number is decided, one way or the other.
    fn is_settled(&self, number: u64) -> bool;

    /// Ready as soon as [`Self::is_settled`].
    fn settled(&self, number: u64) -> BoxFuture<'static, ()>;
}

/// A unit on its way into the log.
pub struct Pending {
    /// Counts what was taken, from 1.
    pub number: u64,
    pub outcome: BoxFuture<'static, Result<Appended, AppendError>>,
}

impl Append for Appender {
    fn enqueue(&self, unit: Unit) -> Result<Pending, AppendError> {
        let ticket = Self::enqueue(self, unit)?;
        Ok(Pending {
            number: ticket.number(),
            outcome: ticket.boxed(),
        })
    }

    fn is_settled(&self, number: u64) -> bool {
        Self::is_settled(self, number)
    }

    fn settled(&self, number: u64) -> BoxFuture<'static, ()> {
        let appender = self.clone();
        async move { Self::settled(&appender, number).await }.boxed()
    }
}
