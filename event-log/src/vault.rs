//! Keeps what is personal unreadable to whoever has the database and not the master key, and makes
//! it unreadable to all once its subject is erased.
//!
//! Each subject has a data key, which lies in `personal_keys`, sealed by a master key that comes
//! from outside. An event's personal values are sealed with the key of their subject before the
//! event is appended, and the key of a new subject becomes durable with its first event. To erase
//! somebody is to destroy the key: the log stays as it is, and nobody can read what was about them.

mod cipher;
mod kept;
mod keys;
mod master_keys;
mod personal_json;
mod rotation;
mod sealing;

pub use cipher::BrokenSeal;
pub use kept::KeptKeyError;
pub(crate) use keys::subjects_sealed_in;
pub use keys::{DataKey, Keys};
pub use master_keys::{MasterKey, MasterKeyError, MasterKeys, OpenError};
pub use rotation::RotationError;
pub(crate) use sealing::is_open;
pub use sealing::{NewKey, Sealer};

use crate::ShortMemory;
use soko_domain::SubjectId;
use sqlx::{PgPool, Row};
use std::fmt;
use std::sync::Arc;

/// What a data key is sealed for.
const PURPOSE: &str = "personal key";

/// Why something personal cannot be sealed or opened, where nobody is erased.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the keys of personal data cannot be read")]
    Database(#[from] sqlx::Error),
    #[error("the key of {subject} cannot be opened")]
    Key {
        subject: SubjectId,
        #[source]
        cause: OpenError,
    },
    #[error("something personal of {0} has no key")]
    NoKey(SubjectId),
    #[error("something personal of {subject} cannot be opened")]
    Value {
        subject: SubjectId,
        #[source]
        cause: BrokenSeal,
    },
    #[error("something personal of {subject} has another form than it should")]
    Form {
        subject: SubjectId,
        #[source]
        cause: serde_json::Error,
    },
}

/// What is known of a subject's key.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Key(Arc<DataKey>),
    Erased,
}

/// Seals and opens what is personal; cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    pool: PgPool,
    masters: MasterKeys,
    known: ShortMemory<SubjectId, Known>,
}

impl Vault {
    pub fn new(pool: PgPool, masters: MasterKeys) -> Self {
        Self(Arc::new(Inner {
            pool,
            masters,
            known: ShortMemory::default(),
        }))
    }

    pub fn masters(&self) -> &MasterKeys {
        &self.0.masters
    }

    /// The keys of these subjects, as far as there are any. One round trip, or none if all of them
    /// were asked for within the last second.
    ///
    /// # Errors
    /// [`VaultError::Database`], [`VaultError::Key`].
    pub async fn keys(
        &self,
        subjects: impl IntoIterator<Item = SubjectId>,
    ) -> Result<Keys, VaultError> {
        let mut keys = Keys::default();
        let mut unknown = Vec::new();
        for subject in subjects {
            match self.at_hand(subject) {
                Some(known) => keys.learn(subject, known),
                None => unknown.push(subject.as_uuid()),
            }
        }
        if unknown.is_empty() {
            return Ok(keys);
        }
        let since = self.0.known.begin();
        let rows = sqlx::query(
            "SELECT subject_id, sealed_key FROM personal_keys WHERE subject_id = ANY ($1)",
        )
        .bind(unknown)
        .fetch_all(&self.0.pool)
        .await?;
        for row in rows {
            let subject = SubjectId::from_uuid(row.try_get("subject_id")?);
            let sealed: Option<Vec<u8>> = row.try_get("sealed_key")?;
            let known = match sealed {
                Some(sealed) => Known::Key(Arc::new(self.open_key(subject, &sealed)?)),
                None => Known::Erased,
            };
            self.0.known.keep(subject, known.clone(), since);
            keys.learn(subject, known);
        }
        Ok(keys)
    }

    /// Called when keys have been destroyed, before that is answered. Other nodes find it out within
    /// a second.
    pub fn look_again(&self) {
        self.0.known.forget_all();
    }

    pub(crate) fn at_hand(&self, subject: SubjectId) -> Option<Known> {
        self.0.known.get(&subject)
    }

    fn open_key(&self, subject: SubjectId, sealed: &[u8]) -> Result<DataKey, VaultError> {
        let owner = subject.as_uuid();
        let opened = self.0.masters.open(PURPOSE, owner.as_bytes(), sealed);
        let key = opened.and_then(|bytes| DataKey::try_from(bytes.as_slice()).map_err(Into::into));
        key.map_err(|cause| VaultError::Key { subject, cause })
    }

    fn seal_key(&self, subject: SubjectId, key: &DataKey) -> Vec<u8> {
        let owner = subject.as_uuid();
        self.0.masters.seal(PURPOSE, owner.as_bytes(), key.bytes())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
