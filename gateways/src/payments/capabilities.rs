//! What each provider can do, as data.

use std::time::Duration;

use soko_domain::Currency;
use soko_domain::payment::PaymentProvider;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub provider: PaymentProvider,
    pub currencies: &'static [Currency],
    /// Whether a payment can be captured after the payer agreed.
    pub captures_later: bool,
    pub refunds: bool,
    pub refund_query: RefundQuery,
    pub transfers: bool,
    pub callbacks: CallbackTrust,
    /// The body of our answer to a callback; none: any success will do, and nothing is read.
    pub acknowledgement: Option<&'static str>,
    pub lost_start: AfterLostAnswer,
    pub lost_refund: AfterLostAnswer,
    pub lost_transfer: AfterLostAnswer,
    /// How long after its start a payment is asked about; the last step repeats.
    pub ask_after: &'static [Duration],
}

/// How far a callback that was read can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackTrust {
    /// It proves who sent it and what it says.
    Signed,
    /// It proves who sent it. Before money of it counts, the provider is asked.
    SignedLoosely,
    /// It proves that somebody knew a path of ours. Before money of it counts, the provider is asked.
    Unsigned,
}

/// What to do when the answer to a call was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterLostAnswer {
    /// Send the very same again: under the same key it is done once.
    Repeat,
    /// Ask by our own id, without the provider's handle. Never repeat.
    Ask,
    /// Nothing but a callback can tell. Never repeat.
    AwaitCallback,
    /// Nothing can tell but the provider's books. Never repeat.
    AskPerson,
}

/// Whether one can find out what became of a refund or transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundQuery {
    Never,
    /// The answer says so.
    AtOnce,
    /// One can ask, and a callback answers.
    ByCallback,
}

/// What a provider can do; `None` where nobody is asked.
pub const fn capabilities_of(provider: PaymentProvider) -> Option<&'static Capabilities> {
    match provider {
        PaymentProvider::BankTransfer | PaymentProvider::CashOnDelivery => None,
        PaymentProvider::Ecocash => Some(&ECOCASH),
        PaymentProvider::Mpesa => Some(&MPESA),
        PaymentProvider::Paynow => Some(&PAYNOW),
        PaymentProvider::Paystack => Some(&PAYSTACK),
        PaymentProvider::Stripe => Some(&STRIPE),
        PaymentProvider::StripeCheckout => Some(&STRIPE_CHECKOUT),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) static MPESA: Capabilities = Capabilities {
    provider: PaymentProvider::Mpesa,
    currencies: &[Currency::Kes],
    captures_later: false,
    refunds: true,
    refund_query: RefundQuery::ByCallback,
    transfers: true,
    callbacks: CallbackTrust::Unsigned,
    acknowledgement: Some(r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#),
    // There is no key: a second push is a second prompt.
    lost_start: AfterLostAnswer::AwaitCallback,
    lost_refund: AfterLostAnswer::AwaitCallback,
    lost_transfer: AfterLostAnswer::Repeat,
    ask_after: &[seconds(15), seconds(30), seconds(60), seconds(180)],
};

pub(super) static PAYSTACK: Capabilities = Capabilities {
    provider: PaymentProvider::Paystack,
    currencies: &[Currency::Kes, Currency::Usd, Currency::Zar],
    captures_later: false,
    refunds: true,
    refund_query: RefundQuery::AtOnce,
    transfers: true,
    callbacks: CallbackTrust::Signed,
    acknowledgement: None,
    lost_start: AfterLostAnswer::Ask,
    lost_refund: AfterLostAnswer::Ask,
    lost_transfer: AfterLostAnswer::Ask,
    ask_after: &[seconds(30), seconds(60), seconds(180), seconds(600)],
};

pub(super) static STRIPE: Capabilities = Capabilities {
    provider: PaymentProvider::Stripe,
    currencies: &[Currency::Kes, Currency::Usd, Currency::Zar],
    captures_later: true,
    refunds: true,
    refund_query: RefundQuery::AtOnce,
    transfers: false,
    callbacks: CallbackTrust::Signed,
    acknowledgement: None,
    lost_start: AfterLostAnswer::Repeat,
    lost_refund: AfterLostAnswer::Repeat,
    lost_transfer: AfterLostAnswer::AskPerson,
    ask_after: &[seconds(60), seconds(300), seconds(1_800)],
};

pub(super) static STRIPE_CHECKOUT: Capabilities = Capabilities {
    provider: PaymentProvider::StripeCheckout,
    ..STRIPE
};

pub(super) static PAYNOW: Capabilities = Capabilities {
    provider: PaymentProvider::Paynow,
    currencies: &[Currency::Usd, Currency::Zwg],
    captures_later: false,
    // They are made in Paynow's own dashboard, and reach us as a status.
    refunds: false,
    refund_query: RefundQuery::Never,
    transfers: false,
    // The hash is of the values alone, one after the other: it does not tell where one ends.
    callbacks: CallbackTrust::SignedLoosely,
    acknowledgement: None,
    lost_start: AfterLostAnswer::Ask,
    lost_refund: AfterLostAnswer::AskPerson,
    lost_transfer: AfterLostAnswer::AskPerson,
    ask_after: &[seconds(15), seconds(30), seconds(60), seconds(300)],
};

pub(super) static ECOCASH: Capabilities = Capabilities {
    provider: PaymentProvider::Ecocash,
    currencies: &[Currency::Usd, Currency::Zwg],
    captures_later: false,
    refunds: true,
    refund_query: RefundQuery::Never,
    transfers: false,
    callbacks: CallbackTrust::Unsigned,
    acknowledgement: None,
    lost_start: AfterLostAnswer::Ask,
    lost_refund: AfterLostAnswer::AskPerson,
    lost_transfer: AfterLostAnswer::AskPerson,
    ask_after: &[seconds(10), seconds(20), seconds(40), seconds(120)],
};
