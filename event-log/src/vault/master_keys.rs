//! The keys that seal all other keys. They come from outside, and never lie in the database.

use super::cipher::{BrokenSeal, KEY, SecretKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a sealed secret names its master key by; no secret.
const ID: usize = 8;

/// 32 random bytes.
#[derive(Clone)]
pub struct MasterKey {
    id: [u8; ID],
    key: SecretKey,
}

/// The master key in use, and those before it: what they sealed is opened still, and sealed anew.
#[derive(Debug, Clone)]
pub struct MasterKeys(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

/// The text is not 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes in base64")]
pub struct MasterKeyError;

/// Why a secret could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the master key that sealed it is not at hand")]
    UnknownMasterKey,
    #[error(transparent)]
    Broken(#[from] BrokenSeal),
}

impl MasterKey {
    pub fn random() -> Self {
        Self::of(SecretKey::random())
    }

    /// Known to the world: for tests and benchmarks, whose data is nobody's.
    pub fn for_tests() -> Self {
        Self::of(SecretKey::from_bytes([7; KEY]))
    }

    /// What it is called wherever it may be named: a part of its hash.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// As [`FromStr`] reads it, for the place where it is kept.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.key.bytes()))
    }

    fn of(key: SecretKey) -> Self {
        let digest = Sha256::new()
            .chain_update("soko master key")
            .chain_update(key.bytes())
            .finalize();
        Self {
            id: std::array::from_fn(|index| digest[index]),
            key,
        }
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;

    fn from_str(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| MasterKeyError)?;
        let bytes = <[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyError)?;
        Ok(Self::of(SecretKey::from_bytes(bytes)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

impl MasterKeys {
    pub fn new(current: MasterKey, previous: impl IntoIterator<Item = MasterKey>) -> Self {
        let previous = previous.into_iter().collect();
        Self(Arc::new(Ring { current, previous }))
    }

    pub fn current(&self) -> &MasterKey {
        &self.0.current
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.all().any(|master| master.id() == id)
    }

    /// Seals a secret that is kept in the database. It opens only where it belongs: for the same
    /// purpose and owner.
    pub fn seal(&self, purpose: &str, owner: &[u8], secret: &[u8]) -> Vec<u8> {
        let MasterKey { id, key } = self.current();
        let mut sealed = id.to_vec();
        sealed.extend(key.seal(&place(purpose, owner), secret));
        sealed
    }

    /// # Errors
    /// [`OpenError`].
    pub fn open(
        &self,
        purpose: &str,
        owner: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, sealed) = sealed.split_first_chunk::<ID>().ok_or(BrokenSeal)?;
        let master = self.all().find(|master| master.id == *id);
        let master = master.ok_or(OpenError::UnknownMasterKey)?;
        Ok(master.key.open(&place(purpose, owner), sealed)?)
    }

    /// Whether it was sealed by a key before the one in use.
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        !sealed.starts_with(&self.current().id)
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.0.current).chain(&self.0.previous)
    }
}

/// A purpose has no NUL, so that no two places look the same.
fn place(purpose: &str, owner: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), b"\0", owner].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_purpose_and_its_owner_alone() {
        let keys = MasterKeys::new(MasterKey::random(), []);
        let sealed = keys.seal("second factor", b"wanjiru", b"secret");
        let open = |purpose, owner| keys.open(purpose, owner, &sealed);
        assert_eq!(
            open("second factor", b"wanjiru".as_slice())
                .unwrap()
                .as_slice(),
            b"secret"
        );
        let broken = OpenError::Broken(BrokenSeal);
        assert_eq!(open("second factor", b"otieno"), Err(broken));
        assert_eq!(open("signing key", b"wanjiru"), Err(broken));
        assert_eq!(keys.open("second factor", b"wanjiru", b""), Err(broken));
    }

    #[test]
    fn the_key_before_still_opens_and_what_it_sealed_is_known_to_be_outdated() {
        let (old, new) = (MasterKey::random(), MasterKey::random());
        let sealed = MasterKeys::new(old.clone(), []).seal("p", b"o", b"secret");
        let both = MasterKeys::new(new.clone(), [old]);
        assert_eq!(both.open("p", b"o", &sealed).unwrap().as_slice(), b"secret");
        assert!(both.is_outdated(&sealed));
        assert!(!both.is_outdated(&both.seal("p", b"o", b"secret")));
        let only_new = MasterKeys::new(new, []);
        assert_eq!(
            only_new.open("p", b"o", &sealed),
            Err(OpenError::UnknownMasterKey)
        );
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_shows_only_its_id() {
        let key = MasterKey::random();
        let text = key.to_base64();
        let read: MasterKey = text.parse().unwrap();
        assert_eq!(read.id(), key.id());
        assert!(!format!("{read:?}").contains(text.as_str()));
        for text in ["", "secret", "AAAA", &format!("{}AAAA", text.as_str())] {
            assert_eq!(
                text.parse::<MasterKey>().err(),
                Some(MasterKeyError),
                "{text}"
            );
        }
    }
}
