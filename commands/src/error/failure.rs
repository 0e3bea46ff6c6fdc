//! What can go wrong on our side.

use serde_json::Error as JsonError;
use soko_event_log::{AppendError, CanonicalError, LoadError, VaultError};
use std::sync::Arc;

/// What went wrong on our side.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    #[error("the append failed")]
    Append(#[source] AppendError),
    #[error("a stream could not be loaded")]
    Load(#[source] Arc<LoadError>),
    #[error("what is personal could not be sealed")]
    Vault(#[source] Arc<VaultError>),
    #[error("the database refused")]
    Database(#[source] Arc<sqlx::Error>),
    #[error("an event has no canonical form")]
    Canonical(#[source] Arc<CanonicalError>),
    #[error("an outcome could not be written or read")]
    Outcome(#[source] Arc<JsonError>),
    /// Outcomes are kept in the clear, where an erasure would not reach it.
    #[error("an outcome contains personal data")]
    PersonalOutcome,
    #[error("a unit of work touches more than {0} aggregates")]
    TooManyLanes(usize),
    #[error("two kinds of aggregates are called {0}")]
    SharedName(&'static str),
}

impl Failure {
    /// Whether asking again later is of no use.
    pub(crate) fn is_defect(&self) -> bool {
        match self {
            Self::Append(error) => matches!(error, AppendError::Unsealed),
            Self::Database(_) => false,
            Self::Vault(error) => is_defect(error),
            Self::Load(error) => match **error {
                LoadError::SequenceGap { .. } | LoadError::Poisoned { .. } => true,
                LoadError::Repository(_) | LoadError::Database(_) => false,
                LoadError::Vault(ref error) => is_defect(error),
            },
            Self::Canonical(_)
            | Self::Outcome(_)
            | Self::PersonalOutcome
            | Self::TooManyLanes(_)
            | Self::SharedName(_) => true,
        }
    }
}

fn is_defect(error: &VaultError) -> bool {
    !matches!(error, VaultError::Database(_))
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Vault(Arc::new(error))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Load(Arc::new(error))
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Self::Outcome(Arc::new(error))
    }
}

impl From<CanonicalError> for Failure {
    fn from(error: CanonicalError) -> Self {
        Self::Canonical(Arc::new(error))
    }
}
