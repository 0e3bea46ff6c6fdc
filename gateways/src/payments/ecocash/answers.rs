//! What EcoCash answers.

use serde::Deserialize;
use soko_domain::Currency;

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::{
    CallError, Capture, Doubt, FailureReason, MoveOutcome, Moved, OperationId, Outcome,
    ReportedAmount, Words,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct LookedUp {
    amount: Option<AmountTold>,
    reference: Loose,
    #[serde(rename = "ecocashReference")]
    ecocash_reference: Loose,
    status: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AmountTold {
    amount: Loose,
    currency: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refunded {
    transaction_status: Loose,
    response_message: Loose,
    amount: Loose,
    currency: Loose,
    ecocash_reference: Loose,
    destination_ecocash_reference: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    message: Loose,
}

/// Of an answer that is no success.
pub(super) fn error(answer: &Answer) -> CallError {
    let message: Message = answer.json().unwrap_or_default();
    let words = message.message.as_str();
    let refused = |reason| CallError::refused(reason, words);
    match answer.status {
        400 if Words::mention(words, "msisdn") => refused(FailureReason::WrongPhone),
        400 | 401 | 403 | 404 => refused(FailureReason::OurSetUp),
        // The parameters were fine, and it failed.
        402 => refused(FailureReason::Declined),
        429 => CallError::not_now(words, answer.retry_after()),
        _ => answer.in_doubt(),
    }
}

pub(super) fn looked_up(answer: &Answer, operation_id: OperationId) -> Result<Outcome, CallError> {
    if !answer.is_success() {
        return Err(error(answer));
    }
    let told: LookedUp = answer.json().ok_or_else(CallError::unreadable)?;
    let reference = told.reference.get();
    if reference.is_some_and(|text| OperationId::parse(text) != Some(operation_id)) {
        return Ok(Outcome::Unknown(Doubt::Contradiction));
    }
    let word = told.status.as_str();
    let failed = |reason| Outcome::failed(reason, Words::of(word));
    Ok(match word.to_ascii_uppercase().as_str() {
        "SUCCESS" => match (told.ecocash_reference.get(), &told.amount) {
            (Some(reference), Some(amount)) => Outcome::Captured(Capture {
                amount: reported(amount.amount.as_str(), amount.currency.as_str()),
                fee: None,
                reference: reference.to_owned(),
            }),
            _ => Outcome::Unknown(Doubt::Contradiction),
        },
        "USER_CANCELLED" => failed(FailureReason::CancelledByPayer),
        "FAILED" => failed(FailureReason::Declined),
        "" => return Err(CallError::unreadable()),
        _ => Outcome::Pending(Words::of(word)),
    })
}

/// Of the capture known as `captured_by`: where the answer has its reference too, the refund's own is
/// the other.
pub(super) fn refunded(answer: &Answer, captured_by: &str) -> Result<MoveOutcome, CallError> {
    if !answer.is_success() {
        return Err(error(answer));
    }
    let told: Refunded = answer.json().ok_or_else(CallError::unreadable)?;
    let word = told.transaction_status.as_str();
    let words = Words::of(told.response_message.get().unwrap_or(word));
    Ok(match word.to_ascii_uppercase().as_str() {
        "COMPLETED" => match told.own_reference(captured_by) {
            Some(reference) => MoveOutcome::Done(Moved {
                amount: told
                    .amount
                    .get()
                    .map(|amount| reported(amount, told.currency.as_str())),
                fee: None,
                reference: reference.to_owned(),
            }),
            None => MoveOutcome::Unknown(Doubt::Contradiction),
        },
        "FAILED" => MoveOutcome::failed(FailureReason::Declined, words),
        "" => return Err(CallError::unreadable()),
        _ => MoveOutcome::Pending(words),
    })
}

impl Refunded {
    fn own_reference(&self, captured_by: &str) -> Option<&str> {
        let told = [&self.ecocash_reference, &self.destination_ecocash_reference];
        let mut own = told.into_iter().filter_map(Loose::get);
        own.find(|reference| *reference != captured_by)
    }
}

/// The dollar that was replaced in 2024 is a currency of its own, and none of ours.
fn reported(amount: &str, word: &str) -> ReportedAmount {
    let currency = match word {
        "USD" => Some(Currency::Usd),
        "ZiG" | "ZWG" => Some(Currency::Zwg),
        _ => None,
    };
    ReportedAmount::of_decimal(amount, currency, word)
}
