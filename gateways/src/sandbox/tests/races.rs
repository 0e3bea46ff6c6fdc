//! Many at once: what can happen once happens once.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;

use super::merchant::Shop;
use super::{paystack, stripe};
use crate::sandbox::{Act, Customer, Fault, FaultRule, Kind, Provider};

const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refunds_of_all_one_succeeds() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    paystack::initialized(&shop, "ord-1").await;
    shop.hears(1).await;
    let refund = json!({ "transaction": "ord-1" });
    let answers = join_all((0..AT_ONCE).map(|_| paystack::post(&shop, "/refund", &refund))).await;
    let accepted = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!((accepted, shop.amounts()), (1, vec![14_950, -534, -14_950]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_captures_and_cancels_one_succeeds() {
    let shop = Shop::open(Customer::by_hand(), 1);
    for _ in 0..8 {
        let form = format!("{}&capture_method=manual", stripe::CREATE);
        let (_, intent) = stripe::post(&shop, "/v1/payment_intents", &form).await;
        let id = intent["id"].as_str().unwrap();
        shop.sandbox.act(Provider::Stripe, id, Act::Pay).unwrap();
        let answers = join_all((0..AT_ONCE).map(|number| {
            let what = if number % 2 == 0 { "capture" } else { "cancel" };
            let path = format!("/v1/payment_intents/{id}/{what}");
            let shop = &shop;
            async move { stripe::post(shop, &path, "").await }
        }))
        .await;
        let won: Vec<_> = answers
            .iter()
            .filter(|(status, _)| *status == 200)
            .collect();
        assert_eq!(won.len(), 1);
        let captured = won[0].1["status"] == "succeeded";
        let book = shop.sandbox.book();
        let moved = book
            .iter()
            .any(|one| one.payment == id && one.kind == Kind::Payment);
        assert_eq!(captured, moved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reference_asked_for_many_times_is_one_payment() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    let body = json!({ "email": "ada@example.com", "amount": 1_000, "currency": "KES", "reference": "same" });
    let path = "/transaction/initialize";
    let answers = join_all((0..AT_ONCE).map(|_| paystack::post(&shop, path, &body))).await;
    let refused = answers
        .iter()
        .filter(|(_, body)| body["code"] == "duplicate_reference")
        .count();
    shop.hears(1).await;
    assert_eq!((refused, shop.amounts()), (AT_ONCE - 1, vec![1_000, -129]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storm_the_book_has_each_paid_payment_once() {
    let shop = Arc::new(Shop::open(Customer::pays_after_ms(1), 1_000_000));
    let often = |fault| FaultRule {
        provider: None,
        per_million: 200_000,
        delay_ms: Some(3),
        ..FaultRule::always(Provider::Paystack, fault)
    };
    shop.misbehave(
        [
            Fault::CallbackDoubled,
            Fault::CallbackLost,
            Fault::CallbackReordered,
            Fault::CallbackLate,
            Fault::CallbackForged,
            Fault::WrongAmount,
            Fault::ErrorAfter,
            Fault::CutAfter,
            Fault::UnavailableBefore,
            Fault::CustomerCancels,
        ]
        .map(often),
    );
    let storm = (0..AT_ONCE).map(|lane| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            for number in 0..20 {
                let body = json!({
                    "email": "a@b", "amount": 1_000, "currency": "GHS",
                    "reference": format!("{lane}-{number}"),
                    "mobile_money": { "phone": "0551234987", "provider": "mtn" },
                });
                let url = shop.url(Provider::Paystack, "/charge");
                let request = shop
                    .client
                    .post(url)
                    .bearer_auth("sk_test_demo")
                    .json(&body);
                // Whatever comes of it, nobody tries again.
                let _ = request.send().await;
            }
        })
    });
    for lane in join_all(storm).await {
        lane.unwrap();
    }
    shop.until(|shop| shop.sandbox.prompts().is_empty()).await;
    shop.hears_all().await;
    let book = shop.sandbox.book();
    let mut paid = 0;
    for one in shop.sandbox.payments() {
        let lines = book
            .iter()
            .filter(|line| line.payment == one.payment && line.kind == Kind::Payment);
        let sums: Vec<_> = lines.map(|line| line.amount).collect();
        if one.status == "success" {
            paid += 1;
            assert_eq!(sums, [1_000], "{one:?}");
        } else {
            assert!(sums.is_empty(), "{one:?}");
        }
    }
    assert!(paid > 100, "{paid}");
    let kinds: std::collections::HashSet<_> =
        shop.fault_log().iter().map(|one| one.fault).collect();
    assert!(kinds.len() >= 9, "{kinds:?}");
}
