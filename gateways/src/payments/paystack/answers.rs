//! What Paystack answers.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::{
    CallError, Capture, Doubt, FailureReason, Handle, NextStep, OperationId, Outcome,
    ReportedAmount, Words,
};

/// Around every answer. `status` says that the call worked, and nothing of money.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    status: Loose,
    #[serde(default)]
    message: Loose,
    #[serde(default)]
    code: Loose,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) authorization_url: Loose,
    pub(super) reference: Loose,
}

/// A payment of theirs, in an answer or a callback.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Transaction {
    pub(super) id: Loose,
    domain: Loose,
    status: Loose,
    pub(super) reference: Loose,
    amount: Loose,
    requested_amount: Loose,
    currency: Loose,
    gateway_response: Loose,
    display_text: Loose,
    url: Loose,
    fees: Loose,
}

/// What stands in the envelope of a call that worked.
pub(super) fn read<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, CallError> {
    let Some(envelope) = answer.json::<Envelope<'_>>() else {
        return Err(of_status(answer));
    };
    if !answer.is_success() {
        return Err(error(answer, &envelope));
    }
    if envelope.status.as_str() != "true" {
        // HTTP says one thing, the envelope another.
        return Err(CallError::Unknown(Doubt::Contradiction));
    }
    let data = envelope.data.ok_or_else(CallError::unreadable)?;
    serde_json::from_str(data.get()).map_err(|_| CallError::unreadable())
}

pub(super) fn is_a_repeat(answer: &Answer) -> bool {
    tells(answer, "duplicate_reference", "duplicate")
        || tells(answer, "duplicate_reference", "already exists")
}

/// Whether they know nothing by this reference.
pub(super) fn is_not_found(answer: &Answer) -> bool {
    // A page of somebody in between may be a 404 too, and knows nothing of references.
    let is_theirs = answer.json::<Envelope<'_>>().is_some();
    (answer.status == 404 && is_theirs) || tells(answer, "transaction_not_found", "not found")
}

fn tells(answer: &Answer, code: &str, part: &str) -> bool {
    let Some(told) = answer.json::<Envelope<'_>>() else {
        return false;
    };
    let mentions = Words::mention(told.message.as_str(), part);
    matches!(answer.status, 400..=499) && (told.code.as_str() == code || mentions)
}

fn error(answer: &Answer, told: &Envelope<'_>) -> CallError {
    let message = told.message.as_str();
    match answer.status {
        429 => CallError::not_now(message, answer.retry_after()),
        401 | 403 => CallError::refused(FailureReason::OurSetUp, message),
        // Somebody is at it, or was too slow: it may be done.
        408 | 409 => answer.in_doubt(),
        400..=499 => CallError::refused(reason(told.code.as_str(), message), message),
        _ => answer.in_doubt(),
    }
}

/// Of an answer that is not even an envelope.
fn of_status(answer: &Answer) -> CallError {
    match answer.status {
        429 => CallError::not_now("", answer.retry_after()),
        401 | 403 => CallError::refused(FailureReason::OurSetUp, ""),
        _ => answer.in_doubt(),
    }
}

fn reason(code: &str, message: &str) -> FailureReason {
    let mentions = |part| Words::mention(message, part);
    if code == "insufficient_balance" || mentions("balance is not enough") {
        FailureReason::NotEnoughMoneyOfOurs
    } else if mentions("fully reversed") {
        FailureReason::AlreadyReturned
    } else if code == "transaction_not_found" || mentions("transaction not found") {
        FailureReason::UnknownOriginal
    } else if mentions("phone") {
        FailureReason::WrongPhone
    } else {
        FailureReason::OurSetUp
    }
}

impl Transaction {
    pub(super) fn is_of(&self, operation_id: OperationId) -> bool {
        OperationId::parse(self.reference.as_str()) == Some(operation_id)
    }

    /// An answer that does not say it is neither.
    pub(super) fn is_of_mode(&self, is_live: bool) -> bool {
        match self.domain.get() {
            None => true,
            Some(mode) => (mode == "live") == is_live,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let words = Words::of(self.gateway_response.as_str());
        match self.status.as_str() {
            "success" => self.captured(),
            "failed" => Outcome::failed(declined(self.gateway_response.as_str()), words),
            "reversed" => Outcome::Returned(words),
            "" => Outcome::Unknown(Doubt::Unreadable),
            // Also `abandoned`: so is a page that nobody has opened yet, or that may be opened again.
            status => Outcome::Pending(Words::of(status)),
        }
    }

    fn captured(&self) -> Outcome {
        let currency = self.currency.as_str();
        // Where the payer carries the fee, `amount` is with it.
        let asked = self.requested_amount.get().or(self.amount.get());
        match (self.id.get(), asked) {
            (Some(id), Some(amount)) => Outcome::Captured(Capture {
                amount: ReportedAmount::of_minor(amount, currency),
                fee: (self.fees.get()).map(|fee| ReportedAmount::of_minor(fee, currency)),
                reference: id.to_owned(),
            }),
            _ => Outcome::Unknown(Doubt::Contradiction),
        }
    }

    pub(super) fn next_step(&self, operation_id: OperationId) -> NextStep {
        match self.status.as_str() {
            "pay_offline" => NextStep::await_phone_prompt(self.display_text.as_str()),
            "send_otp" => {
                Handle::new(&operation_id.to_string()).map_or(NextStep::None, NextStep::EnterCode)
            }
            "open_url" => NextStep::redirect(self.url.as_str()).unwrap_or(NextStep::None),
            _ => NextStep::None,
        }
    }
}

/// From what their acquirer says, which is for people.
fn declined(words: &str) -> FailureReason {
    if Words::mention(words, "insufficient") {
        FailureReason::NotEnoughMoney
    } else if Words::mention(words, "cancel") {
        FailureReason::CancelledByPayer
    } else if Words::mention(words, "time") {
        FailureReason::Expired
    } else {
        FailureReason::Declined
    }
}
