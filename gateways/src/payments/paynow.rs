//! Paynow, in Zimbabwe: a page of theirs, or a prompt to one of four wallets.
//!
//! Forms go in and come out. The reply to a start names an address to poll; if the reply is lost, the
//! payment is found by the trace that we gave it. Refunds are made in Paynow's own dashboard, and
//! reach us as a status.
//!
//! What the code guards against:
//!
//! * The hash is of all values in the order in which they came, those that we do not know too, decoded
//!   once: [`message`] never goes through a map.
//! * It joins values without anything between, so a digit can be moved from one field to the next
//!   without breaking it. What a callback says of an amount is confirmed by polling, over TLS.
//! * A name that comes twice has no value.
//! * Addresses to poll come from outside: only Paynow's own are asked.
//! * `Awaiting Delivery` and `Delivered` are paid, as `Paid` is; a word that we do not know is pending.
//! * Answers are no answers if they are HTML or their hash is wrong. An error has no hash.
//! * No currency is ever named: it is the account's.

mod message;
mod statuses;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use soko_domain::{EmailAddress, PhoneNumber};
use url::Url;

use self::message::{Message, Outgoing};
use super::exchange::{Answer, Exchange};
use super::requests::plain;
use super::{
    About, AskPayment, CallError, Callback, CallbackRefusal, Capabilities, Doubt, Endpoints, Fact,
    FailureReason, Handle, NextStep, OperationId, Outcome, PaymentAccount, PaynowAccount, Report,
    Secret, Standing, StartPayment, TakesCodes, Unfit, Wallet, Words, amounts, capabilities,
};

const INFO_CHARS_MAX: usize = 100;

/// A store's integration.
pub(super) struct Paynow {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    account: PaynowAccount,
}

impl Paynow {
    pub(super) fn new(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        account: PaynowAccount,
    ) -> Self {
        Self {
            exchange,
            endpoints,
            account,
        }
    }

    fn fields(&self, start: &StartPayment) -> Result<Outgoing, Unfit> {
        let amount = start.amount;
        if amount.currency() != self.account.currency {
            return Err(Unfit::Currency);
        }
        if amount.amount() <= 0 {
            return Err(Unfit::Amount);
        }
        let result_url = format!("{}/paynow/{}", self.endpoints.callbacks, start.payment_id);
        let return_url = match (&start.return_url, start.wallet) {
            (Some(url), _) => url.to_string(),
            // Nobody is sent anywhere, but the field has to be there.
            (None, Some(_)) => result_url.clone(),
            (None, None) => return Err(Unfit::ReturnUrl),
        };
        let login = self.account.test_login.as_deref();
        let email = login.or(start.email.as_ref().map(EmailAddress::as_str));
        let mut fields = Outgoing::default()
            .with("id", &self.account.integration_id)
            .with("reference", &start.operation_id.to_string())
            .with("amount", &amounts::decimal(amount))
            .with("additionalinfo", &plain(&start.description, INFO_CHARS_MAX))
            .with("returnurl", &return_url)
            .with("resulturl", &result_url);
        if let Some(email) = email {
            fields = fields.with("authemail", email);
        }
        if let Some(wallet) = start.wallet {
            // Whoever is prompted has to be named.
            email.ok_or(Unfit::Email)?;
            let phone = start.phone.as_ref().ok_or(Unfit::Phone)?;
            fields = fields
                .with("phone", &local(phone)?)
                .with("method", method(wallet)?);
        }
        Ok(fields
            .with("merchanttrace", &start.operation_id.simple())
            .with("status", "Message"))
    }

    async fn post(&self, url: &str, fields: Outgoing) -> Result<Answer, CallError> {
        let key = self
            .account
            .integration_keys
            .first()
            .ok_or(Unfit::Account)?;
        self.post_body(url, fields.sealed(key)).await
    }

    async fn post_body(&self, url: &str, body: String) -> Result<Answer, CallError> {
        let request = self
            .exchange
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.exchange.send(request).await
    }

