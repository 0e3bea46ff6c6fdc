//! The one way in which anything is sealed: XChaCha20-Poly1305 with a random nonce, which is long
//! enough never to meet itself.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// In bytes.
pub(super) const KEY: usize = 32;
const NONCE: usize = 24;
/// Of the form: this byte, the nonce, what is sealed and its tag.
const VERSION: u8 = 1;

/// Is wiped when it is dropped.
#[derive(Clone)]
pub(super) struct SecretKey(Zeroizing<[u8; KEY]>);

/// It was sealed by another key or for another place, or altered since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed by another key, for another place, or altered since")]
pub struct BrokenSeal;

impl SecretKey {
    pub(super) fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    pub(super) fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// `place` is what the sealed belongs to: nowhere else does it open.
    pub(super) fn seal(&self, place: &[u8], open: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: open,
            aad: place,
        };
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        // It fails for messages of 256 GiB; what is then returned opens for nobody.
        if let Ok(text) = self.cipher().encrypt(&XNonce::from(nonce), payload) {
            sealed.extend_from_slice(&text);
        }
        sealed
    }

    pub(super) fn open(
        &self,
        place: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BrokenSeal> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(BrokenSeal)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(BrokenSeal)?;
        let payload = Payload {
            msg: text,
            aad: place,
        };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| BrokenSeal)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_key_at_its_place_and_in_no_other_way() {
        let key = SecretKey::random();
        let sealed = key.seal(b"here", b"Wanjiru");
        assert_eq!(key.open(b"here", &sealed).unwrap().as_slice(), b"Wanjiru");
        assert_eq!(key.open(b"there", &sealed), Err(BrokenSeal));
        assert_eq!(SecretKey::random().open(b"here", &sealed), Err(BrokenSeal));
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(key.open(b"here", &altered), Err(BrokenSeal), "byte {index}");
            assert_eq!(key.open(b"here", &sealed[..index]), Err(BrokenSeal));
        }
    }

    #[test]
    fn the_same_is_never_sealed_the_same_way_twice() {
        let key = SecretKey::random();
        assert_ne!(key.seal(b"", b"Wanjiru"), key.seal(b"", b"Wanjiru"));
    }

    /// The test vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn it_is_the_cipher_of_the_draft() {
        let key: Vec<u8> = (0x80..0xa0).collect();
        let mut sealed = vec![VERSION];
        sealed.extend((0x40..0x58).collect::<Vec<u8>>());
        sealed.extend(hex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e\
             c0875924c1c7987947deafd8780acf49",
        ));
        let place = hex("50515253c0c1c2c3c4c5c6c7");
        let opened = SecretKey::from_bytes(key.try_into().unwrap())
            .open(&place, &sealed)
            .unwrap();
        assert!(opened.starts_with(b"Ladies and Gentlemen of the class of '99"));
    }

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }
}
