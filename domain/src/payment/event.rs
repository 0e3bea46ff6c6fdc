//! What has happened to a payment.

use super::{Dispute, NextAction, Purpose, Refund, RefundRequest, Terms};
use crate::event_names::event_names;
use crate::{AccountId, Money, OrderId, Personal, RefundId, StoreId, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who carries the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentProvider {
    /// To the store's bank account; somebody of the store sees it arrive.
    BankTransfer,
    CashOnDelivery,
    Ecocash,
    Mpesa,
    Paynow,
    Paystack,
    Stripe,
    StripeCheckout,
}

impl PaymentProvider {
    /// Whether the money comes with the goods, so that nobody waits for it before.
    pub const fn is_paid_on_delivery(self) -> bool {
        matches!(self, Self::CashOnDelivery)
    }

    /// Whether nobody can be asked, so that somebody of the store puts on record what came.
    pub const fn is_recorded_by_hand(self) -> bool {
        match self {
            Self::BankTransfer | Self::CashOnDelivery => true,
            Self::Ecocash
            | Self::Mpesa
            | Self::Paynow
            | Self::Paystack
            | Self::Stripe
            | Self::StripeCheckout => false,
        }
    }

    /// Whose account carries it: Stripe's page and Stripe's form share one.
    pub const fn account(self) -> Self {
        match self {
            Self::StripeCheckout => Self::Stripe,
            other => other,
        }
    }

    pub const ALL: [Self; 8] = [
        Self::BankTransfer,
        Self::CashOnDelivery,
        Self::Ecocash,
        Self::Mpesa,
        Self::Paynow,
        Self::Paystack,
        Self::Stripe,
        Self::StripeCheckout,
    ];

    /// The one that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
    }

    /// As it stands in JSON and in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BankTransfer => "bank_transfer",
            Self::CashOnDelivery => "cash_on_delivery",
            Self::Ecocash => "ecocash",
            Self::Mpesa => "mpesa",
            Self::Paynow => "paynow",
            Self::Paystack => "paystack",
            Self::Stripe => "stripe",
            Self::StripeCheckout => "stripe_checkout",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEvent {
    Initiated {
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
        /// Of a provider that is to be asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Box<Terms>>,
    },
    /// The provider was asked, and has the payer decide.
    Started {
        /// By which the provider knows the payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<Text<500>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Personal<NextAction>>,
    },
    /// The provider was not there, or asked to wait: surely nothing was done, and it is asked later.
    PutOff { because: Text<200> },
    /// The payer agreed to so much, and nothing was taken yet.
    Authorised { amount: Money },
    /// Whether money moved is not known.
    Doubted { because: Text<200> },
    /// It is known again that the payer has not decided.
    Resumed {},
    /// The money is there, by the reference under which its carrier knows it.
    Captured {
        amount: Money,
        reference: Text<200>,
        /// Who took the cash, or saw it arrive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collected_by: Option<AccountId>,
        /// What the provider kept of it; not known to all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Money>,
        /// The provider says that the money is there, and has not said its own reference: this one
        /// names the payment.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_provisional: bool,
        /// A callback that nobody signed told the reference: the provider confirms the money alone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_hearsay: bool,
        /// What the money is for; every such event written now says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Purpose>,
    },
    /// The provider's own reference of money that is known has been told, or a person has seen which
    /// of two it is.
    ReferenceLearned {
        /// By which the money went until now.
        provisional: Text<200>,
        reference: Text<200>,
        /// Of the money, which is there already.
        amount: Money,
        /// A callback that nobody signed told it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_hearsay: bool,
    },
    /// Two callbacks that nobody signed name two references of the same money: one of them lies.
    ReferenceContested {
        /// By which the money goes.
        reference: Text<200>,
        /// What the other one told.
        told: Text<200>,
        /// Of the money, which is there once.
        amount: Money,
    },
    /// No money moved.
    Failed {
        /// One word of ours, such as `cancelled_by_payer`.
        reason: Text<100>,
        /// The provider's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Text<200>>,
    },
    /// Nobody paid in time.
    Expired {},
    /// A provider is to give something back.
    RefundRequested {
        request: RefundRequest,
        /// The reference of the capture that it is of.
        of: Text<200>,
    },
    /// The provider was asked for it, and has not done it yet.
    RefundStarted {
        refund_id: RefundId,
        handle: Text<500>,
    },
    /// Whether it was done is not known, and nobody can be asked.
    RefundDoubted {
        refund_id: RefundId,
        because: Text<200>,
    },
    /// It was not done.
    RefundFailed {
        refund_id: RefundId,
        reason: Text<100>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Text<200>>,
    },
    /// Some of the money went back, or all of it.
    Refunded(Refund),
    /// It went back, and has come to us again since.
    RefundReturned {
        refund_id: RefundId,
        amount: Money,
        /// What the money is for; every such event written now says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Purpose>,
    },
    /// The payer's bank wants money back, or something of that has changed.
    Disputed(Dispute),
    /// Money that the order does not need, and that cannot go back by itself, is kept for the payer.
    CreditHeld {
        amount: Money,
        /// Until when somebody is to have given it back.
        decide_by: DateTime<Utc>,
        because: Text<200>,
    },
    /// It will not be asked for again; no money had moved.
    Cancelled { reason: Text<500> },
}

event_names!(PaymentEvent, "payment", {
    Initiated => "initiated" v 1,
    Started => "started" v 1,
    PutOff => "put_off" v 1,
    Authorised => "authorised" v 1,
    Doubted => "doubted" v 1,
    Resumed => "resumed" v 1,
    Captured => "captured" v 1,
    ReferenceLearned => "reference_learned" v 1,
    ReferenceContested => "reference_contested" v 1,
    Failed => "failed" v 1,
    Expired => "expired" v 1,
    RefundRequested => "refund_requested" v 1,
    RefundStarted => "refund_started" v 1,
    RefundDoubted => "refund_doubted" v 1,
    RefundFailed => "refund_failed" v 1,
    Refunded => "refunded" v 1,
    RefundReturned => "refund_returned" v 1,
    Disputed => "disputed" v 1,
    CreditHeld => "credit_held" v 1,
    Cancelled => "cancelled" v 1,
});
