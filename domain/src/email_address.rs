//! Where mail reaches a person.

mod domain_name;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use unicode_normalization::{UnicodeNormalization, is_nfkc};
use unicode_security::GeneralSecurityProfile;

/// In octets, of the whole and of what stands before the `@` (RFC 5321).
const BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;

/// One `@` with something before it and a dotted domain after it, in one form.
///
/// The domain is ASCII, as IDNA maps it. What stands before it is kept as it was typed, for some
/// servers tell `Amina` from `amina`; two addresses that differ in case only are equal all the same,
/// because nobody gives them to two people.
///
/// Quoted local parts are refused: what they allow (commas, brackets, spaces) could turn one
/// recipient into several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    written: String,
    compared: Box<str>,
}

/// The text does not have the form of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct EmailAddressError;

impl EmailAddress {
    /// As mail is sent to it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// What is the same for all addresses that are equal: for look-ups, claims and counters.
    pub fn comparison_form(&self) -> &str {
        &self.compared
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError)?;
        let local: String = local.nfc().collect();
        let domain = domain_name::to_ascii(domain).ok_or(EmailAddressError)?;
        let is_well_formed =
            local.len() <= LOCAL_BYTES_MAX && local.split('.').all(is_atom) && is_nfkc(&local);
        let written = format!("{local}@{domain}");
        if !is_well_formed || written.len() > BYTES_MAX {
            return Err(EmailAddressError);
        }
        let compared = format!("{}@{domain}", in_lower_case(&local));
        Ok(Self {
            written,
            compared: compared.into(),
        })
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
        value.written
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.compared == other.compared
    }
}

impl Eq for EmailAddress {}

impl PartialOrd for EmailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EmailAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compared.cmp(&other.compared)
    }
}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.compared.hash(state);
    }
}

/// A part between dots, as RFC 5322 and RFC 6531 allow it, without what cannot be seen, what turns
/// the direction of the text, and what only looks like another character: a full-width `ａ` is
/// refused and not made an `a`, because nobody knows whose mailbox the server would take it for.
fn is_atom(part: &str) -> bool {
    let allowed = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
        } else {
            c.identifier_allowed()
        }
    };
    !part.is_empty() && part.chars().all(allowed)
}

/// No more than that: full case folding would take `ı` for `i` and `ß` for `ss`, two people for one.
/// Some capitals have small forms that compose.
fn in_lower_case(local: &str) -> String {
    local.to_lowercase().nfc().collect()
}
