//! Devices on which somebody logged in before, known by a token that we gave them then.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::constant_time::is_same;
use crate::secret::Secret;

const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 16;

/// A device, with what shows that it is one. It opens nothing: its wrong guesses are counted apart
/// from those of strangers, and that is all.
pub struct Device {
    id: [u8; ID_BYTES],
    mac: [u8; MAC_BYTES],
}

impl Device {
    pub(super) fn new(id: [u8; ID_BYTES], mac: &[u8; 32]) -> Self {
        Self {
            id,
            mac: shortened(mac),
        }
    }

    /// `None` for what we did not give for this account.
    pub(super) fn read(token: &str, mac: impl Fn(&[u8; ID_BYTES]) -> [u8; 32]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let bytes: [u8; ID_BYTES + MAC_BYTES] = bytes.try_into().ok()?;
        let (id, given) = bytes.split_first_chunk()?;
        let expected = shortened(&mac(id));
        is_same(given, &expected).then_some(Self {
            id: *id,
            mac: expected,
        })
    }

    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    /// What the device is to keep.
    pub fn token(&self) -> Secret {
        let bytes = [self.id, self.mac].concat();
        Secret::from(URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn shortened(mac: &[u8; 32]) -> [u8; MAC_BYTES] {
    let mut short = [0; MAC_BYTES];
    short.copy_from_slice(&mac[..MAC_BYTES]);
    short
}
