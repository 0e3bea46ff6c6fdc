//! Under whose name idempotency keys are kept: the same key of two callers is two keys.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use soko_domain::AccountId;

/// A key of so many characters cannot be guessed, and no two clients choose the same.
const UNIQUE_KEY_CHARACTERS: usize = 22;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyScope {
    Account(AccountId),
    /// Has a token of a cart, of which this is the digest.
    Guest(String),
    /// Nothing but the key tells who it is, and where they are: a phone that repeats a request may
    /// do so from another network.
    Stranger(IpAddr),
}

impl KeyScope {
    pub(super) fn of_guest(cart_token: &str) -> Self {
        Self::Guest(digest(cart_token))
    }

    /// What the key is kept under.
    pub(super) fn of(&self, key: &str) -> String {
        match self {
            Self::Account(account_id) => format!("account:{account_id}"),
            Self::Guest(digest) => format!("guest:{digest}"),
            Self::Stranger(_) if key.len() >= UNIQUE_KEY_CHARACTERS => "guest".to_owned(),
            Self::Stranger(network) => format!("network:{}", digest(&network.to_string())),
        }
    }
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_of_strangers_is_not_the_same_everywhere() {
        let [here, there] =
            ["192.0.2.1", "192.0.2.2"].map(|address| KeyScope::Stranger(address.parse().unwrap()));
        assert_eq!(here.of("first-visit"), here.of("first-visit"));
        assert_ne!(here.of("first-visit"), there.of("first-visit"));
        let unique = "01930f2e-7d3c-7000-8000-000000000001";
        assert_eq!(here.of(unique), there.of(unique));
    }

    #[test]
    fn who_has_a_token_or_an_account_has_keys_of_their_own() {
        let token = "A".repeat(22);
        let account = KeyScope::Account(AccountId::from_uuid(uuid::Uuid::from_u128(1)));
        let guest = KeyScope::of_guest(&token);
        assert_ne!(account.of("k"), guest.of("k"));
        assert_ne!(guest.of("k"), KeyScope::of_guest("another").of("k"));
        assert!(!guest.of("k").contains(&token));
    }
}
