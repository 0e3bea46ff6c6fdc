//! What M-Pesa posts to us: results of prompts, receipts, and results of what was asked of it.

use serde::Deserialize;
use serde_json::value::RawValue;
use soko_domain::Currency;
use uuid::Uuid;

use super::super::loose_json::{Loose, one_or_many};
use super::super::{
    About, Attested, Callback, CallbackKind, CallbackRefusal, CallbackToken, Capture, Doubt, Fact,
    FailureReason, Handle, MoveOutcome, Moved, MpesaAccount, MpesaTill, OperationId, Outcome,
    Received, Report, ReportedAmount, Words,
};
use super::answers::{move_reason, prompt_reason};

const ACCOUNT_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
struct PromptResult<'a> {
    #[serde(rename = "Body", borrow)]
    body: PromptBody<'a>,
}

#[derive(Deserialize)]
struct PromptBody<'a> {
    #[serde(rename = "stkCallback", borrow)]
    callback: StkCallback<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StkCallback<'a> {
    #[serde(rename = "CheckoutRequestID")]
    checkout_request_id: Loose,
    result_code: Loose,
    #[serde(default)]
    result_desc: Loose,
    #[serde(borrow)]
    callback_metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(rename = "Item", borrow)]
    items: Option<&'a RawValue>,
}

/// By its name, in any order; the same name may come twice, and the value may be missing.
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Name", alias = "Key")]
    name: Loose,
    #[serde(rename = "Value", default)]
    value: Loose,
}

#[derive(Deserialize)]
struct MoveResult<'a> {
    #[serde(rename = "Result", borrow)]
    result: ResultBody<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultBody<'a> {
    result_code: Loose,
    #[serde(default)]
    result_desc: Loose,
    #[serde(rename = "TransactionID", default)]
    transaction_id: Loose,
    #[serde(borrow)]
    result_parameters: Option<Parameters<'a>>,
}

#[derive(Deserialize)]
struct Numbered {
    #[serde(rename = "Result")]
    result: ConversationId,
}

#[derive(Deserialize)]
struct ConversationId {
    #[serde(rename = "OriginatorConversationID", default)]
    originator_conversation_id: Loose,
}

#[derive(Deserialize)]
struct Parameters<'a> {
    #[serde(rename = "ResultParameter", borrow)]
    items: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    #[serde(rename = "TransID")]
    id: Loose,
    trans_amount: Loose,
    business_short_code: Loose,
    #[serde(default)]
    bill_ref_number: Loose,
}

pub(super) fn read(
    account: &MpesaAccount,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, CallbackRefusal> {
    callback.check_length()?;
    let token = CallbackToken::parse(callback.path).ok_or(CallbackRefusal::BadSignature)?;
    if !token.is_made_with(&account.callback_secrets) {
        return Err(CallbackRefusal::BadSignature);
    }
    let is_of_store = token.id() == account.store_id.as_uuid();
    let operation = About {
        operation_id: Some(OperationId::from_uuid(token.id())),
        ..About::default()
    };
    let body = callback.body;
    let report = match token.kind() {
        CallbackKind::Prompt => prompt(body, operation)?,
        CallbackKind::Refund => moved(body, of_move(body, operation), Fact::Refund, result)?,
        CallbackKind::Transfer => moved(body, of_move(body, operation), Fact::Transfer, result)?,
        CallbackKind::RefundStatus => moved(body, operation, Fact::Refund, status)?,
        CallbackKind::TransferStatus => moved(body, operation, Fact::Transfer, status)?,
        CallbackKind::ReceiptStatus => {
            let attested = |outcome| attested(token.id(), outcome);
            moved(body, About::default(), attested, status)?
        }
        CallbackKind::ReceiptStatusTimeOut => {
            Report::new(About::default(), attested(token.id(), nobody_knows()))
        }
        // A question that found no answer has an id of its own, which says nothing of the move.
        CallbackKind::RefundStatusTimeOut => Report::new(operation, Fact::Refund(nobody_knows())),
        CallbackKind::TransferStatusTimeOut => {
            Report::new(operation, Fact::Transfer(nobody_knows()))
        }
        CallbackKind::RefundTimeOut => {
            Report::new(of_move(body, operation), Fact::Refund(nobody_knows()))
        }
        CallbackKind::TransferTimeOut => {
            Report::new(of_move(body, operation), Fact::Transfer(nobody_knows()))
        }
        CallbackKind::Receipt if is_of_store => {
            Report::new(About::default(), Fact::Received(receipt(account, body)?))
        }
        CallbackKind::Offer if is_of_store => {
            Report::new(About::default(), Fact::Offered(receipt(account, body)?))
        }
        CallbackKind::Receipt | CallbackKind::Offer | CallbackKind::Nudge => {
            return Err(CallbackRefusal::NotForUs);
        }
    };
    Ok(vec![report])
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, CallbackRefusal> {
    serde_json::from_slice(body).map_err(|_| CallbackRefusal::Malformed)
}

fn value<'a>(items: &'a [Item], name: &str) -> Option<&'a str> {
    items.iter().find_map(|item| {
        (item.name.as_str() == name)
            .then(|| item.value.get())
            .flatten()
    })
}

fn kes(text: &str) -> ReportedAmount {
    ReportedAmount::of_decimal(text, Some(Currency::Kes), "KES")
}

