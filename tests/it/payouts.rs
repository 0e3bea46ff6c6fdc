//! What vendors are owed, and how they are paid.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Product, Soko, available, balance, send, text};

/// What is left of a sale of 1000 shillings once the store has kept its tenth.
const OWED: i64 = 90_000;

#[tokio::test]
async fn what_a_vendor_sold_is_paid_by_two_people_and_what_goes_back_is_netted() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(0).await;
    let (mut vendor, mut owner) = (market.vendor.clone(), market.owner.clone());
    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    let nothing = vendor.post(&payouts, json!({})).await;
    nothing.expect_problem(409, "state-conflict");

    let payment = market.sells(&buyer, &mug, 1).await;
    available(&vendor, &market.vendor_id, OWED).await;
    let asked = vendor.post(&payouts, json!({})).await;
    let at = asked.header("location").unwrap().to_owned();
    let asked = asked.expect(201);
    assert_eq!(asked["amount"], kes(OWED));
    assert_eq!(
        (&asked["status"], &asked["method"]),
        (&json!("requested"), &json!("by_hand"))
    );
    let payout = format!("/payouts/{}", text(&asked["payout_id"]));
    assert_eq!(at, format!("/api/v1{payout}"));
    let again = vendor.post(&payouts, json!({})).await;
    again.expect_problem(409, "state-conflict");
    let itself = vendor.post(&format!("{payout}/approve"), json!({})).await;
    itself.expect_problem(403, "forbidden");
    let early = owner.post(&format!("{payout}/record"), paid("KCB-1")).await;
    early.expect_problem(409, "state-conflict");

    let approved = owner.post(&format!("{payout}/approve"), json!({})).await;
    assert_eq!(approved.ok()["status"], "approved");
    let record = format!("{payout}/record");
    let recorded = owner.post(&record, paid("KCB-1")).await.ok();
    assert_eq!(recorded["status"], "paid");
    owner.post(&record, paid("KCB-1")).await.ok();
    let other = owner.post(&record, paid("KCB-2")).await;
    other.expect_problem(409, "state-conflict");
    let seen = vendor.after(&owner).get(&payout).await.expect(200);
    assert_eq!(
        (&seen["status"], &seen["reference"]),
        (&json!("paid"), &json!("KCB-1"))
    );
    assert_eq!(seen["decided_by"], json!(owner.account_id));

    // Half of it goes back: the vendor owes that much of the next sale.
    let half = json!({ "amount": kes(50_000), "reason": "one was broken" });
    owner.post(&format!("{payment}/refunds"), half).await.ok();
    available(&vendor, &market.vendor_id, -45_000).await;
    let owing = vendor.post(&payouts, json!({})).await;
    owing.expect_problem(409, "state-conflict");
    market.sells(&buyer, &mug, 1).await;
    available(&vendor, &market.vendor_id, 45_000).await;
    let next = vendor.post(&payouts, json!({})).await.expect(201);
    assert_eq!(next["amount"], kes(45_000));
    let next = format!("/payouts/{}", text(&next["payout_id"]));
    owner.post(&format!("{next}/approve"), json!({})).await.ok();
    let same = owner.post(&format!("{next}/record"), paid("KCB-1")).await;
    same.expect_problem(409, "already-exists");
    owner
        .post(&format!("{next}/record"), paid("KCB-2"))
        .await
        .ok();

    let told = balance(&vendor.after(&owner), &market.vendor_id, |_| true).await;
    assert_eq!(told["available"], kes(0));
    assert_eq!(told["paid_out"], kes(135_000));
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_statement_tells_of_every_movement_in_json_and_csv() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(10_000_000).await;
    let (mut vendor, mut owner) = (market.vendor.clone(), market.owner.clone());
    let payment = market.sells(&buyer, &mug, 2).await;
    available(&vendor, &market.vendor_id, 2 * OWED).await;
    let part = json!({ "amount": kes(50_000), "reason": "one was broken" });
    owner.post(&format!("{payment}/refunds"), part).await.ok();
    available(&vendor, &market.vendor_id, 2 * OWED - 45_000).await;
    let asked = json!({ "amount": kes(100_000) });
    let asked = vendor
        .post(&format!("/vendors/{}/payouts", market.vendor_id), asked)
        .await;
    let asked = asked.expect(201);
    // It is no more than what two have to see.
    assert_eq!(asked["status"], "approved");
    let payout = format!("/payouts/{}", text(&asked["payout_id"]));
    let formula = paid("=1+1");
    owner.post(&format!("{payout}/record"), formula).await.ok();

    let vendor = vendor.after(&owner);
    let path = format!("/vendors/{}/statement", market.vendor_id);
    let statement = vendor.get(&path).await.expect(200);
    assert_eq!(statement["opening_balance"], 0);
    assert_eq!(statement["closing_balance"], 35_000);
    let told: Vec<_> = statement["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            json!([
                line["kind"],
                line["gross"],
                line["commission"],
                line["amount"],
                line["balance"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["sale", 200_000, 20_000, 180_000, 180_000]),
            json!(["refund", -50_000, -5_000, -45_000, 135_000]),
            json!(["payout", 0, 0, -100_000, 35_000]),
        ]
    );
    assert_eq!(vendor.walk(&path, 1).await.len(), 3);
    let before = format!("{path}?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z");
    let before = vendor.get(&before).await.expect(200);
    assert_eq!(
        (&before["closing_balance"], &before["items"]),
        (&json!(0), &json!([]))
    );
    let backwards = format!("{path}?from=2020-02-01T00:00:00Z&to=2020-01-01T00:00:00Z");
    let backwards = vendor.get(&backwards).await;
    backwards.expect_problem(422, "validation");

    let request = vendor.request(Method::GET, &path);
    let csv = send(request.header("Accept", "text/csv")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 4, "{}", csv.text);
    assert!(lines[0].starts_with("at,kind,order_id,"), "{}", lines[0]);
    // No spreadsheet takes it for a formula.
    assert!(lines[3].contains(",'=1+1,"), "{}", lines[3]);
}

