//! Why a task could not be done, and with which exit code it ends.

use soko_event_log::{KeptKeyError, PoisonedEvent, ReadError, VaultError};
use soko_gateways::statements::FileFault;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "no database: give --database-url (or DATABASE_URL), or start soko on {}",
        .0.display()
    )]
    NoDatabaseNamed(PathBuf),
    #[error("the database cannot be reached")]
    NoDatabase(#[source] sqlx::Error),
    #[error("no {what} has the id {id}")]
    NotFound { what: String, id: Uuid },
    #[error("nothing is called {0}; there are: {1}")]
    NoSuchName(String, String),
    #[error("{} cannot be read", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    #[error("the statement cannot be read")]
    Statement(#[from] FileFault),
    #[error("a statement without lines needs --from and --to")]
    NoPeriod,
    #[error("give a store, its provider and a file, or --statement")]
    NothingToReconcile,
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    #[error("the log cannot be read")]
    Poisoned(#[from] Arc<PoisonedEvent>),
    #[error("the read models cannot be read")]
    ReadModel(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("there is no master key")]
    MasterKey(#[from] KeptKeyError),
    #[error("people's names cannot be opened: is SOKO_MASTER_KEY the one that `soko` has?")]
    Names(#[from] VaultError),
    #[error("the answer cannot be written")]
    Output(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A check found something that must not be.
pub(crate) const CHECK_FAILED: u8 = 1;

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::NoSuchName(..)
            | Self::File(..)
            | Self::Statement(_)
            | Self::NoPeriod
            | Self::NothingToReconcile => 2,
            Self::NotFound { .. } => 3,
            Self::NoDatabaseNamed(_) | Self::NoDatabase(_) => 4,
            Self::Log(_)
            | Self::Poisoned(_)
            | Self::ReadModel(_)
            | Self::MasterKey(_)
            | Self::Names(_)
            | Self::Output(_) => 5,
        })
    }
}
