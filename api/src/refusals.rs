//! How a command that did not succeed is told.

use soko_commands::CommandError;
use soko_domain::TeamError;
use soko_event_log::ClaimKind;

use crate::problem::{Code, Problem};

impl<R> From<CommandError<R>> for Problem
where
    R: std::error::Error + 'static,
    Self: From<R>,
{
    fn from(error: CommandError<R>) -> Self {
        match error {
            CommandError::Rejected {
                rejection,
                replayed,
            } => Self::from(rejection).with_replayed(replayed),
            CommandError::ClaimTaken { kind, .. } => {
                Self::new(Code::AlreadyExists).with_detail(taken(kind))
            }
            CommandError::Conflict => Self::new(Code::VersionConflict),
            CommandError::PreconditionFailed {
                expected, actual, ..
            } => Self::new(Code::PreconditionFailed)
                .with_member("expected_version", expected)
                .with_member("actual_version", actual),
            CommandError::IdempotencyMismatch => Self::new(Code::IdempotencyMismatch),
            CommandError::InProgress => Self::new(Code::OperationInProgress),
            CommandError::Overloaded { retry_after } => Self::new(Code::Unavailable)
                .with_detail("there is too much to do")
                .with_retry_after(retry_after),
            CommandError::Unavailable(cause) => Self::ours(Code::Unavailable, &cause),
            CommandError::Defect(cause) => Self::ours(Code::Internal, &cause),
        }
    }
}

impl From<std::convert::Infallible> for Problem {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Not what is taken: that may be somebody's e-mail.
fn taken(kind: ClaimKind) -> String {
    format!("this {} is taken", kind.as_str().replace('_', " "))
}

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        let code = match &error {
            TeamError::AlreadyMember { .. } => Code::AlreadyExists,
            TeamError::NotMember { .. } => Code::NotFound,
            TeamError::LastOwner | TeamError::Full { .. } => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