#[tokio::test]
async fn what_is_on_hold_is_pending_and_is_not_paid_out() {
    let soko = Soko::start().await;
    let (market, mug, buyer) = opened(&soko).await;
    let mut vendor = market.vendor.clone();
    let empty = balance(&vendor, &market.vendor_id, |_| true).await;
    assert_eq!((&empty["available"], &empty["pending"]), (&kes(0), &kes(0)));
    market.sells(&buyer, &mug, 1).await;
    let pending = |balance: &Value| balance["pending"]["amount"] == OWED;
    let told = balance(&vendor, &market.vendor_id, pending).await;
    assert_eq!(told["available"], kes(0));
    assert_eq!(told["upcoming"][0]["amount"], kes(OWED));
    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    for body in [json!({}), json!({ "amount": kes(OWED) })] {
        let early = vendor.post(&payouts, body).await;
        early.expect_problem(409, "state-conflict");
    }
    for wrong in [
        json!({ "amount": kes(9_999) }),
        json!({ "amount": kes(-1) }),
        json!({ "amount": { "amount": 90_000, "currency": "USD" } }),
    ] {
        let wrong = vendor.post(&payouts, wrong).await;
        wrong.expect_problem(422, "validation");
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_asked_for_a_payout_does_not_approve_it() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(0).await;
    let mut owner = market.owner.clone();
    let mut manager = soko.person("manager").await;
    let members = format!("/stores/{}/members", market.store_id);
    let member = json!({ "email": manager.email, "role": "manager" });
    owner.post(&members, member).await.ok();
    market.sells(&buyer, &mug, 1).await;
    available(&owner, &market.vendor_id, OWED).await;
    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    let asked = owner.post(&payouts, json!({})).await.expect(201);
    let approve = format!("/payouts/{}/approve", text(&asked["payout_id"]));
    let own = owner.post(&approve, json!({})).await;
    own.expect_problem(403, "forbidden");
    let waiting = format!("/payouts?store={}&status=requested", market.store_id);
    let waiting = manager.after(&owner).walk(&waiting, 10).await;
    assert_eq!(waiting.len(), 1);
    manager.post(&approve, json!({})).await.ok();
    let reject = format!("/payouts/{}/reject", text(&asked["payout_id"]));
    let why = json!({ "reason": "the bank is closed" });
    assert_eq!(owner.post(&reject, why).await.ok()["status"], "rejected");
    available(&owner, &market.vendor_id, OWED).await;
}

#[tokio::test]
async fn money_that_came_back_can_be_paid_out_again() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(10_000_000).await;
    let (mut vendor, mut owner) = (market.vendor.clone(), market.owner.clone());
    market.sells(&buyer, &mug, 1).await;
    available(&vendor, &market.vendor_id, OWED).await;
    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    let asked = vendor.post(&payouts, json!({})).await.expect(201);
    let payout = format!("/payouts/{}", text(&asked["payout_id"]));
    let take_back = format!("{payout}/return");
    let why = json!({ "reason": "the account is closed" });
    let early = owner.post(&take_back, why.clone()).await;
    early.expect_problem(409, "state-conflict");
    owner
        .post(&format!("{payout}/record"), paid("KCB-1"))
        .await
        .ok();
    let returned = owner.post(&take_back, why).await.ok();
    assert_eq!(returned["status"], "returned");
    available(&vendor.after(&owner), &market.vendor_id, OWED).await;
    vendor.post(&payouts, json!({})).await.expect(201);
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_payout_account_that_was_set_holds_everything_for_a_day_and_its_owners_are_told() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(10_000_000).await;
    let mut vendor = market.vendor.clone();
    market.sells(&buyer, &mug, 1).await;
    available(&vendor, &market.vendor_id, OWED).await;
    let path = format!("/vendors/{}/payout-account", market.vendor_id);
    let unset = vendor.get(&path).await.expect(200);
    assert_eq!(
        (&unset["method"], &unset["usable_from"]),
        (&json!("by_hand"), &Value::Null)
    );
    for wrong in [
        json!({ "method": "by_hand", "name": "Mama Mboga" }),
        json!({ "method": "by_hand", "name": "M", "account": "KCB 1", "phone": "+254712345678" }),
        json!({ "method": "by_pigeon" }),
    ] {
        vendor
            .put(&path, wrong)
            .await
            .expect_problem(422, "validation");
    }
    let account = json!({
        "method": "by_hand", "name": "Mama Mboga", "account": "KCB Moi Avenue 1234567",
    });
    let foreign = market.owner.clone().put(&path, account.clone()).await;
    foreign.expect_problem(403, "forbidden");
    vendor.put(&path, account).await.ok();
    soko.letter(&vendor.email, "Your payout account was changed", 1)
        .await;

    // Who pays sees all of it, and others how it ends.
    let shown = vendor.get(&path).await.expect(200);
    assert_eq!(
        (&shown["name"], &shown["account"]),
        (&json!("Mama Mboga"), &json!("…4567"))
    );
    let shown = market.owner.get(&path).await.expect(200);
    assert_eq!(shown["account"], "KCB Moi Avenue 1234567");
    let written: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit.events WHERE payload::text LIKE '%1234567%'",
    )
    .fetch_one(soko.database())
    .await
    .unwrap();
    assert_eq!(written, 0, "it lies in the clear");

    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    let held = vendor.post(&payouts, json!({})).await;
    let held = held.expect_problem(409, "state-conflict");
    assert!(
        held["detail"]
            .as_str()
            .unwrap()
            .contains("nothing is paid out before")
    );
    let told = balance(&vendor, &market.vendor_id, |_| true).await;
    assert!(told["payouts_held_until"].is_string(), "{told}");
    assert_eq!(told["available"], kes(OWED));
}

