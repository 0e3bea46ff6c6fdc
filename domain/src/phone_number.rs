//! Where a call reaches a person.

use serde::{Deserialize, Serialize};
use std::fmt;

/// E.164: a plus sign and 8 to 15 digits, the first of them not zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// The text does not have the form of an international phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an international phone number such as +254712345678")]
pub struct PhoneNumberError;

impl PhoneNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneNumberError;

    fn try_from(text: String) -> Result<Self, PhoneNumberError> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(value: PhoneNumber) -> Self {
        value.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, PhoneNumberError> {
        let number: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '(' | ')'))
            .collect();
        let digits = number.strip_prefix('+').unwrap_or_default();
        let well_formed = (8..=15).contains(&digits.len())
            && digits.chars().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(number))
        } else {
            Err(PhoneNumberError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_is_dropped() {
        for text in ["+254712345678", "+254 712-345 678", "+(254) 712 345 678"] {
            let number: PhoneNumber = text.parse().unwrap();
            assert_eq!(number.as_str(), "+254712345678", "{text:?}");
        }
    }

    #[test]
    fn a_number_has_8_to_15_digits() {
        assert!("+12345678".parse::<PhoneNumber>().is_ok());
        assert!("+123456789012345".parse::<PhoneNumber>().is_ok());
        assert!("+1234567".parse::<PhoneNumber>().is_err());
        assert!("+1234567890123456".parse::<PhoneNumber>().is_err());
    }

    #[test]
    fn what_is_not_an_international_number_is_refused() {
        let refused = [
            "",
            "+",
            "0712345678",
            "254712345678",
            "+0712345678",
            "++254712345678",
            "+25471234567x",
            "+٢٥٤٧١٢٣٤٥٦٧٨",
        ];
        for text in refused {
            assert_eq!(
                text.parse::<PhoneNumber>(),
                Err(PhoneNumberError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn json_is_parsed_like_any_other_text() {
        let number: PhoneNumber = serde_json::from_str(r#""+263 77 123 4567""#).unwrap();
        assert_eq!(
            serde_json::to_string(&number).unwrap(),
            r#""+263771234567""#
        );
        assert!(serde_json::from_str::<PhoneNumber>(r#""077""#).is_err());
    }
}
