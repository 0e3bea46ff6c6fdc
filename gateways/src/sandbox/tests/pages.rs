//! Somebody walks through: the phone, a card page, and what the control interface tells of it.

use serde_json::{Value, json};

use super::merchant::{Shop, read};
use super::{ecocash, mpesa, paystack};
use crate::sandbox::{Customer, Movement, Provider};

async fn page(shop: &Shop, path: &str) -> String {
    let url = format!("{}{path}", shop.sandbox.origin());
    shop.client
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

async fn control(shop: &Shop, path: &str) -> Value {
    read(
        shop.client
            .get(format!("{}{path}", shop.sandbox.origin()))
            .send()
            .await
            .unwrap(),
    )
    .await
    .1
}

async fn press(shop: &Shop, path: &str, form: &[(&str, &str)]) -> String {
    let url = format!("{}{path}", shop.sandbox.origin());
    let answer = shop.client.post(url).form(form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_on_the_phone_is_paid_with_a_pin() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = mpesa::token(&shop).await;
    let checkout = mpesa::push(&shop, &token).await;
    let phone = page(&shop, "/phone?number=0708374149").await;
    assert!(
        phone.contains("KES 10.00") && phone.contains("ORD1"),
        "{phone}"
    );
    assert!(
        !page(&shop, "/phone?number=0708374140")
            .await
            .contains("ORD1")
    );
    let to = format!("/phone/mpesa/{checkout}");
    let back = press(&shop, &to, &[("act", "pay"), ("pin", "1234")]).await;
    assert!(page(&shop, &back).await.contains("Paid."));
    let over = press(&shop, &to, &[("act", "pay"), ("pin", "1234")]).await;
    assert!(page(&shop, &over).await.contains("That is over."));
    assert_eq!(shop.amounts(), [1_000]);

    ecocash::charge(&shop).await;
    let to = format!("/phone/ecocash/{}", ecocash::REFERENCE);
    press(&shop, &to, &[("act", "pay"), ("pin", "4321")]).await;
    assert_eq!(ecocash::look_up(&shop).await.1["status"], "FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_paid_from_the_phone() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let form = [
        ("short_code", "174379"),
        ("account", "ORD9"),
        ("shillings", "7"),
        ("phone", "254708374149"),
    ];
    assert!(press(&shop, "/phone/bills", &form).await.contains("Sent"));
    let wrong = [
        ("short_code", "9"),
        ("account", "ORD9"),
        ("shillings", "7"),
        ("phone", "254708374149"),
    ];
    assert!(
        press(&shop, "/phone/bills", &wrong)
            .await
            .contains("no+such")
    );
    let mut none = form;
    none[2].1 = "-7";
    assert!(
        press(&shop, "/phone/bills", &none)
            .await
            .contains("no+amount")
    );
    assert_eq!(shop.amounts(), [700]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_page_pays_declines_or_is_left() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let id = paystack::initialized(&shop, "ord-1").await;
    let to = format!("/pay/paystack/{id}");
    assert!(page(&shop, &to).await.contains("ZAR 149.50"));
    let left = shop
        .client
        .post(format!("{}{to}", shop.sandbox.origin()))
        .form(&[("act", "cancel")]);
    assert!(
        left.send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Nothing was paid")
    );
    assert!(page(&shop, "/phone").await.contains("ord-1"));
    let back = press(&shop, &to, &[("act", "pay")]).await;
    assert_eq!(
        back,
        "https://shop.example/back?trxref=ord-1&reference=ord-1"
    );
    assert!(page(&shop, &to).await.contains("not open any more"));
    let id = paystack::initialized(&shop, "ord-2").await;
    press(&shop, &format!("/pay/paystack/{id}"), &[("act", "decline")]).await;
    assert_eq!(shop.amounts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_merchant_sends_is_shown_as_text() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let token = mpesa::token(&shop).await;
    let mut body = mpesa::push_body(&shop);
    body["AccountReference"] = json!("<b>\"'&");
    mpesa::post(&shop, &token, "/mpesa/stkpush/v1/processrequest", &body).await;
    let phone = page(&shop, "/phone?number=%3Cscript%3E&said=%3Cscript%3E").await;
    assert!(!phone.contains("<script>"));
    let phone = page(&shop, "/phone").await;
    assert!(
        phone.contains("&lt;b&gt;&quot;&#39;&amp;") && !phone.contains("<b>"),
        "{phone}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_done_and_read_over_http() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let id = paystack::initialized(&shop, "ord-1").await;
    assert_eq!(
        control(&shop, "/control/prompts").await["prompts"][0]["payment"],
        json!(id)
    );
    assert_eq!(control(&shop, "/control/quiet").await["prompts"], 1);
    let act = format!(
        "{}/control/payments/paystack/{id}/act",
        shop.sandbox.origin()
    );
    let pay = || shop.client.post(&act).json(&json!({ "act": "pay" })).send();
    assert_eq!(pay().await.unwrap().status(), 204);
    assert_eq!(pay().await.unwrap().status(), 409);
    shop.hears_all().await;
    assert_eq!(
        control(&shop, "/control/quiet").await,
        json!({ "prompts": 0, "callbacks_under_way": 0 })
    );
    assert_eq!(
        control(&shop, "/control/deliveries").await["deliveries"][0]["status"],
        200
    );
    let payment = control(&shop, "/control/payments").await["payments"][0].clone();
    assert_eq!(
        (&payment["status"], &payment["captured"]),
        (&json!("success"), &json!(14_950))
    );
    let book = control(&shop, "/book?provider=paystack").await;
    let read: Vec<Movement> = serde_json::from_value(book["movements"].clone()).unwrap();
    assert_eq!(read, shop.sandbox.book());
    assert_eq!(
        control(&shop, "/book?after=1").await["movements"][0]["number"],
        2
    );
    assert_eq!(
        control(&shop, "/book?provider=mpesa").await["movements"],
        json!([])
    );
    let table = page(&shop, "/book?format=csv").await;
    assert_eq!(table.lines().count(), 3);
    assert!(table.starts_with(
        "number,at,provider,account,kind,payment,provider_reference,reference,amount,currency\n"
    ));
    let dispute = format!(
        "{}/control/payments/paystack/{id}/dispute",
        shop.sandbox.origin()
    );
    let part = json!({ "amount": 50 });
    assert_eq!(
        shop.client
            .post(&dispute)
            .json(&part)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(
        shop.client
            .post(&dispute)
            .json(&json!({}))
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(shop.amounts(), [14_950, -534, -50, 50]);
    let customer = json!({ "rules": [{ "amount": 14_950, "then": { "does": "acts", "act": "decline", "after_ms": 0 } }],
        "otherwise": { "does": "by_hand" } });
    let url = format!("{}/control/customer", shop.sandbox.origin());
    assert_eq!(
        shop.client
            .put(url)
            .json(&customer)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    paystack::initialized(&shop, "ord-2").await;
    shop.until(|shop| {
        shop.sandbox
            .payments()
            .iter()
            .any(|one| one.status == "failed")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_prints_the_book_in_its_own_way() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    let token = mpesa::token(&shop).await;
    mpesa::push(&shop, &token).await;
    paystack::initialized(&shop, "ord-1").await;
    super::stripe::post(&shop, "/v1/payment_intents", super::stripe::CREATE).await;
    shop.until(|shop| shop.sandbox.book().len() == 5).await;
    let mpesa = page(&shop, "/control/statements/mpesa/174379").await;
    let receipt = &shop
        .sandbox
        .book()
        .iter()
        .find(|one| one.provider == Provider::Mpesa)
        .unwrap()
        .provider_reference
        .clone();
    assert!(mpesa.starts_with("Receipt No.,Completion Time,"), "{mpesa}");
    assert!(mpesa.contains(&**receipt) && mpesa.contains(",10.00,"));
    let stripe = page(&shop, "/control/statements/stripe/acct_demo").await;
    assert!(
        stripe.contains(",zar,19.99,0.88,19.11,charge,ch_"),
        "{stripe}"
    );
    let paystack = page(&shop, "/control/statements/paystack/demo").await;
    assert!(
        paystack.contains("ord-1") && paystack.contains("149.50"),
        "{paystack}"
    );
    let none = shop.client.get(format!(
        "{}/control/statements/ecocash/demo",
        shop.sandbox.origin()
    ));
    assert_eq!(none.send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn merchants_are_replaced_while_it_runs() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let url = format!("{}/control/merchants", shop.sandbox.origin());
    let mut merchants = control(&shop, "/control/merchants").await;
    merchants["paystack"][0]["secret_key"] = json!("sk_test_new");
    assert_eq!(
        shop.client
            .put(&url)
            .json(&merchants)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    let old = shop
        .client
        .get(shop.url(Provider::Paystack, "/balance"))
        .bearer_auth("sk_test_demo");
    assert_eq!(old.send().await.unwrap().status(), 401);
    let new = shop
        .client
        .get(shop.url(Provider::Paystack, "/balance"))
        .bearer_auth("sk_test_new");
    assert_eq!(new.send().await.unwrap().status(), 200);
}
