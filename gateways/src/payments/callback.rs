//! What providers say of their own accord.

use chrono::{DateTime, Utc};
use soko_domain::PaymentId;

use super::{Handle, MoveOutcome, OperationId, Outcome, Received, ReportedAmount, Words};

/// A callback as it came, before anything is believed of it.
pub struct Callback<'a> {
    /// The last part of the path, where the provider is given one for each account or payment.
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a [u8])],
    pub body: &'a [u8],
    pub received_at: DateTime<Utc>,
}

/// No provider writes so much.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Why nothing of a callback is believed. Nothing in it shows what stood in the callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefusal {
    #[error("the signature is missing or wrong")]
    BadSignature,
    #[error("it was signed too long ago, or in the future")]
    TooOld,
    #[error("it is meant for somebody else")]
    NotForUs,
    #[error("it cannot be read")]
    Malformed,
}

/// One thing that a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's id of what it says, if it has one: said twice, it is the same. Different ones
    /// may still tell of the same money, which is counted by its own reference.
    pub delivery: Option<String>,
    pub about: About,
    pub fact: Fact,
}

/// What it is about: whatever of these the provider says. What stands in a signed body or a proven
/// path can be relied on as far as the provider can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub payment_id: Option<PaymentId>,
    /// Of a payment's start, or of the refund or transfer itself.
    pub operation_id: Option<OperationId>,
    pub handle: Option<Handle>,
    /// Of a refund or dispute: by which the money was captured.
    pub captured_by: Option<String>,
    /// Of a refund or dispute: what started the payment.
    pub charge: Option<OperationId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Payment(Outcome),
    Refund(MoveOutcome),
    Transfer(MoveOutcome),
    Dispute(Dispute),
    /// Money that nobody was asked for, or money of a payment once more: its reference tells.
    Received(Received),
    /// The answer to a question about such money.
    Attested(Attested),
    /// Somebody is about to send money, and the provider asks whether it is welcome.
    Offered(Received),
    /// Something happened, and the provider has to be asked what.
    Nudge,
}

/// What a provider answers when it is asked about money that it told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// As [`AskReceipt`](super::AskReceipt) had it.
    pub question: OperationId,
    pub outcome: MoveOutcome,
}

/// Money that a payer's bank wants back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub reference: String,
    pub amount: ReportedAmount,
    pub stage: DisputeStage,
    /// What has happened to the money just now; none: nothing that is told.
    pub money: Option<DisputedMoney>,
    /// Why, and in which stage, in the provider's words.
    pub words: Words,
    pub answer_by: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStage {
    /// It is not decided.
    Open,
    Won,
    Lost,
}

/// What happens to money that a payer's bank wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputedMoney {
    Withdrawn,
    /// It was withdrawn, and is ours again.
    Reinstated,
}

impl<'a> Callback<'a> {
    /// The value of a header that came once. One that came twice is none: it is not known which of
    /// them somebody in between has looked at.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        match found.next() {
            None => std::str::from_utf8(value).ok(),
            Some(_) => None,
        }
    }

    /// To be called before any hash is made.
    pub(super) const fn check_length(&self) -> Result<(), CallbackRefusal> {
        if self.body.len() > BODY_BYTES_MAX {
            return Err(CallbackRefusal::Malformed);
        }
        Ok(())
    }
}

impl Report {
    pub(super) const fn new(about: About, fact: Fact) -> Self {
        Self {
            delivery: None,
            about,
            fact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_only_if_it_came_once() {
        let headers: [(&str, &[u8]); 4] = [
            ("X-A", b"1"),
            ("x-b", b"1"),
            ("X-B", b"1"),
            ("x-c", b"\xff"),
        ];
        let callback = Callback {
            path: "",
            headers: &headers,
            body: b"",
            received_at: DateTime::UNIX_EPOCH,
        };
        assert_eq!(callback.header("x-a"), Some("1"));
        assert_eq!(callback.header("x-b"), None);
        assert_eq!(callback.header("x-c"), None);
        assert_eq!(callback.header("x-d"), None);
    }
}
