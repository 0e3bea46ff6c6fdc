//! What can be asked of a provider.

use std::fmt;

use soko_domain::payment::Wallet;
use soko_domain::{Currency, EmailAddress, Money, PaymentId, PhoneNumber};
use url::Url;
use uuid::Uuid;

use super::Handle;

/// Our id of one thing that a provider is asked to do, under which it is asked again: the
/// idempotency key where the provider has such a thing. Never used for two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(Uuid);

pub struct StartPayment {
    pub payment_id: PaymentId,
    pub operation_id: OperationId,
    pub amount: Money,
    /// What the payer is shown as what it is for; providers cut it to a few characters.
    pub order_number: String,
    pub description: String,
    pub phone: Option<PhoneNumber>,
    pub email: Option<EmailAddress>,
    /// Where the payer comes back to, whatever came of it: that they do proves nothing.
    pub return_url: Option<Url>,
    /// Which wallet is prompted, where the provider serves several. None: the provider's own page.
    pub wallet: Option<Wallet>,
    /// Whether the payer only agrees now, and the money is taken by [`super::Captures`].
    pub capture_later: bool,
}

/// About a payment that was started, or may have been.
pub struct AskPayment {
    pub operation_id: OperationId,
    /// None if the answer to its start was lost.
    pub handle: Option<Handle>,
    pub phone: Option<PhoneNumber>,
}

pub struct CapturePayment {
    pub operation_id: OperationId,
    pub handle: Handle,
    /// All of what was authorised, or less.
    pub amount: Money,
}

pub struct VoidPayment {
    pub operation_id: OperationId,
    pub handle: Handle,
}

pub struct Refund {
    pub operation_id: OperationId,
    /// What started the payment.
    pub charge: OperationId,
    /// The reference of its [`super::Capture`].
    pub captured_by: String,
    pub amount: Money,
    /// Of the payer.
    pub phone: Option<PhoneNumber>,
    pub reason: String,
}

/// Money that leaves for a vendor, or for a payer who cannot be refunded the way they paid.
pub struct Transfer {
    pub operation_id: OperationId,
    pub amount: Money,
    pub to: Payee,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Payee {
    Phone(PhoneNumber),
    /// As the provider calls a bank account or wallet that was told to it before.
    Recipient(String),
}

/// Whom money is to be paid out to, before the provider was told.
pub enum NewPayee {
    Phone(PhoneNumber),
    Account(PayeeAccount),
}

/// A bank account or a wallet, in the provider's own words.
pub struct PayeeAccount {
    /// As `basa` for a bank in South Africa, `mobile_money_business` for a till in Kenya.
    pub kind: String,
    pub name: String,
    pub account_number: String,
    pub bank_code: String,
    pub currency: Currency,
}

/// About money that was told of as received.
pub struct AskReceipt {
    /// Our own id of the question, by which its answer is known.
    pub question: OperationId,
    pub reference: String,
}

/// About a refund or a transfer that was asked for, or may have been.
pub struct AskMove {
    pub operation_id: OperationId,
    /// None if the answer was lost.
    pub handle: Option<Handle>,
    /// Of a refund: the reference of the capture that it is of.
    pub captured_by: Option<String>,
}

impl OperationId {
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }

    /// 32 hexadecimal digits, for who allows no hyphens or no more.
    pub(super) fn simple(&self) -> String {
        self.0.as_simple().to_string()
    }

    /// `None` if it is not one of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Cut to what a provider takes: letters, digits, spaces and hyphens of ASCII, so many at most.
/// Never empty, for most refuse that.
pub(super) fn plain(text: &str, chars_max: usize) -> String {
    let kept: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                ' '
            }
        })
        .collect();
    let words: Vec<_> = kept.split_ascii_whitespace().collect();
    let cut: String = words.join(" ").chars().take(chars_max).collect();
    match cut.trim_end() {
        "" => "Order".chars().take(chars_max).collect(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_what_a_provider_takes() {
        assert_eq!(plain("Order #1001, mugs", 13), "Order 1001 mu");
        assert_eq!(plain("Order  1001 x", 12), "Order 1001 x");
        assert_eq!(plain("Order 1001 xy", 11), "Order 1001");
        assert_eq!(plain("Çay & ☕", 12), "ay");
        assert_eq!(plain("☕", 12), "Order");
        assert_eq!(plain("", 3), "Ord");
    }
}
