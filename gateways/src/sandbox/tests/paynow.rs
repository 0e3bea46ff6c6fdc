//! Paynow: web, express, poll, trace.

use url::form_urlencoded;

use super::merchant::Shop;
use crate::sandbox::form::Form;
use crate::sandbox::{Act, Customer, Fault, FaultRule, Provider};

const N: Provider = Provider::Paynow;
const KEY: &str = "3e9fed89-60e1-4ce5-ab6e-6b1eb2d4f977";

/// Independent of the sandbox's own: over the once-decoded values, in their order.
fn hash(values: &[&str]) -> String {
    use sha2::{Digest, Sha512};
    hex::encode_upper(Sha512::digest(values.concat() + KEY))
}

fn body(pairs: &[(&str, &str)]) -> String {
    let values: Vec<_> = pairs.iter().map(|(_, value)| *value).collect();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).append_pair("hash", &hash(&values));
    form.finish()
}

async fn post(shop: &Shop, url: &str, body: String) -> Form {
    let text = shop
        .client
        .post(url)
        .body(body)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_hash(&text);
    Form::parse(&text)
}

/// All but errors have one.
fn assert_hash(text: &str) {
    let form = Form::parse(text);
    if form.text("status").eq_ignore_ascii_case("error") && form.get("hash").is_none() {
        return;
    }
    let values: Vec<_> = form
        .pairs()
        .filter(|(name, _)| *name != "hash")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(form.text("hash"), hash(&values), "{text}");
}

fn fields<'a>(shop: &Shop, hook: &'a str, trace: &'a str) -> Vec<(&'a str, &'a str)> {
    let _ = shop;
    vec![
        ("id", "1201"),
        ("reference", "INV 35"),
        ("amount", "149.50"),
        ("additionalinfo", "Mugs"),
        ("returnurl", "https://shop.example/back"),
        ("resulturl", hook),
        ("authemail", "merchant@example.com"),
        ("merchanttrace", trace),
        ("status", "Message"),
    ]
}

async fn web(shop: &Shop, trace: &str) -> Form {
    let hook = shop.hook("/paynow");
    post(
        shop,
        &shop.url(N, "/interface/initiatetransaction"),
        body(&fields(shop, &hook, trace)),
    )
    .await
}

async fn express(shop: &Shop, phone: &str, method: &str, trace: &str) -> Form {
    let hook = shop.hook("/paynow");
    let mut all = fields(shop, &hook, trace);
    all.extend([("method", method), ("phone", phone)]);
    post(
        shop,
        &shop.url(N, "/interface/remotetransaction"),
        body(&all),
    )
    .await
}

