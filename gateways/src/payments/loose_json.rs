//! JSON of people who write the same number now as a number and now as a text.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A text, or a number as it was written, digit by digit. Whatever else stands there is nothing: a
/// part that we could do without must not make the rest unreadable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose(Option<String>);

impl Loose {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// `None` if it is not there, or empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(text_of(raw)))
    }
}

fn text_of(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' | b't' | b'f' => Some(json.to_owned()),
        _ => None,
    }
}

/// One value or a list of them, whichever it is; nothing else, nothing.
pub(super) fn one_or_many<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Vec<T> {
    let Some(raw) = raw else { return Vec::new() };
    serde_json::from_str::<Vec<T>>(raw.get())
        .or_else(|_| serde_json::from_str::<T>(raw.get()).map(|one| vec![one]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Loose>(json).unwrap().0
    }

    #[test]
    fn numbers_and_texts_are_read_alike() {
        assert_eq!(read("1.00").as_deref(), Some("1.00"));
        assert_eq!(read(r#""1.00""#).as_deref(), Some("1.00"));
        assert_eq!(read(" 20191219102115 ").as_deref(), Some("20191219102115"));
        assert_eq!(read(r#""a\/b""#).as_deref(), Some("a/b"));
        assert_eq!(read("true").as_deref(), Some("true"));
        for nothing in ["null", "{}", r#"["1"]"#, r#"{"a":1}"#] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_list_of_one_may_be_written_without_the_list() {
        let one: &RawValue = serde_json::from_str("1").unwrap();
        let many: &RawValue = serde_json::from_str("[1,2]").unwrap();
        assert_eq!(one_or_many::<u8>(Some(one)), [1]);
        assert_eq!(one_or_many::<u8>(Some(many)), [1, 2]);
        assert_eq!(one_or_many::<u8>(None), [0_u8; 0]);
    }
}
