//! What customers type to be given a promotion.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Upper-cased: three to 32 letters, digits and single hyphens between them. Unique within a store,
/// for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CouponCode(String);

/// The text does not have the form of a coupon's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 3 to 32 letters, digits and single hyphens")]
pub struct CouponCodeError;

impl CouponCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CouponCode {
    type Error = CouponCodeError;

    fn try_from(text: String) -> Result<Self, CouponCodeError> {
        text.parse()
    }
}

impl From<CouponCode> for String {
    fn from(code: CouponCode) -> Self {
        code.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for CouponCode {
    type Err = CouponCodeError;

    fn from_str(text: &str) -> Result<Self, CouponCodeError> {
        let code = text.trim().to_ascii_uppercase();
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
        if (3..=32).contains(&code.len()) && code.split('-').all(is_word) {
            Ok(Self(code))
        } else {
            Err(CouponCodeError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_however_it_is_typed() {
        let code: CouponCode = " karibu-10 ".parse().unwrap();
        assert_eq!(code.as_str(), "KARIBU-10");
        assert_eq!(Ok(code), "Karibu-10".parse());
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        let long = "A".repeat(33);
        for text in [
            "",
            "AB",
            "A B C",
            "-ABC",
            "ABC-",
            "A--B",
            "ÄBC",
            "A_B",
            long.as_str(),
        ] {
            assert_eq!(text.parse::<CouponCode>(), Err(CouponCodeError), "{text:?}");
        }
        assert!("A".repeat(32).parse::<CouponCode>().is_ok());
        assert!(serde_json::from_str::<CouponCode>(r#""A B C""#).is_err());
    }
}
