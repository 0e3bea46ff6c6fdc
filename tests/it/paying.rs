//! Orders that providers are asked to be paid for: each way once from end to end, and what becomes of
//! it when somebody does not do their part.

use serde_json::{Value, json};
use soko_gateways::sandbox::{Act, Customer, Fault, FaultRule, Provider};
use soko_tests::checkers::check_everything;
use soko_tests::till::{Placed, Till, Way, order, sandbox, until, until_status};
use soko_tests::{Person, RawRequest, Soko, text};
use std::time::Duration;

/// How long a customer takes to answer, in milliseconds.
const AFTER_MS: u64 = 5;

#[tokio::test]
async fn each_way_to_pay_pays_an_order_and_gives_the_money_back() {
    let (soko, mut till) = open(Customer::pays_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    for way in Way::ALL {
        let product = till.ware(way, 20_000, 5).await;
        let placed = order(&mut customer, till.market(way), &product, 1, way.payment()).await;
        let next = text(&placed.answer["payment"]["next_action"]["type"]);
        let expected = match (way.provider, way.wallet) {
            ("mpesa" | "ecocash", _) | (_, Some(_)) => "await_phone_prompt",
            _ => "redirect",
        };
        assert_eq!(next, expected, "{way:?}: {}", placed.answer);

        let path = format!("/orders/{}", placed.order_id);
        until_status(&customer, &path, "paid").await;
        let payment = format!("/payments/{}", placed.payment_id);
        let paid = until_status(&customer, &payment, "captured").await;
        assert_eq!(paid["captured"]["amount"], placed.total, "{way:?}");
        assert_eq!(till.booked(&placed, "payment"), [placed.total]);

        gives_half_back(&mut till, way, &placed, &customer).await;
        let owner = till.market(way).owner.after(&customer);
        let file = owner.get(&format!("{payment}/case-file")).await.ok();
        let kinds: Vec<_> = kinds_in(&file);
        for kind in ["event", "call"] {
            assert!(kinds.contains(&kind.to_owned()), "{way:?}: {file:#}");
        }
    }
    check_everything(&soko).await;
}

async fn gives_half_back(till: &mut Till, way: Way, placed: &Placed, customer: &Person) {
    let path = format!("/payments/{}/refunds", placed.payment_id);
    let half = json!({ "amount": placed.total / 2, "currency": currency(way) });
    let body = json!({ "amount": half, "reason": "one of two was broken" });
    let payment = format!("/payments/{}", placed.payment_id);
    let owner = &mut till.market(way).owner;
    let made = owner.post(&path, body).await.expect(201);
    if way.gives_back() {
        assert_eq!(made["refund_status"], "pending", "{way:?}: {made}");
    }
    let now = until_status(customer, &payment, "partly_refunded").await;
    assert_eq!(
        now["refunded"]["amount"],
        placed.total / 2,
        "{way:?}: {now}"
    );
    // Never more than is left.
    let too_much = json!({
        "amount": { "amount": placed.total / 2 + 100, "currency": currency(way) },
        "reason": "all of it",
    });
    let owner = &mut till.market(way).owner;
    owner
        .post(&path, too_much)
        .await
        .expect_problem(409, "state-conflict");
    let order = format!("/orders/{}", placed.order_id);
    let order = customer.get(&order).await.ok();
    assert_eq!(order["payment"]["status"], "partly_refunded", "{way:?}");
}

#[tokio::test]
async fn who_cancels_may_try_again_another_way_and_the_order_is_paid_once() {
    let (soko, mut till) = open(Customer::cancels_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    let product = till.ware(Way::MPESA, 20_000, 5).await;
    let market = till.market(Way::MPESA);
    let placed = order(&mut customer, market, &product, 1, Way::MPESA.payment()).await;
    let payment = format!("/payments/{}", placed.payment_id);
    let failed = until_status(&customer, &payment, "failed").await;
    assert_eq!(failed["failure"], "cancelled_by_payer");

    till.sandbox.set_customer(Customer::pays_after_ms(AFTER_MS));
    let mut again = Way::PAYSTACK_WALLET.payment();
    again["order_id"] = json!(placed.order_id);
    let started = customer.post("/payments", again.clone()).await.expect(201);
    assert_eq!(started["amount"]["amount"], placed.total);
    let path = format!("/orders/{}", placed.order_id);
    let paid = until_status(&customer, &path, "paid").await;
    assert_eq!(paid["payment"]["payment_id"], started["payment_id"]);
    // What is paid needs no more payments.
    customer
        .post("/payments", again)
        .await
        .expect_problem(409, "state-conflict");
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_order_that_nobody_pays_expires_and_what_it_held_is_sold_again() {
    let (sandbox, settings) = sandbox(Customer::never_answers());
    let settings = settings.with("SOKO_PROMPT_SECONDS", "3");
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let mut customer = soko.person("wanjiku").await;
    let product = till.ware(Way::MPESA, 20_000, 1).await;
    let market = till.market(Way::MPESA);
    let placed = order(&mut customer, market, &product, 1, Way::MPESA.payment()).await;
    let path = format!("/orders/{}", placed.order_id);
    until_status(&customer, &path, "expired").await;
    let cash = json!({ "provider": "cash_on_delivery" });
    order(&mut customer, till.market(Way::MPESA), &product, 1, cash).await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn money_for_an_order_that_was_called_off_goes_back() {
    let (soko, mut till) = open(Customer::by_hand()).await;
    let mut customer = soko.person("wanjiku").await;
    let product = till.ware(Way::MPESA, 20_000, 5).await;
    let market = till.market(Way::MPESA);
    let placed = order(&mut customer, market, &product, 1, Way::MPESA.payment()).await;
    let path = format!("/orders/{}", placed.order_id);
    customer
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .ok();
    pays_the_prompt(&till);
    let payment = format!("/payments/{}", placed.payment_id);
    let back = until_status(&customer, &payment, "refunded").await;
    assert_eq!(back["refunded"]["amount"], placed.total);
    let order = customer.get(&path).await.ok();
    assert_eq!(order["status"], "cancelled");
    check_everything(&soko).await;
}

#[tokio::test]
async fn money_of_a_dead_order_that_could_not_go_back_goes_back_when_somebody_asks_again() {
    let (soko, mut till) = open(Customer::by_hand()).await;
    let mut customer = soko.person("wanjiku").await;
    for again in [
        json!({ "reason": "once more" }),
        json!({ "reason": "over the counter", "method": "cash", "reference": "R-1" }),
    ] {
        let product = till.ware(Way::PAYSTACK_WALLET, 20_000, 5).await;
        let market = till.market(Way::PAYSTACK_WALLET);
        let placed = order(
            &mut customer,
            market,
            &product,
            1,
            Way::PAYSTACK_WALLET.payment(),
        )
        .await;
        let path = format!("/orders/{}", placed.order_id);
        let cancel = format!("{path}/cancel");
        customer.post(&cancel, json!({})).await.ok();
        till.sandbox.set_faults(vec![FaultRule::always(
            Provider::Paystack,
            Fault::RefundFails,
        )]);
        pays_the_prompt(&till);
        let payment = format!("/payments/{}", placed.payment_id);
        until(&customer, &payment, |found| {
            found["refunds"][0]["status"] == "failed"
        })
        .await;

        till.sandbox.set_faults(vec![]);
        let owner = &mut till.market(Way::PAYSTACK_WALLET).owner;
        let refunds = format!("{payment}/refunds");
        owner.post(&refunds, again).await.expect(201);
        let back = until_status(&customer, &payment, "refunded").await;
        assert_eq!(back["refunded"]["amount"], placed.total);
        let order = customer.get(&path).await.ok();
        assert_eq!(order["status"], "cancelled");
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_refund_that_a_bank_refuses_after_it_was_done_is_kept_for_the_payer() {
    let (soko, mut till) = open(Customer::pays_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    let way = Way::STRIPE_PAGE;
    let product = till.ware(way, 20_000, 5).await;
    let market = till.market(way);
    let placed = order(&mut customer, market, &product, 1, way.payment()).await;
    let payment = format!("/payments/{}", placed.payment_id);
    until_status(&customer, &payment, "captured").await;
    let fails = FaultRule::always(Provider::Stripe, Fault::RefundFails);
    till.sandbox.set_faults(vec![fails]);
    let body = json!({
        "amount": { "amount": 5_000, "currency": "KES" },
        "reason": "one was broken",
    });
    let refunds = format!("{payment}/refunds");
    let owner = &mut till.market(way).owner;
    owner.post(&refunds, body).await.expect(201);
    let back = until(&customer, &payment, |found| {
        found["credit"]["amount"] == 5_000
    })
    .await;
    assert_eq!(back["refunded"]["amount"], 0, "{back:#}");
    assert_eq!(back["refunds"][0]["status"], "failed");
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_a_payers_bank_wants_back_is_known_until_it_has_decided() {
    let (soko, mut till) = open(Customer::pays_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    for (way, provider) in [
        (Way::STRIPE_PAGE, Provider::Stripe),
        (Way::PAYSTACK_PAGE, Provider::Paystack),
    ] {
        let product = till.ware(way, 20_000, 5).await;
        let market = till.market(way);
        let placed = order(&mut customer, market, &product, 1, way.payment()).await;
        let payment = format!("/payments/{}", placed.payment_id);
        until_status(&customer, &payment, "captured").await;
        let theirs = till.sandbox.payments();
        let theirs = theirs
            .iter()
            .find(|known| known.provider == provider && known.reference == placed.payment_id)
            .unwrap_or_else(|| panic!("{theirs:#?}"));
        let path = format!("/control/payments/{provider}/{}/dispute", theirs.payment);
        let address = till.sandbox.origin().trim_start_matches("http://");
        // Opened, and then won.
        for status in ["disputed", "captured"] {
            let answer = RawRequest::new("POST", path.as_str())
                .with_header("content-type", "application/json")
                .with_body("{}")
                .send(address, Duration::from_secs(5))
                .await
                .unwrap();
            assert!(answer.status < 300, "{}", answer.excerpt());
            let found = until_status(&customer, &payment, status).await;
            assert_eq!(found["captured"]["amount"], placed.total, "{way:?}");
        }
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_paid_order_that_is_called_off_gives_its_money_back() {
    let (soko, mut till) = open(Customer::pays_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    let product = till.ware(Way::ECOCASH, 20_000, 5).await;
    let market = till.market(Way::ECOCASH);
    let placed = order(&mut customer, market, &product, 2, Way::ECOCASH.payment()).await;
    let path = format!("/orders/{}", placed.order_id);
    until_status(&customer, &path, "paid").await;
    customer
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .ok();
    let payment = format!("/payments/{}", placed.payment_id);
    until_status(&customer, &payment, "refunded").await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn callbacks_that_are_lost_doubled_or_forged_pay_once() {
    let (soko, mut till) = open(Customer::pays_after_ms(AFTER_MS)).await;
    let mut customer = soko.person("wanjiku").await;
    for fault in [
        Fault::CallbackDoubled,
        Fault::CallbackForged,
        Fault::WrongAmount,
        Fault::CallbackLost,
    ] {
        for way in [
            Way::MPESA,
            Way::PAYSTACK_WALLET,
            Way::ECOCASH,
            Way::PAYNOW_WALLET,
        ] {
            let product = till.ware(way, 20_000, 5).await;
            let provider = match way.provider {
                "mpesa" => Provider::Mpesa,
                "paystack" => Provider::Paystack,
                "ecocash" => Provider::Ecocash,
                _ => Provider::Paynow,
            };
            till.sandbox
                .set_faults(vec![FaultRule::always(provider, fault)]);
            let placed = order(&mut customer, till.market(way), &product, 1, way.payment()).await;
            let path = format!("/orders/{}", placed.order_id);
            let paid = until(&customer, &path, |order| order["status"] == "paid").await;
            assert_eq!(paid["payment"]["status"], "captured", "{fault:?} {way:?}");
            assert_eq!(till.booked(&placed, "payment"), [placed.total]);
        }
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_orders_again_while_the_payer_is_being_asked_does_not_have_them_asked_twice() {
    let (soko, mut till) = open(Customer::by_hand()).await;
    let customer = soko.person("wanjiku").await;
    for way in [
        Way::MPESA,
        Way::ECOCASH,
        Way::PAYSTACK_WALLET,
        Way::PAYNOW_WALLET,
    ] {
        let product = till.ware(way, 20_000, 5).await;
        till.sandbox.set_faults(vec![FaultRule {
            provider: None,
            delay_ms: Some(1_500),
            ..FaultRule::always(Provider::Mpesa, Fault::AnswerLate)
        }]);
        let body = json!({
            "store_id": till.market(way).store_id,
            "lines": [{ "variant_id": product.variant_id, "quantity": 1 }],
            "shipping_address": soko_tests::address(),
            "payment": way.payment(),
        });
        let key = uuid::Uuid::new_v4().to_string();
        let before = till.sandbox.payments().len();
        let (mut first, mut second) = (customer.clone(), customer.clone());
        let again = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            second.post_with_key("/orders", &key, body.clone()).await
        };
        let (first, again) =
            tokio::join!(first.post_with_key("/orders", &key, body.clone()), again);
        assert_eq!((first.status, again.status), (201, 201), "{way:?}");
        assert_eq!(first.body["order_id"], again.body["order_id"]);
        assert_eq!(till.sandbox.payments().len(), before + 1, "{way:?}");
    }
}

#[tokio::test]
async fn nothing_of_what_opens_an_account_is_ever_shown() {
    let (soko, mut till) = open(Customer::by_hand()).await;
    let market = till.market(Way::MPESA);
    let path = format!("/stores/{}/payment-accounts", market.store_id);
    let listed = market.owner.get(&path).await.ok();
    let told = listed.to_string();
    for secret in ["sk_test_demo", "cs_demo", "whsec_test_secret"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{told}");
    // Nor is it in the log, or readable in the database.
    let events: Vec<String> = sqlx::query_scalar("SELECT payload::text FROM events")
        .fetch_all(soko.database())
        .await
        .unwrap();
    assert!(!events.iter().any(|event| event.contains("sk_test_demo")));
    // What is removed is used no more.
    let removed = format!("{path}/mpesa");
    market.owner.delete(&removed).await;
    let product = till.ware(Way::MPESA, 20_000, 5).await;
    let market = till.market(Way::MPESA);
    let body = json!({
        "store_id": market.store_id,
        "lines": [{ "variant_id": product.variant_id, "quantity": 1 }],
        "shipping_address": soko_tests::address(),
        "payment": Way::MPESA.payment(),
    });
    let mut customer = soko.person("wanjiku").await;
    customer
        .post("/orders", body)
        .await
        .expect_problem(422, "validation");
}

/// It is still on the phone, whatever became of the order.
fn pays_the_prompt(till: &Till) {
    let prompt = till.sandbox.prompts().pop().expect("a prompt");
    let paid = till.sandbox.act(prompt.provider, &prompt.payment, Act::Pay);
    paid.unwrap();
}

async fn open(customer: Customer) -> (Soko, Till) {
    let (sandbox, settings) = sandbox(customer);
    let soko = Soko::start_with(settings).await;
    let till = Till::open(&soko, sandbox).await;
    (soko, till)
}

fn currency(way: Way) -> &'static str {
    if way.is_in_nairobi { "KES" } else { "USD" }
}

fn kinds_in(file: &Value) -> Vec<String> {
    let items = file["items"].as_array().expect("a list");
    items.iter().map(|item| text(&item["kind"])).collect()
}
