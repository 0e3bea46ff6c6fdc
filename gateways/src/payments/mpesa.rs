//! M-Pesa by way of Safaricom's Daraja, in Kenya.
//!
//! A payment is a prompt on the payer's phone (STK push). Its reply says only that the prompt is on
//! its way; a callback brings the result, and until then, or if it never comes, one asks. Refunds are
//! reversals, payouts are B2C; both are answered later, by callbacks. People also pay of their own
//! accord (C2B), and M-Pesa then tells a receipt.
//!
//! What the code guards against:
//!
//! * There is no idempotency key for a prompt: it is sent once, and a lost reply stays unknown.
//! * Nothing is signed. Each prompt, refund and payout has a callback path of its own, made with a
//!   secret of the store ([`super::CallbackToken`]), and what it says has to be asked about; receipts
//!   by a question whose answer comes on a path of its own.
//! * The query's answer has neither amount nor receipt: it is [`super::Outcome::Confirmed`], no capture.
//! * `500.001.1001` means that the prompt is open, or that our keys are wrong, or that the payer is
//!   busy: only the message tells.
//! * A failed question about a payout is no failed payout: its answer comes on a path of its own.
//! * Amounts are whole shillings; who has cents is refused before anything is sent.
//! * A new token ends the one before: all calls of a process share one, and get it one at a time.
//! * A prompt paid by the payer may be told twice, by its callback and by a receipt (C2B), with the
//!   same reference.

mod answers;
mod callbacks;
mod moves;
mod prompt;
mod receipts;
mod seal;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use soko_domain::PhoneNumber;
use uuid::Uuid;

pub use self::receipts::{OFFER_ACCEPTED, OFFER_REFUSED};
pub use self::seal::{SecurityCredentialError, seal_password};
pub(super) use self::tokens::Tokens;

use super::exchange::{Answer, Exchange};
use super::{
    AskPayment, CallError, Callback, CallbackKind, CallbackRefusal, CallbackToken, Capabilities,
    Endpoints, MpesaAccount, PaymentAccount, Receipts, Refunds, Report, Standing, StartPayment,
    Transfers, Unfit, capabilities, crypto,
};

/// From where Safaricom calls, as far as is published. The list changes: a callback from elsewhere is
/// to be doubted, not dropped.
pub const PUBLISHED_ADDRESSES: [&str; 14] = [
    "196.201.212.69",
    "196.201.212.74",
    "196.201.212.127",
    "196.201.212.128",
    "196.201.212.129",
    "196.201.212.132",
    "196.201.212.136",
    "196.201.212.138",
    "196.201.213.44",
    "196.201.213.114",
    "196.201.214.200",
    "196.201.214.206",
    "196.201.214.207",
    "196.201.214.208",
];

/// They write their times without a zone, and mean Nairobi.
const NAIROBI: Duration = Duration::hours(3);

/// A store's pay bill or till.
pub struct Mpesa {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    tokens: Arc<Tokens>,
    account: MpesaAccount,
}

impl Mpesa {
    pub(super) fn new(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        tokens: Arc<Tokens>,
        account: MpesaAccount,
    ) -> Self {
        Self {
            exchange,
            endpoints,
            tokens,
            account,
        }
    }

    /// One request, under a token that is good; once more if they say it is not, for then they did
    /// nothing.
    async fn post(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        now: DateTime<Utc>,
    ) -> Result<Answer, CallError> {
        let token = self.token(now, None).await?;
        let answer = self.post_with(path, body, &token).await?;
        if !answers::is_about_the_token(&answer) {
            return Ok(answer);
        }
        let token = self.token(now, Some(&token)).await?;
        let answer = self.post_with(path, body, &token).await?;
        if answers::is_about_the_token(&answer) {
            // Another process took the token that we took: surely nothing was done.
            return Err(CallError::not_now("the token was refused twice", None));
        }
        Ok(answer)
    }

    async fn post_with(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        token: &super::Secret,
    ) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .post(&format!("{}{path}", self.endpoints.mpesa))
            .bearer_auth(token.expose())
            .json(body);
        self.exchange.send(request).await
    }

    /// Where M-Pesa is to call us about this, and nothing else.
    fn callback_url(&self, kind: CallbackKind, id: Uuid) -> Result<String, CallError> {
        let token = self.callback_token(kind, id)?;
        let ours = &self.endpoints.callbacks;
        // Theirs call nothing else, and a test need not have a certificate.
        if self.endpoints.mpesa.starts_with("https:") && !ours.starts_with("https:") {
            return Err(Unfit::CallbackUrl.into());
        }
        Ok(format!("{ours}/mpesa/{}", token.text()))
    }

    fn callback_token(&self, kind: CallbackKind, id: Uuid) -> Result<CallbackToken, CallError> {
        let secret = self.account.callback_secrets.first();
        let token = secret.and_then(|secret| CallbackToken::new(secret, kind, id));
        token.ok_or_else(|| Unfit::Account.into())
    }

    /// The moment, and the password that goes with it and with no other.
    fn password(&self, now: DateTime<Utc>) -> (String, String) {
        let timestamp = timestamp(now);
        let account = &self.account;
        let whole = format!(
            "{}{}{timestamp}",
            account.short_code,
            account.passkey.expose()
        );
        (crypto::base64(whole), timestamp)
    }
}

fn timestamp(now: DateTime<Utc>) -> String {
    (now + NAIROBI).format("%Y%m%d%H%M%S").to_string()
}

/// Twelve digits, of a Kenyan mobile number.
fn msisdn(phone: &PhoneNumber) -> Result<&str, Unfit> {
    let digits = phone.as_str().trim_start_matches('+');
    let is_mobile = digits.starts_with("2547") || digits.starts_with("2541");
    if is_mobile && digits.len() == 12 {
        Ok(digits)
    } else {
        Err(Unfit::Phone)
    }
}

#[async_trait]
impl PaymentAccount for Mpesa {
    fn capabilities(&self) -> &'static Capabilities {
        &capabilities::MPESA
    }

    async fn start(&self, start: &StartPayment, now: DateTime<Utc>) -> Result<Standing, CallError> {
        self.prompt(start, now).await
    }

    async fn ask(&self, ask: &AskPayment, now: DateTime<Utc>) -> Result<Standing, CallError> {
        self.ask_about_prompt(ask, now).await
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

    fn receipts(&self) -> Option<&dyn Receipts> {
        // Only an initiator may ask.
        let _ = self.account.initiator.as_ref()?;
        Some(self)
    }
}
