//! Stripe's own page.

use serde_json::{Value, json};

use super::super::merchant::Shop;
use super::{get, id, kinds, post};
use crate::sandbox::Customer;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_paid_on_its_page_or_expires() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let form = "mode=payment&line_items%5B0%5D%5Bquantity%5D=2&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=750&line_items[0][price_data][product_data][name]=Mug&success_url=https://shop.example/ok?s={CHECKOUT_SESSION_ID}&client_reference_id=ord_7&expand[0]=line_items";
    let path = "/v1/checkout/sessions";
    let (status, session) = post(&shop, path, form).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(
        (&session["amount_total"], &session["payment_status"]),
        (&json!(1_500), &json!("unpaid"))
    );
    assert_eq!(session["line_items"]["data"][0]["description"], "Mug");
    assert_eq!(session["payment_intent"], Value::Null);
    let page = session["url"].as_str().unwrap();
    let form_ = shop.client.post(page).form(&[("act", "decline")]);
    assert!(
        form_
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("declined")
    );
    let paid = shop
        .client
        .post(page)
        .form(&[("act", "pay")])
        .send()
        .await
        .unwrap();
    assert_eq!(paid.status(), 303);
    assert_eq!(
        paid.headers()["location"].to_str().unwrap(),
        format!("https://shop.example/ok?s={}", id(&session))
    );
    let (_, done) = get(&shop, &format!("{path}/{}", id(&session))).await;
    assert_eq!(
        (&done["status"], &done["payment_status"], &done["url"]),
        (&json!("complete"), &json!("paid"), &Value::Null)
    );
    assert!(kinds(&shop.hears_all().await).contains(&"checkout.session.completed".to_owned()));
    assert_eq!(&*shop.sandbox.book()[0].reference, "ord_7");

    let (_, other) = post(&shop, path, form).await;
    let (_, gone) = post(&shop, &format!("{path}/{}/expire", id(&other)), "").await;
    assert_eq!(gone["status"], "expired");
    let (status, _) = post(&shop, &format!("{path}/{}/expire", id(&other)), "").await;
    assert_eq!(status, 400);
    let late = shop
        .client
        .post(other["url"].as_str().unwrap())
        .form(&[("act", "pay")]);
    assert!(
        late.send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("not open any more")
    );
    assert_eq!(shop.amounts().len(), 2);
    let (status, soon) = post(&shop, path, &format!("{form}&expires_at=1")).await;
    assert_eq!(
        (status, &soon["error"]["param"]),
        (400, &json!("expires_at"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_only_hold_the_money() {
    let shop = Shop::open(Customer::pays_after_ms(0), 1);
    let form = "mode=payment&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=750&line_items[0][price_data][product_data][name]=Mug&success_url=https://shop.example&payment_intent_data[capture_method]=manual";
    let (_, session) = post(&shop, "/v1/checkout/sessions", form).await;
    shop.hears(2).await;
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let (_, held) = get(&shop, &path).await;
    assert_eq!(
        (&held["status"], &held["payment_status"]),
        (&json!("complete"), &json!("unpaid"))
    );
    assert!(shop.sandbox.book().is_empty());
    let intent = held["payment_intent"].as_str().unwrap();
    let (status, _) = post(&shop, &format!("/v1/payment_intents/{intent}/capture"), "").await;
    assert_eq!(status, 200);
    assert_eq!(get(&shop, &path).await.1["payment_status"], "paid");
    assert_eq!(shop.amounts(), [750, -52]);
    let book = shop.sandbox.book();
    assert_eq!(&*book[0].provider_reference, intent);
}
