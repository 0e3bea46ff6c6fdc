//! The same request, and the same event, more than once.

use std::time::Duration;

use serde_json::json;

use super::super::merchant::{Heard, Shop};
use super::{CREATE, S, get, id, post, post_as};
use crate::sandbox::wire::hmac_sha256;
use crate::sandbox::{Customer, Fault, FaultRule};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_has_one_answer() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let path = "/v1/payment_intents";
    let first = post_as(&shop, "k1", path, CREATE).await;
    assert_eq!(post_as(&shop, "k1", path, CREATE).await, first);
    let (status, other) = post_as(&shop, "k1", path, "amount=5&currency=zar").await;
    assert_eq!(
        (status, &other["error"]["type"]),
        (400, &json!("idempotency_error"))
    );
    // What was refused because of its parameters is not kept.
    assert_eq!(post_as(&shop, "k2", path, "currency=zar").await.0, 400);
    assert_eq!(post_as(&shop, "k2", path, CREATE).await.0, 200);
    // While the first is under way, the second is told so.
    let slow = FaultRule {
        delay_ms: Some(700),
        ..FaultRule::once(S, Fault::AnswerLate)
    };
    shop.misbehave([slow]);
    let (slow, early) = tokio::join!(post_as(&shop, "k3", path, CREATE), async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        post_as(&shop, "k3", path, CREATE).await
    });
    assert_eq!(
        (early.0, &early.1["error"]["code"]),
        (409, &json!("idempotency_key_in_use"))
    );
    assert_eq!(post_as(&shop, "k3", path, CREATE).await, slow);
    // A failure is kept too, although the intent was made.
    shop.misbehave([FaultRule::once(S, Fault::ErrorAfter)]);
    assert_eq!(post_as(&shop, "k4", path, CREATE).await.0, 500);
    assert_eq!(post_as(&shop, "k4", path, CREATE).await.0, 500);
    assert_eq!(shop.sandbox.payments().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_in_the_list() {
    let shop = Shop::open(Customer::by_hand(), 1);
    shop.misbehave([FaultRule::always(S, Fault::CallbackLost)]);
    for _ in 0..3 {
        post(
            &shop,
            "/v1/payment_intents",
            &format!("{CREATE}&confirm=true&payment_method=pm_card_visa"),
        )
        .await;
    }
    let (_, first) = get(&shop, "/v1/events?type=payment_intent.succeeded&limit=2").await;
    assert_eq!(
        (first["data"].as_array().unwrap().len(), &first["has_more"]),
        (2, &json!(true))
    );
    let after = id(&first["data"][1]);
    let (_, rest) = get(
        &shop,
        &format!("/v1/events?type=payment_intent.succeeded&starting_after={after}"),
    )
    .await;
    assert_eq!(
        (rest["data"].as_array().unwrap().len(), &rest["has_more"]),
        (1, &json!(false))
    );
    let (_, newer) = get(
        &shop,
        &format!("/v1/events?type=payment_intent.*&limit=1&ending_before={after}"),
    )
    .await;
    assert_eq!(newer["data"].as_array().unwrap().len(), 1);
    assert!(shop.heard().is_empty());
    assert_eq!(get(&shop, &format!("/v1/events/{after}")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_signed_with_every_secret_and_brought_again() {
    let shop = Shop::open_with(Customer::by_hand(), 10_000, |all| {
        all.stripe[0].webhook_secrets.push("whsec_next".to_owned());
    });
    shop.answers_callbacks_with(500);
    post(&shop, "/v1/payment_intents", CREATE).await;
    let heard = shop.hears(3).await;
    assert_eq!(heard[0].body, heard[2].body);
    assert_eq!(heard[0].signature.matches("v1=").count(), 2);
    shop.answers_callbacks_with(204);
    shop.hears_all().await;
}

/// As Stripe's libraries do it: some `v1` fits, and it is no older than five minutes.
fn believes(one: &Heard) -> bool {
    let mut time = "";
    let mut signatures = Vec::new();
    for part in one.signature.split(',') {
        match part.split_once('=') {
            Some(("t", value)) => time = value,
            Some(("v1", value)) => signatures.push(value),
            _ => (),
        }
    }
    let message = [time.as_bytes(), b".", one.body.as_bytes()];
    let right = hmac_sha256("whsec_test_secret", &message);
    let now = chrono::Utc::now().timestamp();
    time.parse::<i64>().is_ok_and(|time| now - time <= 300) && signatures.contains(&&*right)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_checks_signatures_believes_no_forgery_of_any_kind() {
    let shop = Shop::open(Customer::by_hand(), 1);
    shop.misbehave([FaultRule::always(S, Fault::CallbackForged)]);
    for _ in 0..12 {
        post(&shop, "/v1/payment_intents", CREATE).await;
    }
    let heard = shop.hears_all().await;
    let (paid, made): (Vec<_>, Vec<_>) = heard
        .into_iter()
        .partition(|one| one.json()["type"] == "payment_intent.succeeded");
    assert_eq!((paid.len(), made.len()), (12, 12));
    assert!(made.iter().all(believes));
    assert!(!paid.iter().any(believes));
    let unsigned = paid.iter().filter(|one| one.signature.is_empty()).count();
    let old = paid.iter().filter(|one| {
        let time = one.signature.split(['=', ',']).nth(1).unwrap_or_default();
        time.parse::<i64>()
            .is_ok_and(|time| time < chrono::Utc::now().timestamp() - 300)
    });
    let old = old.count();
    assert!(
        unsigned > 0 && old > 0 && unsigned + old < 12,
        "{unsigned} {old}"
    );
}
