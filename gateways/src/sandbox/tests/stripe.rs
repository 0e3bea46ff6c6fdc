//! Stripe: intents, checkout, refunds, events, idempotency.

mod checkout;
mod repeats;

use serde_json::{Value, json};

use super::merchant::{Heard, Shop, read};
use crate::sandbox::wire::hmac_sha256;
use crate::sandbox::{Act, Customer, Provider};

const S: Provider = Provider::Stripe;
const KEY: &str = "sk_test_demo";
pub(super) const CREATE: &str =
    "amount=1999&currency=zar&automatic_payment_methods[enabled]=true&metadata[order_id]=ord+1%262";

async fn post_as(shop: &Shop, key: &str, path: &str, form: &str) -> (u16, Value) {
    let request = shop
        .client
        .post(shop.url(S, path))
        .bearer_auth(KEY)
        .header("Idempotency-Key", key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    read(request.send().await.unwrap()).await
}

pub(super) async fn post(shop: &Shop, path: &str, form: &str) -> (u16, Value) {
    post_as(shop, &uuid::Uuid::now_v7().to_string(), path, form).await
}

pub(super) async fn get(shop: &Shop, path: &str) -> (u16, Value) {
    read(
        shop.client
            .get(shop.url(S, path))
            .bearer_auth(KEY)
            .send()
            .await
            .unwrap(),
    )
    .await
}

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

fn kinds(heard: &[Heard]) -> Vec<String> {
    let mut kinds: Vec<_> = heard
        .iter()
        .map(|one| one.json()["type"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_may_be_declined_and_then_succeed() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let (status, intent) = post(&shop, "/v1/payment_intents", CREATE).await;
    assert_eq!(
        (status, &intent["status"]),
        (200, &json!("requires_payment_method"))
    );
    assert_eq!(intent["metadata"]["order_id"], "ord 1&2");
    let intent = id(&intent);
    shop.sandbox.act(S, &intent, Act::Decline).unwrap();
    let (_, declined) = get(&shop, &format!("/v1/payment_intents/{intent}")).await;
    assert_eq!(
        declined["last_payment_error"]["decline_code"],
        "generic_decline"
    );
    shop.sandbox.act(S, &intent, Act::Pay).unwrap();
    let (_, paid) = get(
        &shop,
        &format!("/v1/payment_intents/{intent}?expand[0]=latest_charge"),
    )
    .await;
    assert_eq!(
        (&paid["status"], &paid["amount_received"]),
        (&json!("succeeded"), &json!(1_999))
    );
    assert_eq!(paid["latest_charge"]["status"], "succeeded");
    let heard = shop.hears_all().await;
    assert_eq!(
        kinds(&heard),
        [
            "charge.failed",
            "charge.succeeded",
            "payment_intent.created",
            "payment_intent.payment_failed",
            "payment_intent.succeeded"
        ]
    );
    let one = &heard[0];
    let time = one
        .signature
        .strip_prefix("t=")
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    let expected = hmac_sha256(
        "whsec_test_secret",
        &[time.as_bytes(), b".", one.body.as_bytes()],
    );
    assert_eq!(one.signature, format!("t={time},v1={expected}"));
    assert_eq!(shop.amounts(), [1_999, -88]);
    let book = shop.sandbox.book();
    assert_eq!(
        (&*book[0].payment, &*book[0].reference),
        (&*intent, "ord 1&2")
    );
    let (status, late) = post(&shop, &format!("/v1/payment_intents/{intent}/cancel"), "").await;
    assert_eq!(
        (status, &late["error"]["code"]),
        (400, &json!("payment_intent_unexpected_state"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_cards_do_what_they_are_named_for() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let path = "/v1/payment_intents";
    let with = |card: &str| format!("{CREATE}&confirm=true&payment_method={card}");
    let (status, ok) = post(&shop, path, &with("pm_card_visa")).await;
    assert_eq!((status, &ok["status"]), (200, &json!("succeeded")));
    let (status, no) = post(
        &shop,
        path,
        &with("pm_card_chargeDeclinedInsufficientFunds"),
    )
    .await;
    let error = &no["error"];
    assert_eq!(
        (status, &error["type"], &error["decline_code"]),
        (402, &json!("card_error"), &json!("insufficient_funds"))
    );
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let again = format!("{path}/{}/confirm", id(&error["payment_intent"]));
    let (status, then) = post(&shop, &again, "payment_method=pm_card_visa").await;
    assert_eq!((status, &then["status"]), (200, &json!("succeeded")));
    let (_, asks) = post(&shop, path, &with("pm_card_authenticationRequired")).await;
    assert_eq!(
        (&asks["status"], &asks["next_action"]["type"]),
        (&json!("requires_action"), &json!("redirect_to_url"))
    );
    shop.sandbox.act(S, &id(&asks), Act::Pay).unwrap();
    let (_, done) = get(&shop, &format!("{path}/{}", id(&asks))).await;
    assert_eq!(done["status"], "succeeded");
    post(&shop, path, &with("pm_card_createDispute")).await;
    let heard = shop.hears_all().await;
    assert!(kinds(&heard).contains(&"charge.dispute.created".to_owned()));
    assert_eq!(
        shop.amounts()
            .iter()
            .filter(|amount| **amount == -1_999)
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_captured_in_part_or_let_go() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    let form = format!("{CREATE}&capture_method=manual");
    let path = "/v1/payment_intents";
    let held = id(&post(&shop, path, &form).await.1);
    shop.until(|shop| shop.sandbox.payments()[0].status == "requires_capture")
        .await;
    assert!(shop.sandbox.book().is_empty());
    let (status, over) = post(
        &shop,
        &format!("{path}/{held}/capture"),
        "amount_to_capture=2000",
    )
    .await;
    assert_eq!(
        (status, &over["error"]["code"]),
        (400, &json!("amount_too_large"))
    );
    let (_, part) = post(
        &shop,
        &format!("{path}/{held}/capture"),
        "amount_to_capture=1500",
    )
    .await;
    assert_eq!(
        (
            &part["status"],
            &part["amount_received"],
            &part["amount_capturable"]
        ),
        (&json!("succeeded"), &json!(1_500), &json!(0))
    );
    let (status, _) = post(&shop, &format!("{path}/{held}/capture"), "").await;
    assert_eq!(status, 400);
    assert_eq!(shop.amounts()[0], 1_500);
    let other = id(&post(&shop, path, &form).await.1);
    shop.until(|shop| {
        shop.sandbox
            .payments()
            .iter()
            .any(|one| one.status == "requires_capture")
    })
    .await;
    let (_, gone) = post(
        &shop,
        &format!("{path}/{other}/cancel"),
        "cancellation_reason=abandoned",
    )
    .await;
    assert_eq!(
        (&gone["status"], &gone["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    assert_eq!(shop.amounts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_named() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let path = "/v1/payment_intents";
    for (form, code, param) in [
        ("currency=zar", "parameter_missing", "amount"),
        (
            "amount=1.5&currency=zar",
            "parameter_invalid_integer",
            "amount",
        ),
        (
            "amount=100000000&currency=zar",
            "amount_too_large",
            "amount",
        ),
        ("amount=49&currency=usd", "amount_too_small", "amount"),
        ("amount=100", "parameter_missing", "currency"),
    ] {
        let (status, answer) = post(&shop, path, form).await;
        let error = &answer["error"];
        assert_eq!(
            (status, &error["code"], &error["param"]),
            (400, &json!(code), &json!(param))
        );
    }
    let (status, gone) = get(&shop, "/v1/payment_intents/pi_none").await;
    assert_eq!(
        (status, &gone["error"]["code"]),
        (404, &json!("resource_missing"))
    );
    let stranger = shop
        .client
        .get(shop.url(S, path))
        .bearer_auth("sk_test_x")
        .send()
        .await
        .unwrap();
    assert_eq!(read(stranger).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_whole_or_in_part_and_may_fail_later() {
    let shop = Shop::open(Customer::by_hand(), 1_000);
    let with = |card: &str| format!("{CREATE}&confirm=true&payment_method={card}");
    let (_, paid) = post(&shop, "/v1/payment_intents", &with("pm_card_visa")).await;
    let of = format!("payment_intent={}", id(&paid));
    let (_, part) = post(
        &shop,
        "/v1/refunds",
        &format!("{of}&amount=500&reason=duplicate"),
    )
    .await;
    assert_eq!(
        (&part["status"], &part["amount"]),
        (&json!("succeeded"), &json!(500))
    );
    assert_eq!(
        post(&shop, "/v1/refunds", &format!("{of}&amount=1500"))
            .await
            .0,
        400
    );
    let charge = format!("charge={}", paid["latest_charge"].as_str().unwrap());
    assert_eq!(post(&shop, "/v1/refunds", &charge).await.1["amount"], 1_499);
    let (status, none) = post(&shop, "/v1/refunds", &of).await;
    assert_eq!(
        (status, &none["error"]["code"]),
        (400, &json!("charge_already_refunded"))
    );
    let (_, other) = post(&shop, "/v1/payment_intents", &with("pm_card_refundFail")).await;
    let (_, refund) = post(
        &shop,
        "/v1/refunds",
        &format!("payment_intent={}", id(&other)),
    )
    .await;
    assert_eq!(refund["status"], "succeeded");
    shop.until(|shop| shop.amounts().len() == 8).await;
    assert_eq!(
        get(&shop, &format!("/v1/refunds/{}", id(&refund))).await.1["status"],
        "failed"
    );
    assert_eq!(
        shop.amounts(),
        [1_999, -88, -500, -1_499, 1_999, -88, -1_999, 1_999]
    );
    assert!(kinds(&shop.hears_all().await).contains(&"refund.failed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_other_accounts_is_refused_not_kept() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let form = format!("{CREATE}&transfer_data[destination]=acct_1");
    let (status, answer) = post(&shop, "/v1/payment_intents", &form).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &json!("parameter_unknown"))
    );
    assert!(shop.sandbox.payments().is_empty());
}
