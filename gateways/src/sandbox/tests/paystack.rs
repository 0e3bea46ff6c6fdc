//! Paystack: a card page, mobile money, refunds, transfers.

use serde_json::{Value, json};

use super::merchant::{Heard, Shop, read};
use crate::sandbox::wire::hmac_sha512;
use crate::sandbox::{Act, Customer, Fault, FaultRule, Kind, Provider};

const P: Provider = Provider::Paystack;
const KEY: &str = "sk_test_demo";

pub(super) async fn post(shop: &Shop, path: &str, body: &Value) -> (u16, Value) {
    let request = shop
        .client
        .post(shop.url(P, path))
        .bearer_auth(KEY)
        .json(body);
    read(request.send().await.unwrap()).await
}

async fn get(shop: &Shop, path: &str) -> (u16, Value) {
    read(
        shop.client
            .get(shop.url(P, path))
            .bearer_auth(KEY)
            .send()
            .await
            .unwrap(),
    )
    .await
}

fn asked(reference: &str) -> Value {
    json!({ "email": "ada@example.com", "amount": 14_950, "currency": "ZAR",
        "reference": reference, "callback_url": "https://shop.example/back" })
}

pub(super) async fn initialized(shop: &Shop, reference: &str) -> String {
    let (status, body) = post(shop, "/transaction/initialize", &asked(reference)).await;
    assert_eq!(
        (status, &body["data"]["reference"]),
        (200, &json!(reference)),
        "{body}"
    );
    let url = body["data"]["authorization_url"].as_str().unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

async fn status(shop: &Shop, reference: &str) -> Value {
    let (_, body) = get(shop, &format!("/transaction/verify/{reference}")).await;
    body["data"]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_page_is_abandoned_until_it_is_paid() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let id = initialized(&shop, "ord-1").await;
    assert_eq!(status(&shop, "ord-1").await, "abandoned");
    shop.sandbox.act(P, &id, Act::Open).unwrap();
    assert_eq!(status(&shop, "ord-1").await, "ongoing");
    shop.sandbox.act(P, &id, Act::Pay).unwrap();
    let heard = shop.hears(1).await;
    assert_eq!(
        heard[0].signature,
        hmac_sha512(KEY, heard[0].body.as_bytes())
    );
    let event = heard[0].json();
    assert_eq!(event["event"], "charge.success");
    assert_eq!(
        (&event["data"]["amount"], &event["data"]["fees"]),
        (&json!(14_950), &json!(534))
    );
    assert_eq!(status(&shop, "ord-1").await, "success");
    let book = shop.sandbox.book();
    let kinds: Vec<_> = book
        .iter()
        .map(|movement| (movement.kind, movement.amount))
        .collect();
    assert_eq!(kinds, [(Kind::Payment, 14_950), (Kind::Fee, -534)]);
    assert!(shop.sandbox.act(P, &id, Act::Pay).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_charge_is_named() {
    let shop = Shop::open(Customer::by_hand(), 1);
    initialized(&shop, "ord-1").await;
    let mut cases = vec![
        (asked("ord-1"), "duplicate_reference"),
        (asked("a b"), "invalid_reference"),
    ];
    for (field, value, code) in [
        ("amount", json!(0), "invalid_amount"),
        ("amount", json!("1.5"), "invalid_amount"),
        ("email", json!(""), "missing_params"),
        ("email", json!("ada"), "invalid_email_address"),
        ("currency", json!("XOF"), "unsupported_currency"),
    ] {
        let mut body = asked("ord-2");
        body[field] = value;
        cases.push((body, code));
    }
    for (body, code) in cases {
        let (status, answer) = post(&shop, "/transaction/initialize", &body).await;
        assert!(matches!(status, 400 | 403), "{status}");
        assert_eq!(
            (&answer["status"], &answer["code"]),
            (&json!(false), &json!(code))
        );
    }
    let stranger = shop
        .client
        .post(shop.url(P, "/charge"))
        .bearer_auth("sk_test_x")
        .json(&json!({}));
    let (status, answer) = read(stranger.send().await.unwrap()).await;
    assert_eq!((status, &answer["code"]), (401, &json!("invalid_Key")));
    let (status, _) = get(&shop, "/transaction/verify/nothing").await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn mobile_money_waits_for_the_phone_and_says_when_it_failed_only_if_asked() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let mut body = asked("mm-1");
    body["currency"] = json!("GHS");
    body["mobile_money"] = json!({ "phone": "0551234987", "provider": "mtn" });
    let (_, answer) = post(&shop, "/charge", &body).await;
    assert_eq!(
        (&answer["status"], &answer["data"]["status"]),
        (&json!(true), &json!("pay_offline"))
    );
    let (_, pending) = get(&shop, "/charge/mm-1").await;
    assert_eq!(pending["data"]["status"], "pending");
    let prompt = shop.sandbox.prompts().remove(0);
    assert_eq!(prompt.phone.as_deref(), Some("0551234987"));
    shop.sandbox.act(P, &prompt.payment, Act::Cancel).unwrap();
    assert_eq!(status(&shop, "mm-1").await, "failed");
    assert!(shop.hears_all().await.is_empty());
    body["mobile_money"] = json!({ "phone": "233551234987", "provider": "mtn" });
    body["reference"] = json!("mm-2");
    assert_eq!(post(&shop, "/charge", &body).await.0, 400);
    body["mobile_money"] = json!({ "phone": "0551234987", "provider": "airtel" });
    assert_eq!(post(&shop, "/charge", &body).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_pays_if_it_is_right_and_three_wrong_ones_end_it() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let mut body = asked("vod-1");
    body["currency"] = json!("GHS");
    body["mobile_money"] = json!({ "phone": "0201234987", "provider": "vod" });
    let (_, answer) = post(&shop, "/charge", &body).await;
    assert_eq!(answer["data"]["status"], "send_otp");
    let code = shop.sandbox.prompts()[0].code.clone().unwrap();
    let (_, wrong) = post(
        &shop,
        "/charge/submit_otp",
        &json!({ "otp": "x", "reference": "vod-1" }),
    )
    .await;
    assert_eq!(wrong["data"]["status"], "send_otp");
    let (_, right) = post(
        &shop,
        "/charge/submit_otp",
        &json!({ "otp": code, "reference": "vod-1" }),
    )
    .await;
    assert_eq!(right["data"]["status"], "success");
    body["reference"] = json!("vod-2");
    post(&shop, "/charge", &body).await;
    for expected in ["send_otp", "send_otp", "failed"] {
        let (_, wrong) = post(
            &shop,
            "/charge/submit_otp",
            &json!({ "otp": "x", "reference": "vod-2" }),
        )
        .await;
        assert_eq!(wrong["data"]["status"], expected);
    }
    assert_eq!(shop.amounts(), [14_950, -534]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_the_payer_bears_is_on_top() {
    let shop = Shop::open_with(Customer::pays_after_ms(0), 1, |all| {
        all.paystack[0].payer_bears_fee = true;
    });
    initialized(&shop, "ord-1").await;
    let data = shop.hears(1).await[0].json()["data"].clone();
    assert_eq!(
        (&data["amount"], &data["requested_amount"]),
        (&json!(15_484), &json!(14_950))
    );
    assert_eq!(shop.amounts(), [15_484, -534]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_go_through_their_states_and_never_above_what_is_left() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1_000);
    initialized(&shop, "ord-1").await;
    shop.hears(1).await;
    let (status_, refunded) = post(
        &shop,
        "/refund",
        &json!({ "transaction": "ord-1", "amount": 5_000 }),
    )
    .await;
    assert_eq!(
        (status_, &refunded["data"]["status"]),
        (200, &json!("pending"))
    );
    let heard = shop.hears(4).await;
    let mut events: Vec<_> = heard[1..].iter().map(Heard::json).collect();
    events.sort_by_key(|one| one["event"].as_str().map(str::to_owned));
    let names: Vec<_> = events.iter().map(|one| one["event"].clone()).collect();
    assert_eq!(
        names,
        ["refund.pending", "refund.processed", "refund.processing"]
    );
    let amount = &events[0]["data"]["amount"];
    assert!(
        *amount == json!(5_000) || *amount == json!("5000"),
        "{amount}"
    );
    let (status_, over) = post(
        &shop,
        "/refund",
        &json!({ "transaction": "ord-1", "amount": 9_951 }),
    )
    .await;
    assert_eq!((status_, &over["code"]), (400, &json!("invalid_amount")));
    post(&shop, "/refund", &json!({ "transaction": "ord-1" })).await;
    assert_eq!(status(&shop, "ord-1").await, "reversed");
    assert_eq!(shop.amounts(), [14_950, -534, -5_000, -9_950]);
    let (status_, _) = post(&shop, "/refund", &json!({ "transaction": "nothing" })).await;
    assert_eq!(status_, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_gives_the_money_back() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1_000);
    shop.misbehave([FaultRule::once(P, Fault::RefundFails)]);
    initialized(&shop, "ord-1").await;
    shop.hears(1).await;
    post(&shop, "/refund", &json!({ "transaction": "ord-1" })).await;
    let heard = shop.hears(4).await;
    assert!(
        heard
            .iter()
            .any(|one| one.json()["event"] == "refund.failed")
    );
    assert_eq!(shop.amounts(), [14_950, -534, -14_950, 14_950]);
    assert_eq!(shop.fault_log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_pays_once_out_of_the_balance() {
    let shop = Shop::open(Customer::by_hand(), 1_000);
    let to = json!({ "type": "mobile_money", "name": "Ama", "account_number": "0551234987",
        "bank_code": "MTN", "currency": "GHS" });
    let (status_, recipient) = post(&shop, "/transferrecipient", &to).await;
    assert_eq!(status_, 201);
    let recipient = recipient["data"]["recipient_code"].clone();
    let body = json!({ "source": "balance", "amount": 700, "recipient": recipient,
        "reference": "payout-0000000001", "currency": "GHS" });
    let (status_, poor) = post(&shop, "/transfer", &body).await;
    assert_eq!(
        (status_, &poor["code"]),
        (400, &json!("insufficient_balance"))
    );
    shop.sandbox.top_up(P, "demo", "GHS", 1_000);
    let (_, balance) = get(&shop, "/balance").await;
    assert_eq!(
        balance["data"],
        json!([{ "currency": "GHS", "balance": 1_000 }])
    );
    let (_, sent) = post(&shop, "/transfer", &body).await;
    assert_eq!(sent["data"]["status"], "pending");
    let (status_, twice) = post(&shop, "/transfer", &body).await;
    assert_eq!(
        (status_, &twice["code"]),
        (400, &json!("duplicate_reference"))
    );
    let event = shop.hears(1).await[0].json();
    assert_eq!(
        (&event["event"], &event["data"]["reference"]),
        (&json!("transfer.success"), &body["reference"])
    );
    let (_, verified) = get(&shop, "/transfer/verify/payout-0000000001").await;
    assert_eq!(verified["data"]["status"], "success");
    let mut short = body.clone();
    short["reference"] = json!("SHORT");
    assert_eq!(
        post(&shop, "/transfer", &short).await.1["code"],
        "invalid_reference"
    );
    assert_eq!(shop.amounts(), [1_000, -700]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_may_want_a_code_fail_or_come_back() {
    let shop = Shop::open_with(Customer::by_hand(), 1_000, |all| {
        all.paystack[0].transfers_need_otp = true;
    });
    shop.sandbox.top_up(P, "demo", "KES", 1_000);
    let to = json!({ "type": "mobile_money_business", "name": "Duka", "account_number": "247247",
        "bank_code": "MPTILL", "currency": "KES" });
    let recipient =
        post(&shop, "/transferrecipient", &to).await.1["data"]["recipient_code"].clone();
    for (number, fault, ending) in [
        (1, Fault::PayoutFails, "failed"),
        (2, Fault::PayoutReversed, "reversed"),
    ] {
        shop.misbehave([FaultRule::once(P, fault)]);
        let reference = format!("payout-000000000{number}");
        let body = json!({ "source": "balance", "amount": 700, "recipient": recipient, "reference": reference });
        let (_, waits) = post(&shop, "/transfer", &body).await;
        assert_eq!(waits["data"]["status"], "otp");
        let code = &waits["data"]["transfer_code"];
        let wrong = json!({ "transfer_code": code, "otp": "000000" });
        assert_eq!(
            post(&shop, "/transfer/finalize_transfer", &wrong).await.0,
            400
        );
        let right = json!({ "transfer_code": code, "otp": "123456" });
        assert_eq!(
            post(&shop, "/transfer/finalize_transfer", &right).await.0,
            200
        );
        let event = format!("transfer.{ending}");
        shop.until(|shop| {
            shop.heard()
                .iter()
                .any(|one| one.json()["event"] == event.as_str())
        })
        .await;
    }
    assert_eq!(shop.amounts(), [1_000, -700, 700, -700, 700]);
}
