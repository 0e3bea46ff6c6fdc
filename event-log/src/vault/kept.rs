//! Where a master key is kept that nobody has set: a place that is no safer than what it protects.

use super::{MasterKey, MasterKeyError};
use sqlx::PgPool;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Beside a private cluster; so it is in no dump of the database.
const FILE: &str = "master.key";

/// Readable to the owner alone.
const MODE: u32 = 0o600;

/// Why a master key that is kept cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeptKeyError {
    #[error("{0} cannot be read or written")]
    File(PathBuf, #[source] io::Error),
    #[error("what is kept as the master key {0}")]
    Text(#[from] MasterKeyError),
    #[error("the master key in the database cannot be read")]
    Database(#[from] sqlx::Error),
}

impl MasterKey {
    /// The key that is kept in a data folder, if there is one.
    ///
    /// # Errors
    /// [`KeptKeyError::File`], [`KeptKeyError::Text`].
    pub fn in_folder(folder: &Path) -> Result<Option<Self>, KeptKeyError> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.parse()?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeptKeyError::File(path, error)),
        }
    }

    /// The same, which is made if there is none.
    ///
    /// # Errors
    /// As [`Self::in_folder`].
    pub fn in_folder_or_new(folder: &Path) -> Result<Self, KeptKeyError> {
        if let Some(key) = Self::in_folder(folder)? {
            return Ok(key);
        }
        let key = Self::random();
        let path = folder.join(FILE);
        match write(&path, &key) {
            Ok(()) => {
                let path = path.display();
                tracing::info!(%path, "a master key for personal data was made: keep a copy");
                Ok(key)
            }
            // Another process of the same folder was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::in_folder(folder)?.ok_or(KeptKeyError::File(path, error))
            }
            Err(error) => Err(KeptKeyError::File(path, error)),
        }
    }

    /// The key that lies in a database for development, if there is one.
    ///
    /// # Errors
    /// [`KeptKeyError::Database`], [`KeptKeyError::Text`].
    pub async fn in_database(pool: &PgPool) -> Result<Option<Self>, KeptKeyError> {
        let key: Option<String> = sqlx::query_scalar("SELECT key FROM development_master_key")
            .fetch_optional(pool)
            .await?;
        Ok(key.map(|key| key.parse()).transpose()?)
    }

    /// The same, which is made if there is none.
    ///
    /// # Errors
    /// As [`Self::in_database`].
    pub async fn in_database_or_new(pool: &PgPool) -> Result<Self, KeptKeyError> {
        if let Some(key) = Self::in_database(pool).await? {
            return Ok(key);
        }
        let key = Self::random();
        sqlx::query("INSERT INTO development_master_key (key) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(key.to_base64().as_str())
            .execute(pool)
            .await?;
        // Or that of a node that was faster.
        Ok(Self::in_database(pool).await?.unwrap_or(key))
    }
}

/// Whole or not at all: half a key would lose what a whole one protects.
fn write(path: &Path, key: &MasterKey) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(&draft)?;
    let written = file
        .write_all(key.to_base64().as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_of_a_folder_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(MasterKey::in_folder(folder.path()).unwrap().is_none());
        let made = MasterKey::in_folder_or_new(folder.path()).unwrap();
        let found = MasterKey::in_folder_or_new(folder.path()).unwrap();
        assert_eq!(found.id(), made.id());
        let metadata = std::fs::metadata(folder.path().join(FILE)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, MODE);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_no_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "half a k").unwrap();
        let refused = MasterKey::in_folder_or_new(folder.path());
        assert!(matches!(refused, Err(KeptKeyError::Text(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "half a k");
    }
}