#[tokio::test]
async fn a_suspended_vendor_is_not_paid() {
    let soko = Soko::start().await;
    let (mut market, mug, buyer) = opened(&soko).await;
    market.pays_out_at_once(0).await;
    let (mut vendor, mut owner) = (market.vendor.clone(), market.owner.clone());
    market.sells(&buyer, &mug, 1).await;
    available(&vendor, &market.vendor_id, OWED).await;
    let payouts = format!("/vendors/{}/payouts", market.vendor_id);
    let some = json!({ "amount": kes(20_000) });
    let asked = vendor.post(&payouts, some.clone()).await.expect(201);
    let of_vendor = |act: &str| format!("/vendors/{}/{act}", market.vendor_id);
    let why = json!({ "reason": "fakes" });
    owner.post(&of_vendor("suspend"), why).await.ok();
    let stopped = vendor.post(&payouts, some).await;
    stopped.expect_problem(409, "state-conflict");
    let approve = format!("/payouts/{}/approve", text(&asked["payout_id"]));
    let stopped = owner.post(&approve, json!({})).await;
    stopped.expect_problem(409, "state-conflict");
    owner.post(&of_vendor("reinstate"), json!({})).await.ok();
    owner.post(&approve, json!({})).await.ok();
}

#[tokio::test]
async fn the_rules_of_payouts_are_the_stores_own() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let path = format!("/stores/{}/payout-rules", market.store_id);
    let mut owner = market.owner.clone();
    let told = owner.get(&path).await.expect(200);
    let usual = json!({ "hold_days": 7, "four_eyes_above": 0, "schedule": "none" });
    assert_eq!(told, usual);
    let weekly = json!({ "hold_days": 14, "four_eyes_above": 500_000, "schedule": "weekly" });
    owner.put(&path, weekly.clone()).await.ok();
    assert_eq!(owner.get(&path).await.expect(200), weekly);
    for wrong in [
        json!({ "hold_days": 91 }),
        json!({ "hold_days": 7, "four_eyes_above": -1 }),
        json!({ "hold_days": 7, "schedule": "hourly" }),
        json!({}),
    ] {
        owner
            .put(&path, wrong)
            .await
            .expect_problem(422, "validation");
    }
    let mut vendor = market.vendor.clone();
    vendor
        .put(&path, weekly)
        .await
        .expect_problem(404, "not-found");
}

async fn opened(soko: &Soko) -> (Market, Product, Person) {
    let mut market = Market::open(soko).await;
    let mug = market.product("Mug", 100_000, 10).await;
    let buyer = soko.person("buyer").await;
    (market, mug, buyer)
}

fn kes(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "KES" })
}

fn paid(reference: &str) -> Value {
    json!({ "reference": reference })
}
