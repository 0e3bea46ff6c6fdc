//! The prompt on the payer's phone, and asking what became of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::{Currency, Money};

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::requests::plain;
use super::super::{
    AskPayment, CallError, CallbackKind, Doubt, Handle, MpesaTill, NextStep, Outcome, Standing,
    StartPayment, Unfit, Words, amounts,
};
use super::answers::{self, prompt_reason};
use super::{Mpesa, msisdn};

const AMOUNT_MAX: i64 = 250_000;
const ACCOUNT_REFERENCE_CHARS_MAX: usize = 12;
const DESCRIPTION_CHARS_MAX: usize = 13;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Push<'a> {
    business_short_code: &'a str,
    password: String,
    timestamp: String,
    transaction_type: &'static str,
    amount: i64,
    party_a: &'a str,
    party_b: &'a str,
    phone_number: &'a str,
    #[serde(rename = "CallBackURL")]
    callback_url: String,
    account_reference: String,
    transaction_desc: String,
}

#[derive(Deserialize)]
struct Queued {
    #[serde(rename = "CheckoutRequestID", default)]
    checkout_request_id: Loose,
    #[serde(rename = "ResponseCode")]
    response_code: Loose,
    #[serde(rename = "ResponseDescription", default)]
    response_description: Loose,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Query<'a> {
    business_short_code: &'a str,
    password: String,
    timestamp: String,
    #[serde(rename = "CheckoutRequestID")]
    checkout_request_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Queried {
    #[serde(rename = "CheckoutRequestID", default)]
    checkout_request_id: Loose,
    #[serde(default)]
    result_code: Loose,
    #[serde(default)]
    result_desc: Loose,
}

impl Mpesa {
    pub(super) async fn prompt(
        &self,
        start: &StartPayment,
        now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        if start.capture_later {
            return Err(Unfit::CaptureLater.into());
        }
        let phone = msisdn(start.phone.as_ref().ok_or(Unfit::Phone)?)?;
        let (password, timestamp) = self.password(now);
        let account = &self.account;
        let (transaction_type, party_b) = match &account.till {
            MpesaTill::PayBill => ("CustomerPayBillOnline", &account.short_code),
            MpesaTill::BuyGoods { till_number } => ("CustomerBuyGoodsOnline", till_number),
        };
        let push = Push {
            business_short_code: &account.short_code,
            password,
            timestamp,
            transaction_type,
            amount: shillings(start.amount, 1)?,
            party_a: phone,
            party_b,
            phone_number: phone,
            callback_url: self.callback_url(CallbackKind::Prompt, start.operation_id.as_uuid())?,
            account_reference: plain(&start.order_number, ACCOUNT_REFERENCE_CHARS_MAX),
            transaction_desc: plain(&start.description, DESCRIPTION_CHARS_MAX),
        };
        let answer = self
            .post("/mpesa/stkpush/v1/processrequest", &push, now)
            .await?;
        queued(&answer)
    }

    pub(super) async fn ask_about_prompt(
        &self,
        ask: &AskPayment,
        now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        let handle = ask.handle.as_ref().ok_or(Unfit::Handle)?;
        let (password, timestamp) = self.password(now);
        let query = Query {
            business_short_code: &self.account.short_code,
            password,
            timestamp,
            checkout_request_id: handle.as_str(),
        };
        let answer = self
            .post("/mpesa/stkpushquery/v1/query", &query, now)
            .await?;
        Ok(Standing {
            handle: Some(handle.clone()),
            outcome: queried(&answer, handle)?,
            next: NextStep::None,
        })
    }
}

/// So many whole shillings, from `least` on.
pub(super) fn shillings(amount: Money, least: i64) -> Result<i64, Unfit> {
    if amount.currency() != Currency::Kes {
        return Err(Unfit::Currency);
    }
    amounts::whole(amount)
        .filter(|shillings| (least..=AMOUNT_MAX).contains(shillings))
        .ok_or(Unfit::Amount)
}

fn queued(answer: &Answer) -> Result<Standing, CallError> {
    if !answer.is_success() {
        return Err(answers::error(answer));
    }
    let told: Queued = answer.json().ok_or_else(CallError::unreadable)?;
    let words = told.response_description.as_str();
    match told.response_code.get() {
        Some("0") => {
            let handle = Handle::new(told.checkout_request_id.as_str());
            Ok(Standing {
                // Without one there is a prompt that cannot be asked about.
                handle: Some(handle.ok_or_else(CallError::unreadable)?),
                outcome: Outcome::Pending(Words::of(words)),
                next: NextStep::AwaitPhonePrompt(None),
            })
        }
        Some(code) => Err(CallError::refused(prompt_reason(code), words)),
        None => Err(CallError::unreadable()),
    }
}

fn queried(answer: &Answer, handle: &Handle) -> Result<Outcome, CallError> {
    if answers::is_being_processed(answer) {
        return Ok(Outcome::Pending(answers::words_of(answer)));
    }
    if !answer.is_success() {
        return Err(answers::error(answer));
    }
    let told: Queried = answer.json().ok_or_else(CallError::unreadable)?;
    if told
        .checkout_request_id
        .get()
        .is_some_and(|id| id != handle.as_str())
    {
        return Ok(Outcome::Unknown(Doubt::Contradiction));
    }
    let text = told.result_desc.as_str();
    let words = Words::of(text);
    match told.result_code.get() {
        Some("0") => Ok(Outcome::Confirmed(words)),
        Some("4999") => Ok(Outcome::Pending(words)),
        Some(_) if Words::mention(text, "under processing") => Ok(Outcome::Pending(words)),
        Some(code) => Ok(Outcome::failed(prompt_reason(code), words)),
        None => Err(CallError::unreadable()),
    }
}
