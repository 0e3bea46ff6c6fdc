//! The same request, and the same event, more than once.

use std::time::Duration;

use serde_json::json;

use super::super::merchant::Shop;
use super::{CREATE, S, get, id, post, post_as};
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
