//! Money that two want to be paid out, or that is to go back at the same moment.

use super::{TRACKS, divided, happened, on_tracks, rounds};
use futures::future::{join, join_all};
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Answer, Market, Person, Soko, available, text};

const ASKING: usize = 6;

/// Of a sale of 1000 shillings, without the store's tenth.
const OWED: i64 = 90_000;

/// Each wants more than half of it.
#[tokio::test]
async fn what_is_cleared_is_paid_out_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.pays_out_at_once(10_000_000).await;
    let buyer = soko.person("buyer").await;
    let mut vendors = vec![];
    for _ in 0..TRACKS {
        let name = "Mama Mboga";
        let store_id = market.store_id.clone();
        let vendor = Market::add_vendor(&soko, &mut market.owner, &store_id, name).await;
        let (mut person, vendor_id) = vendor;
        let mug = market.product_of(&mut person, &vendor_id, "Mug", 100_000, 1);
        let mug = mug.await;
        market.sells(&buyer, &mug, 1).await;
        available(&person, &vendor_id, OWED).await;
        vendors.push((person, vendor_id));
    }
    let owner = &market.owner;
    on_tracks(vendors, |_, (vendor, vendor_id)| async move {
        let payouts = &*format!("/vendors/{vendor_id}/payouts");
        let asking = (0..ASKING).map(|_| {
            let mut vendor = vendor.clone();
            let amount = json!({ "amount": 50_000, "currency": "KES" });
            async move { vendor.post(payouts, json!({ "amount": amount })).await }
        });
        let (won, refused) = divided(join_all(asking).await);
        assert_eq!(won.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "state-conflict");
        }
        // And it ends once: paid, or given up. Both leave what the next round finds.
        let payout = format!("/payouts/{}", text(&won[0].body["payout_id"]));
        let (mut one, mut other) = (owner.clone(), owner.clone());
        let (record, reject) = (format!("{payout}/record"), format!("{payout}/reject"));
        let reference = json!({ "reference": text(&won[0].body["payout_id"]) });
        let paying = one.post(&record, reference);
        let stopping = other.post(&reject, json!({ "reason": "the bank is closed" }));
        let (paid, stopped) = join(paying, stopping).await;
        let is_paid = is_success(&paid);
        assert!(is_paid != is_success(&stopped), "{paid:?} {stopped:?}");
        let loser = if is_paid { stopped } else { paid };
        loser.expect_problem(409, "state-conflict");
        if is_paid {
            let why = json!({ "reason": "the account is closed" });
            one.post(&format!("{payout}/return"), why).await.ok();
        }
        (vendor, vendor_id)
    })
    .await;
    let requested = happened(&soko, "vendor_account.payout_requested").await;
    assert_eq!(requested, rounds());
    check_everything(&soko).await;
}

/// A part of a sale goes back while all of it is to be paid out: whoever is first, what is approved
/// is covered.
#[tokio::test]
async fn a_payout_and_a_refund_of_the_same_sale_add_up() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.pays_out_at_once(0).await;
    let buyer = soko.person("buyer").await;
    let mut sellers = vec![];
    for _ in 0..TRACKS {
        let store_id = market.store_id.clone();
        let added = Market::add_vendor(&soko, &mut market.owner, &store_id, "Mama Mboga");
        let (mut person, vendor_id) = added.await;
        let stock = u32::try_from(rounds()).unwrap();
        let mug = market.product_of(&mut person, &vendor_id, "Mug", 100_000, stock);
        let mug = mug.await;
        sellers.push((person, vendor_id, mug, 0));
    }
    let (market, buyer) = (&market, &buyer);
    on_tracks(
        sellers,
        |number, (mut vendor, vendor_id, mug, paid_out)| async move {
            // What is left of the rounds before is little: it went back, or was paid out.
            let payment = market.sells(buyer, &mug, 1).await;
            let owed = OWED * i64::try_from(number / TRACKS + 1).unwrap();
            let gone = 45_000 * i64::try_from(number / TRACKS).unwrap();
            available(&vendor, &vendor_id, owed - gone - paid_out).await;
            let (mut owner, mut other) = (market.owner.clone(), market.owner.clone());
            let payouts = format!("/vendors/{vendor_id}/payouts");
            let half = json!({ "amount": 50_000, "currency": "KES" });
            let refund = json!({ "amount": half, "reason": "it was broken" });
            let refunds = format!("{payment}/refunds");
            let (asked, refunded) = join(pay_out(&mut vendor, &mut owner, &payouts), async {
                other.post(&refunds, refund).await
            })
            .await;
            refunded.expect(201);
            let paid_out = paid_out + asked;
            available(&vendor, &vendor_id, owed - gone - 45_000 - paid_out).await;
            (vendor, vendor_id, mug, paid_out)
        },
    )
    .await;
    assert_eq!(happened(&soko, "vendor_account.debited").await, rounds());
    check_everything(&soko).await;
}

/// As much as came of it: nothing where the refund was faster.
async fn pay_out(vendor: &mut Person, owner: &mut Person, payouts: &str) -> i64 {
    let asked = vendor.post(payouts, json!({})).await;
    if !is_success(&asked) {
        asked.expect_problem(409, "state-conflict");
        return 0;
    }
    let asked = asked.body;
    let payout = format!("/payouts/{}", text(&asked["payout_id"]));
    let approved = owner.post(&format!("{payout}/approve"), json!({})).await;
    if !is_success(&approved) {
        approved.expect_problem(409, "state-conflict");
        let why = json!({ "reason": "it went back" });
        owner.post(&format!("{payout}/reject"), why).await.ok();
        return 0;
    }
    let reference = json!({ "reference": text(&asked["payout_id"]) });
    owner
        .post(&format!("{payout}/record"), reference)
        .await
        .ok();
    asked["amount"]["amount"].as_i64().unwrap()
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}
