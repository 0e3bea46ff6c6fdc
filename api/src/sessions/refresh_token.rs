//! What continues a session: opaque, and kept as a hash only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// 32 bytes in base64.
const CHARACTERS: usize = 43;

pub(super) struct RefreshToken([u8; 32]);

impl RefreshToken {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    pub(super) fn read(written: &Secret) -> Option<Self> {
        // Looked at before decoding, so that no long text is.
        let text = Some(written.expose()).filter(|text| text.len() == CHARACTERS)?;
        let token = URL_SAFE_NO_PAD.decode(text).ok()?;
        token.try_into().ok().map(Self)
    }

    pub(super) fn written(&self) -> Secret {
        URL_SAFE_NO_PAD.encode(self.0).into()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// Only who has the token can compute it, and always gets the same.
    pub(super) fn successor(&self, rotation_key: [u8; 32]) -> Self {
        // A key shorter than a block is one that is filled up with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&rotation_key);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(&self.0);
        Self(mac.finalize().into_bytes().into())
    }
}
