//! What has happened to a payment.

use super::Refund;
use crate::event_names::event_names;
use crate::{AccountId, Money, OrderId, StoreId, Text};
use serde::{Deserialize, Serialize};

/// Who carries the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentProvider {
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
        match self {
            Self::CashOnDelivery => true,
            Self::Ecocash
            | Self::Mpesa
            | Self::Paynow
            | Self::Paystack
            | Self::Stripe
            | Self::StripeCheckout => false,
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
    },
    /// The money is there, by the reference under which its carrier knows it.
    Captured {
        amount: Money,
        reference: Text<200>,
        /// Who took the cash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collected_by: Option<AccountId>,
    },
    /// Some of the money went back, or all of it.
    Refunded(Refund),
    /// It will not be asked for again; no money had moved.
    Cancelled { reason: Text<500> },
}

event_names!(PaymentEvent, "payment", {
    Initiated => "initiated" v 1,
    Captured => "captured" v 1,
    Refunded => "refunded" v 1,
    Cancelled => "cancelled" v 1,
});
