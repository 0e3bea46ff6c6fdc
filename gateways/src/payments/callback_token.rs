//! A path that only we can have given out, for providers that do not sign what they send.

use uuid::Uuid;

use super::secret::is_same;
use super::{Secret, crypto};

/// The last part of a callback's path: what the callback is about, of which operation, and a keyed
/// hash of both, so that who knows one such path can make no other. It is in hexadecimal digits only,
/// for M-Pesa refuses addresses with words such as `exec` and `sql` in them.
///
/// Whoever gives a payer's phone or a provider's page such a path gives it to that provider, and to
/// nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackToken {
    kind: CallbackKind,
    id: Uuid,
    mac: [u8; MAC_BYTES],
}

const MAC_BYTES: usize = 16;
const CONTEXT: &[u8] = b"soko callback 1";

/// What a callback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackKind {
    /// The result of a prompt.
    Prompt,
    /// That a payment made without us happened; the id is the store's.
    Receipt,
    /// Whether a payment made without us is welcome; the id is the store's.
    Offer,
    /// The answer to a question about a receipt; the id is the question's.
    ReceiptStatus,
    /// That no answer to it will come.
    ReceiptStatusTimeOut,
    Refund,
    /// That the provider does not know what became of a refund.
    RefundTimeOut,
    /// The answer to a question about a refund.
    RefundStatus,
    /// That no answer to it will come.
    RefundStatusTimeOut,
    Transfer,
    TransferTimeOut,
    TransferStatus,
    TransferStatusTimeOut,
    /// That something happened to some payment; the id is the store's.
    Nudge,
}

impl CallbackKind {
    const ALL: [Self; 14] = [
        Self::Prompt,
        Self::Receipt,
        Self::Offer,
        Self::ReceiptStatus,
        Self::ReceiptStatusTimeOut,
        Self::Refund,
        Self::RefundTimeOut,
        Self::RefundStatus,
        Self::RefundStatusTimeOut,
        Self::Transfer,
        Self::TransferTimeOut,
        Self::TransferStatus,
        Self::TransferStatusTimeOut,
        Self::Nudge,
    ];

    const fn digit(self) -> u8 {
        match self {
            Self::Prompt => b'0',
            Self::Receipt => b'1',
            Self::Offer => b'2',
            Self::Refund => b'3',
            Self::RefundTimeOut => b'4',
            Self::Transfer => b'5',
            Self::TransferTimeOut => b'6',
            Self::Nudge => b'7',
            Self::RefundStatus => b'8',
            Self::TransferStatus => b'9',
            Self::RefundStatusTimeOut => b'a',
            Self::TransferStatusTimeOut => b'b',
            Self::ReceiptStatus => b'c',
            Self::ReceiptStatusTimeOut => b'd',
        }
    }
}

impl CallbackToken {
    /// `None` if there is no secret to make it with.
    pub(super) fn new(secret: &Secret, kind: CallbackKind, id: Uuid) -> Option<Self> {
        let mac = mac(secret, kind, id)?;
        Some(Self { kind, id, mac })
    }

    /// Whose it says that it is: to find the account by whose secrets it is then checked, and for
    /// nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (digit, rest) = text.split_at_checked(1)?;
        let (id, mac) = rest.split_at_checked(32)?;
        let kind = CallbackKind::ALL
            .into_iter()
            .find(|kind| [kind.digit()] == digit.as_bytes())?;
        let id = hex::decode(id).ok()?.try_into().ok()?;
        Some(Self {
            kind,
            id: Uuid::from_bytes(id),
            mac: hex::decode(mac).ok()?.try_into().ok()?,
        })
    }

    pub const fn kind(&self) -> CallbackKind {
        self.kind
    }

    /// Of the operation, or of the store.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Whether it was made with one of these secrets.
    pub(super) fn is_made_with(&self, secrets: &[Secret]) -> bool {
        // Each is tried, so that the time tells nothing of which it was.
        secrets.iter().fold(false, |found, secret| {
            let ours = mac(secret, self.kind, self.id);
            found | ours.is_some_and(|ours| is_same(&ours, &self.mac))
        })
    }

    pub(super) fn text(&self) -> String {
        let kind = char::from(self.kind.digit());
        format!("{kind}{}{}", self.id.as_simple(), hex::encode(self.mac))
    }
}

fn mac(secret: &Secret, kind: CallbackKind, id: Uuid) -> Option<[u8; MAC_BYTES]> {
    if secret.is_empty() {
        return None;
    }
    let parts: [&[u8]; 3] = [CONTEXT, &[kind.digit()], id.as_bytes()];
    let whole = crypto::hmac_sha256(secret.expose().as_bytes(), &parts)?;
    whole.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> CallbackToken {
        CallbackToken::new(&"now".into(), CallbackKind::Prompt, Uuid::from_u128(7)).unwrap()
    }

    #[test]
    fn a_token_is_known_by_the_secrets_of_now_and_of_before() {
        let read = CallbackToken::parse(&token().text()).unwrap();
        assert_eq!(read, token());
        assert!(read.is_made_with(&["next".into(), "now".into()]));
        assert!(!read.is_made_with(&["next".into()]));
        assert!(!read.is_made_with(&[]));
        assert!(CallbackToken::new(&"".into(), CallbackKind::Prompt, Uuid::nil()).is_none());
    }

    #[test]
    fn one_token_makes_no_other() {
        let text = token().text();
        for (place, digit) in [(0, "1"), (1, "f"), (32, "8"), (64, "x")] {
            let mut other = text.clone();
            other.replace_range(place..=place, digit);
            let forged = CallbackToken::parse(&other);
            assert!(
                forged.is_none_or(|token| !token.is_made_with(&["now".into()])),
                "{place}"
            );
        }
        for wrong in ["", "0", "0é", &text[..64], &format!("{text}0")] {
            assert_eq!(CallbackToken::parse(wrong), None);
        }
    }

    #[test]
    fn every_kind_reads_as_it_was_written() {
        for kind in CallbackKind::ALL {
            let token = CallbackToken::new(&"now".into(), kind, Uuid::from_u128(7)).unwrap();
            assert_eq!(CallbackToken::parse(&token.text()), Some(token));
        }
    }

    #[test]
    fn any_text_is_read_without_harm() {
        bolero::check!().with_type::<String>().for_each(|text| {
            if let Some(token) = CallbackToken::parse(text) {
                assert!(!token.is_made_with(&["now".into()]));
            }
        });
    }
}
