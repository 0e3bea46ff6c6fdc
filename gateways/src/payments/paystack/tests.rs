//! The wire, end to end: what we send, and what we make of each answer.

mod callbacks;
mod moves;
mod payments;

use super::super::testing::Provider;
use super::super::{Credentials, PaymentAccount, PaystackAccount};

pub(super) fn account() -> PaystackAccount {
    PaystackAccount {
        secret_keys: vec!["sk_test_demo".into()],
    }
}

pub(super) fn paystack(provider: &Provider) -> Box<dyn PaymentAccount> {
    provider
        .providers()
        .account(Credentials::Paystack(account()))
}
