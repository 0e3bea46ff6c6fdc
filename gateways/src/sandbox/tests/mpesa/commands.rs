//! Reversals, pay-outs, and questions about them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::merchant::Shop;
use super::{M, post, push, token};
use crate::sandbox::{Customer, Fault, FaultRule};

fn commanded(shop: &Shop, more: &Value) -> Value {
    let mut body = json!({
        "Initiator": "testapi", "InitiatorName": "testapi",
        "SecurityCredential": STANDARD.encode([7; 256]),
        "ResultURL": shop.hook("/result"), "QueueTimeOutURL": shop.hook("/timeout"),
        "Remarks": "refund",
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_reversed_once() {
    let shop = Shop::open(Customer::pays_after_ms(0), 100);
    let token = token(&shop).await;
    push(&shop, &token).await;
    shop.hears(1).await;
    let receipt = shop.sandbox.book()[0].provider_reference.clone();
    let body = commanded(
        &shop,
        &json!({
            "CommandID": "TransactionReversal", "TransactionID": receipt, "Amount": "4",
            "ReceiverParty": "174379", "RecieverIdentifierType": "11",
        }),
    );
    let path = "/mpesa/reversal/v1/request";
    let (status, accepted) = post(&shop, &token, path, &body).await;
    assert_eq!((status, &accepted["ResponseCode"]), (200, &json!("0")));
    let heard = shop.hears(2).await;
    let result = &heard[1].json()["Result"];
    assert_eq!(
        (&*heard[1].path, &result["ResultCode"]),
        ("/result", &json!(0))
    );
    assert_eq!(
        result["OriginatorConversationID"],
        accepted["OriginatorConversationID"]
    );
    assert_eq!(
        result["TransactionID"],
        json!(shop.sandbox.book()[1].provider_reference)
    );

    post(&shop, &token, path, &body).await;
    let mut unknown = body.clone();
    unknown["TransactionID"] = json!("SXXXXXXXXX");
    let third = shop.hears(3).await[2].json();
    post(&shop, &token, path, &unknown).await;
    let fourth = shop.hears(4).await[3].json();
    assert_eq!(third["Result"]["ResultCode"], "R000001");
    assert!(third["Result"].get("ResultParameters").is_none());
    assert_eq!(fourth["Result"]["ResultCode"], "R000002");
    let mut stranger = body.clone();
    stranger["Initiator"] = json!("somebody");
    post(&shop, &token, path, &stranger).await;
    assert_eq!(shop.hears(5).await[4].json()["Result"]["ResultCode"], 2001);
    assert_eq!(shop.amounts(), [1_000, -400]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pay_out_takes_what_the_utility_account_holds_and_no_more() {
    let shop = Shop::open(Customer::by_hand(), 100);
    let token = token(&shop).await;
    let body = |name: &str| {
        commanded(
            &shop,
            &json!({
                "OriginatorConversationID": name, "CommandID": "BusinessPayment", "Amount": 60,
                "PartyA": "174379", "PartyB": "254708374149", "Occassion": "",
            }),
        )
    };
    let path = "/mpesa/b2c/v3/paymentrequest";
    post(&shop, &token, path, &body("one")).await;
    assert_eq!(shop.hears(1).await[0].json()["Result"]["ResultCode"], 1);
    shop.sandbox.top_up(M, "174379 utility", "KES", 10_000);
    post(&shop, &token, path, &body("two")).await;
    let paid = shop.hears(2).await[1].json();
    assert_eq!(paid["Result"]["ResultCode"], 0);
    let (status, again) = post(&shop, &token, path, &body("two")).await;
    assert_eq!((status, &again["errorCode"]), (500, &json!("500.002.1001")));
    assert_eq!(shop.amounts(), [10_000, -6_000]);

    let question = commanded(
        &shop,
        &json!({
            "CommandID": "TransactionStatusQuery", "PartyA": "174379", "IdentifierType": "4",
            "OriginalConversationID": "two",
        }),
    );
    post(
        &shop,
        &token,
        "/mpesa/transactionstatus/v1/query",
        &question,
    )
    .await;
    let told = shop.hears(3).await[2].json();
    let parameters = told["Result"]["ResultParameters"]["ResultParameter"]
        .as_array()
        .unwrap();
    let value =
        |key: &str| parameters.iter().find(|one| one["Key"] == key).unwrap()["Value"].clone();
    assert_eq!(value("TransactionStatus"), "Completed");
    assert_eq!(value("ReceiptNo"), paid["Result"]["TransactionID"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pay_out_that_was_made_may_be_said_to_have_timed_out() {
    let shop = Shop::open(Customer::by_hand(), 100);
    let token = token(&shop).await;
    shop.sandbox.top_up(M, "174379 utility", "KES", 10_000);
    shop.misbehave([FaultRule::once(M, Fault::TimeoutNotice)]);
    let body = commanded(
        &shop,
        &json!({
            "OriginatorConversationID": "one", "CommandID": "BusinessPayment", "Amount": 60,
            "PartyA": "174379", "PartyB": "254708374149", "Occassion": "",
        }),
    );
    post(&shop, &token, "/mpesa/b2c/v3/paymentrequest", &body).await;
    let heard = shop.hears(1).await;
    assert_eq!(heard[0].path, "/timeout");
    assert_eq!(heard[0].json()["Result"]["OriginatorConversationID"], "one");
    assert_eq!(shop.amounts(), [10_000, -6_000]);
    let log = shop.fault_log();
    assert_eq!((log.len(), &*log[0].reference), (1, "one"));
}
