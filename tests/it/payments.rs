//! Cash on delivery: taken once, and all of it; and what of it goes back.

use reqwest::Method;
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Soko, send, text};

#[tokio::test]
async fn cash_is_taken_once() {
    let soko = Soko::start().await;
    let (market, mut customer, payment, order) = delivered(&soko).await;
    let mut owner = market.owner.clone();
    customer
        .post(&format!("{payment}/collect"), json!({}))
        .await
        .expect_problem(403, "forbidden");
    let mut stranger = soko.person("stranger").await;
    let refused = stranger
        .post(&format!("{payment}/collect"), json!({}))
        .await;
    refused.expect_problem(404, "not-found");
    stranger
        .get(&payment)
        .await
        .expect_problem(404, "not-found");

    for wrong in [
        json!({ "amount": { "amount": 999, "currency": "KES" } }),
        json!({ "amount": { "amount": 1001, "currency": "KES" } }),
        json!({ "amount": { "amount": 1000, "currency": "USD" } }),
        json!({ "amount": { "amount": -1000, "currency": "KES" } }),
    ] {
        let refused = owner.post(&format!("{payment}/collect"), wrong).await;
        assert!([409, 422].contains(&refused.status), "{}", refused.text);
    }
    assert_eq!(
        owner.after(&customer).get(&payment).await.expect(200)["status"],
        "pending"
    );

    let taken = json!({ "amount": { "amount": 1000, "currency": "KES" }, "reference": "R-1" });
    let collected = owner
        .post(&format!("{payment}/collect"), taken.clone())
        .await
        .ok();
    assert_eq!(
        (&collected["status"], &collected["order_status"]),
        (&json!("captured"), &json!("completed"))
    );
    // Told the same again, it is the same money.
    let again = owner.post(&format!("{payment}/collect"), taken).await;
    assert!([200, 409].contains(&again.status), "{}", again.text);
    let other = json!({ "reference": "R-2" });
    let refused = owner.post(&format!("{payment}/collect"), other).await;
    refused.expect_problem(409, "state-conflict");

    let reader = customer.after(&owner);
    let shown = reader.get(&payment).await.expect(200);
    assert_eq!(
        (&shown["status"], &shown["reference"]),
        (&json!("captured"), &json!("R-1"))
    );
    assert_eq!(reader.get(&order).await.expect(200)["status"], "completed");
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_was_paid_goes_back_in_parts_and_never_more_of_it() {
    let soko = Soko::start().await;
    let (market, customer, payment, order) = delivered(&soko).await;
    let mut owner = market.owner.clone();
    let refunds = format!("{payment}/refunds");
    let part = |amount: i64, reference: &str| {
        json!({
            "amount": { "amount": amount, "currency": "KES" }, "reason": "one was broken",
            "method": "mobile_money", "reference": reference,
        })
    };
    let early = owner.post(&refunds, part(400, "B-1")).await;
    early.expect_problem(409, "state-conflict");
    owner
        .post(&format!("{payment}/collect"), json!({}))
        .await
        .ok();

    let mut vendor = market.vendor.clone();
    for person in [&mut vendor, &mut customer.clone()] {
        let refused = person.post(&refunds, part(400, "B-1")).await;
        refused.expect_problem(403, "forbidden");
    }
    let mut stranger = soko.person("stranger").await;
    let refused = stranger.post(&refunds, part(400, "B-1")).await;
    refused.expect_problem(404, "not-found");
    let refused = owner.post(&refunds, json!({})).await;
    refused.expect_problem(422, "validation");
    for wrong in [0, -1] {
        let refused = owner.post(&refunds, part(wrong, "B-1")).await;
        let problem = refused.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], "/amount");
    }
    let no_key = send(
        owner
            .request(Method::POST, &refunds)
            .json(&part(400, "B-1")),
    )
    .await;
    no_key.expect_problem(400, "missing-idempotency-key");

    let first = owner
        .post_with_key(&refunds, "first", part(400, "B-1"))
        .await;
    let first = first.expect(201);
    assert_eq!(first["status"], "partly_refunded");
    assert_eq!(first["refundable"]["amount"], 600);
    let again = owner
        .post_with_key(&refunds, "first", part(400, "B-1"))
        .await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    // One receipt stands for one refund.
    let refused = owner.post(&refunds, part(100, "B-1")).await;
    refused.expect_problem(409, "already-exists");
    let refused = owner.post(&refunds, part(601, "B-2")).await;
    refused.expect_problem(409, "state-conflict");
    let rest = owner.post(&refunds, json!({ "reason": "all of it" })).await;
    let rest = rest.expect(201);
    assert_eq!(rest["amount"]["amount"], 600);
    assert_eq!(rest["status"], "refunded");

    let reader = customer.after(&owner);
    let shown = reader.get(&payment).await.expect(200);
    assert_eq!(shown["status"], "refunded");
    assert_eq!(shown["refunded"]["amount"], 1000);
    let shown = reader.get(&order).await.expect(200);
    assert_eq!(shown["payment"]["status"], "refunded");
    assert_eq!(shown["status"], "completed");
    let tracking = reader.get(&format!("{order}/tracking")).await.expect(200);
    let steps = tracking["items"].as_array().unwrap().iter();
    let refunds = steps.filter(|step| step["kind"] == "refunded").count();
    assert_eq!(refunds, 2);
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_brings_the_goods_alone_takes_the_cash() {
    let soko = Soko::start().await;
    let (market, _, payment, order) = delivered(&soko).await;
    let mut vendor = market.vendor.clone();
    let mut rider = member(&soko, &market, "fulfilment").await;
    let mut bookkeeper = member(&soko, &market, "finance").await;
    let collect = format!("{payment}/collect");
    bookkeeper
        .post(&collect, json!({}))
        .await
        .expect_problem(403, "forbidden");
    let collected = rider.post(&collect, json!({})).await.expect(200);
    assert_eq!(collected["order_status"], "completed");
    // Asked again, it is the same money.
    vendor.post(&collect, json!({})).await.expect(200);
    let shown = vendor.after(&rider).get(&order).await.expect(200);
    assert_eq!(shown["payment"]["status"], "captured");
    check_everything(&soko).await;
}

