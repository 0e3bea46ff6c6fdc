//! Payments that the customer began.

use serde_json::json;

use super::super::merchant::Shop;
use super::{M, items, post, push, token};
use crate::sandbox::{Act, Customer};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_to_the_short_code_is_confirmed_with_a_masked_number() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = token(&shop).await;
    let path = "/mpesa/c2b/v2/registerurl";
    let mut urls = json!({
        "ShortCode": "174379", "ResponseType": "Completed",
        "ConfirmationURL": shop.hook("/webhooks/mpesa/1"), "ValidationURL": shop.hook("/validation"),
    });
    let (status, refused) = post(&shop, &token, path, &urls).await;
    assert_eq!((status, &refused["errorCode"]), (400, &json!("400.002.02")));
    urls["ConfirmationURL"] = json!(shop.hook("/confirmation"));
    let (status, accepted) = post(&shop, &token, path, &urls).await;
    assert_eq!(
        (status, accepted["OriginatorCoversationID"].is_string()),
        (200, true)
    );
    let (status, twice) = post(&shop, &token, path, &urls).await;
    assert_eq!((status, &twice["errorCode"]), (500, &json!("500.003.1001")));

    let bill = json!({ "ShortCode": "174379", "CommandID": "CustomerPayBillOnline", "Amount": 5,
        "Msisdn": "254708374149", "BillRefNumber": "ORD2" });
    let (status, _) = post(&shop, &token, "/mpesa/c2b/v2/simulate", &bill).await;
    assert_eq!(status, 200);
    let heard = shop.hears(1).await;
    let told = heard[0].json();
    assert_eq!(heard[0].path, "/confirmation");
    assert_eq!(
        (&told["TransAmount"], &told["BillRefNumber"]),
        (&json!("5.00"), &json!("ORD2"))
    );
    assert_eq!(told["MSISDN"], "2547 ***** 149");
    assert_eq!(
        told["TransID"],
        json!(shop.sandbox.book()[0].provider_reference)
    );

    // What came by a prompt is confirmed too, with the same receipt.
    let checkout = push(&shop, &token).await;
    shop.sandbox.act(M, &checkout, Act::Pay).unwrap();
    let heard = shop.hears(3).await;
    let receipt = json!(shop.sandbox.book()[1].provider_reference);
    let about = |path: &str| {
        heard
            .iter()
            .skip(1)
            .find(|one| one.path == path)
            .unwrap()
            .json()
    };
    assert_eq!(about("/confirmation")["TransID"], receipt);
    assert!(
        items(&about("/stk"))
            .iter()
            .any(|(_, value)| *value == receipt)
    );
    assert_eq!(shop.sandbox.book().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_that_validates_decides_whether_the_money_moves() {
    let shop = Shop::open_with(Customer::by_hand(), 1, |all| all.mpesa[0].validates = true);
    let token = token(&shop).await;
    let urls = json!({
        "ShortCode": "174379", "ResponseType": "Cancelled",
        "ConfirmationURL": shop.hook("/confirmation"), "ValidationURL": shop.hook("/validation"),
    });
    post(&shop, &token, "/mpesa/c2b/v2/registerurl", &urls).await;
    let bill = json!({ "ShortCode": "174379", "CommandID": "CustomerPayBillOnline", "Amount": 5,
        "Msisdn": "254708374149", "BillRefNumber": "ORD2" });
    post(&shop, &token, "/mpesa/c2b/v2/simulate", &bill).await;
    let heard = shop.hears(2).await;
    assert_eq!(
        [&*heard[0].path, &*heard[1].path],
        ["/validation", "/confirmation"]
    );
    assert_eq!(heard[0].json()["OrgAccountBalance"], "");
    assert_eq!(shop.amounts(), [500]);
    // Who does not answer well has said no.
    shop.answers_callbacks_with(500);
    post(&shop, &token, "/mpesa/c2b/v2/simulate", &bill).await;
    shop.hears(3).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(shop.amounts(), [500]);
}
