//! What providers say, in words of ours.

use std::fmt;

use chrono::{DateTime, Utc};
use url::Url;

use super::{Doubt, ReportedAmount, Secret};

/// By which a provider knows what it was asked for. Only the provider's adapter reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// A provider's own words, cut short and without what may be personal. For people: nothing is
/// decided by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(String);

/// How a payment stands, and what the payer has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// To be kept before anything else, for the payment is asked about by it.
    pub handle: Option<Handle>,
    pub outcome: Outcome,
    pub next: NextStep,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The payer waits. A word that we do not know is this too.
    Pending(Words),
    /// The payer agreed, and nothing was taken yet.
    Authorised(ReportedAmount),
    Captured(Capture),
    /// It is paid, and the provider says neither how much nor by which reference. Who counts money
    /// by its reference waits for the callback that has it.
    Confirmed(Words),
    Failed(Failure),
    /// It was paid, and the money has gone back since.
    Returned(Words),
    /// It was paid, and the payer's bank wants it back.
    Disputed(Words),
    /// The provider knows no such payment: it never got it, or does not know it yet.
    NeverSeen,
    Unknown(Doubt),
}

/// Money that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub amount: ReportedAmount,
    pub fee: Option<ReportedAmount>,
    /// The provider's id of this movement of money, the same however we hear of it: what must be
    /// counted once.
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    pub words: Words,
    /// Whether the payer can still pay this very payment. A late success counts all the same.
    pub is_final: bool,
}

/// Why no money came, or none went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureReason {
    /// What we sent, our keys, or what our account is allowed.
    OurSetUp,
    /// The provider cannot now, or was asked too often.
    ProviderBusy,
    NotEnoughMoney,
    /// Our account with the provider has not enough.
    NotEnoughMoneyOfOurs,
    CancelledByPayer,
    /// The payer did not answer in time.
    Expired,
    PayerNotReached,
    /// The payer has another prompt open.
    PayerBusy,
    WrongPin,
    PayerLocked,
    WrongPhone,
    AmountNotAllowed,
    LimitReached,
    /// Of whoever is to get the money.
    ReceiverLimitReached,
    /// The same amount from the same payer, a moment ago.
    Repeated,
    Declined,
    AlreadyReturned,
    /// There is no such thing to refund.
    UnknownOriginal,
    Other,
}

/// How a refund or a transfer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveOutcome {
    Pending(Words),
    /// A person has to do something at the provider's.
    NeedsPerson(Words),
    Done(Moved),
    Failed(Failure),
    /// It was done, and has come back to us since.
    Returned(Words),
    NeverSeen,
    Unknown(Doubt),
}

/// How a refund or a transfer stands, and by what to ask about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveStanding {
    pub handle: Option<Handle>,
    pub outcome: MoveOutcome,
}

/// Money that has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// `None` if the provider does not say.
    pub amount: Option<ReportedAmount>,
    pub fee: Option<ReportedAmount>,
    pub reference: String,
}

/// Money that somebody sent without having been asked, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub amount: ReportedAmount,
    pub reference: String,
    /// What the payer wrote for whom it is, as an order number.
    pub account: String,
}

/// What the payer has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    None,
    /// With what the provider tells the payer to do, if it does. For the payer alone.
    AwaitPhonePrompt(Option<String>),
    Redirect(Url),
    /// For the provider's own form in the payer's browser; it opens this one payment.
    ClientSecret(Secret),
    /// To enter in the wallet's own app, until then if the provider says so.
    ShowCode {
        code: String,
        until: Option<String>,
    },
    /// The payer was sent a code, which goes to [`super::TakesCodes`] with this handle.
    EnterCode(Handle),
}

impl NextStep {
    pub(super) fn await_phone_prompt(instructions: &str) -> Self {
        let told: String = instructions
            .chars()
            .filter(|c| !c.is_control())
            .take(INSTRUCTIONS_CHARS_MAX)
            .collect();
        Self::AwaitPhonePrompt(Some(told).filter(|told| !told.is_empty()))
    }

    /// `None` if it is no address that a browser is to be sent to.
    pub(super) fn redirect(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(Self::Redirect(url))
    }
}

impl Standing {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            handle: None,
            outcome,
            next: NextStep::None,
        }
    }
}

