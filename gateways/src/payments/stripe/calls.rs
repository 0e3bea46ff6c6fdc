//! What Stripe is asked.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use soko_domain::{Currency, EmailAddress, Money};

use super::super::exchange::Answer;
use super::super::{
    AskMove, CallError, CapturePayment, Captures, Doubt, Handle, MoveStanding, OperationId,
    Outcome, Refund, Refunds, Standing, StartPayment, Unfit, VoidPayment,
};
use super::errors;
use super::form::Form;
use super::objects::{Intent, RefundTold, Session};
use super::{Named, Stripe, named};

/// The shapes that the code was written for.
const VERSION: &str = "2025-10-29.clover";

const AMOUNT_MAX: i64 = 99_999_999;
const USD_MIN: i64 = 50;
const DESCRIPTION_CHARS_MAX: usize = 250;

impl Stripe {
    pub(super) async fn create_intent(&self, start: &StartPayment) -> Result<Standing, CallError> {
        let (minor, currency) = amount(start.amount)?;
        let capture_method = if start.capture_later {
            "manual"
        } else {
            "automatic"
        };
        let form = Form::default()
            .put("amount", minor)
            .put("currency", currency)
            .put("automatic_payment_methods[enabled]", true)
            .put("capture_method", capture_method)
            .put("description", description(start))
            .put_metadata("metadata", &metadata(start));
        let answer = self
            .post("/v1/payment_intents", form, start.operation_id)
            .await?;
        let standing = read::<Intent>(&answer)?.standing();
        with_handle(standing)
    }

    pub(super) async fn create_session(&self, start: &StartPayment) -> Result<Standing, CallError> {
        let (minor, currency) = amount(start.amount)?;
        let return_url = start.return_url.as_ref().ok_or(Unfit::ReturnUrl)?;
        let later = start.capture_later.then_some("manual");
        let price = "line_items[0][price_data]";
        let form = Form::default()
            .put("mode", "payment")
            .put("line_items[0][quantity]", 1)
            .put(&format!("{price}[currency]"), currency)
            .put(&format!("{price}[unit_amount]"), minor)
            .put(&format!("{price}[product_data][name]"), description(start))
            .put("success_url", return_url)
            .put("cancel_url", return_url)
            .put("client_reference_id", start.payment_id)
            .put_if(
                "customer_email",
                start.email.as_ref().map(EmailAddress::as_str),
            )
            .put_metadata("metadata", &metadata(start))
            // The session's is not copied to the intent.
            .put_metadata("payment_intent_data[metadata]", &metadata(start))
            .put_if("payment_intent_data[capture_method]", later);
        let answer = self
            .post("/v1/checkout/sessions", form, start.operation_id)
            .await?;
        let standing = read::<Session>(&answer)?.standing();
        with_handle(standing)
    }

    pub(super) async fn ask_intent(&self, id: &str) -> Result<Standing, CallError> {
        let answer = self.get(&format!("/v1/payment_intents/{id}")).await?;
        if errors::is_missing(&answer) {
            return Ok(Standing::of(Outcome::NeverSeen));
        }
        let intent: Intent = read(&answer)?;
        if intent.id.as_str() != id {
            return Ok(Standing::of(Outcome::Unknown(Doubt::Contradiction)));
        }
        Ok(intent.standing())
    }

    pub(super) async fn ask_session(&self, id: &str) -> Result<Standing, CallError> {
        let answer = self.get(&format!("/v1/checkout/sessions/{id}")).await?;
        if errors::is_missing(&answer) {
            return Ok(Standing::of(Outcome::NeverSeen));
        }
        let session: Session = read(&answer)?;
        let standing = session.standing();
        if standing.handle.as_ref().map(Handle::as_str) != Some(id) {
            return Ok(Standing::of(Outcome::Unknown(Doubt::Contradiction)));
        }
        let Some(intent) = session.intent_to_ask().and_then(Handle::new) else {
            return Ok(standing);
        };
        let Named::Intent(intent) = named(&intent)? else {
            return Ok(Standing::of(Outcome::Unknown(Doubt::Contradiction)));
        };
        Ok(Standing {
            outcome: self.ask_intent(intent).await?.outcome,
            ..standing
        })
    }

    /// Of a payment on their page, the intent that the session made.
    async fn intent_of(&self, handle: &Handle) -> Result<Handle, CallError> {
        match named(handle)? {
            Named::Intent(_) => Ok(handle.clone()),
            Named::Session(id) => {
                let answer = self.get(&format!("/v1/checkout/sessions/{id}")).await?;
                let session: Session = read(&answer)?;
                let intent = session.intent().and_then(Handle::new);
                Ok(intent.ok_or(Unfit::Handle)?)
            }
        }
    }

