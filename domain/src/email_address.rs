//! Where mail reaches a person.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Lower-cased, at most 254 bytes, one `@` with something before it and a dotted domain after it.
/// Quoted local parts are refused: what they allow (commas, brackets, spaces) could turn one
/// recipient into several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text does not have the form of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct EmailAddressError;

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(value: EmailAddress) -> Self {
        value.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, EmailAddressError> {
        let address = text.trim().to_lowercase();
        let plain = !address.chars().any(|c| c.is_whitespace() || c.is_control());
        let well_formed = address.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && local.split('.').all(is_atom)
                && !domain.contains('@')
                && domain.contains('.')
                && domain.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        });
        if plain && well_formed && address.len() <= 254 {
            Ok(Self(address))
        } else {
            Err(EmailAddressError)
        }
    }
}

/// A part between dots, as RFC 5322 and RFC 6531 allow it.
fn is_atom(part: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    !part.is_empty() && part.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_lower_cased() {
        let address: EmailAddress = " Amina.W+shop@Example.CO.KE ".parse().unwrap();
        assert_eq!(address.as_str(), "amina.w+shop@example.co.ke");
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_domain = format!("a@{}.com", "b".repeat(250));
        let refused = [
            "",
            "amina",
            "@example.com",
            "amina@",
            "amina@localhost",
            "amina@example..com",
            "amina@-example.com",
            "amina@example-.com",
            "amina@exa mple.com",
            "amina@example.com@example.com",
            "amina w@example.com",
            "amina\n@example.com",
            ".amina@example.com",
            "amina..w@example.com",
            "amina,juma@example.com",
            "<amina>@example.com",
            long_local.as_str(),
            long_domain.as_str(),
        ];
        for text in refused {
            assert_eq!(
                text.parse::<EmailAddress>(),
                Err(EmailAddressError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn json_is_parsed_like_any_other_text() {
        let address: EmailAddress = serde_json::from_str(r#""A@Example.com""#).unwrap();
        assert_eq!(
            serde_json::to_string(&address).unwrap(),
            r#""a@example.com""#
        );
        assert!(serde_json::from_str::<EmailAddress>(r#""nobody""#).is_err());
    }
}
