//! Codes to be kept on paper, for when an authenticator is lost: each is good once.

use sha2::{Digest, Sha256};
use soko_domain::AccountId;

use crate::secret::Secret;

const CODES: usize = 10;

/// Four groups of four: 80 bits, so that their plain hashes cannot be searched through.
const GROUPS: usize = 4;
const GROUP: usize = 4;
const CHARACTERS: usize = GROUPS * GROUP;

/// Five bits each; none that is mistaken for another of them.
const ALPHABET: &[u8; 32] = b"023456789abcdefghjkmnpqrstuvwxyz";

pub(super) fn several() -> Vec<Secret> {
    (0..CODES).map(|_| one(rand::random())).collect()
}

fn one(random: [u8; CHARACTERS]) -> Secret {
    let mut code = String::with_capacity(CHARACTERS + GROUPS - 1);
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    code.into()
}

/// What is kept of it; `None` for what does not look like one. Case and dashes do not matter, for
/// people type it.
pub(super) fn hash(account_id: AccountId, code: &Secret) -> Option<[u8; 32]> {
    let typed = code.expose();
    if typed.len() > 2 * CHARACTERS {
        return None;
    }
    let characters: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_one =
        characters.len() == CHARACTERS && characters.bytes().all(|byte| ALPHABET.contains(&byte));
    is_one.then(|| {
        Sha256::new()
            .chain_update(account_id.as_uuid().as_bytes())
            .chain_update(characters)
            .finalize()
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use uuid::Uuid;

    fn account(id: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(id))
    }

    fn hash_of(code: &str) -> Option<[u8; 32]> {
        hash(account(1), &code.to_owned().into())
    }

    #[test]
    fn codes_differ_and_are_read_back() {
        let codes = several();
        let different: HashSet<&str> = codes.iter().map(Secret::expose).collect();
        assert_eq!((codes.len(), different.len()), (CODES, CODES));
        for code in &codes {
            assert!(hash(account(1), code).is_some(), "{}", code.expose());
            assert_ne!(hash(account(1), code), hash(account(2), code));
        }
    }

    #[test]
    fn every_character_can_be_typed() {
        let every: [u8; CHARACTERS] = std::array::from_fn(|at| u8::try_from(at + 16).unwrap());
        let code = one(every);
        assert_eq!(code.expose(), "hjkm-npqr-stuv-wxyz");
        assert!(hash(account(1), &code).is_some());
    }

    #[test]
    fn neither_case_nor_dashes_matter() {
        let code = hash_of("abcd-efgh-jkmn-pq23");
        assert!(code.is_some());
        assert_eq!(code, hash_of("ABCDEFGHJKMNPQ23"));
        assert_eq!(code, hash_of("abcd efgh jkmn pq23"));
        assert_ne!(code, hash_of("abcd-efgh-jkmn-pq24"));
    }

    #[test]
    fn what_is_no_recovery_code_is_none() {
        let long = "a".repeat(1_000_000);
        for code in [
            "",
            "123456",
            "abcd-efgh-jkmn-pq2",
            "abcd-efgh-jkmn-pq2!",
            &long,
        ] {
            assert_eq!(hash_of(code), None, "{code:.20}");
        }
    }
}
