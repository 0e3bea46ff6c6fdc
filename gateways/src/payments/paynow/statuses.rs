//! Paynow's words for how a payment stands.

use soko_domain::Currency;

use super::super::{Capture, Doubt, FailureReason, Outcome, ReportedAmount, Words};
use super::message::Message;

/// Of a message whose hash is good.
pub(super) fn outcome(message: &Message, currency: Currency) -> Outcome {
    let word = message.get("status").unwrap_or_default();
    let words = Words::of(word);
    match word.to_ascii_lowercase().as_str() {
        // The money is in: to be settled, or held until the goods arrived.
        "paid" | "awaiting delivery" | "delivered" => captured(message, currency),
        "cancelled" => Outcome::failed(FailureReason::CancelledByPayer, words),
        "failed" => Outcome::failed(FailureReason::Declined, words),
        "disputed" => Outcome::Disputed(words),
        "refunded" => Outcome::Returned(words),
        "" => Outcome::Unknown(Doubt::Unreadable),
        _ => Outcome::Pending(words),
    }
}

fn captured(message: &Message, currency: Currency) -> Outcome {
    // Now and then it is written with a comma for the thousands.
    let reference = message
        .get("paynowreference")
        .map(|text| text.replace(',', ""));
    match (reference, message.get("amount")) {
        (Some(reference), Some(amount)) => Outcome::Captured(Capture {
            amount: ReportedAmount::of_decimal(amount, Some(currency), currency.code()),
            fee: None,
            reference,
        }),
        _ => Outcome::Unknown(Doubt::Contradiction),
    }
}

/// Of an error in the reply to a start.
pub(super) fn error_reason(words: &str) -> FailureReason {
    let mentions = |part| Words::mention(words, part);
    if mentions("insufficient") {
        FailureReason::NotEnoughMoney
    } else if mentions("amount") {
        FailureReason::AmountNotAllowed
    } else if mentions("phone") {
        FailureReason::WrongPhone
    } else {
        FailureReason::OurSetUp
    }
}
