//! People pay to an M-Pesa pay bill without having been asked. Nobody signs what is told of that, so
//! M-Pesa is asked, and what it answers counts.

use serde_json::json;
use soko_gateways::sandbox::{Customer, Fault, FaultRule, Provider};
use soko_tests::checkers::check_everything;
use soko_tests::till::{Placed, SHORT_CODE, Till, Way, order, sandbox, until, until_status};
use soko_tests::{Person, Soko};

const PHONE: &str = "254708374149";

#[tokio::test]
async fn a_bill_pays_its_order_once_mpesa_has_confirmed_it() {
    let (soko, mut till) = open().await;
    let mut customer = soko.person("wanjiku").await;
    let placed = placed(&mut till, &mut customer).await;
    // Doubled, as everything may be; and not called as the receipt of a prompt would be.
    till.sandbox.set_faults(vec![FaultRule::always(
        Provider::Mpesa,
        Fault::CallbackDoubled,
    )]);
    pay(&till, &placed, placed.total);
    let order = format!("/orders/{}", placed.order_id);
    let paid = until_status(&customer, &order, "paid").await;
    assert_eq!(paid["totals"]["total"]["amount"], placed.total);
    let payment_id = payment_of(&soko, &placed).await;
    assert_ne!(payment_id, placed.payment_id, "it is a payment of its own");
    let owner = till.nairobi.owner.after(&customer);
    let file = format!("/payments/{payment_id}/case-file");
    let file = until(&owner, &file, |file| {
        file.to_string().contains("ask_receipt")
    })
    .await;
    assert!(file.to_string().contains("money was taken"), "{file:#}");
    let captured = captures(&soko, &placed).await;
    assert_eq!(captured, [placed.total], "once, however often it is told");
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_mpesa_answers_counts_and_not_what_was_told() {
    let (soko, mut till) = open().await;
    let mut customer = soko.person("wanjiku").await;
    let placed = placed(&mut till, &mut customer).await;
    // The confirmation says one shilling less than came.
    till.sandbox
        .set_faults(vec![FaultRule::always(Provider::Mpesa, Fault::WrongAmount)]);
    pay(&till, &placed, placed.total);
    until_status(&customer, &format!("/orders/{}", placed.order_id), "paid").await;
    assert_eq!(captures(&soko, &placed).await, [placed.total]);
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_forged_receipt_pays_nothing() {
    let (soko, mut till) = open().await;
    let mut customer = soko.person("wanjiku").await;
    let paid = placed(&mut till, &mut customer).await;
    pay(&till, &paid, paid.total);
    until_status(&customer, &format!("/orders/{}", paid.order_id), "paid").await;

    // Somebody has learnt the secret address, and tells of a receipt that there is not.
    let unpaid = placed(&mut till, &mut customer).await;
    let deliveries = till.sandbox.deliveries();
    let url = deliveries
        .iter()
        .find_map(|delivery| delivery.about.contains("c2b").then(|| delivery.url.clone()));
    let forged = json!({
        "TransactionType": "Pay Bill", "TransID": "SKR1FORGED", "TransTime": "20261130120000",
        "TransAmount": format!("{}.00", unpaid.total / 100), "BusinessShortCode": SHORT_CODE,
        "BillRefNumber": unpaid.number, "MSISDN": "2547 ***** 149", "FirstName": "JOHN",
    });
    let sent = soko_tests::http_client().post(url.unwrap()).json(&forged);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let owner = till.nairobi.owner.after(&customer);
    let asked = "SELECT count(*) FROM provider_calls WHERE kind = 'ask_receipt'";
    let before = count(&soko, asked).await;
    assert!(before >= 1);
    // It is asked about more than once, and never confirmed.
    let denied = "SELECT count(*) FROM provider_callbacks \
                  WHERE verdict = 'the provider does not confirm the money'";
    while count(&soko, denied).await < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(count(&soko, asked).await > before);
    let order = owner
        .get(&format!("/orders/{}", unpaid.order_id))
        .await
        .ok();
    assert_eq!(order["status"], "pending_payment");
    assert_eq!(captures(&soko, &unpaid).await, [] as [i64; 0]);
}

async fn open() -> (Soko, Till) {
    let (sandbox, settings) = sandbox(Customer::never_answers());
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let receipts = format!(
        "/stores/{}/payment-accounts/mpesa/receipts",
        till.nairobi.store_id
    );
    till.nairobi.owner.post(&receipts, json!({})).await.ok();
    (soko, till)
}

/// An order that waits for a bank transfer that never comes.
async fn placed(till: &mut Till, customer: &mut Person) -> Placed {
    let product = till.ware(Way::MPESA, 20_000, 5).await;
    let market = till.market(Way::MPESA);
    let payment = json!({ "provider": "bank_transfer" });
    let placed = order(customer, market, &product, 1, payment).await;
    *customer = customer.after(&market.vendor);
    placed
}

fn pay(till: &Till, placed: &Placed, amount: i64) {
    till.sandbox
        .pay_bill(SHORT_CODE, PHONE, amount, &placed.number)
        .unwrap();
}

/// The one that captured something.
async fn payment_of(soko: &Soko, placed: &Placed) -> String {
    let found = "SELECT stream_id::text FROM audit.events WHERE event_type = 'payment.captured' \
                 AND payload->'captured'->'purpose'->>'order_id' = $1";
    sqlx::query_scalar(found)
        .bind(&placed.order_id)
        .fetch_one(soko.database())
        .await
        .unwrap()
}

async fn captures(soko: &Soko, placed: &Placed) -> Vec<i64> {
    let found = "SELECT (payload->'captured'->'amount'->>'amount')::bigint FROM audit.events \
                 WHERE event_type = 'payment.captured' \
                 AND payload->'captured'->'purpose'->>'order_id' = $1 ORDER BY position";
    sqlx::query_scalar(found)
        .bind(&placed.order_id)
        .fetch_all(soko.database())
        .await
        .unwrap()
}

async fn count(soko: &Soko, query: &str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(soko.database())
        .await
        .unwrap()
}