fn prompt(body: &[u8], about: About) -> Result<Report, CallbackRefusal> {
    let told = parse::<PromptResult<'_>>(body)?.body.callback;
    let handle = Handle::new(told.checkout_request_id.as_str());
    let words = Words::of(told.result_desc.as_str());
    let items: Vec<Item> = one_or_many(told.callback_metadata.and_then(|data| data.items));
    let outcome = match told.result_code.get() {
        Some("0") => {
            match (value(&items, "Amount"), value(&items, "MpesaReceiptNumber")) {
                (Some(amount), Some(receipt)) => Outcome::Captured(Capture {
                    amount: kes(amount),
                    fee: None,
                    reference: receipt.to_owned(),
                }),
                // A success without what was paid.
                _ => Outcome::Confirmed(words),
            }
        }
        Some("4999") => Outcome::Pending(words),
        Some(code) => Outcome::failed(prompt_reason(code), words),
        None => return Err(CallbackRefusal::Malformed),
    };
    let about = About {
        handle: Some(handle.ok_or(CallbackRefusal::Malformed)?),
        ..about
    };
    Ok(Report::new(about, Fact::Payment(outcome)))
}

fn moved(
    body: &[u8],
    about: About,
    fact: impl Fn(MoveOutcome) -> Fact,
    outcome: fn(&ResultBody<'_>, &[Item]) -> Result<MoveOutcome, CallbackRefusal>,
) -> Result<Report, CallbackRefusal> {
    let told = parse::<MoveResult<'_>>(body)?.result;
    let parameters = told.result_parameters.as_ref();
    let items: Vec<Item> = one_or_many(parameters.and_then(|parameters| parameters.items));
    let outcome = outcome(&told, &items)?;
    Ok(Report::new(about, fact(outcome)))
}

/// With the id by which one can ask, should the answer to our own request have been lost.
fn of_move(body: &[u8], about: About) -> About {
    let told = serde_json::from_slice::<Numbered>(body).ok();
    let handle = told.and_then(|told| Handle::new(told.result.originator_conversation_id.as_str()));
    About { handle, ..about }
}

const fn attested(question: Uuid, outcome: MoveOutcome) -> Fact {
    Fact::Attested(Attested {
        question: OperationId::from_uuid(question),
        outcome,
    })
}

const fn nobody_knows() -> MoveOutcome {
    MoveOutcome::Unknown(Doubt::NoAnswer)
}

/// Of a reversal or a payout.
fn result(told: &ResultBody<'_>, items: &[Item]) -> Result<MoveOutcome, CallbackRefusal> {
    let words = Words::of(told.result_desc.as_str());
    match told.result_code.get() {
        Some("0") => {
            let receipt = value(items, "TransactionReceipt").or(told.transaction_id.get());
            let amount = value(items, "TransactionAmount").or(value(items, "Amount"));
            Ok(match receipt {
                Some(reference) => MoveOutcome::Done(Moved {
                    amount: amount.map(kes),
                    fee: value(items, "Charge").map(kes),
                    reference: reference.to_owned(),
                }),
                None => MoveOutcome::Unknown(Doubt::Contradiction),
            })
        }
        Some(code) => Ok(MoveOutcome::failed(move_reason(code), words)),
        None => Err(CallbackRefusal::Malformed),
    }
}

/// Of a question: only where it was answered does it say anything of the money.
fn status(told: &ResultBody<'_>, items: &[Item]) -> Result<MoveOutcome, CallbackRefusal> {
    match told.result_code.get() {
        Some("0") => (),
        Some(_) => return Ok(MoveOutcome::Unknown(Doubt::CannotBeAsked)),
        None => return Err(CallbackRefusal::Malformed),
    }
    let word = value(items, "TransactionStatus").unwrap_or_default();
    let failed = |reason| MoveOutcome::failed(reason, Words::of(word));
    Ok(match word.to_ascii_lowercase().as_str() {
        "completed" => match value(items, "ReceiptNo") {
            Some(reference) => MoveOutcome::Done(Moved {
                amount: value(items, "Amount").map(kes),
                fee: None,
                reference: reference.to_owned(),
            }),
            None => MoveOutcome::Unknown(Doubt::Contradiction),
        },
        "cancelled" => failed(FailureReason::Other),
        "declined" => failed(FailureReason::Declined),
        "expired" => failed(FailureReason::Expired),
        _ => MoveOutcome::Pending(Words::of(word)),
    })
}

fn receipt(account: &MpesaAccount, body: &[u8]) -> Result<Received, CallbackRefusal> {
    let told: Receipt = parse(body)?;
    let paid_to = told.business_short_code.as_str();
    let is_till = match &account.till {
        MpesaTill::PayBill => false,
        MpesaTill::BuyGoods { till_number } => till_number == paid_to,
    };
    if paid_to != account.short_code && !is_till {
        return Err(CallbackRefusal::NotForUs);
    }
    let (Some(reference), Some(amount)) = (told.id.get(), told.trans_amount.get()) else {
        return Err(CallbackRefusal::Malformed);
    };
    let account = told.bill_ref_number.as_str();
    Ok(Received {
        amount: kes(amount),
        reference: reference.to_owned(),
        account: account
            .chars()
            .filter(|c| !c.is_control())
            .take(ACCOUNT_CHARS_MAX)
            .collect(),
    })
}
