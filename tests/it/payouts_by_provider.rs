//! Vendors whom a provider pays: once, whatever becomes of the answers.

use serde_json::{Value, json};
use soko_gateways::sandbox::{Customer, Fault, FaultRule, Kind, Merchants, Provider};
use soko_tests::checkers::check_everything;
use soko_tests::till::{Till, sandbox, until, until_status};
use soko_tests::{Market, Person, Soko, available, text};

/// What is left of a sale of 1000 shillings once the store has kept its tenth.
const OWED: i64 = 90_000;

#[tokio::test]
async fn each_provider_pays_what_was_approved_and_pays_it_once() {
    let mut shop = Shop::open().await;
    for (provider, account) in accounts() {
        let mut vendor = shop.vendor(account).await;
        let payout = vendor.paid_out(&mut shop).await;
        let paid = until_status(&vendor.person, &payout, "paid").await;
        assert_eq!(paid["paid_by"], Value::Null, "{paid}");
        assert!(paid["reference"].is_string(), "{paid}");
        assert_eq!(shop.booked(provider, Kind::Payout), [-OWED]);
        let told = available(&vendor.person, &vendor.id, 0).await;
        assert_eq!(told["paid_out"]["amount"], OWED);
    }
    check_everything(&shop.soko).await;
}

/// The call may have been carried out or not, and the callback come, come twice or never.
#[tokio::test]
async fn whatever_is_lost_on_the_way_the_money_leaves_once() {
    let faults = [
        Fault::UnavailableBefore,
        Fault::SilenceBefore,
        Fault::ErrorAfter,
        Fault::CutAfter,
        Fault::CallbackDoubled,
    ];
    let mut shop = Shop::open().await;
    for (provider, account) in accounts() {
        for fault in faults {
            let mut vendor = shop.vendor(account.clone()).await;
            let before = shop.booked(provider, Kind::Payout).len();
            let mut rule = FaultRule::always(provider, fault);
            rule.times = Some(1);
            shop.till.sandbox.set_faults(vec![rule]);
            let payout = vendor.paid_out(&mut shop).await;
            until_status(&vendor.person, &payout, "paid").await;
            let left = shop.booked(provider, Kind::Payout);
            assert_eq!(left[before..], [-OWED], "{provider:?} {fault:?}");
            shop.till.sandbox.set_faults(vec![]);
        }
    }
    check_everything(&shop.soko).await;
}

/// Paystack says later that a transfer failed.
#[tokio::test]
async fn what_does_not_arrive_can_be_paid_out_again() {
    let mut shop = Shop::open().await;
    let [_, (provider, account)] = accounts();
    let mut vendor = shop.vendor(account).await;
    let fails = FaultRule::always(provider, Fault::PayoutFails);
    shop.till.sandbox.set_faults(vec![fails]);
    let payout = vendor.paid_out(&mut shop).await;
    let failed = until_status(&vendor.person, &payout, "failed").await;
    assert!(failed["reason"].is_string(), "{failed}");
    shop.till.sandbox.set_faults(vec![]);
    available(&vendor.person, &vendor.id, OWED).await;
    let again = vendor.paid_out(&mut shop).await;
    until_status(&vendor.person, &again, "paid").await;
    check_everything(&shop.soko).await;
}

#[tokio::test]
async fn a_way_that_the_store_has_no_account_with_is_refused() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut vendor = market.vendor.clone();
    let path = format!("/vendors/{}/payout-account", market.vendor_id);
    for (_, account) in accounts() {
        let refused = vendor.put(&path, account).await;
        let refused = refused.expect_problem(409, "state-conflict");
        let detail = text(&refused["detail"]);
        assert!(
            detail.starts_with("the store does not pay out by"),
            "{detail}"
        );
    }
}

fn accounts() -> [(Provider, Value); 2] {
    [
        (
            Provider::Mpesa,
            json!({ "method": "mpesa", "phone": "+254708374149" }),
        ),
        (
            Provider::Paystack,
            json!({
                "method": "paystack", "kind": "mobile_money", "name": "Mama Mboga",
                "account_number": "0708374149", "bank_code": "MPESA",
            }),
        ),
    ]
}

struct Shop {
    soko: Soko,
    till: Till,
    buyer: Person,
}

struct Seller {
    person: Person,
    id: String,
}

impl Shop {
    async fn open() -> Self {
        let (sandbox, settings) = sandbox(Customer::pays_after_ms(5));
        let settings = settings.with("SOKO_PAYOUT_ACCOUNT_HOLD_HOURS", "0");
        let soko = Soko::start_with(settings).await;
        let mut till = Till::open(&soko, sandbox).await;
        // Sales are paid in cash here: what vendors are paid from was put there.
        let merchants = Merchants::demo();
        let mpesa = format!("{} utility", merchants.mpesa[0].short_code);
        let accounts = [
            (Provider::Mpesa, mpesa),
            (Provider::Paystack, merchants.paystack[0].account.clone()),
        ];
        for (provider, account) in accounts {
            till.sandbox.top_up(provider, &account, "KES", 100 * OWED);
        }
        till.nairobi.pays_out_at_once(0).await;
        let buyer = soko.person("buyer").await;
        Self { soko, till, buyer }
    }

    /// With a payout account, and what it sold available.
    async fn vendor(&mut self, account: Value) -> Seller {
        let market = &mut self.till.nairobi;
        let store_id = market.store_id.clone();
        let added = Market::add_vendor(&self.soko, &mut market.owner, &store_id, "Mama Mboga");
        let (mut person, id) = added.await;
        let path = format!("/vendors/{id}/payout-account");
        person.put(&path, account).await.ok();
        let mug = market.product_of(&mut person, &id, "Mug", 100_000, 1).await;
        market.sells(&self.buyer, &mug, 1).await;
        available(&person, &id, OWED).await;
        Seller { person, id }
    }

    fn booked(&self, provider: Provider, kind: Kind) -> Vec<i64> {
        let book = self.till.sandbox.book();
        let movements = book
            .iter()
            .filter(|movement| movement.provider == provider && movement.kind == kind);
        movements.map(|movement| movement.amount).collect()
    }
}

impl Seller {
    /// Asked for by the vendor, approved by the store; where it is found.
    async fn paid_out(&mut self, shop: &mut Shop) -> String {
        let path = format!("/vendors/{}/payouts", self.id);
        let asked = self.person.post(&path, json!({})).await.expect(201);
        let payout = format!("/payouts/{}", text(&asked["payout_id"]));
        let owner = &mut shop.till.nairobi.owner;
        owner
            .post(&format!("{payout}/approve"), json!({}))
            .await
            .ok();
        until(&self.person.after(owner), &payout, |payout| {
            payout["status"] != "requested"
        })
        .await;
        payout
    }
}
