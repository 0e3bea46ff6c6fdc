//! Soko's own clients of the providers against the sandbox. Each side was written from the
//! providers' documents, neither from the other: what they agree on is likely so.

use std::time::Duration;

use chrono::Utc;
use soko_domain::{Currency, Money};
use uuid::Uuid;

use super::merchant::{Heard, Shop};
use crate::payments::{
    AfterLostAnswer, AskMove, AskPayment, CallError, Callback, Capture, Credentials,
    EcocashAccount, EcocashRefundBy, Endpoints, Fact, FailureReason, Handle, MoveOutcome,
    MpesaAccount, MpesaInitiator, MpesaTill, NextStep, OperationId, Outcome, PaymentAccount,
    PaynowAccount, PaystackAccount, Providers, Refund, Report, StartPayment, StripeAccount, Wallet,
};
use crate::sandbox::{Customer, Fault, FaultRule, Kind, Merchants, Movement, Provider};

/// How long a customer takes, in milliseconds.
const AFTER_MS: u64 = 5;

/// A sandbox's second is this many of a provider's.
const SPEED: u32 = 100;

/// Asked for half a minute at most.
const ASKED_TIMES: u32 = 1_500;

/// One account, and a payment that it is to take.
struct Till {
    provider: Provider,
    account: Box<dyn PaymentAccount>,
    start: StartPayment,
}

fn every_till(shop: &Shop) -> Vec<Till> {
    let base = |provider| shop.sandbox.base(provider);
    let providers = Providers::new(Endpoints {
        ecocash: base(Provider::Ecocash),
        mpesa: base(Provider::Mpesa),
        paynow: base(Provider::Paynow),
        paystack: base(Provider::Paystack),
        stripe: base(Provider::Stripe),
        callbacks: shop.hook("/hooks"),
        receipts: shop.hook("/hooks"),
        answered_within: Duration::from_secs(2),
    })
    .unwrap();
    let mut merchants = Merchants::demo();
    merchants.ecocash[0].callback_url = providers.ecocash_callback_url(&ecocash(&merchants));
    merchants.stripe[0].webhook_url = Some(shop.hook("/hooks/stripe"));
    merchants.paystack[0].webhook_url = Some(shop.hook("/hooks/paystack"));
    let tills = accounts(&merchants).into_iter().zip(1..);
    let tills = tills.map(|((provider, credentials, wallet, currency), number)| {
        let phone = match provider {
            Provider::Ecocash | Provider::Paynow => "+263772345678",
            Provider::Mpesa | Provider::Paystack | Provider::Stripe => "+254708374149",
        };
        Till {
            provider,
            account: providers.account(credentials),
            start: StartPayment {
                payment_id: Uuid::from_u128(number).into(),
                operation_id: operation(number),
                // Half of it is whole shillings, which is all that M-Pesa knows.
                amount: Money::new(200 * i64::try_from(number).unwrap() + 2_000, currency),
                order_number: format!("100{number}"),
                description: "An order".to_owned(),
                phone: Some(phone.parse().unwrap()),
                email: Some("wanjiku@example.com".parse().unwrap()),
                return_url: Some("https://shop.example/back".parse().unwrap()),
                wallet,
                capture_later: false,
            },
        }
    });
    let tills = tills.collect();
    shop.sandbox.set_merchants(merchants);
    tills
}

/// One for each way to pay that asks the payer for nothing but to agree.
fn accounts(merchants: &Merchants) -> Vec<(Provider, Credentials, Option<Wallet>, Currency)> {
    let secret = |text: &String| text.as_str().into();
    let paynow = Credentials::Paynow(PaynowAccount {
        integration_id: merchants.paynow[0].id.clone(),
        integration_keys: vec![secret(&merchants.paynow[0].key)],
        currency: Currency::Usd,
        test_login: None,
    });
    let paystack = Credentials::Paystack(PaystackAccount {
        secret_keys: vec![secret(&merchants.paystack[0].secret_key)],
    });
    let checkout = Credentials::StripeCheckout(StripeAccount {
        secret_key: secret(&merchants.stripe[0].secret_key),
        webhook_secrets: vec![secret(&merchants.stripe[0].webhook_secrets[0])],
    });
    let mpesa = Credentials::Mpesa(mpesa(merchants));
    let ecocash = Credentials::Ecocash(ecocash(merchants));
    let (kes, usd, zar) = (Currency::Kes, Currency::Usd, Currency::Zar);
    vec![
        (Provider::Mpesa, mpesa, None, kes),
        (Provider::Ecocash, ecocash, None, usd),
        (Provider::Paynow, paynow, Some(Wallet::Ecocash), usd),
        (Provider::Paystack, paystack.clone(), None, zar),
        (Provider::Paystack, paystack, Some(Wallet::Mpesa), kes),
        (Provider::Stripe, checkout, None, usd),
    ]
}

fn ecocash(merchants: &Merchants) -> EcocashAccount {
    EcocashAccount {
        store_id: Uuid::from_u128(5).into(),
        api_key: merchants.ecocash[0].api_key.as_str().into(),
        is_live: false,
        client_name: "Duka".to_owned(),
        refund_by: EcocashRefundBy::SourceReference,
        callback_secrets: vec!["ours".into()],
    }
}

