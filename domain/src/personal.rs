//! What an erasure makes unreadable.

use crate::{AccountId, InvitationId, OrderId, VendorId};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Whose data it is: the id of the account, vendor, order or invitation that a key belongs to.
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

impl From<AccountId> for SubjectId {
    fn from(id: AccountId) -> Self {
        Self(id.as_uuid())
    }
}

impl From<VendorId> for SubjectId {
    fn from(id: VendorId) -> Self {
        Self(id.as_uuid())
    }
}

impl From<InvitationId> for SubjectId {
    fn from(id: InvitationId) -> Self {
        Self(id.as_uuid())
    }
}

impl From<OrderId> for SubjectId {
    fn from(id: OrderId) -> Self {
        Self(id.as_uuid())
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something about a person, which stands in events only in this form: it names its subject, so
/// that the log can keep it under that subject's key and an erasure can make it unreadable.
///
/// Aggregates have it open. Whatever is read off the log as it stands there, read models above all,
/// has it sealed.
///
/// It never shows itself in `Debug`, so that it cannot slip into a log line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written<T>", into = "Written<T>")]
#[serde(bound(serialize = "T: Clone + Serialize"))]
pub struct Personal<T> {
    subject: SubjectId,
    content: Content<T>,
}

#[derive(Clone, PartialEq, Eq)]
enum Content<T> {
    Open(T),
    Sealed(String),
    Erased,
}

/// As it stands in JSON. The log finds these members by their names: see `event-log/src/vault`.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
#[expect(clippy::option_option, reason = "a member may be missing, or be null")]
struct Written<T> {
    #[serde(rename = "personal_of")]
    subject: SubjectId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    /// `None` of what is sealed, and `Some(None)` once the subject is erased.
    #[serde(
        default = "Option::default",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    value: Option<Option<T>>,
}

/// What is written of something personal is neither the value nor its seal.
#[derive(Debug, thiserror::Error)]
#[error("needs either `value` or `sealed`")]
struct NeitherOpenNorSealed;

impl<T> Personal<T> {
    pub const fn new(subject: SubjectId, value: T) -> Self {
        Self {
            subject,
            content: Content::Open(value),
        }
    }

    /// What is left once the subject is erased: that there was something.
    pub const fn erased(subject: SubjectId) -> Self {
        Self {
            subject,
            content: Content::Erased,
        }
    }

    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// `None` if the person was erased, and of what is still sealed.
    pub const fn value(&self) -> Option<&T> {
        match &self.content {
            Content::Open(value) => Some(value),
            Content::Sealed(_) | Content::Erased => None,
        }
    }

    /// What only the key of the subject opens, if it is sealed.
    pub fn sealed(&self) -> Option<&str> {
        match &self.content {
            Content::Sealed(sealed) => Some(sealed),
            Content::Open(_) | Content::Erased => None,
        }
    }
}

impl<T> From<Personal<T>> for Written<T> {
    fn from(personal: Personal<T>) -> Self {
        let (sealed, value) = match personal.content {
            Content::Open(value) => (None, Some(Some(value))),
            Content::Sealed(sealed) => (Some(sealed), None),
            Content::Erased => (None, Some(None)),
        };
        Self {
            subject: personal.subject,
            sealed,
            value,
        }
    }
}

impl<T> TryFrom<Written<T>> for Personal<T> {
    type Error = NeitherOpenNorSealed;

    fn try_from(written: Written<T>) -> Result<Self, NeitherOpenNorSealed> {
        let content = match (written.sealed, written.value) {
            (Some(sealed), None) => Content::Sealed(sealed),
            (None, Some(Some(value))) => Content::Open(value),
            (None, Some(None)) => Content::Erased,
            (Some(_), Some(_)) | (None, None) => return Err(NeitherOpenNorSealed),
        };
        Ok(Self {
            subject: written.subject,
            content,
        })
    }
}

/// Tells a member that is `null` from one that is not there.
#[expect(clippy::option_option, reason = "a member may be missing, or be null")]
fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal(of {})", self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json, to_value};

    const SUBJECT: &str = "00000000-0000-0000-0000-000000000007";

    #[test]
    fn each_form_is_read_as_it_is_written() {
        for written in [
            json!({ "personal_of": SUBJECT, "value": "Wanjiru" }),
            json!({ "personal_of": SUBJECT, "sealed": "b2Zm" }),
            json!({ "personal_of": SUBJECT, "value": null }),
        ] {
            let personal: Personal<String> = from_value(written.clone()).unwrap();
            assert_eq!(to_value(personal).unwrap(), written);
        }
    }

    #[test]
    fn only_what_is_open_has_a_value() {
        assert_eq!(
            read(json!({ "value": "Wanjiru" })).value(),
            Some(&"Wanjiru".to_owned())
        );
        assert_eq!(read(json!({ "value": null })).value(), None);
        let sealed = read(json!({ "sealed": "b2Zm" }));
        assert_eq!((sealed.value(), sealed.sealed()), (None, Some("b2Zm")));
    }

    #[test]
    fn something_of_a_person_has_one_form_and_no_other() {
        for written in [
            json!({ "personal_of": SUBJECT }),
            json!({ "personal_of": SUBJECT, "value": "Wanjiru", "sealed": "b2Zm" }),
            json!({ "value": "Wanjiru" }),
        ] {
            assert!(from_value::<Personal<String>>(written).is_err());
        }
    }

    #[test]
    fn nothing_of_it_shows_in_a_log_line() {
        let line = format!("{:?}", read(json!({ "value": "Wanjiru" })));
        assert_eq!(line, format!("Personal(of {SUBJECT})"));
    }

    fn read(mut written: Value) -> Personal<String> {
        written["personal_of"] = SUBJECT.into();
        from_value(written).unwrap()
    }
}
