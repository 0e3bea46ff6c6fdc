//! Comparing what must not be guessed byte by byte.

use subtle::ConstantTimeEq;

/// Whether both are the same, found out in a time that tells nothing of where they differ. Only their
/// lengths, which are no secret, are compared at once.
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_are_the_same() {
        assert!(is_same(b"", b"") && is_same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"xbc", b"ab", b"abcd", b""] {
            assert!(!is_same(b"abc", other), "{other:?}");
        }
    }
}
