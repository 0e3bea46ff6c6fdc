//! What everybody tries first: passwords of breaches, and some of our own. `common.md` says where
//! they come from.

use std::collections::HashSet;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// Of a hash, so many bytes are kept: of three million other passwords one is taken for a common one.
const HASH_BYTES: usize = 5;

/// Sorted.
static BREACHED: &[u8] = include_bytes!("common.sha256-40");

static OURS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Whether it is one of those, also with digits and signs after it.
pub(super) fn is_listed(lower: &str) -> bool {
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!' || c == '.');
    [lower, stem]
        .iter()
        .any(|text| OURS.contains(text) || is_breached(text))
}

fn is_breached(lower: &str) -> bool {
    let hash = Sha256::digest(lower);
    let (kept, _) = BREACHED.as_chunks::<HASH_BYTES>();
    kept.binary_search_by(|other| other[..].cmp(&hash[..HASH_BYTES]))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_of_them_and_they_are_sorted() {
        let (kept, rest) = BREACHED.as_chunks::<HASH_BYTES>();
        assert!(rest.is_empty());
        assert!(kept.len() >= 100_000, "{}", kept.len());
        assert!(kept.is_sorted_by(|one, next| one < next));
    }

    /// Else a change of the list goes unseen: hashes all look alike.
    #[test]
    fn the_list_is_the_one_that_was_made_from_the_sources() {
        let hash = hex::encode(Sha256::digest(BREACHED));
        assert!(include_str!("common.md").contains(&hash), "{hash}");
    }

    #[test]
    fn what_breaches_have_shown_is_listed_and_a_passphrase_is_not() {
        for listed in [
            "trustno1",
            "1q2w3e4r5t6y",
            "poohbear",
            "p@ssw0rd",
            "rafiki2024!",
        ] {
            assert!(is_listed(listed), "{listed}");
        }
        for other in [
            "correct horse battery",
            "nyumba ya kijani",
            "a long enough password",
            "wimbi la bahari 7",
        ] {
            assert!(!is_listed(other), "{other}");
        }
    }
}