    async fn change_intent(
        &self,
        intent: &Handle,
        change: &str,
        form: Form,
        operation_id: OperationId,
    ) -> Result<Outcome, CallError> {
        let Named::Intent(id) = named(intent)? else {
            return Err(Unfit::Handle.into());
        };
        let path = format!("/v1/payment_intents/{id}/{change}");
        let answer = self.post(&path, form, operation_id).await?;
        match errors::intent_within(&answer) {
            // It was decided before.
            Some(intent) if answer.status == 400 && intent.id.as_str() == id => {
                Ok(intent.outcome())
            }
            _ => {
                let intent: Intent = read(&answer)?;
                if intent.id.as_str() != id {
                    return Err(CallError::Unknown(Doubt::Contradiction));
                }
                Ok(intent.outcome())
            }
        }
    }

    async fn post(
        &self,
        path: &str,
        form: Form,
        operation_id: OperationId,
    ) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .post(&format!("{}{path}", self.endpoints.stripe))
            .bearer_auth(self.account.secret_key.expose())
            .header("stripe-version", VERSION)
            .header("idempotency-key", operation_id.to_string())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into_body());
        self.exchange.send(request).await
    }

    async fn get(&self, path: &str) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .get(&format!("{}{path}", self.endpoints.stripe))
            .bearer_auth(self.account.secret_key.expose())
            .header("stripe-version", VERSION);
        self.exchange.send(request).await
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CallError> {
    if !answer.is_success() {
        return Err(errors::error(answer));
    }
    answer.json().ok_or_else(CallError::unreadable)
}

/// Without one, what was made cannot be asked about.
fn with_handle(standing: Standing) -> Result<Standing, CallError> {
    match standing.handle {
        Some(_) => Ok(standing),
        None => Err(CallError::unreadable()),
    }
}

fn amount(money: Money) -> Result<(i64, String), Unfit> {
    let currency = money.currency();
    // Their smallest unit is ours, which it is not for every currency there is.
    let least = match currency {
        Currency::Usd => USD_MIN,
        Currency::Kes | Currency::Zar => 1,
        Currency::Zwg => return Err(Unfit::Currency),
    };
    if !(least..=AMOUNT_MAX).contains(&money.amount()) {
        return Err(Unfit::Amount);
    }
    Ok((money.amount(), currency.code().to_ascii_lowercase()))
}

fn description(start: &StartPayment) -> String {
    let text = match start.description.trim() {
        "" => &start.order_number,
        text => text,
    };
    text.chars().take(DESCRIPTION_CHARS_MAX).collect()
}

fn metadata(start: &StartPayment) -> [(&'static str, String); 2] {
    [
        ("payment_id", start.payment_id.to_string()),
        ("operation_id", start.operation_id.to_string()),
    ]
}

#[async_trait]
impl Captures for Stripe {
    async fn capture(&self, capture: &CapturePayment) -> Result<Outcome, CallError> {
        let (minor, _) = amount(capture.amount)?;
        let intent = self.intent_of(&capture.handle).await?;
        let form = Form::default().put("amount_to_capture", minor);
        self.change_intent(&intent, "capture", form, capture.operation_id)
            .await
    }

    async fn void(&self, void: &VoidPayment) -> Result<Outcome, CallError> {
        match named(&void.handle)? {
            Named::Intent(_) => {
                let form = Form::default().put("cancellation_reason", "abandoned");
                self.change_intent(&void.handle, "cancel", form, void.operation_id)
                    .await
            }
            Named::Session(id) => {
                let path = format!("/v1/checkout/sessions/{id}/expire");
                let answer = self.post(&path, Form::default(), void.operation_id).await?;
                if answer.status == 400 {
                    // It is no longer open: paid, or through, or expired.
                    return Ok(self.ask_session(id).await?.outcome);
                }
                Ok(read::<Session>(&answer)?.outcome())
            }
        }
    }
}

#[async_trait]
impl Refunds for Stripe {
    async fn refund(
        &self,
        refund: &Refund,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let minor = refund.amount.amount();
        if minor <= 0 {
            return Err(Unfit::Amount.into());
        }
        let ours = [("operation_id", refund.operation_id.to_string())];
        let form = Form::default()
            .put("payment_intent", &refund.captured_by)
            .put("amount", minor)
            .put("reason", "requested_by_customer")
            .put_metadata("metadata", &ours);
        let answer = self.post("/v1/refunds", form, refund.operation_id).await?;
        standing_of(&read(&answer)?)
    }

    async fn ask_refund(
        &self,
        ask: &AskMove,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let handle = ask.handle.as_ref().map(Handle::as_str).unwrap_or_default();
        let is_word = handle
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !handle.starts_with("re_") || !is_word {
            return Err(Unfit::Handle.into());
        }
        let answer = self.get(&format!("/v1/refunds/{handle}")).await?;
        standing_of(&read(&answer)?)
    }
}

fn standing_of(refund: &RefundTold) -> Result<MoveStanding, CallError> {
    Ok(MoveStanding {
        handle: Some(refund.id().ok_or_else(CallError::unreadable)?),
        outcome: refund.outcome(),
    })
}
