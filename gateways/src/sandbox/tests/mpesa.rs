//! M-Pesa, from the token to the reversal.

mod bills;
mod commands;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::merchant::{Shop, read};
use crate::sandbox::{Act, Customer, Kind, Provider};

const M: Provider = Provider::Mpesa;
const PASSKEY: &str = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919";
const STAMP: &str = "20260101123045";

pub(super) async fn token(shop: &Shop) -> String {
    let url = shop.url(M, "/oauth/v1/generate?grant_type=client_credentials");
    let header = "Basic Y2tfZGVtbzpjc19kZW1v";
    let answer = shop
        .client
        .get(url)
        .header("authorization", header)
        .send()
        .await
        .unwrap();
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["expires_in"]), (200, &json!("3599")));
    body["access_token"].as_str().unwrap().to_owned()
}

pub(super) fn push_body(shop: &Shop) -> Value {
    let password = STANDARD.encode(format!("174379{PASSKEY}{STAMP}"));
    json!({
        "BusinessShortCode": 174_379, "Password": password, "Timestamp": STAMP,
        "TransactionType": "CustomerPayBillOnline", "Amount": 10, "PartyA": "254708374149",
        "PartyB": "174379", "PhoneNumber": "254708374149", "CallBackURL": shop.hook("/stk"),
        "AccountReference": "ORD1", "TransactionDesc": "Pay",
    })
}

pub(super) async fn post(shop: &Shop, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = shop
        .client
        .post(shop.url(M, path))
        .bearer_auth(token)
        .json(body);
    read(request.send().await.unwrap()).await
}

pub(super) async fn push(shop: &Shop, token: &str) -> String {
    let (status, body) = post(
        shop,
        token,
        "/mpesa/stkpush/v1/processrequest",
        &push_body(shop),
    )
    .await;
    assert_eq!(
        (status, &body["ResponseCode"]),
        (200, &json!("0")),
        "{body}"
    );
    body["CheckoutRequestID"].as_str().unwrap().to_owned()
}

async fn query(shop: &Shop, token: &str, checkout: &str) -> (u16, Value) {
    let mut body = push_body(shop);
    body["CheckoutRequestID"] = json!(checkout);
    post(shop, token, "/mpesa/stkpushquery/v1/query", &body).await
}

