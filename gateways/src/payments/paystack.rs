//! Paystack, in Kenya and South Africa among others.
//!
//! A payment is a page of theirs that the payer is sent to, or a prompt on the payer's phone. Our
//! reference is the idempotency key: a second start under it is refused, and one asks instead.
//!
//! What the code guards against:
//!
//! * `status: true`, and HTTP 200, say that the call worked. Only `data.status` says that money moved.
//! * A page that was started and then lost its answer cannot be opened again under its reference: it
//!   is asked about, and ends by itself.
//! * Where the payer carries the fee, `amount` is more than was asked for: `requested_amount` counts.
//! * A refund has no key. Our id of it stands in its note, by which it is found again; it is never
//!   repeated.
//! * A transfer may succeed and come back later.
//! * What a test key moved is no money: mode and key have to agree.
//! * Callbacks are signed over their raw bytes, with the very key that calls are made with.

mod answers;
mod callbacks;
mod moves;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use self::answers::{Transaction, read};
use super::exchange::{Answer, Exchange};
use super::{
    AskPayment, CallError, Callback, CallbackRefusal, Capabilities, Doubt, Endpoints, NextStep,
    OperationId, Outcome, PaymentAccount, PaystackAccount, Refunds, Report, Secret, Standing,
    StartPayment, TakesCodes, Transfers, Unfit, Wallet, Words, capabilities,
};

/// A store's business with Paystack.
pub(super) struct Paystack {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    account: PaystackAccount,
}

#[derive(Serialize)]
struct Initialize<'a> {
    email: &'a str,
    amount: i64,
    currency: &'a str,
    reference: String,
    callback_url: &'a str,
    metadata: Metadata,
}

#[derive(Serialize)]
struct Charge<'a> {
    email: &'a str,
    amount: i64,
    currency: &'a str,
    reference: String,
    mobile_money: MobileMoney<'a>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct MobileMoney<'a> {
    phone: &'a str,
    provider: &'static str,
}

#[derive(Serialize)]
struct Metadata {
    payment_id: String,
}

#[derive(Serialize)]
struct Otp<'a> {
    otp: &'a str,
    reference: String,
}

impl Paystack {
    pub(super) fn new(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        account: PaystackAccount,
    ) -> Self {
        Self {
            exchange,
            endpoints,
            account,
        }
    }

    /// The one that calls are made with.
    fn key(&self) -> Result<&Secret, Unfit> {
        self.account.secret_keys.first().ok_or(Unfit::Account)
    }

    fn is_live(&self) -> bool {
        self.key().is_ok_and(is_live)
    }

    async fn post(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .post(&format!("{}{path}", self.endpoints.paystack))
            .bearer_auth(self.key()?.expose())
            .json(body);
        self.exchange.send(request).await
    }

