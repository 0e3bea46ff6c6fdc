//! What a vendor is owed: sales that are paid, and the waiting until its account has heard of them.

use crate::{Market, Person, Product, text};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What was sold reaches a vendor's account a moment after it was paid.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

impl Market {
    /// Nothing is kept back: what was sold can be paid out at once. And what is not above so much
    /// needs nobody's approval (minor units).
    pub async fn pays_out_at_once(&mut self, four_eyes_above: i64) {
        let rules = json!({ "hold_days": 0, "four_eyes_above": four_eyes_above });
        let path = format!("/stores/{}/payout-rules", self.store_id);
        self.owner.put(&path, rules).await.ok();
    }

    /// So many are sold, and the cash for them taken; the payment.
    pub async fn sells(&self, buyer: &Person, product: &Product, quantity: u32) -> String {
        let (mut buyer, mut owner) = (buyer.clone(), self.owner.clone());
        let order = self.order_of(&[(product, quantity)]);
        let placed = buyer.post("/orders", order).await.expect(201);
        let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
        let collect = format!("{payment}/collect");
        owner.post(&collect, json!({})).await.ok();
        payment
    }
}

/// What is left of a sale of 1000 shillings once the store has kept its tenth.
const OWED: i64 = 90_000;

/// Has a vendor sell something for 1000 shillings and ask for some of it; the payout, which waits for
/// somebody's approval.
pub async fn requested_payout(
    market: &mut Market,
    vendor: &mut Person,
    vendor_id: &str,
    buyer: &Person,
) -> String {
    market.pays_out_at_once(0).await;
    let gem = market
        .product_of(vendor, vendor_id, "Gem", 100_000, 1)
        .await;
    market.sells(&buyer.after(vendor), &gem, 1).await;
    available(vendor, vendor_id, OWED).await;
    let some = json!({ "amount": { "amount": 20_000, "currency": "KES" } });
    let path = format!("/vendors/{vendor_id}/payouts");
    let asked = vendor.post(&path, some).await.expect(201);
    let payout_id = text(&asked["payout_id"]);
    // The read models have seen it, so nobody has to wait for it.
    vendor
        .get(&format!("/payouts/{payout_id}"))
        .await
        .expect(200);
    payout_id
}

/// Waits until a vendor's balance is as wanted, as this person sees it.
pub async fn balance(
    person: &Person,
    vendor_id: &str,
    is_wanted: impl Fn(&Value) -> bool,
) -> Value {
    let since = Instant::now();
    loop {
        let path = format!("/vendors/{vendor_id}/balance");
        let answer = person.get(&path).await;
        // Where much goes on at once, one may be told to come back.
        if answer.status == 503 && since.elapsed() < PATIENCE {
            answer.is_told_to_come_back();
        } else {
            let balance = answer.expect(200);
            if is_wanted(&balance) {
                return balance;
            }
            assert!(since.elapsed() < PATIENCE, "{balance}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until so much can be paid out (minor units).
pub async fn available(person: &Person, vendor_id: &str, amount: i64) -> Value {
    balance(person, vendor_id, |balance| {
        balance["available"]["amount"] == amount
    })
    .await
}
