//! Each way of misbehaving: seen by the merchant, written in the log, and no matter to the book.

use serde_json::{Value, json};

use super::merchant::{Shop, read};
use super::{ecocash, mpesa, paystack, stripe};
use crate::sandbox::{Act, Customer, Fault, FaultRule, Provider};

const M: Provider = Provider::Mpesa;
const P: Provider = Provider::Paystack;
const S: Provider = Provider::Stripe;

fn logged(shop: &Shop) -> Vec<(Provider, Fault)> {
    shop.fault_log()
        .iter()
        .map(|one| (one.provider, one.fault))
        .collect()
}

fn asked(reference: &str) -> Value {
    json!({ "email": "ada@example.com", "amount": 1_000, "currency": "KES", "reference": reference })
}

async fn initialize(shop: &Shop, reference: &str) -> Result<(u16, Value), reqwest::Error> {
    let request = shop
        .client
        .post(shop.url(P, "/transaction/initialize"))
        .bearer_auth("sk_test_demo")
        .json(&asked(reference));
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_fail_before_anything_was_done() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let short = |fault| FaultRule {
        delay_ms: Some(10),
        ..FaultRule::once(P, fault)
    };
    shop.misbehave([short(Fault::UnavailableBefore)]);
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 503);
    shop.misbehave([short(Fault::RateLimited)]);
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 429);
    shop.misbehave([short(Fault::HtmlBefore)]);
    let (status, page) = initialize(&shop, "a").await.unwrap();
    assert!(status == 200 && page.as_str().unwrap().contains("<html>"));
    shop.misbehave([short(Fault::SilenceBefore)]);
    assert!(initialize(&shop, "a").await.is_err());
    shop.misbehave([short(Fault::CutBefore)]);
    assert!(initialize(&shop, "a").await.is_err());
    assert!(shop.sandbox.payments().is_empty());
    let kinds: Vec<_> = logged(&shop).into_iter().map(|(_, fault)| fault).collect();
    assert_eq!(
        kinds,
        [
            Fault::UnavailableBefore,
            Fault::RateLimited,
            Fault::HtmlBefore,
            Fault::SilenceBefore,
            Fault::CutBefore,
        ]
    );
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_fail_after_everything_was_done() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    let short = |fault| FaultRule {
        delay_ms: Some(10),
        ..FaultRule::once(P, fault)
    };
    shop.misbehave([short(Fault::ErrorAfter)]);
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 500);
    shop.misbehave([short(Fault::SilenceAfter)]);
    assert!(initialize(&shop, "b").await.is_err());
    shop.misbehave([short(Fault::CutAfter)]);
    assert!(initialize(&shop, "c").await.is_err());
    let log = shop.fault_log();
    assert_eq!(
        log.iter().map(|one| &*one.reference).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    shop.hears(3).await;
    assert_eq!(
        shop.amounts()
            .iter()
            .filter(|amount| **amount == 1_000)
            .count(),
        3
    );
    for reference in ["a", "b", "c"] {
        assert_eq!(
            initialize(&shop, reference).await.unwrap().1["code"],
            "duplicate_reference"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_may_come_before_the_answer() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    shop.misbehave([FaultRule {
        delay_ms: Some(400),
        ..FaultRule::once(P, Fault::AnswerLate)
    }]);
    let ((), answer) = tokio::join!(
        async {
            shop.hears(1).await;
        },
        async {
            let answer = initialize(&shop, "a").await.unwrap();
            assert_eq!(shop.heard().len(), 1);
            answer
        }
    );
    assert_eq!(answer.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_lost_doubled_and_late() {
    let shop = Shop::open(Customer::by_hand(), 1);
    for (fault, count) in [
        (Fault::CallbackLost, 0),
        (Fault::CallbackDoubled, 2),
        (Fault::CallbackLate, 3),
    ] {
        shop.misbehave([FaultRule {
            delay_ms: Some(50),
            ..FaultRule::once(P, fault)
        }]);
        let id = paystack::initialized(&shop, &format!("{fault:?}")).await;
        shop.sandbox.act(P, &id, Act::Pay).unwrap();
        assert_eq!(shop.hears_all().await.len(), count, "{fault:?}");
    }
    let heard = shop.heard();
    assert_eq!(
        (&heard[0].body, &heard[0].signature),
        (&heard[1].body, &heard[1].signature)
    );
    assert_eq!(
        logged(&shop),
        [
            (P, Fault::CallbackLost),
            (P, Fault::CallbackDoubled),
            (P, Fault::CallbackLate),
        ]
    );
    assert_eq!(shop.amounts().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_overtaken_by_the_next() {
    let shop = Shop::open(Customer::by_hand(), 1);
    shop.misbehave([FaultRule {
        reference: Some("first".to_owned()),
        ..FaultRule::once(P, Fault::CallbackReordered)
    }]);
    for reference in ["first", "second"] {
        let id = paystack::initialized(&shop, reference).await;
        shop.sandbox.act(P, &id, Act::Pay).unwrap();
    }
    let heard = shop.hears(2).await;
    let order: Vec<_> = heard
        .iter()
        .map(|one| one.json()["data"]["reference"].clone())
        .collect();
    assert_eq!(order, ["second", "first"]);
    assert_eq!(logged(&shop), [(P, Fault::CallbackReordered)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_nobody_overtakes_comes_all_the_same() {
    let shop = Shop::open(Customer::pays_after_ms(0), 100);
    shop.misbehave([FaultRule::once(P, Fault::CallbackReordered)]);
    paystack::initialized(&shop, "alone").await;
    assert_eq!(shop.hears(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_callback_tells_of_money_that_never_moved() {
    let shop = Shop::open(Customer::never_answers(), 1);
    shop.misbehave(
        [M, P, S, Provider::Ecocash].map(|of| FaultRule::always(of, Fault::CallbackForged)),
    );
    let token = mpesa::token(&shop).await;
    mpesa::push(&shop, &token).await;
    assert_eq!(
        shop.hears(1).await[0].json()["Body"]["stkCallback"]["ResultCode"],
        0
    );
    for number in 0..4 {
        paystack::initialized(&shop, &format!("p{number}")).await;
    }
    ecocash::charge(&shop).await;
    let heard = shop.hears(6).await;
    let from_paystack: Vec<_> = heard.iter().filter(|one| one.path == "/paystack").collect();
    assert_eq!(from_paystack.len(), 4);
    for one in from_paystack {
        let right = crate::sandbox::wire::hmac_sha512("sk_test_demo", one.body.as_bytes());
        assert_ne!(one.signature, right);
        assert_eq!(one.json()["event"], "charge.success");
    }
    stripe::post(&shop, "/v1/payment_intents", stripe::CREATE).await;
    let heard = shop.hears(8).await;
    assert!(
        heard
            .iter()
            .any(|one| one.path == "/stripe" && one.json()["type"] == "payment_intent.succeeded")
    );
    assert!(shop.sandbox.book().is_empty());
    assert_eq!(shop.fault_log().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_may_name_other_money_than_moved() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    shop.misbehave([
        FaultRule::once(P, Fault::WrongAmount),
        FaultRule::once(M, Fault::WrongAmount),
        FaultRule {
            reference: Some("coin".to_owned()),
            ..FaultRule::once(P, Fault::WrongCurrency)
        },
    ]);
    paystack::initialized(&shop, "sum").await;
    let data = shop.hears(1).await[0].json()["data"].clone();
    assert_eq!(
        (&data["amount"], &data["currency"]),
        (&json!(14_850), &json!("ZAR"))
    );
    paystack::initialized(&shop, "coin").await;
    let data = shop.hears(2).await[1].json()["data"].clone();
    assert_eq!(
        (&data["amount"], &data["currency"]),
        (&json!(14_950), &json!("USD"))
    );
    let token = mpesa::token(&shop).await;
    mpesa::push(&shop, &token).await;
    let heard = shop.hears(3).await;
    assert!(
        heard[2].body.contains(r#""Value":9.00"#),
        "{}",
        heard[2].body
    );
    let payments: Vec<_> = shop
        .amounts()
        .into_iter()
        .filter(|amount| *amount > 0)
        .collect();
    assert_eq!(payments, [14_950, 14_950, 1_000]);
    assert_eq!(shop.fault_log().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_may_be_answered_late_or_wrongly_both_ways() {
    let shop = Shop::open(Customer::by_hand(), 1);
    ecocash::charge(&shop).await;
    shop.misbehave([FaultRule::once(Provider::Ecocash, Fault::QueryClaims)]);
    assert_eq!(ecocash::look_up(&shop).await.1["status"], "SUCCESS");
    assert!(shop.sandbox.book().is_empty());
    shop.sandbox
        .act(Provider::Ecocash, ecocash::REFERENCE, Act::Pay)
        .unwrap();
    shop.misbehave([FaultRule::once(Provider::Ecocash, Fault::QueryDenies)]);
    assert_eq!(ecocash::look_up(&shop).await.1["status"], "FAILED");
    assert_eq!(ecocash::look_up(&shop).await.1["status"], "SUCCESS");

    let (_, made) = stripe::post(&shop, "/v1/payment_intents", stripe::CREATE).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/payment_intents/{id}");
    shop.misbehave([FaultRule::once(S, Fault::QueryClaims)]);
    let claimed = stripe::get(&shop, &path).await.1;
    assert_eq!(
        (&claimed["status"], &claimed["amount_received"]),
        (&json!("succeeded"), &json!(1_999))
    );
    shop.sandbox.act(S, id, Act::Pay).unwrap();
    shop.misbehave([FaultRule::once(S, Fault::QueryLags)]);
    assert_eq!(stripe::get(&shop, &path).await.1["status"], "processing");
    shop.misbehave([FaultRule::once(S, Fault::QueryDenies)]);
    assert_eq!(
        stripe::get(&shop, &path).await.1["status"],
        "requires_payment_method"
    );
    assert_eq!(stripe::get(&shop, &path).await.1["status"], "succeeded");
    assert_eq!(shop.fault_log().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_cancel_never_answer_or_pay_when_it_was_over() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1_000);
    let token = mpesa::token(&shop).await;
    shop.misbehave([FaultRule::once(M, Fault::CustomerCancels)]);
    mpesa::push(&shop, &token).await;
    assert_eq!(
        shop.hears(1).await[0].json()["Body"]["stkCallback"]["ResultCode"],
        1032
    );
    shop.misbehave([
        FaultRule::once(M, Fault::CustomerNeverAnswers),
        FaultRule {
            delay_ms: Some(100),
            ..FaultRule::once(M, Fault::CustomerPaysLate)
        },
    ]);
    mpesa::push(&shop, &token).await;
    let heard = shop.hears(3).await;
    let codes: Vec<_> = heard
        .iter()
        .map(|one| one.json()["Body"]["stkCallback"]["ResultCode"].clone())
        .collect();
    assert_eq!(codes, [1032, 1019, 0]);
    assert_eq!(shop.amounts(), [1_000]);
    assert_eq!(
        logged(&shop),
        [
            (M, Fault::CustomerCancels),
            (M, Fault::CustomerNeverAnswers),
            (M, Fault::CustomerPaysLate),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_has_the_same_faults() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let shop = Shop::open(Customer::pays_after_ms(0), 1_000);
        let half = FaultRule {
            per_million: 500_000,
            ..FaultRule::always(P, Fault::CallbackLost)
        };
        shop.misbehave([half]);
        for number in 0..20 {
            paystack::initialized(&shop, &format!("ord-{number}")).await;
        }
        shop.until(|shop| shop.sandbox.book().len() == 40).await;
        let mut lost: Vec<_> = shop
            .fault_log()
            .into_iter()
            .map(|one| one.reference)
            .collect();
        lost.sort();
        logs.push(lost);
    }
    assert_eq!(logs[0], logs[1]);
    assert!((4..17).contains(&logs[0].len()), "{:?}", logs[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_set_and_read_over_http() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let origin = shop.sandbox.origin().to_owned();
    let url = format!("{origin}/control/faults");
    let rules = json!([{ "fault": "unavailable_before", "provider": "paystack", "per_million": 1_000_000, "times": 1 }]);
    let set = shop.client.put(&url).json(&rules).send().await.unwrap();
    assert_eq!(set.status(), 204);
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 503);
    assert_eq!(initialize(&shop, "a").await.unwrap().0, 200);
    let (_, log) = read(
        shop.client
            .get(format!("{origin}/faults"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(log["faults"][0]["fault"], "unavailable_before");
    assert_eq!(log["faults"].as_array().unwrap().len(), 1);
    let bad = shop
        .client
        .put(&url)
        .json(&json!([{ "fault": "unheard_of", "per_million": 1 }]));
    assert_eq!(bad.send().await.unwrap().status(), 400);
}
