//! Stripe, for cards: with its own form in our page (`PaymentIntents`), or on its page (Checkout).
//!
//! With the form, the payer's browser is given a client secret; on the page, the payer is sent there
//! and comes back. In both, a `PaymentIntent` carries the money, and its id is what is counted once.
//!
//! What the code guards against:
//!
//! * Every POST carries our id of it as the idempotency key, and the same body each time: nothing in
//!   it comes from the clock. A lost answer is repeated, under the same key.
//! * A declined card is not the end: the same intent may succeed a minute later.
//! * `checkout.session.completed` is no payment where the method is slow: only `paid` is.
//! * Both the session and its intent tell of the same money; both name the intent.
//! * Asked to capture or void what was decided meanwhile, Stripe refuses, and the refusal holds how
//!   the payment stands: that is the answer.
//! * A callback is checked over its raw bytes, with its moment, against each secret that we hold, and
//!   only by the scheme `v1`. Test events are nothing to a live key.
//! * The version of their interface is fixed in each request.

mod callbacks;
mod calls;
mod errors;
mod form;
mod objects;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::exchange::Exchange;
use super::{
    AskPayment, CallError, Callback, CallbackRefusal, Capabilities, Captures, Endpoints, Handle,
    PaymentAccount, Refunds, Report, Standing, StartPayment, StripeAccount, Unfit, capabilities,
};

/// A store's account with Stripe.
pub(super) struct Stripe {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    account: StripeAccount,
    surface: Surface,
}

/// Where the payer pays.
#[derive(Clone, Copy)]
enum Surface {
    /// In a form of Stripe's within the shop's page.
    Elements,
    /// On Stripe's own page.
    Checkout,
}

impl Stripe {
    pub(super) fn elements(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        account: StripeAccount,
    ) -> Self {
        Self {
            exchange,
            endpoints,
            account,
            surface: Surface::Elements,
        }
    }

    pub(super) fn checkout(
        exchange: Exchange,
        endpoints: Arc<Endpoints>,
        account: StripeAccount,
    ) -> Self {
        Self {
            surface: Surface::Checkout,
            ..Self::elements(exchange, endpoints, account)
        }
    }
}

/// What a handle of ours names.
enum Named<'a> {
    Intent(&'a str),
    Session(&'a str),
}

/// Nothing else goes into a path of theirs.
fn named(handle: &Handle) -> Result<Named<'_>, Unfit> {
    let id = handle.as_str();
    let is_word = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match id.split_once('_') {
        Some(("pi", _)) if is_word => Ok(Named::Intent(id)),
        Some(("cs", _)) if is_word => Ok(Named::Session(id)),
        _ => Err(Unfit::Handle),
    }
}

#[async_trait]
impl PaymentAccount for Stripe {
    fn capabilities(&self) -> &'static Capabilities {
        match self.surface {
            Surface::Elements => &capabilities::STRIPE,
            Surface::Checkout => &capabilities::STRIPE_CHECKOUT,
        }
    }

    async fn start(
        &self,
        start: &StartPayment,
        _now: DateTime<Utc>,
    ) -> Result<Standing, CallError> {
        match self.surface {
            Surface::Elements => self.create_intent(start).await,
            Surface::Checkout => self.create_session(start).await,
        }
    }

    async fn ask(&self, ask: &AskPayment, _now: DateTime<Utc>) -> Result<Standing, CallError> {
        let handle = ask.handle.as_ref().ok_or(Unfit::Handle)?;
        match named(handle)? {
            Named::Intent(id) => self.ask_intent(id).await,
            Named::Session(id) => self.ask_session(id).await,
        }
    }

    fn read(&self, callback: &Callback<'_>) -> Result<Vec<Report>, CallbackRefusal> {
        callbacks::read(&self.account, callback)
    }

    fn captures(&self) -> Option<&dyn Captures> {
        Some(self)
    }

    fn refunds(&self) -> Option<&dyn Refunds> {
        Some(self)
    }
}
