//! What an erasure makes unreadable.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Whose data it is: the id of the account, vendor or order that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(Uuid);

impl SubjectId {
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

/// Something about a person, which stands in events only in this form: it names its subject, so
/// that the log can keep it under that subject's key and an erasure can make it unreadable.
///
/// It never shows itself in `Debug`, so that it cannot slip into a log line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal<T> {
    #[serde(rename = "personal_of")]
    subject: SubjectId,
    /// `None` once the subject is erased.
    value: Option<T>,
}

impl<T> Personal<T> {
    pub const fn new(subject: SubjectId, value: T) -> Self {
        Self {
            subject,
            value: Some(value),
        }
    }

    /// What is left once the subject is erased: that there was something.
    pub const fn erased(subject: SubjectId) -> Self {
        Self {
            subject,
            value: None,
        }
    }

    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// `None` if the person was erased.
    pub const fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal(of {})", self.subject.0)
    }
}
