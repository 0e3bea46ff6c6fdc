//! Where goods are sent.

use crate::{PhoneNumber, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 3166-1 alpha-2 code: two upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

/// The text is not two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a two-letter ISO 3166 country code")]
pub struct CountryCodeError;

impl std::str::FromStr for CountryCode {
    type Err = CountryCodeError;

    fn from_str(text: &str) -> Result<Self, CountryCodeError> {
        match text.to_ascii_uppercase().as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(CountryCodeError),
        }
    }
}

impl TryFrom<String> for CountryCode {
    type Error = CountryCodeError;

    fn try_from(text: String) -> Result<Self, CountryCodeError> {
        text.parse()
    }
}

impl From<CountryCode> for String {
    fn from(code: CountryCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

/// A delivery address and whom to call there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub name: Text<120>,
    pub phone: PhoneNumber,
    pub line1: Text<200>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<Text<200>>,
    pub city: Text<100>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<Text<100>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text<20>>,
    pub country: CountryCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_code_is_two_letters() {
        assert_eq!("ke".parse::<CountryCode>().unwrap().to_string(), "KE");
        for text in ["", "K", "KEN", "K1", "é", " KE"] {
            assert_eq!(
                text.parse::<CountryCode>(),
                Err(CountryCodeError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_address_needs_only_what_every_country_has() {
        let json = r#"{"name":"Amina","phone":"+254712345678","line1":"Moi Avenue 1","city":"Nairobi","country":"KE"}"#;
        let address: Address = serde_json::from_str(json).unwrap();
        assert_eq!(address.postal_code, None);
        assert_eq!(serde_json::to_string(&address).unwrap(), json);
    }

    #[test]
    fn an_address_has_no_unknown_parts() {
        let json = r#"{"name":"Amina","phone":"+254712345678","line1":"Moi Avenue 1","city":"Nairobi","country":"KE","zip":"00100"}"#;
        assert!(serde_json::from_str::<Address>(json).is_err());
    }
}