async fn poll(shop: &Shop, reply: &Form) -> Form {
    post(shop, reply.text("pollurl"), String::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_paid_and_the_merchant_hears_and_may_ask() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let reply = web(&shop, "t-1").await;
    assert_eq!(reply.text("status"), "Ok");
    assert_eq!(poll(&shop, &reply).await.text("status"), "Created");
    let page = reply.text("browserurl");
    let shown = shop
        .client
        .get(page)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(shown.contains("149.50") && shown.contains("INV 35"));
    let paid = shop
        .client
        .post(page)
        .form(&[("act", "pay")])
        .send()
        .await
        .unwrap();
    assert_eq!(paid.headers()["location"], "https://shop.example/back");
    let heard = shop.hears(2).await;
    for one in &heard {
        assert_hash(&one.body);
    }
    let statuses: Vec<_> = heard
        .iter()
        .map(|one| Form::parse(&one.body).text("status").to_owned())
        .collect();
    assert!(
        statuses.contains(&"Sent".to_owned()) && statuses.contains(&"Paid".to_owned()),
        "{statuses:?}"
    );
    let polled = poll(&shop, &reply).await;
    assert_eq!(
        (polled.text("status"), polled.text("amount")),
        ("Paid", "149.50")
    );
    let book = shop.sandbox.book();
    assert_eq!(
        (book.len(), book[0].amount, &*book[0].currency),
        (1, 14_950, "USD")
    );
    assert_eq!(&*book[0].provider_reference, reply.text("paynowreference"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_test_wallets_do_what_is_written_of_them() {
    let shop = Shop::open(Customer::never_answers(), 1_000);
    let paid = express(&shop, "0771111111", "ecocash", "t-1").await;
    assert!(!paid.text("instructions").is_empty());
    let slow = express(&shop, "0772222222", "onemoney", "t-2").await;
    let cancelled = express(&shop, "0773333333", "ecocash", "t-3").await;
    let broke = express(&shop, "0774444444", "ecocash", "t-4").await;
    assert_eq!(
        (broke.text("status"), broke.text("error")),
        ("Error", "Insufficient balance")
    );
    shop.until(|shop| shop.sandbox.prompts().is_empty()).await;
    for (reply, status) in [(&paid, "Paid"), (&slow, "Paid"), (&cancelled, "Cancelled")] {
        assert_eq!(poll(&shop, reply).await.text("status"), status);
    }
    assert_eq!(shop.amounts(), [14_950, 14_950]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_message_is_named() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let hook = shop.hook("/paynow");
    let url = shop.url(N, "/interface/initiatetransaction");
    let good = fields(&shop, &hook, "t-1");
    for (name, value, message) in [
        ("amount", "1,000.00", "Invalid amount field"),
        ("amount", "-1", "Invalid amount field"),
        ("reference", "", "Invalid reference field"),
        ("resulturl", "", "Invalid resulturl field"),
        ("id", "9", "Invalid Id."),
    ] {
        let bad: Vec<_> = good
            .iter()
            .map(|(key, old)| (*key, if *key == name { value } else { *old }))
            .collect();
        let reply = post(&shop, &url, body(&bad)).await;
        assert_eq!(
            (reply.text("status"), reply.text("error")),
            ("Error", message)
        );
    }
    let values: Vec<_> = good.iter().map(|(_, value)| *value).collect();
    let right = hash(&values);
    let forged = body(&good).replace(&right, "F00");
    let reply = post(&shop, &url, forged).await;
    assert_eq!(
        reply.text("error"),
        format!("Invalid Hash.  Hash should start with: {}", &right[..6])
    );
    assert_eq!(
        express(&shop, "263771111111", "ecocash", "t-2")
            .await
            .text("error"),
        "Invalid phone number"
    );
    assert_eq!(
        express(&shop, "0771234567", "paypal", "t-2")
            .await
            .text("error"),
        "Invalid payment method"
    );
    assert!(shop.sandbox.payments().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_found_by_its_trace() {
    let shop = Shop::open(Customer::by_hand(), 1);
    web(&shop, "t-1").await;
    assert_eq!(web(&shop, "t-1").await.text("status"), "Error");
    let url = shop.url(N, "/interface/trace");
    let of = |trace: &'static str| {
        body(&[
            ("id", "1201"),
            ("merchanttrace", trace),
            ("status", "Message"),
        ])
    };
    assert_eq!(post(&shop, &url, of("t-1")).await.text("status"), "Created");
    assert_eq!(
        post(&shop, &url, of("t-2")).await.text("status"),
        "NotFound"
    );
    shop.misbehave([FaultRule::once(N, Fault::QueryLags)]);
    assert_eq!(
        post(&shop, &url, of("t-1")).await.text("error"),
        "Trace failed"
    );
    assert_eq!(shop.sandbox.payments().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn omari_wants_a_code_and_innbucks_gives_one() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let reply = express(&shop, "0771234567", "omari", "t-1").await;
    let prompt = shop.sandbox.prompts().remove(0);
    assert!(shop.sandbox.act(N, &prompt.payment, Act::Pay).is_err());
    let send = |code: String| {
        let url = reply.text("remoteotpurl").to_owned();
        let shop = &shop;
        async move {
            post(
                shop,
                &url,
                body(&[("id", "1201"), ("otp", &code), ("status", "Message")]),
            )
            .await
        }
    };
    assert_eq!(send("000".to_owned()).await.text("error"), "Invalid OTP");
    assert_eq!(send(prompt.code.unwrap()).await.text("status"), "Ok");
    assert_eq!(poll(&shop, &reply).await.text("status"), "Paid");
    let reply = express(&shop, "0771234567", "omari", "t-2").await;
    for _ in 0..5 {
        let url = reply.text("remoteotpurl").to_owned();
        post(
            &shop,
            &url,
            body(&[("id", "1201"), ("otp", "000"), ("status", "Message")]),
        )
        .await;
    }
    assert_eq!(poll(&shop, &reply).await.text("status"), "Failed");
    let reply = express(&shop, "0771234567", "innbucks", "t-3").await;
    assert_eq!(reply.text("authorizationcode").len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_may_be_held_until_delivery_disputed_and_refunded() {
    let shop = Shop::open_with(Customer::pays_after_ms(0), 1_000_000, |all| {
        all.paynow[0].holds_until_delivery = true;
    });
    let reply = web(&shop, "t-1").await;
    let heard = shop.hears(3).await;
    let mut statuses: Vec<_> = heard
        .iter()
        .map(|one| Form::parse(&one.body).text("status").to_owned())
        .collect();
    statuses.sort();
    assert_eq!(statuses, ["Awaiting Delivery", "Delivered", "Paid"]);
    let control = format!(
        "{}/control/payments/paynow/{}",
        shop.sandbox.origin(),
        reply.text("paynowreference")
    );
    let part = serde_json::json!({ "amount": 5_000 });
    for (what, status) in [("dispute", "Disputed"), ("refund", "Refunded")] {
        let done = shop
            .client
            .post(format!("{control}/{what}"))
            .json(&part)
            .send()
            .await
            .unwrap();
        assert_eq!(done.status(), 204);
        assert_eq!(poll(&shop, &reply).await.text("status"), status);
    }
    assert_eq!(shop.amounts(), [14_950, -5_000, -5_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_brought_up_to_ten_times_again() {
    let shop = Shop::open(Customer::cancels_after_ms(0), 10_000);
    shop.answers_callbacks_with(503);
    web(&shop, "t-1").await;
    shop.hears(11).await;
    assert_eq!(shop.hears_all().await.len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_may_be_capitalised_and_escapes_are_small() {
    let shop = Shop::open_with(Customer::by_hand(), 1, |all| {
        all.paynow[0].capitalised_names = true;
    });
    let hook = shop.hook("/paynow");
    let url = shop.url(N, "/interface/initiatetransaction");
    let sent = shop
        .client
        .post(url)
        .body(body(&fields(&shop, &hook, "t-1")));
    let text = sent.send().await.unwrap().text().await.unwrap();
    assert!(
        text.starts_with("Status=Ok&Browserurl=http%3a%2f%2f"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_of_the_official_clients_are_taken() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let hook = shop.hook("/paynow");
    // They encode twice, and write 5.9 for 5.90: the hash is over the once-decoded text.
    let mut sent = fields(&shop, &hook, "t-1");
    sent[1].1 = "INV+35";
    sent[2].1 = "5.9";
    let reply = post(
        &shop,
        &shop.url(N, "/interface/initiatetransaction"),
        body(&sent),
    )
    .await;
    assert_eq!(reply.text("status"), "Ok");
    let payment = shop.sandbox.payments().remove(0);
    assert_eq!((&*payment.reference, payment.asked), ("INV+35", 590));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_update_has_a_hash_under_another_key_and_a_short_one_the_right() {
    let shop = Shop::open(Customer::by_hand(), 1);
    shop.misbehave([FaultRule::once(N, Fault::CallbackForged)]);
    let reply = web(&shop, "t-1").await;
    let heard = shop.hears(1).await;
    let forged = Form::parse(&heard[0].body);
    let values: Vec<_> = forged
        .pairs()
        .filter(|(name, _)| *name != "hash")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(forged.text("status"), "Paid");
    assert_ne!(forged.text("hash"), hash(&values));
    assert!(shop.sandbox.book().is_empty());

    shop.misbehave([FaultRule::once(N, Fault::WrongAmount)]);
    let number = reply.text("paynowreference");
    shop.sandbox.act(N, number, Act::Pay).unwrap();
    let heard = shop.hears(2).await;
    assert_hash(&heard[1].body);
    assert_eq!(Form::parse(&heard[1].body).text("amount"), "148.50");
    assert_eq!(shop.amounts(), [14_950]);
    assert_eq!(shop.fault_log().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_may_lag_deny_or_claim() {
    let shop = Shop::open(Customer::by_hand(), 1);
    let reply = web(&shop, "t-1").await;
    shop.misbehave([FaultRule::once(N, Fault::QueryClaims)]);
    assert_eq!(poll(&shop, &reply).await.text("status"), "Paid");
    assert!(shop.sandbox.book().is_empty());
    let number = reply.text("paynowreference");
    shop.sandbox.act(N, number, Act::Pay).unwrap();
    for (fault, status) in [
        (Fault::QueryLags, "Sent"),
        (Fault::QueryDenies, "Cancelled"),
    ] {
        shop.misbehave([FaultRule::once(N, fault)]);
        assert_eq!(poll(&shop, &reply).await.text("status"), status);
    }
    assert_eq!(poll(&shop, &reply).await.text("status"), "Paid");
    assert_eq!(shop.fault_log().len(), 3);
}
