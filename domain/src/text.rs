//! Short texts that people type: names, descriptions, reasons.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Trimmed, not empty, at most `MAX` characters, no control characters but line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

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
        Ok(Self(if trimmed.len() == text.len() {
            text
        } else {
            trimmed.to_owned()
        }))
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
        text.0
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