    fn started(&self, answer: &Answer, start: &StartPayment) -> Result<Standing, CallError> {
        let message = read(answer)?;
        if message.is("status", "error") {
            let words = message.get("error").unwrap_or_default();
            return Err(CallError::refused(statuses::error_reason(words), words));
        }
        if !message.is("status", "ok") {
            return Err(CallError::unreadable());
        }
        if !message.is_signed_with(&self.account.integration_keys) {
            return Err(CallError::Unknown(Doubt::BadSignature));
        }
        Ok(Standing {
            // Without one it is found by its trace.
            handle: message.get("pollurl").and_then(|url| self.own(url)),
            outcome: Outcome::Pending(Words::default()),
            next: self.next_step(&message, start.wallet)?,
        })
    }

    fn next_step(&self, message: &Message, wallet: Option<Wallet>) -> Result<NextStep, CallError> {
        let Some(wallet) = wallet else {
            let page = message.get("browserurl").and_then(NextStep::redirect);
            return page.ok_or_else(CallError::unreadable);
        };
        let text = |name: &str| message.get(name).unwrap_or_default();
        Ok(match wallet {
            Wallet::Innbucks if message.get("authorizationcode").is_some() => NextStep::ShowCode {
                code: text("authorizationcode").to_owned(),
                until: message.get("authorizationexpires").map(str::to_owned),
            },
            Wallet::Omari => match self.own(text("remoteotpurl")) {
                Some(handle) => NextStep::EnterCode(handle),
                None => NextStep::None,
            },
            Wallet::Ecocash | Wallet::Innbucks | Wallet::Mpesa | Wallet::Onemoney => {
                NextStep::await_phone_prompt(text("instructions"))
            }
        })
    }

    /// An address that they gave us, if it is theirs: at the host that we know, or one below it.
    fn own(&self, url: &str) -> Option<Handle> {
        let (theirs, known) = (
            Url::parse(url).ok()?,
            Url::parse(&self.endpoints.paynow).ok()?,
        );
        let (host, domain) = (theirs.host_str()?, known.host_str()?);
        let domain = domain.strip_prefix("www.").unwrap_or(domain);
        let is_below = host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let is_theirs = is_below
            && theirs.scheme() == known.scheme()
            && theirs.port_or_known_default() == known.port_or_known_default()
            && theirs.username().is_empty()
            && theirs.password().is_none();
        Handle::new(url).filter(|_| is_theirs)
    }

    async fn poll(&self, url: &Handle, operation_id: OperationId) -> Result<Standing, CallError> {
        let url = self.own(url.as_str()).ok_or(Unfit::Handle)?;
        let answer = self.post_body(url.as_str(), String::new()).await?;
        let outcome = self.outcome_in(&read(&answer)?, operation_id)?;
        Ok(Standing {
            handle: Some(url),
            ..Standing::of(outcome)
        })
    }

    async fn trace(&self, operation_id: OperationId) -> Result<Standing, CallError> {
        let fields = Outgoing::default()
            .with("id", &self.account.integration_id)
            .with("merchanttrace", &operation_id.simple())
            .with("status", "Message");
        let url = format!("{}/interface/trace", self.endpoints.paynow);
        let message = read(&self.post(&url, fields).await?)?;
        let outcome = self.outcome_in(&message, operation_id)?;
        Ok(Standing {
            handle: message.get("pollurl").and_then(|url| self.own(url)),
            ..Standing::of(outcome)
        })
    }

    fn outcome_in(
        &self,
        message: &Message,
        operation_id: OperationId,
    ) -> Result<Outcome, CallError> {
        if message.is("status", "error") {
            // It says nothing of the payment, not even that there is none.
            return Err(CallError::Unknown(Doubt::CannotBeAsked));
        }
        if !message.is_signed_with(&self.account.integration_keys) {
            return Err(CallError::Unknown(Doubt::BadSignature));
        }
        if message.is("status", "notfound") {
            return Ok(Outcome::NeverSeen);
        }
        let reference = message.get("reference").and_then(OperationId::parse);
        if reference != Some(operation_id) {
            return Ok(Outcome::Unknown(Doubt::Contradiction));
        }
        Ok(statuses::outcome(message, self.account.currency))
    }
}

