//! The readable part of an address.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One to 100 lower-case letters, digits and single hyphens between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// The text does not have the form of a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 100 lower-case letters, digits and single hyphens")]
pub struct SlugError;

impl Slug {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A slug made of a name: other characters become hyphens. `None` if nothing is left.
    pub fn of_name(name: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            if slug.len() >= 80 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').parse().ok()
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(value: Slug) -> Self {
        value.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let well_formed = (1..=100).contains(&text.len())
            && text.chars().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(SlugError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_slug_is_refused() {
        let long = "a".repeat(101);
        let refused = [
            "",
            "Mugs",
            "red mugs",
            "-mugs",
            "mugs-",
            "red--mugs",
            "mügs",
            "mugs/1",
            long.as_str(),
        ];
        for text in refused {
            assert_eq!(text.parse::<Slug>(), Err(SlugError), "{text:?}");
        }
        for text in ["a", "mugs", "red-mugs-2", &long[..100]] {
            assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_slug_can_be_made_of_a_name() {
        let of_name = |name| Slug::of_name(name).map(String::from);
        assert_eq!(of_name("Red Mugs & Co.").as_deref(), Some("red-mugs-co"));
        assert_eq!(of_name("  5 l -- Bucket! ").as_deref(), Some("5-l-bucket"));
        assert_eq!(of_name("!!!"), None);
    }

    #[test]
    fn a_slug_made_of_a_long_name_is_cut() {
        let slug = Slug::of_name(&"mug ".repeat(100)).unwrap();
        assert!(slug.as_str().len() <= 80);
        assert!(slug.as_str().ends_with("mug"), "{slug}");
    }

    proptest::proptest! {
        #[test]
        fn a_slug_made_of_any_name_is_a_slug(name in ".*") {
            if let Some(slug) = Slug::of_name(&name) {
                proptest::prop_assert_eq!(slug.as_str().parse::<Slug>(), Ok(slug.clone()));
            } else {
                proptest::prop_assert!(!name.chars().any(|c| c.is_ascii_alphanumeric()));
            }
        }
    }
}