impl Outcome {
    pub(super) fn failed(reason: FailureReason, words: Words) -> Self {
        Self::Failed(Failure {
            reason,
            words,
            is_final: true,
        })
    }
}

impl MoveOutcome {
    pub(super) fn failed(reason: FailureReason, words: Words) -> Self {
        Self::Failed(Failure {
            reason,
            words,
            is_final: true,
        })
    }
}

impl FailureReason {
    /// As clients and auditors read it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OurSetUp => "our_set_up",
            Self::ProviderBusy => "provider_busy",
            Self::NotEnoughMoney => "not_enough_money",
            Self::NotEnoughMoneyOfOurs => "not_enough_money_of_ours",
            Self::CancelledByPayer => "cancelled_by_payer",
            Self::Expired => "expired",
            Self::PayerNotReached => "payer_not_reached",
            Self::PayerBusy => "payer_busy",
            Self::WrongPin => "wrong_pin",
            Self::PayerLocked => "payer_locked",
            Self::WrongPhone => "wrong_phone",
            Self::AmountNotAllowed => "amount_not_allowed",
            Self::LimitReached => "limit_reached",
            Self::ReceiverLimitReached => "receiver_limit_reached",
            Self::Repeated => "repeated",
            Self::Declined => "declined",
            Self::AlreadyReturned => "already_returned",
            Self::UnknownOriginal => "unknown_original",
            Self::Other => "other",
        }
    }
}

impl Handle {
    /// `None` if it is empty, or longer than any provider's.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= HANDLE_BYTES_MAX).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const HANDLE_BYTES_MAX: usize = 500;

const WORDS_CHARS_MAX: usize = 160;

const INSTRUCTIONS_CHARS_MAX: usize = 500;

/// Shorter runs of digits are codes and amounts, longer ones may be somebody's phone or account.
const DIGITS_MAX: usize = 6;

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let words: Vec<_> = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .take(WORDS_CHARS_MAX)
            .map(without_personal)
            .collect();
        Self(words.join(" ").chars().take(WORDS_CHARS_MAX).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `part` stands in it, in whatever case.
    pub(super) fn mention(text: &str, part: &str) -> bool {
        text.to_lowercase().contains(part)
    }
}

fn without_personal(word: &str) -> String {
    let digits = word.chars().filter(|c| c.is_numeric()).count();
    if digits > DIGITS_MAX || word.contains('@') {
        "…".to_owned()
    } else {
        word.to_owned()
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A time as a provider writes it: whatever cannot be read is no time.
pub(super) fn unix_time(seconds: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds.parse().ok()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_personal_is_left_out_of_a_providers_words() {
        let words = Words::of("Invalid\r\nPhoneNumber  254708374149 of wanjiku@example.com, 1032");
        assert_eq!(words.as_str(), "Invalid PhoneNumber … of … 1032");
        assert_eq!(Words::of("+254 (708)-374-149x").as_str(), "+254 …");
    }

    #[test]
    fn words_are_cut_short() {
        assert_eq!(Words::of(&"é".repeat(1_000)).as_str().chars().count(), 160);
        assert_eq!(Words::of(&"a ".repeat(1_000)).as_str().len(), 160);
    }

    #[test]
    fn instructions_are_told_to_the_payer_in_full() {
        let told = "Dial *151*2*1234567# and enter your PIN.\r\n".repeat(4);
        let NextStep::AwaitPhonePrompt(Some(text)) = NextStep::await_phone_prompt(&told) else {
            panic!("there are instructions");
        };
        assert_eq!(text, told.replace("\r\n", ""));
        let none = NextStep::await_phone_prompt("\n");
        assert_eq!(none, NextStep::AwaitPhonePrompt(None));
    }

    #[test]
    fn only_pages_are_redirected_to() {
        assert!(NextStep::redirect("https://pay.example/1").is_some());
        for wrong in [
            "",
            "/1",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            assert_eq!(NextStep::redirect(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_handle_is_a_text_of_some_length() {
        assert_eq!(Handle::new(""), None);
        assert_eq!(Handle::new(&"x".repeat(501)), None);
        assert_eq!(Handle::new("pi_1").unwrap().as_str(), "pi_1");
    }
}
