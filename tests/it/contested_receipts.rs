//! Somebody knows the secret address of an M-Pesa prompt, and tells of a receipt that there is not:
//! the money counts once, none of it leaves, and a person says what is true.

use serde_json::{Value, json};
use soko_gateways::sandbox::{Act, Customer, Fault, FaultRule, Kind, Provider};
use soko_tests::Soko;
use soko_tests::checkers::check_everything;
use soko_tests::till::{Placed, Till, Way, order, sandbox, until, until_status};

/// Longer than it takes until a callback is tried again that came before the payer paid.
const TRUE_ONE_AFTER_MS: u64 = 6_000;

#[tokio::test]
async fn a_receipt_that_was_forged_before_the_payer_paid_neither_counts_twice_nor_sends_money_back()
{
    let (sandbox, settings) = sandbox(Customer::by_hand());
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let mut customer = soko.person("wanjiku").await;
    let placed = forged(&mut till, &mut customer).await;

    let payment = format!("/payments/{}", placed.payment_id);
    let doubted = until(&customer, &payment, |found| {
        found["reference_doubt"] == "contested"
    })
    .await;
    assert_eq!(doubted["status"], "captured", "{doubted:#}");
    assert_eq!(doubted["captured"]["amount"], placed.total);
    assert_eq!(doubted["refunds"], json!([]), "no surplus goes back");
    let order = customer
        .get(&format!("/orders/{}", placed.order_id))
        .await
        .ok();
    assert_eq!(order["status"], "paid");
    is_stuck(&till, &customer, &placed).await;

    // Nothing goes back under a name that may be another's money.
    let owner = &mut till.nairobi.owner;
    let refunds = format!("{payment}/refunds");
    let body = json!({ "reason": "it was broken" });
    owner.post(&refunds, body).await.expect(201);
    let waits = owner.get(&payment).await.ok();
    assert_eq!(waits["refunds"][0]["status"], "pending", "{waits:#}");
    assert_eq!(till.booked(&placed, "refund"), [] as [i64; 0]);

    let receipt = receipt(&till, &placed);
    assert_ne!(doubted["reference"], json!(receipt));
    let body = json!({
        "amount": { "amount": placed.total, "currency": "KES" },
        "reference": receipt,
        "reason": "by their statement",
    });
    let owner = &mut till.nairobi.owner;
    owner.post(&format!("{payment}/settle"), body).await.ok();
    let settled = until_status(&customer, &payment, "refunded").await;
    assert_eq!(settled["reference"], json!(receipt));
    assert_eq!(settled["reference_doubt"], Value::Null);
    assert_eq!(till.booked(&placed, "refund"), [-placed.total]);
    check_everything(&soko).await;
}

/// An order whose prompt is paid after a forged word of it, and before the true one.
async fn forged(till: &mut Till, customer: &mut soko_tests::Person) -> Placed {
    let product = till.ware(Way::MPESA, 20_000, 5).await;
    till.sandbox.set_faults(vec![FaultRule::always(
        Provider::Mpesa,
        Fault::CallbackForged,
    )]);
    let market = till.market(Way::MPESA);
    let placed = order(customer, market, &product, 1, Way::MPESA.payment()).await;
    till.sandbox.set_faults(vec![FaultRule {
        delay_ms: Some(TRUE_ONE_AFTER_MS),
        ..FaultRule::always(Provider::Mpesa, Fault::CallbackLate)
    }]);
    // The forged one was asked about, and the payer has not paid.
    let owner = till.nairobi.owner.after(customer);
    let file = format!("/payments/{}/case-file", placed.payment_id);
    until(&owner, &file, |file| {
        file.to_string().contains("\"pending\"")
    })
    .await;
    let prompt = till.sandbox.prompts().pop().expect("a prompt");
    till.sandbox
        .act(Provider::Mpesa, &prompt.payment, Act::Pay)
        .unwrap();
    placed
}

async fn is_stuck(till: &Till, customer: &soko_tests::Person, placed: &Placed) {
    let owner = till.nairobi.owner.after(customer);
    let path = format!("/reports/stuck-money?store={}", till.nairobi.store_id);
    let report = owner.get(&path).await.ok();
    let mut items = report["items"].as_array().unwrap().iter();
    let found = items.find(|item| item["kind"] == "reference");
    let found = found.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(found["stage"], "contested");
    assert_eq!(found["amount"], placed.total);
    assert_eq!(found["oldest"], json!([placed.payment_id]));
}

fn receipt(till: &Till, placed: &Placed) -> String {
    let book = till.sandbox.book();
    let mut paid = book
        .iter()
        .filter(|movement| movement.kind == Kind::Payment && movement.reference == placed.number);
    let receipt = paid.next().expect("a payment").provider_reference.clone();
    assert!(paid.next().is_none());
    receipt
}