fn items(callback: &Value) -> Vec<(String, Value)> {
    let items = callback["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
        .as_array()
        .unwrap();
    items
        .iter()
        .map(|item| {
            (
                item["Name"].as_str().unwrap().to_owned(),
                item["Value"].clone(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_answered_moves_the_money_once_and_says_so() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = token(&shop).await;
    let checkout = push(&shop, &token).await;
    let (status, pending) = query(&shop, &token, &checkout).await;
    let open = status == 500 && pending["errorCode"] == "500.001.1001"
        || status == 200 && pending["ResultCode"] == "4999";
    assert!(open, "{status} {pending}");
    assert!(shop.sandbox.book().is_empty());

    shop.sandbox.act(M, &checkout, Act::Pay).unwrap();
    assert!(shop.sandbox.act(M, &checkout, Act::Pay).is_err());
    let heard = shop.hears(1).await;
    let callback = heard[0].json();
    assert_eq!(callback["Body"]["stkCallback"]["ResultCode"], 0);
    let items = items(&callback);
    let receipt = &items
        .iter()
        .find(|(name, _)| name == "MpesaReceiptNumber")
        .unwrap()
        .1;
    assert!(
        heard[0].body.contains(r#"{"Name":"Amount","Value":10.00}"#),
        "{}",
        heard[0].body
    );
    assert!(
        items
            .iter()
            .any(|(name, value)| name == "PhoneNumber" && *value == json!(254_708_374_149_u64))
    );

    let book = shop.sandbox.book();
    assert_eq!(book.len(), 1);
    assert_eq!(
        (book[0].kind, book[0].amount, &*book[0].currency),
        (Kind::Payment, 1_000, "KES")
    );
    assert_eq!(
        (&json!(book[0].provider_reference), &*book[0].reference),
        (receipt, "ORD1")
    );
    let (status, done) = query(&shop, &token, &checkout).await;
    assert_eq!((status, &done["ResultCode"]), (200, &json!("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_the_customer_has_its_code() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = token(&shop).await;
    let acts = [
        (Act::Cancel, 1032),
        (Act::InsufficientFunds, 1),
        (Act::WrongPin, 2001),
        (Act::Unreachable, 1037),
    ];
    for (number, (act, code)) in acts.into_iter().enumerate() {
        let checkout = push(&shop, &token).await;
        shop.sandbox.act(M, &checkout, act).unwrap();
        let callbacks = shop.hears(number + 1).await;
        let stk = &callbacks[number].json()["Body"]["stkCallback"];
        assert_eq!(stk["ResultCode"], code);
        assert!(stk.get("CallbackMetadata").is_none());
        let (_, asked) = query(&shop, &token, &checkout).await;
        assert_eq!(asked["ResultCode"], code.to_string());
    }
    assert!(shop.sandbox.book().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_nobody_answers_expires() {
    let shop = Shop::open(Customer::never_answers(), 1_000);
    let token = token(&shop).await;
    push(&shop, &token).await;
    let heard = shop.hears(1).await;
    assert_eq!(heard[0].json()["Body"]["stkCallback"]["ResultCode"], 1019);
    assert!(shop.sandbox.prompts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_push_is_named() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = token(&shop).await;
    let path = "/mpesa/stkpush/v1/processrequest";
    let cases = [
        ("Amount", json!("10.5"), 400, "400.002.02"),
        ("Amount", json!(0), 400, "400.002.02"),
        ("Amount", json!(250_001), 400, "400.002.02"),
        ("PhoneNumber", json!("0708374149"), 400, "400.002.02"),
        ("PhoneNumber", json!("+254708374149"), 400, "400.002.02"),
        ("CallBackURL", json!("shop.example"), 400, "400.002.02"),
        (
            "AccountReference",
            json!("thirteen char"),
            400,
            "400.002.02",
        ),
        (
            "TransactionDesc",
            json!("fourteen chars"),
            400,
            "400.002.02",
        ),
        ("TransactionType", json!("Pay"), 400, "400.002.02"),
        ("Timestamp", json!("20260101123046"), 500, "500.001.1001"),
        ("Password", json!("wrong"), 500, "500.001.1001"),
        ("BusinessShortCode", json!(600_000), 500, "500.001.1001"),
    ];
    for (field, value, status, code) in cases {
        let mut body = push_body(&shop);
        body[field] = value;
        let (got, answer) = post(&shop, &token, path, &body).await;
        assert_eq!(
            (got, &answer["errorCode"]),
            (status, &json!(code)),
            "{field}: {answer}"
        );
    }
    assert!(shop.sandbox.prompts().is_empty() && shop.sandbox.payments().is_empty());

    let client = &shop.client;
    let plain = client
        .post(shop.url(M, path))
        .bearer_auth(&token)
        .body("{}");
    assert_eq!(
        read(plain.send().await.unwrap()).await.1["errorCode"],
        "400.002.02"
    );
    let got = client
        .get(shop.url(M, path))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(read(got).await.1["errorCode"], "405.001");
    let (status, lost) = post(&shop, &token, "/mpesa/nothing", &json!({})).await;
    assert_eq!((status, &lost["errorCode"]), (404, &json!("404.001.01")));

    push(&shop, &token).await;
    let (status, busy) = post(&shop, &token, path, &push_body(&shop)).await;
    assert_eq!((status, &busy["errorCode"]), (500, &json!("500.001.1001")));
    assert!(
        busy["errorMessage"]
            .as_str()
            .unwrap()
            .contains("lock subscriber")
    );
    let (status, unknown) = query(&shop, &token, "ws_CO_unknown").await;
    assert_eq!(
        (status, &unknown["errorCode"]),
        (500, &json!("500.001.1001"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_token_ends_the_first() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let first = token(&shop).await;
    let second = token(&shop).await;
    let path = "/mpesa/stkpush/v1/processrequest";
    let (status, refused) = post(&shop, &first, path, &push_body(&shop)).await;
    assert_eq!((status, &refused["errorCode"]), (404, &json!("404.001.03")));
    push(&shop, &second).await;

    let url = shop.url(M, "/oauth/v1/generate?grant_type=client_credentials");
    let bad = STANDARD.encode("ck_demo:wrong");
    let bad = shop
        .client
        .get(&url)
        .header("authorization", format!("Basic {bad}"));
    assert_eq!(read(bad.send().await.unwrap()).await, (400, json!("")));
    let none = shop.client.get(&url).send().await.unwrap();
    assert_eq!(read(none).await.1["errorCode"], "400.008.01");
    let grant = shop
        .client
        .get(shop.url(M, "/oauth/v1/generate?grant_type=password"));
    assert_eq!(
        read(grant.send().await.unwrap()).await.1["errorCode"],
        "400.008.02"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_is_not_the_merchants_is_refused_in_the_callback() {
    let shop = Shop::open(Customer::pays_after_ms(0), 100);
    let token = token(&shop).await;
    let mut body = push_body(&shop);
    body["PartyB"] = json!("600000");
    let (status, _) = post(&shop, &token, "/mpesa/stkpush/v1/processrequest", &body).await;
    assert_eq!(status, 200);
    let heard = shop.hears(1).await;
    assert_eq!(heard[0].json()["Body"]["stkCallback"]["ResultCode"], 2028);
    assert!(shop.sandbox.book().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_not_taken_comes_again_or_not_at_all() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1_000);
    let token = token(&shop).await;
    shop.answers_callbacks_with(500);
    for number in 0..12 {
        let mut body = push_body(&shop);
        let phone = format!("2547083741{number:02}");
        body["PhoneNumber"] = json!(phone);
        body["PartyA"] = json!(phone);
        body["AccountReference"] = json!(format!("ORD{number}"));
        post(&shop, &token, "/mpesa/stkpush/v1/processrequest", &body).await;
    }
    shop.until(|shop| shop.sandbox.book().len() == 12).await;
    let heard = shop.hears_all().await;
    assert!((13..24).contains(&heard.len()), "{}", heard.len());
}
