//! Why a command did not succeed.

mod failure;

pub use failure::Failure;

use soko_event_log::ClaimKind;
use std::convert::Infallible;
use std::time::Duration;
use uuid::Uuid;

/// Why a command did not succeed; `R` is what its aggregate, or its handler, refuses with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError<R> {
    /// A rule stands in the way. It did so at some moment between the request and this answer.
    #[error("{rejection}")]
    Rejected {
        rejection: R,
        /// Whether this is the answer that the same idempotency key was given before.
        replayed: bool,
    },
    /// Somebody has what must be unique in the whole system.
    #[error("{value:?} is taken already")]
    ClaimTaken { kind: ClaimKind, value: String },
    /// Others changed the same aggregates each time that it was tried.
    #[error("others kept changing the same")]
    Conflict,
    #[error("{stream_type} {stream_id} is at version {actual}, not at {expected}")]
    PreconditionFailed {
        stream_type: &'static str,
        stream_id: Uuid,
        expected: u64,
        actual: u64,
    },
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error("a request with this idempotency key is still being worked on")]
    InProgress,
    #[error("there is too much to do")]
    Overloaded { retry_after: Duration },
    /// The log cannot be reached. The command may have taken place all the same: ask again with
    /// the same idempotency key.
    #[error("the log cannot be reached")]
    Unavailable(#[source] Failure),
    /// A mistake in the program or in the data.
    #[error("the command could not be carried out")]
    Defect(#[source] Failure),
}

/// A failure before anybody could refuse.
pub(crate) type Stopped = CommandError<Infallible>;

impl<R> CommandError<R> {
    /// The same for who refuses with another kind of error.
    pub fn map_rejection<S>(self, map: impl FnOnce(R) -> S) -> CommandError<S> {
        match self {
            Self::Rejected {
                rejection,
                replayed,
            } => CommandError::Rejected {
                rejection: map(rejection),
                replayed,
            },
            Self::ClaimTaken { kind, value } => CommandError::ClaimTaken { kind, value },
            Self::Conflict => CommandError::Conflict,
            Self::PreconditionFailed {
                stream_type,
                stream_id,
                expected,
                actual,
            } => CommandError::PreconditionFailed {
                stream_type,
                stream_id,
                expected,
                actual,
            },
            Self::IdempotencyMismatch => CommandError::IdempotencyMismatch,
            Self::InProgress => CommandError::InProgress,
            Self::Overloaded { retry_after } => CommandError::Overloaded { retry_after },
            Self::Unavailable(failure) => CommandError::Unavailable(failure),
            Self::Defect(failure) => CommandError::Defect(failure),
        }
    }
}

impl<R> From<Failure> for CommandError<R> {
    fn from(failure: Failure) -> Self {
        if failure.is_defect() {
            Self::Defect(failure)
        } else {
            Self::Unavailable(failure)
        }
    }
}
