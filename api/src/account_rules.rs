//! What is asked of accounts.

use std::str::FromStr;

use crate::passwords::Length;

/// How much is asked of those who come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRules {
    /// Whoever registers is in: for trying Soko out, and for tests.
    Open,
    /// What a service needs that strangers can reach: nobody is in whose e-mail is not verified,
    /// nobody learns whose e-mail is known, and those who run the platform show a second factor.
    Strict,
}

impl AccountRules {
    pub const fn is_strict(self) -> bool {
        match self {
            Self::Open => false,
            Self::Strict => true,
        }
    }

    /// How long a password has to be (NIST SP 800-63B-4, 3.1.1.2).
    pub const fn password_length(self, has_second_factor: bool) -> Length {
        match (self, has_second_factor) {
            (Self::Strict, false) => Length::Alone,
            (Self::Open, _) | (Self::Strict, true) => Length::WithSecondFactor,
        }
    }
}

impl FromStr for AccountRules {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "open" => Ok(Self::Open),
            "strict" => Ok(Self::Strict),
            _ => Err(()),
        }
    }
}
