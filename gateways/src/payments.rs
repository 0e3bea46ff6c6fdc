//! The port for money: what Soko asks of whoever carries it, and what they may answer.
//!
//! A [`PaymentAccount`] is one store's account with one provider. Every provider can be asked to
//! start a payment and what became of one, and every one of them calls back. What only some can do
//! (capture later, refund, pay out, take a code from the payer) is a port of its own that an account
//! has or has not, so that nobody asks Paynow for a refund and is answered with an error.
//!
//! Three rules hold for all of them:
//!
//! * Nothing here tries twice. Each call is made once, and a [`CallError`] says whether it surely did
//!   nothing. Who keeps what is waiting decides what comes next.
//! * What is not known is not failed: no answer, a fault after sending and an answer that cannot be
//!   understood are [`CallError::Unknown`] or [`Outcome::Unknown`].
//! * What comes back is told as it came. Whether it is the amount that was asked for, in the same
//!   currency, is for who asked to compare: see [`ReportedAmount::is`].
//!
//! Clocks, ids and secrets are passed in. Cash on delivery and money that is recorded by hand need
//! nobody to be asked, and so have no adapter.

mod amounts;
mod callback;
mod callback_token;
mod capabilities;
mod credentials;
mod crypto;
mod ecocash;
mod error;
mod exchange;
mod loose_json;
mod mpesa;
mod named;
mod outcome;
mod paynow;
mod paystack;
mod providers;
mod requests;
mod secret;
mod stripe;
#[cfg(test)]
mod testing;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use self::amounts::ReportedAmount;
pub(crate) use self::amounts::minor_units;
pub use self::callback::{
    About, Attested, Callback, CallbackRefusal, Dispute, DisputeStage, DisputedMoney, Fact, Report,
};
pub use self::callback_token::{CallbackKind, CallbackToken};
pub use self::capabilities::{
    AfterLostAnswer, CallbackTrust, Capabilities, RefundQuery, capabilities_of,
};
pub use self::credentials::{
    Credentials, EcocashAccount, EcocashRefundBy, MpesaAccount, MpesaInitiator, MpesaTill,
    PaynowAccount, PaystackAccount, StripeAccount,
};
pub use self::error::{CallError, Doubt, NotSent, Refusal, Unfit};
pub use self::mpesa::{
    Mpesa, OFFER_ACCEPTED as MPESA_OFFER_ACCEPTED, OFFER_REFUSED as MPESA_OFFER_REFUSED,
    PUBLISHED_ADDRESSES as MPESA_ADDRESSES, SecurityCredentialError, seal_password,
};
pub use self::named::{Named, named_in};
pub use self::outcome::{
    Capture, Failure, FailureReason, MoveOutcome, MoveStanding, Moved, NextStep, Outcome, Standing,
};
pub use self::outcome::{Handle, Received, Words};
pub use self::providers::{Endpoints, Providers};
pub use self::requests::{
    AskMove, AskPayment, AskReceipt, CapturePayment, NewPayee, OperationId, Payee, PayeeAccount,
    Refund, StartPayment, Transfer, VoidPayment,
};
pub use self::secret::Secret;
pub use soko_domain::payment::Wallet;

/// One store's account with one provider.
#[async_trait]
pub trait PaymentAccount: Send + Sync {
    fn capabilities(&self) -> &'static Capabilities;

    /// Asks the payer for money.
    ///
    /// # Errors
    /// It was not started, or whether it was is not known: see [`AfterLostAnswer`].
    async fn start(&self, start: &StartPayment, now: DateTime<Utc>) -> Result<Standing, CallError>;

    /// What became of a payment that was started, or may have been.
    ///
    /// # Errors
    /// No answer that says so: nothing follows from that.
    async fn ask(&self, ask: &AskPayment, now: DateTime<Utc>) -> Result<Standing, CallError>;

    /// What a provider says of its own accord. It asks nobody and changes nothing, so it can be read
    /// as often as one likes. Nothing of it is looked at before its signature was found good.
    ///
    /// # Errors
    /// Why nothing is to be believed of it.
    fn read(&self, callback: &Callback<'_>) -> Result<Vec<Report>, CallbackRefusal>;

    fn captures(&self) -> Option<&dyn Captures> {
        None
    }

    fn refunds(&self) -> Option<&dyn Refunds> {
        None
    }

    fn transfers(&self) -> Option<&dyn Transfers> {
        None
    }

    fn codes(&self) -> Option<&dyn TakesCodes> {
        None
    }

    /// Of one that tells of money without signing it.
    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }
}

/// A provider that can be told to take, or to leave, what a payer has agreed to.
#[async_trait]
pub trait Captures: Send + Sync {
    /// Takes what was authorised, or a part of it; what is left goes back to the payer.
    ///
    /// # Errors
    /// It was not captured, or whether it was is not known.
    async fn capture(&self, capture: &CapturePayment) -> Result<Outcome, CallError>;

    /// Ends a payment that nobody has paid. What it answers is how the payment stands: it may have
    /// been paid a moment before.
    ///
    /// # Errors
    /// It was not ended, or whether it was is not known.
    async fn void(&self, void: &VoidPayment) -> Result<Outcome, CallError>;
}

/// A provider that can be told to give money back.
#[async_trait]
pub trait Refunds: Send + Sync {
    /// # Errors
    /// Nothing was given back, or whether it was is not known.
    async fn refund(&self, refund: &Refund, now: DateTime<Utc>) -> Result<MoveStanding, CallError>;

    /// What became of a refund. A provider that answers later, by a callback, is still pending here.
    ///
    /// # Errors
    /// No answer that says so; of some providers there never is one: see [`RefundQuery`].
    async fn ask_refund(
        &self,
        ask: &AskMove,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError>;
}

/// A provider that can be told to pay somebody.
#[async_trait]
pub trait Transfers: Send + Sync {
    /// Tells the provider of a payee, where it wants to know them before. It moves nothing, and
    /// telling twice does no harm.
    ///
    /// # Errors
    /// The provider does not know the payee, or cannot pay them.
    async fn enrol(&self, payee: &NewPayee) -> Result<Payee, CallError>;

    /// # Errors
    /// Nothing was paid, or whether it was is not known.
    async fn transfer(
        &self,
        transfer: &Transfer,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError>;

    /// What became of a transfer. A provider that answers later, by a callback, is still pending here.
    ///
    /// # Errors
    /// No answer that says so.
    async fn ask_transfer(
        &self,
        ask: &AskMove,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError>;
}

/// A provider that can be asked whether money came of which it told unasked.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// The answer comes as a callback: see [`Fact::Attested`].
    ///
    /// # Errors
    /// It was not asked, or whether it was is not known: asking again does no harm.
    async fn ask_receipt(&self, ask: &AskReceipt, now: DateTime<Utc>) -> Result<(), CallError>;
}

/// A provider that hears a code from us that the payer was sent.
#[async_trait]
pub trait TakesCodes: Send + Sync {
    /// # Errors
    /// The code was not taken, or whether it was is not known.
    async fn submit_code(&self, ask: &AskPayment, code: &Secret) -> Result<Standing, CallError>;
}
