//! EcoCash's Open API, in Zimbabwe.
//!
//! A charge is a prompt on the payer's phone; its answer says nothing but that it was taken. What
//! became of it, one asks, by the phone number and our own reference. Callbacks are unsigned, and
//! say no more than that it is time to ask.
//!
//! What the code guards against:
//!
//! * Our reference is a UUID and the only handle there is; a conflict means that it was sent before.
//! * One asks at `v1`, though one charges at `v2`.
//! * They know `ZiG`, not `ZWG`.
//! * Amounts are JSON numbers, written from and read as decimals, never by way of a float.
//! * A success of another reference, or without a reference of theirs, is none.
//! * A refund cannot be asked about, nor repeated: if its answer is lost, a person has to look.

mod answers;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use soko_domain::{Currency, Money, PhoneNumber};

use super::exchange::{Answer, Exchange};
use super::loose_json::Loose;
use super::requests::plain;
use super::{
    About, AskMove, AskPayment, CallError, Callback, CallbackKind, CallbackRefusal, CallbackToken,
    Capabilities, Doubt, EcocashAccount, EcocashRefundBy, Endpoints, Fact, Handle, MoveOutcome,
    MoveStanding, NextStep, OperationId, Outcome, PaymentAccount, Refund, Refunds, Report,
    Standing, StartPayment, Unfit, Words, amounts, capabilities,
};

const REASON_CHARS_MAX: usize = 100;

/// A store's merchant account.
pub(super) struct Ecocash {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    account: EcocashAccount,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Charge<'a> {
    customer_msisdn: &'a str,
    amount: Box<RawValue>,
    reason: String,
    currency: &'static str,
    source_reference: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LookUp<'a> {
    source_mobile_number: &'a str,
    source_reference: String,
}

/// Two of these they spell so.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GiveBack<'a> {
    #[serde(rename = "origionalEcocashTransactionReference")]
    original: String,
    #[serde(rename = "refundCorelator")]
    correlator: String,
    source_mobile_number: &'a str,
    amount: Box<RawValue>,
    client_name: &'a str,
    currency: &'static str,
    reason_for_refund: String,
}

#[derive(Deserialize)]
struct Called {
    #[serde(rename = "clientReference")]
    reference: Loose,
}

impl Ecocash {
    pub(super) fn new(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        account: EcocashAccount,
    ) -> Self {
        Self {
            exchange,
            endpoints,
            account,
        }
    }

    async fn post(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<Answer, CallError> {
        let mode = if self.account.is_live {
            "live"
        } else {
            "sandbox"
        };
        let request = self
            .exchange
            .post(&format!("{}{path}/{mode}", self.endpoints.ecocash))
            .header("x-api-key", self.account.api_key.expose())
            .json(body);
        self.exchange.send(request).await
    }
}

/// 263 and nine digits, of EcoCash's own network.
fn msisdn(phone: &PhoneNumber) -> Result<&str, Unfit> {
    let digits = phone.as_str().trim_start_matches('+');
    let is_theirs = digits.starts_with("26377") || digits.starts_with("26378");
    if is_theirs && digits.len() == 12 {
        Ok(digits)
    } else {
        Err(Unfit::Phone)
    }
}

/// As a JSON number with two decimals, and as they call the currency.
fn amount(money: Money) -> Result<(Box<RawValue>, &'static str), Unfit> {
    let currency = match money.currency() {
        Currency::Usd => "USD",
        Currency::Zwg => "ZiG",
        Currency::Kes | Currency::Zar => return Err(Unfit::Currency),
    };
    if money.amount() <= 0 {
        return Err(Unfit::Amount);
    }
    let number = RawValue::from_string(amounts::decimal(money));
    Ok((number.map_err(|_| Unfit::Amount)?, currency))
}

#[async_trait]
impl PaymentAccount for Ecocash {
    fn capabilities(&self) -> &'static Capabilities {
        &capabilities::ECOCASH
    }

    async fn start(
        &self,
        start: &StartPayment,
        _now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        if start.capture_later {
            return Err(Unfit::CaptureLater.into());
        }
        let (amount, currency) = amount(start.amount)?;
        let charge = Charge {
            customer_msisdn: msisdn(start.phone.as_ref().ok_or(Unfit::Phone)?)?,
            amount,
            reason: plain(&start.description, REASON_CHARS_MAX),
            currency,
            source_reference: start.operation_id.to_string(),
        };
        let answer = self.post("/api/v2/payment/instant/c2b", &charge).await?;
        // A conflict: it was sent before.
        if answer.is_success() || answer.status == 409 {
            return Ok(Standing {
                next: NextStep::AwaitPhonePrompt(None),
                ..Standing::of(Outcome::Pending(Words::default()))
            });
        }
        Err(answers::error(&answer))
    }

    async fn ask(&self, ask: &AskPayment, _now: DateTime<Utc>) -> Result<Standing, CallError> {
        let question = LookUp {
            source_mobile_number: msisdn(ask.phone.as_ref().ok_or(Unfit::Phone)?)?,
            source_reference: ask.operation_id.to_string(),
        };
        let path = "/api/v1/transaction/c2b/status";
        let answer = self.post(path, &question).await?;
        if answer.status == 404 {
            return Ok(Standing::of(Outcome::NeverSeen));
        }
        answers::looked_up(&answer, ask.operation_id).map(Standing::of)
    }

    fn read(&self, callback: &Callback<'_>) -> Result<Vec<Report>, CallbackRefusal> {
        callback.check_length()?;
        let token = CallbackToken::parse(callback.path).ok_or(CallbackRefusal::BadSignature)?;
        if !token.is_made_with(&self.account.callback_secrets) {
            return Err(CallbackRefusal::BadSignature);
        }
        let is_of_store = token.id() == self.account.store_id.as_uuid();
        if token.kind() != CallbackKind::Nudge || !is_of_store {
            return Err(CallbackRefusal::NotForUs);
        }
        let called: Called =
            serde_json::from_slice(callback.body).map_err(|_| CallbackRefusal::Malformed)?;
        let about = About {
            operation_id: OperationId::parse(called.reference.as_str()),
            ..About::default()
        };
        Ok(vec![Report::new(about, Fact::Nudge)])
    }

    fn refunds(&self) -> Option<&dyn Refunds> {
        Some(self)
    }
}

#[async_trait]
impl Refunds for Ecocash {
    async fn refund(
        &self,
        refund: &Refund,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let (amount, currency) = amount(refund.amount)?;
        let original = match self.account.refund_by {
            EcocashRefundBy::EcocashReference => refund.captured_by.clone(),
            EcocashRefundBy::SourceReference => refund.charge.to_string(),
        };
        let request = GiveBack {
            original,
            correlator: refund.operation_id.to_string(),
            source_mobile_number: msisdn(refund.phone.as_ref().ok_or(Unfit::Phone)?)?,
            amount,
            client_name: &self.account.client_name,
            currency,
            reason_for_refund: plain(&refund.reason, REASON_CHARS_MAX),
        };
        let answer = self.post("/api/v2/refund/instant/c2b", &request).await?;
        Ok(MoveStanding {
            handle: Handle::new(&refund.operation_id.to_string()),
            outcome: answers::refunded(&answer, &refund.captured_by)?,
        })
    }

    async fn ask_refund(
        &self,
        _ask: &AskMove,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        Ok(MoveStanding {
            handle: None,
            outcome: MoveOutcome::Unknown(Doubt::CannotBeAsked),
        })
    }
}
