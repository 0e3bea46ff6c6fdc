//! What Stripe answers when it does not do what it was asked.

use serde::Deserialize;

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::{CallError, FailureReason, Words};
use super::objects::Intent;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wrapped {
    error: Told,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(rename = "type")]
    kind: Loose,
    code: Loose,
    decline_code: Loose,
    message: Loose,
    /// How the payment stands that they refuse to change.
    payment_intent: Option<Intent>,
}

fn told(answer: &Answer) -> Told {
    answer.json::<Wrapped>().unwrap_or_default().error
}

/// Of an answer that is no success.
pub(super) fn error(answer: &Answer) -> CallError {
    let told = told(answer);
    let message = told.message.as_str();
    let may_retry = answer.header("stripe-should-retry") == Some("true");
    match answer.status {
        // The same key is at work: it will have been done, or not.
        408 | 409 => answer.in_doubt(),
        429 => CallError::not_now(message, answer.retry_after()),
        400 if told.code.as_str() == "rate_limit" => {
            CallError::not_now(message, answer.retry_after())
        }
        400..=499 if may_retry => CallError::not_now(message, answer.retry_after()),
        402 => {
            let code = told.decline_code.get().or(told.code.get());
            CallError::refused(decline_reason(code.unwrap_or_default()), message)
        }
        // Without a word of theirs it is somebody else's answer.
        400..=499 if told.kind.get().is_some() => {
            CallError::refused(reason(told.code.as_str(), message), message)
        }
        _ => answer.in_doubt(),
    }
}

pub(super) fn is_missing(answer: &Answer) -> bool {
    answer.status == 404 && told(answer).code.as_str() == "resource_missing"
}

/// How the payment stands, where they refuse to change it.
pub(super) fn intent_within(answer: &Answer) -> Option<Intent> {
    told(answer).payment_intent
}

fn reason(code: &str, message: &str) -> FailureReason {
    match code {
        // More than is left of a capture has no code of its own.
        _ if Words::mention(message, "greater than") => FailureReason::AmountNotAllowed,
        "amount_too_small" | "amount_too_large" => FailureReason::AmountNotAllowed,
        "charge_already_refunded" => FailureReason::AlreadyReturned,
        "resource_missing" => FailureReason::UnknownOriginal,
        _ => FailureReason::OurSetUp,
    }
}

pub(super) fn decline_reason(code: &str) -> FailureReason {
    match code {
        "insufficient_funds" => FailureReason::NotEnoughMoney,
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => FailureReason::LimitReached,
        "incorrect_pin" | "invalid_pin" => FailureReason::WrongPin,
        "pin_try_exceeded" => FailureReason::PayerLocked,
        "duplicate_transaction" => FailureReason::Repeated,
        "processing_error" | "issuer_not_available" => FailureReason::ProviderBusy,
        _ => FailureReason::Declined,
    }
}
