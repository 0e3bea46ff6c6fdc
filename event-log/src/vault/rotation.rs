//! What happens when the master key changes.

use super::{Vault, VaultError};
use soko_domain::SubjectId;
use sqlx::Row;
use uuid::Uuid;

/// How many keys are sealed anew at once.
const BATCH: i64 = 500;

/// Why the master keys that are set cannot be used, or the keys not be sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error("personal data is sealed with the master key {0}, which is not set")]
    Missing(String),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
}

impl Vault {
    /// Notes that the master key is in use from now on, unless one is missing that is.
    ///
    /// # Errors
    /// [`RotationError::Missing`], [`RotationError::Database`].
    pub async fn enter(&self) -> Result<(), RotationError> {
        let in_use: Vec<String> =
            sqlx::query_scalar("SELECT key_id FROM master_keys WHERE retired_at IS NULL")
                .fetch_all(&self.0.pool)
                .await?;
        let mut in_use = in_use.into_iter();
        if let Some(missing) = in_use.find(|id| !self.masters().knows(id)) {
            return Err(RotationError::Missing(missing));
        }
        sqlx::query(
            "INSERT INTO master_keys (key_id, entered_at) VALUES ($1, clock_timestamp()) \
             ON CONFLICT (key_id) DO UPDATE SET retired_at = NULL \
             WHERE master_keys.retired_at IS NOT NULL",
        )
        .bind(self.masters().current().id())
        .execute(&self.0.pool)
        .await?;
        Ok(())
    }

    /// Seals every data key with the master key in use that an earlier one has sealed, and notes
    /// that the earlier ones are needed no more. How many it were.
    ///
    /// Nothing is lost if it ends half way, or runs twice at once.
    ///
    /// # Errors
    /// [`RotationError`].
    pub async fn rotate(&self) -> Result<u64, RotationError> {
        let current = self.masters().current().id();
        let outdated: Vec<String> = sqlx::query_scalar(
            "SELECT key_id FROM master_keys WHERE retired_at IS NULL AND key_id <> $1",
        )
        .bind(&current)
        .fetch_all(&self.0.pool)
        .await?;
        if outdated.is_empty() {
            return Ok(0);
        }
        let mut count = 0;
        let mut after = Uuid::nil();
        while let Some((last, sealed)) = self.rotate_some(after).await? {
            after = last;
            count += sealed;
        }
        sqlx::query(
            "UPDATE master_keys SET retired_at = clock_timestamp() WHERE key_id = ANY ($1)",
        )
        .bind(outdated)
        .execute(&self.0.pool)
        .await?;
        Ok(count)
    }

    /// The last subject that was looked at, and how many keys were sealed anew.
    async fn rotate_some(&self, after: Uuid) -> Result<Option<(Uuid, u64)>, RotationError> {
        let rows = sqlx::query(
            "SELECT subject_id, sealed_key FROM personal_keys \
             WHERE subject_id > $1 AND sealed_key IS NOT NULL ORDER BY subject_id LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(&self.0.pool)
        .await?;
        let mut last = None;
        let (mut subjects, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let id: Uuid = row.try_get("subject_id")?;
            let sealed: Vec<u8> = row.try_get("sealed_key")?;
            last = Some(id);
            if self.masters().is_outdated(&sealed) {
                let subject = SubjectId::from_uuid(id);
                let key = self.open_key(subject, &sealed)?;
                subjects.push(id);
                new.push(self.seal_key(subject, &key));
                old.push(sealed);
            }
        }
        let Some(last) = last else { return Ok(None) };
        let count = subjects.len() as u64;
        if count > 0 {
            // Only what is still as it was read: a key that was destroyed meanwhile stays so.
            sqlx::query("SELECT reseal_personal_keys($1, $2, $3)")
                .bind(subjects)
                .bind(old)
                .bind(new)
                .execute(&self.0.pool)
                .await?;
        }
        Ok(Some((last, count)))
    }
}
