//! What a vendor calls a variant.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Upper-cased: one to 64 letters, digits, `-`, `_`, `.` or `/`. Unique within a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

/// The text does not have the form of a stock keeping unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, '-', '_', '.' or '/'")]
pub struct SkuError;

impl Sku {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = SkuError;

    fn try_from(text: String) -> Result<Self, SkuError> {
        text.parse()
    }
}

impl From<Sku> for String {
    fn from(value: Sku) -> Self {
        value.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Sku {
    type Err = SkuError;

    fn from_str(text: &str) -> Result<Self, SkuError> {
        let sku = text.trim().to_ascii_uppercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if (1..=64).contains(&sku.len()) && sku.chars().all(allowed) {
            Ok(Self(sku))
        } else {
            Err(SkuError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_trimmed_and_upper_cased() {
        let sku: Sku = " mug-01/red_A.2 ".parse().unwrap();
        assert_eq!(sku.as_str(), "MUG-01/RED_A.2");
    }

    #[test]
    fn what_is_not_a_sku_is_refused() {
        let long = "A".repeat(65);
        for text in ["", "  ", "MUG 01", "MUG#1", "MÜG", long.as_str()] {
            assert_eq!(text.parse::<Sku>(), Err(SkuError), "{text:?}");
        }
        assert!("A".repeat(64).parse::<Sku>().is_ok());
    }

    #[test]
    fn json_is_parsed_like_any_other_text() {
        let sku: Sku = serde_json::from_str(r#""mug-01""#).unwrap();
        assert_eq!(serde_json::to_string(&sku).unwrap(), r#""MUG-01""#);
        assert!(serde_json::from_str::<Sku>(r#""MUG 01""#).is_err());
    }
}
