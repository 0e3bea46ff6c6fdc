//! The wire, end to end: what we send, and what we make of each answer.

mod callbacks;
mod checkout;
mod intents;
mod refunds;

use super::super::testing::Provider;
use super::super::{Credentials, PaymentAccount, StripeAccount};

pub(super) fn account() -> StripeAccount {
    StripeAccount {
        secret_key: "sk_test_key".into(),
        webhook_secrets: vec!["whsec_test_secret".into()],
    }
}

pub(super) fn elements(provider: &Provider) -> Box<dyn PaymentAccount> {
    provider.providers().account(Credentials::Stripe(account()))
}

pub(super) fn checkout(provider: &Provider) -> Box<dyn PaymentAccount> {
    provider
        .providers()
        .account(Credentials::StripeCheckout(account()))
}

/// With some members changed.
pub(super) fn with(mut object: serde_json::Value, changes: &serde_json::Value) -> String {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object.to_string()
}