    async fn get(&self, path: &str) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .get(&format!("{}{path}", self.endpoints.paystack))
            .bearer_auth(self.key()?.expose());
        self.exchange.send(request).await
    }

    async fn verify(&self, operation_id: OperationId) -> Result<Standing, CallError> {
        let answer = self
            .get(&format!("/transaction/verify/{operation_id}"))
            .await?;
        if answers::is_not_found(&answer) {
            return Ok(Standing::of(Outcome::NeverSeen));
        }
        let transaction: Transaction = read(&answer)?;
        Ok(Standing::of(self.outcome(&transaction, operation_id)))
    }

    /// Of a transaction that is said to be ours.
    fn outcome(&self, transaction: &Transaction, operation_id: OperationId) -> Outcome {
        let is_ours = transaction.is_of(operation_id) && transaction.is_of_mode(self.is_live());
        if is_ours {
            transaction.outcome()
        } else {
            Outcome::Unknown(Doubt::Contradiction)
        }
    }

    async fn open_page(&self, start: &StartPayment) -> Result<Standing, CallError> {
        let return_url = start.return_url.as_ref().ok_or(Unfit::ReturnUrl)?;
        let body = Initialize {
            email: start.email.as_ref().ok_or(Unfit::Email)?.as_str(),
            amount: amount_of(start)?,
            currency: start.amount.currency().code(),
            reference: start.operation_id.to_string(),
            callback_url: return_url.as_str(),
            metadata: metadata(start),
        };
        let answer = self.post("/transaction/initialize", &body).await?;
        if answers::is_a_repeat(&answer) {
            return self.verify(start.operation_id).await;
        }
        let page: answers::Page = read(&answer)?;
        if page.reference.as_str() != body.reference {
            return Err(CallError::Unknown(Doubt::Contradiction));
        }
        let next = NextStep::redirect(page.authorization_url.as_str());
        Ok(Standing {
            next: next.ok_or_else(CallError::unreadable)?,
            ..Standing::of(Outcome::Pending(Words::default()))
        })
    }

    async fn prompt(&self, start: &StartPayment) -> Result<Standing, CallError> {
        let phone = start.phone.as_ref().ok_or(Unfit::Phone)?;
        let body = Charge {
            email: start.email.as_ref().ok_or(Unfit::Email)?.as_str(),
            amount: amount_of(start)?,
            currency: start.amount.currency().code(),
            reference: start.operation_id.to_string(),
            mobile_money: MobileMoney {
                phone: phone.as_str().trim_start_matches('+'),
                provider: "mpesa",
            },
            metadata: metadata(start),
        };
        let answer = self.post("/charge", &body).await?;
        if answers::is_a_repeat(&answer) {
            return self.verify(start.operation_id).await;
        }
        self.charged(&answer, start.operation_id)
    }

    fn charged(&self, answer: &Answer, operation_id: OperationId) -> Result<Standing, CallError> {
        let transaction: Transaction = read(answer)?;
        Ok(Standing {
            handle: None,
            next: transaction.next_step(operation_id),
            outcome: self.outcome(&transaction, operation_id),
        })
    }
}

/// Nothing is asked for in Paystack's name that it does not carry.
fn amount_of(start: &StartPayment) -> Result<i64, Unfit> {
    if !capabilities::PAYSTACK
        .currencies
        .contains(&start.amount.currency())
    {
        return Err(Unfit::Currency);
    }
    match start.amount.amount() {
        minor @ 1.. => Ok(minor),
        _ => Err(Unfit::Amount),
    }
}

fn metadata(start: &StartPayment) -> Metadata {
    Metadata {
        payment_id: start.payment_id.to_string(),
    }
}

fn is_live(key: &Secret) -> bool {
    !key.expose().starts_with("sk_test_")
}

#[async_trait]
impl PaymentAccount for Paystack {
    fn capabilities(&self) -> &'static Capabilities {
        &capabilities::PAYSTACK
    }

    async fn start(
        &self,
        start: &StartPayment,
        _now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        if start.capture_later {
            return Err(Unfit::CaptureLater.into());
        }
        match start.wallet {
            None => self.open_page(start).await,
            Some(Wallet::Mpesa) => self.prompt(start).await,
            Some(Wallet::Ecocash | Wallet::Innbucks | Wallet::Omari | Wallet::Onemoney) => {
                Err(Unfit::Wallet.into())
            }
        }
    }

    async fn ask(&self, ask: &AskPayment, _now: DateTime<Utc>) -> Result<Standing, CallError> {
        self.verify(ask.operation_id).await
    }

    fn read(&self, callback: &Callback<'_>) -> Result<Vec<Report>, CallbackRefusal> {
        callbacks::read(&self.account, callback)
    }

    fn refunds(&self) -> Option<&dyn Refunds> {
        Some(self)
    }

    fn transfers(&self) -> Option<&dyn Transfers> {
        Some(self)
    }

    fn codes(&self) -> Option<&dyn TakesCodes> {
        Some(self)
    }
}

#[async_trait]
impl TakesCodes for Paystack {
    async fn submit_code(&self, ask: &AskPayment, code: &Secret) -> Result<Standing, CallError> {
        let body = Otp {
            otp: code.expose(),
            reference: ask.operation_id.to_string(),
        };
        let answer = self.post("/charge/submit_otp", &body).await?;
        self.charged(&answer, ask.operation_id)
    }
}
