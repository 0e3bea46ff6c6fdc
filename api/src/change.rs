//! A member of a `PATCH` that may be changed, taken away, or left out.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::body::{Readable, Reading};
use crate::schema::{Components, Described};

/// Needs `#[serde(default)]` on its field: what is left out is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Keep,
    /// `null`
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// Makes the change.
    pub fn apply(self, value: &mut Option<T>) {
        match self {
            Self::Keep => (),
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }

    /// `None` keeps what there is, `Some(None)` takes it away.
    pub fn into_option(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(new) => Some(Some(new)),
        }
    }

    #[must_use]
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(new) => Change::Set(map(new)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

impl<T: Described> Described for Change<T> {
    const OPTIONAL: bool = true;

    fn schema(components: &mut Components) -> Value {
        Option::<T>::schema(components)
    }
}

impl<T: Readable> Readable for Change<T> {
    fn inspect(value: &Value, reading: &mut Reading) {
        <Option<T> as Readable>::inspect(value, reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse;
    use crate::schema::body;

    body! {
        struct Patch {
            #[serde(default)]
            phone: Change<u32>,
        }
    }

    #[test]
    fn what_is_left_out_is_kept_and_null_takes_away() {
        let phone = |body: &str| parse::<Patch>(body.as_bytes()).unwrap().phone;
        assert_eq!(phone("{}"), Change::Keep);
        assert_eq!(phone(r#"{"phone":null}"#), Change::Clear);
        assert_eq!(phone(r#"{"phone":7}"#), Change::Set(7));
        assert!(parse::<Patch>(br#"{"phone":"7"}"#).is_err());
    }
}
