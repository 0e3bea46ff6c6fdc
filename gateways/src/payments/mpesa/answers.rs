//! What Daraja answers when it does not do what it was asked, and what its result codes mean.

use serde::Deserialize;

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::{CallError, FailureReason, Words};

/// Of Daraja itself, or of the gateway in front of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    #[serde(rename = "errorCode")]
    code: Loose,
    #[serde(rename = "errorMessage")]
    message: Loose,
    #[serde(rename = "fault")]
    gateway: GatewayFault,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GatewayFault {
    #[serde(rename = "faultstring")]
    message: Loose,
    detail: GatewayDetail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GatewayDetail {
    #[serde(rename = "errorcode")]
    code: Loose,
}

fn fault(answer: &Answer) -> Fault {
    answer.json().unwrap_or_default()
}

/// Whether they say that the token is wrong or old, and so did nothing.
pub(super) fn is_about_the_token(answer: &Answer) -> bool {
    let code = fault(answer).code;
    answer.status == 401 || matches!(code.as_str(), "400.003.01" | "401.003.01" | "404.001.03")
}

pub(super) fn words_of(answer: &Answer) -> Words {
    Words::of(fault(answer).message.as_str())
}

/// Whether they say that the prompt is still open.
pub(super) fn is_being_processed(answer: &Answer) -> bool {
    let fault = fault(answer);
    fault.code.as_str() == "500.001.1001" && Words::mention(fault.message.as_str(), "processed")
}

/// Whether they have done this before, under the same id.
pub(super) fn is_a_repeat(answer: &Answer) -> bool {
    fault(answer).code.as_str() == "500.002.1001"
}

/// Of an answer that is no success.
pub(super) fn error(answer: &Answer) -> CallError {
    let fault = fault(answer);
    let message = fault.message.as_str();
    let gateway = fault.gateway.detail.code.as_str();
    match fault.code.as_str() {
        // Too fast, or too much for today.
        "500.003.02" | "500.003.03" => CallError::not_now(message, answer.retry_after()),
        _ if gateway.starts_with("policies.ratelimit") || answer.status == 429 => {
            CallError::not_now(fault.gateway.message.as_str(), answer.retry_after())
        }
        "500.001.1001" => of_many_meanings(answer, message),
        "400.002.02" => CallError::refused(wrong_field(message), message),
        code if !code.is_empty() && matches!(answer.status, 400 | 401 | 403 | 404 | 405) => {
            CallError::refused(FailureReason::OurSetUp, message)
        }
        // Their fault, or somebody else's page: it may have been done.
        _ => answer.in_doubt(),
    }
}

/// The one code that they have for all that goes wrong behind the gateway.
fn of_many_meanings(answer: &Answer, message: &str) -> CallError {
    let mentions = |part| Words::mention(message, part);
    if mentions("wrong credential") || mentions("merchant") {
        CallError::refused(FailureReason::OurSetUp, message)
    } else if mentions("lock") || mentions("already in process") {
        CallError::refused(FailureReason::PayerBusy, message)
    } else {
        answer.in_doubt()
    }
}

fn wrong_field(message: &str) -> FailureReason {
    let mentions = |part| Words::mention(message, part);
    if mentions("phonenumber") || mentions("partya") || mentions("msisdn") {
        FailureReason::WrongPhone
    } else if mentions("amount") {
        FailureReason::AmountNotAllowed
    } else {
        FailureReason::OurSetUp
    }
}

/// Of a prompt.
pub(super) fn prompt_reason(code: &str) -> FailureReason {
    match code {
        "1" => FailureReason::NotEnoughMoney,
        "2" | "3" => FailureReason::AmountNotAllowed,
        "4" => FailureReason::LimitReached,
        "8" => FailureReason::ReceiverLimitReached,
        "17" => FailureReason::Repeated,
        "26" | "1025" | "9999" => FailureReason::ProviderBusy,
        "1001" => FailureReason::PayerBusy,
        "1019" => FailureReason::Expired,
        "1032" => FailureReason::CancelledByPayer,
        "1037" => FailureReason::PayerNotReached,
        "2001" => FailureReason::WrongPin,
        "2028" | "SFC_IC0003" => FailureReason::OurSetUp,
        "8006" => FailureReason::PayerLocked,
        _ => FailureReason::Other,
    }
}

/// Of a reversal or a payout, where it is we who pay, and our initiator whose password counts.
pub(super) fn move_reason(code: &str) -> FailureReason {
    match code {
        "1" => FailureReason::NotEnoughMoneyOfOurs,
        "2" | "3" => FailureReason::AmountNotAllowed,
        "4" => FailureReason::LimitReached,
        "8" => FailureReason::ReceiverLimitReached,
        "17" => FailureReason::Repeated,
        "26" => FailureReason::ProviderBusy,
        "2001" | "2028" | "8006" | "SFC_IC0003" => FailureReason::OurSetUp,
        "R000001" => FailureReason::AlreadyReturned,
        "R000002" => FailureReason::UnknownOriginal,
        _ => FailureReason::Other,
    }
}