#[tokio::test]
async fn of_several_vendors_none_takes_what_is_due_to_all() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut owner = market.owner.clone();
    let (mut second, second_id) =
        Market::add_vendor(&soko, &mut owner, &market.store_id, "Second").await;
    let basket = market
        .product_of(&mut second, &second_id, "Basket", 700, 10)
        .await;
    // One of them is the buyer, too, which gives no right to the cash either.
    let order = market.order_of(&[(&mug, 1), (&basket, 1)]);
    let placed = second.post("/orders", order).await.expect(201);
    let collect = format!(
        "/payments/{}/collect",
        text(&placed["payment"]["payment_id"])
    );
    for vendor in [&mut market.vendor, &mut second] {
        let refused = vendor.post(&collect, json!({})).await;
        refused.expect_problem(403, "forbidden");
    }
    // Nor does one call off what others sell.
    let cancel = format!("/orders/{}/cancel", text(&placed["order_id"]));
    let refused = market.vendor.post(&cancel, json!({})).await;
    refused.expect_problem(403, "forbidden");
    owner.post(&collect, json!({})).await.expect(200);
    check_everything(&soko).await;
}

#[tokio::test]
async fn one_receipt_is_good_for_one_payment() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let mut owner = market.owner.clone();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let placed = customer
            .post("/orders", market.order_of(&[(&mug, 1)]))
            .await
            .expect(201);
        let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
        let body = json!({ "reference": "RECEIPT-7" });
        answers.push(owner.post(&format!("{payment}/collect"), body).await);
    }
    let second = answers.pop().unwrap();
    answers.pop().unwrap().ok();
    second.expect_problem(409, "already-exists");
    check_everything(&soko).await;
}

#[tokio::test]
async fn ten_collectors_at_once_take_the_money_once() {
    let soko = Soko::start().await;
    let (market, _, payment, _) = delivered(&soko).await;
    let collectors = (0..10).map(|_| {
        let mut owner = market.owner.clone();
        let collect = format!("{payment}/collect");
        async move { owner.post(&collect, json!({})).await }
    });
    for answer in futures::future::join_all(collectors).await {
        assert!([200, 409].contains(&answer.status), "{}", answer.text);
    }
    check_everything(&soko).await;
    let mut auditor = soko_tests::checkers::auditor(&soko).await;
    let captured: i64 = sqlx::query_scalar("SELECT count(*) FROM audit.payment_references")
        .fetch_one(&mut auditor)
        .await
        .unwrap();
    assert_eq!(captured, 1);
}

/// Somebody of the vendor's team.
async fn member(soko: &Soko, market: &Market, role: &str) -> Person {
    let mut person = soko.person(role).await;
    let body = json!({ "email": person.email, "role": role });
    let members = format!("/vendors/{}/members", market.vendor_id);
    let invited = market.vendor.clone().post(&members, body).await.expect(201);
    let accept = format!("/invitations/{}/accept", text(&invited["token"]));
    person.post(&accept, json!({})).await.ok();
    person
}

/// An order over 10.00 that has arrived: its market, customer, payment and path.
/// The same receipt of another store is another receipt, to auditors and to `verify` as well.
#[tokio::test]
async fn each_store_counts_its_receipts_for_itself() {
    let soko = Soko::start().await;
    for _ in 0..2 {
        let (market, _, in_cash, _) = delivered(&soko).await;
        let mut owner = market.owner.clone();
        let (mut other_owner, by_transfer) = by_transfer(&soko).await;
        for (owner, payment) in [(&mut owner, &in_cash), (&mut other_owner, &by_transfer)] {
            let taken = json!({ "reference": "R-1" });
            owner.post(&format!("{payment}/collect"), taken).await.ok();
            let back = json!({
                "amount": { "amount": 400, "currency": "KES" }, "reason": "one was broken",
                "method": "bank_transfer", "reference": "B-1",
            });
            let back = owner.post(&format!("{payment}/refunds"), back).await;
            assert_eq!(back.expect(201)["status"], "partly_refunded");
        }
    }
    check_everything(&soko).await;
}

/// Who owns the store, and a payment that is waited for.
async fn by_transfer(soko: &Soko) -> (Person, String) {
    let methods = json!({ "payment_methods": ["bank_transfer"] });
    let mut market = Market::open_with(soko, methods).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut order = market.order_of(&[(&mug, 2)]);
    order["payment"] = json!({ "provider": "bank_transfer" });
    let mut customer = soko.person("customer").await;
    let placed = customer.post("/orders", order).await.expect(201);
    let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
    (market.owner.after(&customer), payment)
}

async fn delivered(soko: &Soko) -> (Market, Person, String, String) {
    let mut market = Market::open(soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let placed = customer
        .post("/orders", market.order_of(&[(&mug, 2)]))
        .await
        .expect(201);
    let order = format!("/orders/{}", text(&placed["order_id"]));
    let mut vendor = market.vendor.clone();
    for step in ["pack", "ship", "deliver"] {
        let path = format!("{order}/fulfilments/{}/{step}", market.vendor_id);
        vendor.post(&path, json!({})).await.ok();
    }
    let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
    (market, customer.after(&vendor), payment, order)
}
