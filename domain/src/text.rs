//! Short texts that people type: names, descriptions, reasons.

use crate::ids::AggregateId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Trimmed, not empty, at most `MAX` characters, no control characters but line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(Cow<'static, str>);

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("must be at most {max} characters")]
    TooLong { max: usize },
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl<const MAX: usize> Text<MAX> {
    /// A text of our own, in printable ASCII.
    ///
    /// # Panics
    /// It is not well formed: write it in a `const`, so that the compiler finds out.
    #[must_use]
    pub const fn literal(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= MAX);
        assert!(bytes[0] != b' ' && bytes[bytes.len() - 1] != b' ');
        let mut index = 0;
        while index < bytes.len() {
            assert!(bytes[index] == b' ' || bytes[index].is_ascii_graphic());
            index += 1;
        }
        Self(Cow::Borrowed(text))
    }

    /// An id, where somebody may give a name of their own in place of it.
    pub fn of_id(id: impl AggregateId) -> Self {
        const { assert!(MAX >= 36, "a UUID would not fit") };
        Self(Cow::Owned(id.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(TextError::Empty);
        }
        if trimmed.chars().count() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        if trimmed
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err(TextError::ControlCharacter);
        }
        Ok(Self(Cow::Owned(if trimmed.len() == text.len() {
            text
        } else {
            trimmed.to_owned()
        })))
    }
}

impl<const MAX: usize> std::str::FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::try_from(text.to_owned())
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0.into_owned()
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LITERAL: Text<8> = Text::literal("by store");

    #[test]
    fn our_own_texts_are_like_those_that_people_type() {
        assert_eq!(LITERAL, "by store".parse().unwrap());
        let id = crate::OrderId::from(Uuid::from_u128(1));
        assert_eq!(Text::<36>::of_id(id).as_str(), id.to_string());
    }

    #[test]
    #[should_panic(expected = "assertion failed")]
    fn our_own_texts_are_held_to_the_same_rules() {
        let _ = Text::<7>::literal("by store");
    }

    #[test]
    fn a_text_is_trimmed() {
        let text: Text<10> = " a mug\n".parse().unwrap();
        assert_eq!(text.as_str(), "a mug");
    }

    #[test]
    fn a_text_is_not_empty() {
        assert_eq!("".parse::<Text<10>>(), Err(TextError::Empty));
        assert_eq!(" \n\t ".parse::<Text<10>>(), Err(TextError::Empty));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!("çéñüčšž123".parse::<Text<10>>().is_ok());
        assert_eq!(
            "çéñüčšž1234".parse::<Text<10>>(),
            Err(TextError::TooLong { max: 10 })
        );
    }

    #[test]
    fn line_breaks_and_tabs_are_text_but_no_other_control_character_is() {
        assert!("one\r\n\ttwo".parse::<Text<10>>().is_ok());
        for text in ["a\0b", "a\u{1b}[31m", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(
                text.parse::<Text<10>>(),
                Err(TextError::ControlCharacter),
                "{text:?}"
            );
        }
    }

    #[test]
    fn json_is_parsed_like_any_other_text() {
        let text: Text<10> = serde_json::from_str(r#"" mug ""#).unwrap();
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""mug""#);
        assert!(serde_json::from_str::<Text<10>>(r#""""#).is_err());
    }
}
