//! The wire, end to end: what we send, and what we make of each answer.

mod questions;
mod starts;
mod updates;

use soko_domain::{Currency, Money};

use super::super::testing::{Provider, operation, start};
use super::super::{
    AskPayment, Capture, Credentials, Handle, Outcome, PaymentAccount, PaynowAccount,
    ReportedAmount, Secret, StartPayment, Wallet,
};
use super::message::Outgoing;

const KEY: &str = "3E9FED89-60E1-4CE5-AB6E-6B1EB2D4F977";

fn account() -> PaynowAccount {
    PaynowAccount {
        integration_id: "1201".to_owned(),
        integration_keys: vec![KEY.into()],
        currency: Currency::Usd,
        test_login: None,
    }
}

fn paynow(provider: &Provider) -> Box<dyn PaymentAccount> {
    provider.providers().account(Credentials::Paynow(account()))
}

fn payment(wallet: Option<Wallet>) -> StartPayment {
    let mut payment = start(14_950, Currency::Usd);
    payment.phone = Some("+263771111111".parse().unwrap());
    payment.wallet = wallet;
    payment
}

fn reference() -> String {
    operation(0xb).to_string()
}

/// As they write: small escapes, and a hash.
fn sealed(fields: &[(&'static str, &str)]) -> String {
    sealed_with(&KEY.into(), fields)
}

fn sealed_with(key: &Secret, fields: &[(&'static str, &str)]) -> String {
    let outgoing = fields
        .iter()
        .fold(Outgoing::default(), |outgoing, (name, value)| {
            outgoing.with(name, value)
        });
    outgoing
        .sealed(key)
        .replace("%3A", "%3a")
        .replace("%2F", "%2f")
}

fn update(status: &str) -> String {
    sealed(&[
        ("reference", &reference()),
        ("paynowreference", "1,082"),
        ("amount", "149.50"),
        ("status", status),
        (
            "pollurl",
            "https://www.paynow.co.zw/Interface/CheckPayment/?guid=2b7e",
        ),
        ("somethingnew", "1"),
    ])
}

fn captured() -> Outcome {
    Outcome::Captured(Capture {
        amount: ReportedAmount::Exact(Money::new(14_950, Currency::Usd)),
        fee: None,
        reference: "1082".to_owned(),
    })
}

fn ask(handle: Option<Handle>) -> AskPayment {
    AskPayment {
        operation_id: operation(0xb),
        handle,
        phone: None,
    }
}
