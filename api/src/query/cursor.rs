//! Where the next page of a list begins, in a form that clients do not look into.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Parameter;
use crate::problem::{Code, Problem, Result};

/// A cursor as it came back. It is no secret and proves nothing: what the caller may see is decided
/// by the query, wherever it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// Longer than any that we give.
const CURSOR_BYTES_MAX: usize = 1024;

const CHECK_BYTES: usize = 6;

/// The cursor for the page after the item with this key.
///
/// `list` names the list and all its filters: on another list the cursor is refused.
pub fn cursor(list: &str, key: &impl Serialize) -> String {
    // Keys are plain values, which always have a JSON form.
    let mut bytes = serde_json::to_vec(key).unwrap_or_default();
    let check = check(list, &bytes);
    bytes.extend_from_slice(&check);
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Cursor {
    /// The key that [`cursor`] was made of.
    ///
    /// # Errors
    /// `bad-cursor` if it was changed, or made for another list.
    pub fn key<T: DeserializeOwned>(&self, list: &str) -> Result<T> {
        let bad = || Problem::new(Code::BadCursor);
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| bad())?;
        let at = bytes.len().checked_sub(CHECK_BYTES).ok_or_else(bad)?;
        let (key, found) = bytes.split_at(at);
        if found != check(list, key) {
            return Err(bad());
        }
        serde_json::from_slice(key).map_err(|_| bad())
    }
}

impl Parameter for Cursor {
    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        match text {
            Some(text) if text.len() <= CURSOR_BYTES_MAX => Ok(Self(text.to_owned())),
            Some(_) => Err("is too long".to_owned()),
            None => Err("is missing".to_owned()),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

fn check(list: &str, key: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hash = Sha256::new();
    hash.update(list.as_bytes());
    hash.update([0]);
    hash.update(key);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hash.finalize()[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, list: &str) -> Result<(u32, String)> {
        Cursor(text.to_owned()).key(list)
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let text = cursor("stores", &(7, "a"));
        assert_eq!(read(&text, "stores").unwrap(), (7, "a".to_owned()));
    }

    #[test]
    fn a_changed_or_foreign_cursor_is_refused() {
        let text = cursor("stores", &(7, "a"));
        let mut changed = text.clone().into_bytes();
        changed[2] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        for (text, list) in [
            (text.as_str(), "vendors"),
            (&changed, "stores"),
            ("", "stores"),
            ("?", "stores"),
        ] {
            assert_eq!(
                read(text, list).expect_err("bad").code(),
                Code::BadCursor,
                "{text}"
            );
        }
    }
}