fn mpesa(merchants: &Merchants) -> MpesaAccount {
    let merchant = &merchants.mpesa[0];
    MpesaAccount {
        store_id: Uuid::from_u128(5).into(),
        consumer_key: merchant.consumer_key.as_str().into(),
        consumer_secret: merchant.consumer_secret.as_str().into(),
        short_code: merchant.short_code.clone(),
        passkey: merchant.passkey.as_str().into(),
        till: MpesaTill::PayBill,
        initiator: Some(MpesaInitiator {
            name: merchant.initiator.clone(),
            security_credential: format!("{}==", "A".repeat(342)).as_str().into(),
        }),
        callback_secrets: vec!["ours".into()],
    }
}

fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(number))
}

impl Till {
    fn name(&self) -> String {
        format!("{} in {}", self.provider, self.start.amount.currency())
    }

    async fn ask(&self, handle: Option<Handle>) -> Result<Outcome, CallError> {
        let ask = AskPayment {
            operation_id: self.start.operation_id,
            handle,
            phone: self.start.phone.clone(),
        };
        let standing = self.account.ask(&ask, Utc::now()).await?;
        Ok(standing.outcome)
    }

    /// Until the payer has made up their mind.
    async fn decided(&self, handle: Option<&Handle>) -> Outcome {
        for _ in 0..ASKED_TIMES {
            match self.ask(handle.cloned()).await {
                Ok(Outcome::Pending(_)) => (),
                Ok(decided) => return decided,
                Err(error) => panic!("{}: {error}", self.name()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}: nobody decides", self.name());
    }

    /// What is believed of what was heard, of all that came for this payment or another.
    fn believed(&self, heard: &[Heard]) -> Vec<Report> {
        let believed = heard.iter().filter_map(|heard| {
            let headers: [(&str, &[u8]); 2] = [
                ("stripe-signature", heard.signature.as_bytes()),
                ("x-paystack-signature", heard.signature.as_bytes()),
            ];
            let callback = Callback {
                path: heard.path.rsplit('/').next().unwrap(),
                headers: &headers,
                body: heard.body.as_bytes(),
                received_at: Utc::now(),
            };
            self.account.read(&callback).ok()
        });
        let ours = self.start.operation_id;
        let is_ours = |report: &Report| {
            let started = match report.fact {
                Fact::Refund(_) => report.about.charge,
                _ => report.about.operation_id,
            };
            started.is_none_or(|started| started == ours)
        };
        believed.flatten().filter(is_ours).collect()
    }

    /// Until it is told of the money, or that there is something to ask for.
    async fn hears(&self, shop: &Shop) -> Vec<Report> {
        let is_told = |report: &Report| match &report.fact {
            Fact::Payment(outcome) => captured(outcome).is_some(),
            fact => *fact == Fact::Nudge,
        };
        shop.until(|shop| self.believed(&shop.heard()).iter().any(is_told))
            .await;
        self.believed(&shop.heard())
    }

    /// What its provider's book says was paid for it.
    fn booked(&self, shop: &Shop) -> Vec<Movement> {
        let amount = self.start.amount;
        let is_ours = |movement: &Movement| {
            movement.provider == self.provider && movement.currency == amount.currency().code()
        };
        let mut book = shop.sandbox.book();
        book.retain(|movement| is_ours(movement) && movement.kind == Kind::Payment);
        book
    }

    fn assert_booked_once(&self, shop: &Shop) {
        let amounts: Vec<_> = self.booked(shop).iter().map(|one| one.amount).collect();
        assert_eq!(amounts, [self.start.amount.amount()], "{}", self.name());
    }
}

fn captured(outcome: &Outcome) -> Option<&Capture> {
    match outcome {
        Outcome::Captured(capture) => Some(capture),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_is_heard_of_and_answered_and_booked_alike() {
    let shop = Shop::open(Customer::pays_after_ms(AFTER_MS), SPEED);
    for till in every_till(&shop) {
        let name = till.name();
        let standing = till.account.start(&till.start, Utc::now()).await.unwrap();
        let answered = till.decided(standing.handle.as_ref()).await;
        match &answered {
            Outcome::Captured(capture) => {
                assert!(capture.amount.is(till.start.amount), "{name}: {capture:?}");
            }
            Outcome::Confirmed(_) => (),
            other => panic!("{name}: {other:?}"),
        }
        till.assert_booked_once(&shop);

        let reports = till.hears(&shop).await;
        let told = reports.iter().find_map(|report| match &report.fact {
            Fact::Payment(outcome) => captured(outcome).cloned(),
            _ => None,
        });
        let nudged = reports.iter().any(|report| report.fact == Fact::Nudge);
        match (told, captured(&answered)) {
            (Some(told), answered) => {
                assert!(told.amount.is(till.start.amount), "{name}: {told:?}");
                // Counted once, however it is heard of.
                let reference = answered.map_or(&told.reference, |answered| &answered.reference);
                assert_eq!(told.reference, *reference, "{name}");
            }
            // Who is only nudged asks, and must be told then.
            (None, answered) => assert!(nudged && answered.is_some(), "{name}: {reports:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancels_has_not_paid() {
    let shop = Shop::open(Customer::cancels_after_ms(AFTER_MS), SPEED);
    for till in every_till(&shop) {
        let name = till.name();
        let standing = till.account.start(&till.start, Utc::now()).await.unwrap();
        // Who leaves a page may come back to it.
        if matches!(standing.next, NextStep::Redirect(_)) {
            continue;
        }
        match till.decided(standing.handle.as_ref()).await {
            Outcome::Failed(failure) => {
                assert_eq!(failure.reason, FailureReason::CancelledByPayer, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(till.booked(&shop), [], "{name}");
    }
}

/// The payment is made, and nobody was told that it was begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_start_is_no_second_payment() {
    let shop = Shop::open(Customer::pays_after_ms(AFTER_MS), SPEED);
    for till in every_till(&shop) {
        let name = till.name();
        // Whoever needs a token to ask has it afterwards.
        let _ = till.ask(Handle::new("unknown")).await;
        shop.misbehave([FaultRule::once(till.provider, Fault::CutAfter)]);
        let started = till.account.start(&till.start, Utc::now()).await;
        let error = started.expect_err(&name);
        assert!(!error.surely_did_nothing(), "{name}: {error}");
        shop.until(|shop| till.provider == Provider::Stripe || !till.booked(shop).is_empty())
            .await;
        match till.account.capabilities().lost_start {
            AfterLostAnswer::Repeat => {
                let again = till.account.start(&till.start, Utc::now()).await.unwrap();
                let outcome = till.decided(again.handle.as_ref()).await;
                assert!(captured(&outcome).is_some(), "{name}: {outcome:?}");
            }
            AfterLostAnswer::Ask => {
                let outcome = till.decided(None).await;
                let is_known = matches!(outcome, Outcome::Captured(_) | Outcome::Confirmed(_));
                assert!(is_known, "{name}: {outcome:?}");
            }
            AfterLostAnswer::AwaitCallback => {
                let reports = till.hears(&shop).await;
                let ours = Some(till.start.operation_id);
                let told = reports.iter().find(|one| one.about.operation_id == ours);
                let told = told.unwrap_or_else(|| panic!("{name}: {reports:?}"));
                assert!(
                    matches!(&told.fact, Fact::Payment(Outcome::Captured(_))),
                    "{told:?}"
                );
            }
            AfterLostAnswer::AskPerson => panic!("{name}: nobody can tell"),
        }
        till.assert_booked_once(&shop);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_what_was_paid_goes_back_once() {
    let shop = Shop::open(Customer::pays_after_ms(AFTER_MS), SPEED);
    for (till, number) in every_till(&shop).into_iter().zip(100..) {
        let Some(refunds) = till.account.refunds() else {
            continue;
        };
        let name = till.name();
        let standing = till.account.start(&till.start, Utc::now()).await.unwrap();
        let answered = till.decided(standing.handle.as_ref()).await;
        let reports = till.hears(&shop).await;
        let told = reports.iter().find_map(|report| match &report.fact {
            Fact::Payment(outcome) => captured(outcome),
            _ => None,
        });
        let capture = captured(&answered).or(told).unwrap();
        let paid = till.start.amount;
        let half = Money::new(paid.amount() / 2, paid.currency());
        let refund = Refund {
            operation_id: operation(number),
            charge: till.start.operation_id,
            captured_by: capture.reference.clone(),
            amount: half,
            phone: till.start.phone.clone(),
            reason: "One mug was broken".to_owned(),
        };
        let begun = refunds.refund(&refund, Utc::now()).await;
        let mut standing = begun.unwrap_or_else(|error| panic!("{name}: {error}"));
        for _ in 0..ASKED_TIMES {
            if !matches!(standing.outcome, MoveOutcome::Pending(_)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let reports = till.believed(&shop.heard());
            let told = reports.into_iter().find_map(|report| match report.fact {
                Fact::Refund(outcome) if !matches!(outcome, MoveOutcome::Pending(_)) => {
                    Some(outcome)
                }
                _ => None,
            });
            if let Some(outcome) = told {
                standing.outcome = outcome;
                break;
            }
            let ask = AskMove {
                operation_id: refund.operation_id,
                handle: standing.handle.clone(),
                captured_by: Some(refund.captured_by.clone()),
            };
            if let Ok(answered) = refunds.ask_refund(&ask, Utc::now()).await {
                standing.outcome = answered.outcome;
            }
        }
        match &standing.outcome {
            MoveOutcome::Done(moved) => {
                let is_half = moved.amount.as_ref().is_none_or(|amount| amount.is(half));
                assert!(is_half, "{name}: {moved:?}");
            }
            other => panic!("{name}: {other:?}"),
        }
        let mut book = shop.sandbox.book();
        book.retain(|one| one.provider == till.provider && one.kind == Kind::Refund);
        book.retain(|one| one.currency == paid.currency().code());
        let amounts: Vec<_> = book.iter().map(|one| one.amount).collect();
        assert_eq!(amounts, [-half.amount()], "{name}");
    }
}
