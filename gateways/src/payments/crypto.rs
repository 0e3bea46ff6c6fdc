//! The hashes that providers sign with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

/// Whether `hex` is the keyed hash of `parts`, one after the other. An empty key signs nothing: who
/// has none is not set up to be called.
pub(super) fn is_hmac_sha256(key: &[u8], parts: &[&[u8]], hex: &str) -> bool {
    is_signed_by::<Hmac<Sha256>>(Hmac::new_from_slice(key), key, parts, hex)
}

/// As [`is_hmac_sha256`].
pub(super) fn is_hmac_sha512(key: &[u8], parts: &[&[u8]], hex: &str) -> bool {
    is_signed_by::<Hmac<Sha512>>(Hmac::new_from_slice(key), key, parts, hex)
}

fn is_signed_by<M: Mac>(
    mac: Result<M, hmac::digest::InvalidLength>,
    key: &[u8],
    parts: &[&[u8]],
    hex: &str,
) -> bool {
    let (Ok(mut mac), Ok(signature)) = (mac, hex::decode(hex)) else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    // In constant time, and of the whole length only.
    !key.is_empty() && mac.verify_slice(&signature).is_ok()
}

/// `None` only if a key could have a wrong length, which no key of this hash has.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// In capitals.
pub(super) fn sha512_hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode_upper(hash.finalize())
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The value of an `Authorization` header.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_headers_are_those_that_providers_publish() {
        assert_eq!(basic("ck_demo", "cs_demo"), "Basic Y2tfZGVtbzpjc19kZW1v");
        assert_eq!(basic("shop", "pa:ss"), "Basic c2hvcDpwYTpzcw==");
    }

    #[test]
    fn nothing_is_signed_with_an_empty_key() {
        let nobody = hmac_sha256(b"", &[b"body"]).unwrap();
        assert!(!is_hmac_sha256(b"", &[b"body"], &hex::encode(nobody)));
    }

    #[test]
    fn a_signature_is_whole_and_of_these_bytes() {
        let signed = hex::encode(hmac_sha256(b"key", &[b"bo", b"dy"]).unwrap());
        assert!(is_hmac_sha256(b"key", &[b"body"], &signed));
        for wrong in ["", "00", "zz", &signed[..62], &format!("{signed}00")] {
            assert!(!is_hmac_sha256(b"key", &[b"body"], wrong), "{wrong}");
        }
        assert!(!is_hmac_sha256(b"key", &[b"bodi"], &signed));
        assert!(!is_hmac_sha256(b"yek", &[b"body"], &signed));
    }
}