/// Whatever is no form of theirs says nothing.
fn read(answer: &Answer) -> Result<Message, CallError> {
    if answer.status == 429 {
        return Err(CallError::not_now("", answer.retry_after()));
    }
    if !answer.is_success() {
        return Err(answer.in_doubt());
    }
    Message::parse(&answer.body)
        .filter(|message| message.get("status").is_some())
        .ok_or_else(CallError::unreadable)
}

/// As people in Zimbabwe write it: `077…`.
fn local(phone: &PhoneNumber) -> Result<String, Unfit> {
    match phone.as_str().strip_prefix("+263") {
        Some(rest) if rest.len() == 9 && rest.starts_with('7') => Ok(format!("0{rest}")),
        _ => Err(Unfit::Phone),
    }
}

const fn method(wallet: Wallet) -> Result<&'static str, Unfit> {
    match wallet {
        Wallet::Ecocash => Ok("ecocash"),
        Wallet::Innbucks => Ok("innbucks"),
        Wallet::Omari => Ok("omari"),
        Wallet::Onemoney => Ok("onemoney"),
        Wallet::Mpesa => Err(Unfit::Wallet),
    }
}

#[async_trait]
impl PaymentAccount for Paynow {
    fn capabilities(&self) -> &'static Capabilities {
        &capabilities::PAYNOW
    }

    async fn start(
        &self,
        start: &StartPayment,
        _now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        if start.capture_later {
            return Err(Unfit::CaptureLater.into());
        }
        let path = match start.wallet {
            None => "/interface/initiatetransaction",
            Some(_) => "/interface/remotetransaction",
        };
        let url = format!("{}{path}", self.endpoints.paynow);
        let answer = self.post(&url, self.fields(start)?).await?;
        self.started(&answer, start)
    }

    async fn ask(&self, ask: &AskPayment, _now: DateTime<Utc>) -> Result<Standing, CallError> {
        match &ask.handle {
            Some(poll_url) => self.poll(poll_url, ask.operation_id).await,
            None => self.trace(ask.operation_id).await,
        }
    }

    fn read(&self, callback: &Callback<'_>) -> Result<Vec<Report>, CallbackRefusal> {
        callback.check_length()?;
        // Here the signature stands in what is signed: the parts are taken apart, and not looked at.
        let message = Message::parse(callback.body).ok_or(CallbackRefusal::Malformed)?;
        if !message.is_signed_with(&self.account.integration_keys) {
            return Err(CallbackRefusal::BadSignature);
        }
        if message.get("status").is_none() {
            return Err(CallbackRefusal::Malformed);
        }
        let about = About {
            operation_id: message.get("reference").and_then(OperationId::parse),
            handle: message.get("pollurl").and_then(|url| self.own(url)),
            ..About::default()
        };
        let outcome = statuses::outcome(&message, self.account.currency);
        Ok(vec![Report::new(about, Fact::Payment(outcome))])
    }

    fn codes(&self) -> Option<&dyn TakesCodes> {
        Some(self)
    }
}

#[async_trait]
impl TakesCodes for Paynow {
    /// Of O'mari; the fifth wrong one ends the payment.
    async fn submit_code(&self, ask: &AskPayment, code: &Secret) -> Result<Standing, CallError> {
        let given = ask.handle.as_ref().ok_or(Unfit::Handle)?;
        let url = self.own(given.as_str()).ok_or(Unfit::Handle)?;
        let fields = Outgoing::default()
            .with("id", &self.account.integration_id)
            .with("otp", code.expose())
            .with("status", "Message");
        let message = read(&self.post(url.as_str(), fields).await?)?;
        if message.is("status", "error") {
            let words = message.get("error").unwrap_or_default();
            return Err(CallError::refused(FailureReason::WrongPin, words));
        }
        // Whatever it says, polling says it better.
        Ok(Standing::of(Outcome::Pending(Words::default())))
    }
}
