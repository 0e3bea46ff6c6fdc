//! EcoCash's Open API.

use serde_json::{Value, json};

use super::merchant::{Shop, read};
use crate::sandbox::{Act, Customer, Fault, FaultRule, Provider};

const E: Provider = Provider::Ecocash;
const CHARGE: &str = "/api/v2/payment/instant/c2b/sandbox";
const LOOK_UP: &str = "/api/v1/transaction/c2b/status/sandbox";
const REFUND: &str = "/api/v2/refund/instant/c2b/sandbox";
pub(super) const REFERENCE: &str = "581af738-f459-4629-a72e-8388e0acdb5e";

async fn post(shop: &Shop, path: &str, body: String) -> (u16, Value) {
    let request = shop
        .client
        .post(shop.url(E, path))
        .header("X-API-KEY", "ecocash_demo_key")
        .header("content-type", "application/json")
        .body(body);
    read(request.send().await.unwrap()).await
}

fn asked(amount: &str, currency: &str, reference: &str) -> String {
    format!(
        r#"{{"customerMsisdn":"263774222475","amount":{amount},"reason":"Order 1001","currency":"{currency}","sourceReference":"{reference}"}}"#
    )
}

pub(super) async fn charge(shop: &Shop) {
    let (status, _) = post(shop, CHARGE, asked("149.50", "ZiG", REFERENCE)).await;
    assert_eq!(status, 200);
}

pub(super) async fn look_up(shop: &Shop) -> (u16, Value) {
    let body = json!({ "sourceMobileNumber": "263774222475", "sourceReference": REFERENCE });
    post(shop, LOOK_UP, body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_pending_until_the_pin_is_entered() {
    let shop = Shop::open(Customer::by_hand(), 1);
    charge(&shop).await;
    let (_, pending) = look_up(&shop).await;
    let word = pending["status"].as_str().unwrap();
    assert!(
        matches!(word, "PENDING" | "AWAITING_USER_VALIDATION"),
        "{word}"
    );
    shop.sandbox.act(E, REFERENCE, Act::Pay).unwrap();
    let (_, done) = look_up(&shop).await;
    assert_eq!(
        (&done["status"], &done["amount"]["currency"]),
        (&json!("SUCCESS"), &json!("ZiG"))
    );
    let book = shop.sandbox.book();
    assert_eq!((book[0].amount, &*book[0].currency), (14_950, "ZWG"));
    assert_eq!(done["ecocashReference"], json!(book[0].provider_reference));
    let told = shop.hears(1).await[0].json();
    assert_eq!(
        (
            &told["transactionOperationStatus"],
            &told["clientReference"]
        ),
        (&json!("COMPLETED"), &json!(REFERENCE))
    );
    let (status, _) = post(&shop, CHARGE, asked("149.50", "ZiG", REFERENCE)).await;
    assert_eq!((status, shop.amounts().len()), (409, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_customer_refuses_moves_nothing() {
    let shop = Shop::open(Customer::cancels_after_ms(0), 1);
    charge(&shop).await;
    shop.hears(1).await;
    assert_eq!(look_up(&shop).await.1["status"], "USER_CANCELLED");
    assert!(shop.sandbox.book().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_charge_is_refused() {
    let shop = Shop::open(Customer::by_hand(), 1);
    for (body, status) in [
        ("{}".to_owned(), 400),
        (asked("\"149.50\"", "USD", REFERENCE), 400),
        (asked("149.505", "USD", REFERENCE), 400),
        (asked("0", "USD", REFERENCE), 400),
        (asked("1e2", "USD", REFERENCE), 400),
        (asked("1.00", "ZWG", REFERENCE), 400),
        (asked("1.00", "USD", "ord-1"), 400),
        (
            asked("1.00", "USD", REFERENCE).replace("26377", "07774"),
            400,
        ),
    ] {
        assert_eq!(post(&shop, CHARGE, body.clone()).await.0, status, "{body}");
    }
    assert_eq!(look_up(&shop).await.0, 404);
    assert_eq!(
        post(
            &shop,
            "/api/v2/transaction/c2b/status/sandbox",
            "{}".to_owned()
        )
        .await
        .0,
        404
    );
    let stranger = shop
        .client
        .post(shop.url(E, CHARGE))
        .body(asked("1.00", "USD", REFERENCE));
    assert_eq!(read(stranger.send().await.unwrap()).await.0, 401);
    assert!(shop.sandbox.payments().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_nobody_answers_fails_and_may_still_be_paid_late() {
    let shop = Shop::open(Customer::never_answers(), 1_000);
    shop.misbehave([FaultRule {
        delay_ms: Some(300),
        ..FaultRule::once(E, Fault::CustomerPaysLate)
    }]);
    charge(&shop).await;
    shop.hears(1).await;
    assert_eq!(look_up(&shop).await.1["status"], "FAILED");
    shop.hears(2).await;
    assert_eq!(look_up(&shop).await.1["status"], "SUCCESS");
    assert_eq!(shop.amounts(), [14_950]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_unique_and_never_above_what_is_left() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    charge(&shop).await;
    shop.hears(1).await;
    let theirs = shop.sandbox.book()[0].provider_reference.clone();
    let asked = |original: &str, correlator: &str, amount: &str| {
        format!(
            r#"{{"origionalEcocashTransactionReference":"{original}","refundCorelator":"{correlator}","sourceMobileNumber":"263774222475","amount":{amount},"clientName":"Soko","currency":"ZiG","reasonForRefund":"broken"}}"#
        )
    };
    let (status, done) = post(&shop, REFUND, asked(&theirs, "r1", "100.00")).await;
    assert_eq!(
        (status, &done["transactionStatus"]),
        (200, &json!("COMPLETED"))
    );
    assert_eq!(
        done["ecocashReference"],
        json!(shop.sandbox.book()[1].provider_reference)
    );
    assert_eq!(
        post(&shop, REFUND, asked(&theirs, "r1", "1.00")).await.0,
        409
    );
    assert_eq!(
        post(&shop, REFUND, asked(REFERENCE, "r2", "49.51")).await.0,
        402
    );
    assert_eq!(
        post(&shop, REFUND, asked(REFERENCE, "r3", "49.50")).await.0,
        200
    );
    assert_eq!(post(&shop, REFUND, asked("MP0", "r4", "1.00")).await.0, 404);
    assert_eq!(shop.amounts(), [14_950, -10_000, -4_950]);
}
