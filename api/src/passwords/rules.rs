//! Which passwords are good enough: those of NIST SP 800-63B that fit. Length counts, and not being
//! what everybody tries first; which characters it has does not.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::common::is_listed;
use crate::secret::Secret;

const CHARACTERS_MAX: usize = 128;

/// Well above the most characters, in the longest encoding.
const BYTES_MAX: usize = 1024;

/// How long a password must be, by what it protects with: those of NIST SP 800-63B-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Length {
    /// All that is asked for.
    Alone = 15,
    WithSecondFactor = 8,
}

impl Length {
    pub const fn characters_min(self) -> usize {
        self as usize
    }
}

/// A password that may be set.
pub struct NewPassword(String);

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("must have at least {} characters", .0.characters_min())]
    TooShort(Length),
    #[error("must have at most {CHARACTERS_MAX} characters")]
    TooLong,
    #[error("must not contain control characters")]
    ControlCharacter,
    #[error("is one of those that are tried first")]
    Common,
    #[error("must not be made of the e-mail or the name")]
    Personal,
}

impl NewPassword {
    /// `personal` is what others know of the person.
    ///
    /// # Errors
    /// Why it may not be set.
    pub fn parse(
        password: &Secret,
        personal: &[&str],
        length: Length,
    ) -> Result<Self, PasswordError> {
        if password.expose().len() > BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let normal = normal(password);
        let characters = normal.chars().count();
        if characters < length.characters_min() {
            return Err(PasswordError::TooShort(length));
        }
        if characters > CHARACTERS_MAX {
            return Err(PasswordError::TooLong);
        }
        if normal.chars().any(char::is_control) {
            return Err(PasswordError::ControlCharacter);
        }
        let lower = normal.to_lowercase();
        if is_common(&lower) {
            return Err(PasswordError::Common);
        }
        let is_personal = |text: &&str| is_made_of(&lower, &text.to_lowercase());
        if personal.iter().any(is_personal) {
            return Err(PasswordError::Personal);
        }
        Ok(Self(normal.into_owned()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword")
    }
}

/// The same text in the same bytes, however the keyboard made it; nothing else is changed.
pub(super) fn normal(password: &Secret) -> Cow<'_, str> {
    let text = password.expose();
    // Not worth the work for one that is refused anyway.
    if text.len() > BYTES_MAX || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn is_common(lower: &str) -> bool {
    is_listed(lower) || repeats(lower) || is_run(lower)
}

/// `aaaaaaaa`, `abcabcabc`: a short piece over and over.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=3).any(|period| {
        characters
            .iter()
            .zip(characters.iter().skip(period))
            .all(|(one, other)| one == other)
    })
}

/// `12345678`, `hgfedcba`: each character next to the one before it.
fn is_run(text: &str) -> bool {
    let numbers: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    [1, -1]
        .iter()
        .any(|step| numbers.windows(2).all(|pair| pair[1] - pair[0] == *step))
}

/// Also with digits or signs after it, and of an e-mail what stands before the `@`.
fn is_made_of(password: &str, personal: &str) -> bool {
    let stem = |text: &str| {
        text.trim_end_matches(|c: char| !c.is_alphabetic())
            .to_owned()
    };
    let local = personal.split('@').next().unwrap_or(personal);
    [personal, local]
        .iter()
        .any(|known| stem(known) == stem(password) && !stem(known).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(password: &str) -> Result<(), PasswordError> {
        let personal = ["amina.otieno@example.com", "Amina Otieno"];
        let password = password.to_owned().into();
        NewPassword::parse(&password, &personal, Length::WithSecondFactor).map(drop)
    }

    #[test]
    fn length_counts_and_not_which_characters_it_has() {
        assert_eq!(verdict("correct horse battery"), Ok(()));
        assert_eq!(verdict("nyumba ya kijani"), Ok(()));
        assert_eq!(verdict("пароль надежный"), Ok(()));
        let too_short = Err(PasswordError::TooShort(Length::WithSecondFactor));
        assert_eq!(verdict("1234567"), too_short);
        assert_eq!(verdict(&"wxyz".repeat(32)), Ok(()));
        assert_eq!(
            verdict(&format!("{}x", "ab cd ef gh ".repeat(11))),
            Err(PasswordError::TooLong)
        );
        assert_eq!(
            verdict(&"é".repeat(10_000_000)),
            Err(PasswordError::TooLong)
        );
        assert_eq!(
            verdict("zero\u{0}byte-inside"),
            Err(PasswordError::ControlCharacter)
        );
    }

    #[test]
    fn a_password_alone_has_to_be_longer() {
        let verdict =
            |text: &str| NewPassword::parse(&text.to_owned().into(), &[], Length::Alone).map(drop);
        assert_eq!(
            verdict("nyumba kijani"),
            Err(PasswordError::TooShort(Length::Alone))
        );
        assert_eq!(verdict("nyumba ya kijan"), Ok(()));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in [
            "password",
            "Password1",
            "PASSWORD123!",
            "qwertyuiop",
            "12345678",
            "87654321",
            "aaaaaaaaaa",
            "abcabcabc",
            "iloveyou2",
            "abcdefghij",
            "1Q2w3e4r5t6y",
            "Poohbear2019!",
        ] {
            assert_eq!(verdict(common), Err(PasswordError::Common), "{common}");
        }
    }

    #[test]
    fn what_others_know_of_the_person_is_refused() {
        for known in [
            "amina.otieno",
            "amina.otieno@example.com",
            "Amina.Otieno1",
            "amina otieno",
        ] {
            assert_eq!(verdict(known), Err(PasswordError::Personal), "{known}");
        }
    }
}
