//! The keys of some subjects, and what they open.

use super::cipher::{BrokenSeal, SecretKey};
use super::personal_json::visit_sealed;
use super::{Known, VaultError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde_json::Value;
use soko_domain::{Personal, SubjectId};
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt;

/// What everything personal of one subject is sealed with.
pub struct DataKey(SecretKey);

/// What is known of the keys of some subjects.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<SubjectId, Known>);

impl DataKey {
    pub(super) fn random() -> Self {
        Self(SecretKey::random())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// In base64, for the member `sealed`.
    pub(super) fn seal(&self, subject: SubjectId, value: &str) -> String {
        let sealed = self.0.seal(subject.as_uuid().as_bytes(), value.as_bytes());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    fn open<T: DeserializeOwned>(&self, subject: SubjectId, sealed: &str) -> Result<T, VaultError> {
        let broken = |cause| VaultError::Value { subject, cause };
        let bytes = URL_SAFE_NO_PAD
            .decode(sealed)
            .map_err(|_| broken(BrokenSeal))?;
        let json = self
            .0
            .open(subject.as_uuid().as_bytes(), &bytes)
            .map_err(broken)?;
        serde_json::from_slice(&json).map_err(|cause| VaultError::Form { subject, cause })
    }
}

impl TryFrom<&[u8]> for DataKey {
    type Error = BrokenSeal;

    fn try_from(bytes: &[u8]) -> Result<Self, BrokenSeal> {
        let bytes = bytes.try_into().map_err(|_| BrokenSeal)?;
        Ok(Self(SecretKey::from_bytes(bytes)))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

impl Keys {
    /// The value, if the subject is not erased.
    ///
    /// # Errors
    /// [`VaultError`], but for [`VaultError::Database`].
    pub fn open<T>(&self, personal: &Personal<T>) -> Result<Option<T>, VaultError>
    where
        T: Clone + DeserializeOwned,
    {
        let Some(sealed) = personal.sealed() else {
            return Ok(personal.value().cloned());
        };
        let subject = personal.subject();
        match self.of(subject)? {
            Known::Key(key) => key.open(subject, sealed).map(Some),
            Known::Erased => Ok(None),
        }
    }

    /// Opens all that is sealed in the JSON of an event; what is erased becomes `null`.
    ///
    /// # Errors
    /// [`VaultError`], but for [`VaultError::Database`].
    pub fn open_json(&self, json: &mut Value) -> Result<(), VaultError> {
        visit_sealed(json, &mut |subject, sealed| {
            Ok(Some(match self.of(subject)? {
                Known::Key(key) => key.open(subject, sealed)?,
                Known::Erased => Value::Null,
            }))
        })
    }

    pub(crate) fn get(&self, subject: SubjectId) -> Option<&Known> {
        self.0.get(&subject)
    }

    pub(crate) fn learn(&mut self, subject: SubjectId, known: Known) {
        self.0.insert(subject, known);
    }

    /// Takes in what others know.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    fn of(&self, subject: SubjectId) -> Result<&Known, VaultError> {
        self.get(subject).ok_or(VaultError::NoKey(subject))
    }
}

/// Whose keys it takes to open the JSON of an event.
pub(crate) fn subjects_sealed_in(json: &mut Value, subjects: &mut BTreeSet<SubjectId>) {
    let visited = visit_sealed::<Infallible>(json, &mut |subject, _| {
        subjects.insert(subject);
        Ok(None)
    });
    let Ok(()) = visited;
}
