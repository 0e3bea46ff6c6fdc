//! What is kept of a sale, and the books: figures as somebody would reckon them by hand.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Soko, send, text};
use std::collections::BTreeMap;

#[tokio::test]
async fn an_order_of_two_vendors_is_booked_and_taken_back_to_the_last_cent() {
    let soko = Soko::start().await;
    let mut trade = Trade::open(&soko).await;
    let (anna, bill) = (trade.market.vendor_id.clone(), trade.bill.clone());
    let of = |account: &str, vendor: &str| format!("{account}:{vendor}");
    trade.paid().await;

    // Anna: 2000, with 276 of tax; a tenth is kept, 200, and 16 % of that, 32.
    // Bill: 5000, with 690 of tax; 5 % and 50 would be 300, but the cap is 200; and 32.
    let mut expected = BTreeMap::from([
        ("receivable".to_owned(), 0),
        ("clearing:cash_on_delivery".to_owned(), 7_000),
        (of("sales", &anna), -1_724),
        (of("tax", &anna), -276),
        (of("settlement", &anna), 2_000),
        (of("vendor_payable", &anna), -1_768),
        (of("sales", &bill), -4_310),
        (of("tax", &bill), -690),
        (of("settlement", &bill), 5_000),
        (of("vendor_payable", &bill), -4_768),
        ("commission".to_owned(), -400),
        ("commission_tax".to_owned(), -64),
    ]);
    assert_eq!(trade.balances().await, expected);

    // 286 of Anna's (39 tax; 253, 29 and 4) and 714 of Bill's (99 tax; 681, 28 and 5).
    trade.refund(1_000).await;
    let after_one = [
        ("clearing:cash_on_delivery".to_owned(), 6_000),
        (of("refunds", &anna), 247),
        (of("tax", &anna), -237),
        (of("settlement", &anna), 1_714),
        (of("vendor_payable", &anna), -1_515),
        (of("refunds", &bill), 615),
        (of("tax", &bill), -591),
        (of("settlement", &bill), 4_286),
        (of("vendor_payable", &bill), -4_087),
        ("commission".to_owned(), -343),
        ("commission_tax".to_owned(), -55),
    ];
    expected.extend(after_one);
    assert_eq!(trade.balances().await, expected);

    // Of what is left: 429 of Anna's (59 tax; 379, 43 and 7), 1071 of Bill's (148; 1021, 43, 7).
    trade.refund(1_500).await;
    let after_two = [
        ("clearing:cash_on_delivery".to_owned(), 4_500),
        (of("refunds", &anna), 617),
        (of("tax", &anna), -178),
        (of("settlement", &anna), 1_285),
        (of("vendor_payable", &anna), -1_136),
        (of("refunds", &bill), 1_538),
        (of("tax", &bill), -443),
        (of("settlement", &bill), 3_215),
        (of("vendor_payable", &bill), -3_066),
        ("commission".to_owned(), -257),
        ("commission_tax".to_owned(), -41),
    ];
    expected.extend(after_two);
    assert_eq!(trade.balances().await, expected);

    trade.refund(4_500).await;
    let in_the_end = expected.into_keys().map(|account| (account, 0));
    let mut in_the_end: BTreeMap<_, _> = in_the_end.collect();
    in_the_end.extend([
        (of("sales", &anna), -1_724),
        (of("refunds", &anna), 1_724),
        (of("sales", &bill), -4_310),
        (of("refunds", &bill), 4_310),
    ]);
    assert_eq!(trade.balances().await, in_the_end);

    trade.entries_are_told().await;
    readiness_tells_of_the_books(&soko).await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn rules_are_told_and_those_that_make_no_sense_are_refused() {
    let soko = Soko::start().await;
    let Market {
        store_id,
        vendor_id,
        mut owner,
        ..
    } = Market::open(&soko).await;
    let path = format!("/stores/{store_id}/commission-rules");
    // What the store was opened with.
    let found = owner.get(&path).await.expect(200);
    let bare = |bps: u32| json!({ "bps": bps, "fixed": 0, "cap": null });
    let expected =
        json!({ "standard": bare(1000), "tax_rate_bps": 0, "vendors": [], "categories": [] });
    assert_eq!(found, expected);

    let category = json!({ "store_id": store_id, "name": "Kitchen" });
    let category = owner.post("/categories", category).await.expect(201);
    let rules = json!({
        "standard": { "bps": 900, "fixed": 50, "cap": 10_000 },
        "tax_rate_bps": 1600,
        "vendors": [{ "vendor_id": vendor_id, "rule": bare(100) }],
        "categories": [{ "category_id": category["category_id"], "rule": bare(200) }],
    });
    owner.put(&path, rules.clone()).await.ok();
    assert_eq!(owner.get(&path).await.expect(200), rules);
    let store = owner.get(&format!("/stores/{store_id}")).await.expect(200);
    assert_eq!(store["commission_bps"], 900);
    // The other way round, too.
    let percentage = json!({ "commission_bps": 800 });
    owner
        .patch(&format!("/stores/{store_id}"), percentage)
        .await
        .ok();
    let found = owner.get(&path).await.expect(200);
    assert_eq!(
        found["standard"],
        json!({ "bps": 800, "fixed": 50, "cap": 10_000 })
    );

    let stranger = Market::open(&soko).await.vendor_id;
    let of_vendors = |vendors: &[&str]| {
        let rules = vendors.iter();
        let rules: Vec<_> = rules
            .map(|vendor| json!({ "vendor_id": vendor, "rule": { "bps": 1 } }))
            .collect();
        json!({ "standard": { "bps": 1 }, "tax_rate_bps": 0, "vendors": rules })
    };
    for (wrong, pointer) in [
        (
            json!({ "standard": { "bps": 10_001 }, "tax_rate_bps": 0 }),
            "/standard/bps",
        ),
        (
            json!({ "standard": { "bps": 1, "fixed": -1 }, "tax_rate_bps": 0 }),
            "/standard/fixed",
        ),
        (
            json!({ "standard": { "bps": 1, "cap": -1 }, "tax_rate_bps": 0 }),
            "/standard/cap",
        ),
        (of_vendors(&[&stranger]), "/vendors"),
        (
            of_vendors(&[&vendor_id, &vendor_id]),
            "/vendors/1/vendor_id",
        ),
    ] {
        let problem = owner
            .put(&path, wrong)
            .await
            .expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn the_rule_of_the_nearest_category_counts() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let store_id = market.store_id.clone();
    let mut category = async |name: &str, parent: Value| {
        let body = json!({ "store_id": store_id, "name": name, "parent_id": parent });
        let created = market.owner.post("/categories", body).await.expect(201);
        created["category_id"].clone()
    };
    let electronics = category("Electronics", Value::Null).await;
    let phones = category("Phones", electronics.clone()).await;
    let cases = category("Cases", phones.clone()).await;
    let rules = json!({
        "standard": { "bps": 1000 }, "tax_rate_bps": 0,
        "categories": [
            { "category_id": electronics, "rule": { "bps": 300 } },
            { "category_id": phones, "rule": { "bps": 0, "fixed": 25 } },
        ],
    });
    let path = format!("/stores/{store_id}/commission-rules");
    market.owner.put(&path, rules).await.ok();

    let mut sold = Vec::new();
    for (name, category) in [
        ("Case", &cases),
        ("Cable", &electronics),
        ("Mug", &Value::Null),
    ] {
        let product = market.product(name, 1_000, 5).await;
        if !category.is_null() {
            let change = json!({ "category_ids": [category] });
            let path = format!("/products/{}", product.product_id);
            market.vendor.patch(&path, change).await.ok();
        }
        sold.push(product);
    }
    let mut customer = soko.person("customer").await;
    let lines: Vec<_> = sold.iter().map(|product| (product, 1)).collect();
    let order = market.order_of(&lines);
    let placed = customer.post("/orders", order).await.expect(201);
    let payment = format!("/payments/{}", text(&placed["payment"]["payment_id"]));
    let collect = format!("{payment}/collect");
    market.owner.post(&collect, json!({})).await.ok();
    // 25 for the case, 3 % of the cable and a tenth of the mug.
    let path = format!("/ledger/trial-balance?store={store_id}&account=commission");
    let found = market.owner.get(&path).await.expect(200);
    assert_eq!(found["items"][0]["balance"], -(25 + 30 + 100));
    check_everything(&soko).await;
}

/// Anna's mugs and Bill's chair, sold to one customer.
struct Trade {
    market: Market,
    /// The other vendor.
    bill: String,
    customer: Person,
    order_id: String,
    payment_id: String,
}

impl Trade {
    async fn open(soko: &Soko) -> Self {
        let mut market = Market::open(soko).await;
        let store_id = market.store_id.clone();
        let (mut seller, bill) =
            Market::add_vendor(soko, &mut market.owner, &store_id, "Baba Bill").await;
        let mug = market.product("Mug", 1_000, 10).await;
        let chair = market
            .product_of(&mut seller, &bill, "Chair", 5_000, 10)
            .await;
        let rules = format!("/stores/{store_id}/commission-rules");
        let of_bill = json!({ "vendor_id": bill, "rule": { "bps": 500, "fixed": 50, "cap": 200 } });
        let body = json!({
            "standard": { "bps": 1000 }, "tax_rate_bps": 1600, "vendors": [of_bill],
        });
        market.owner.put(&rules, body).await.ok();
        let mut customer = soko.person("customer").await;
        let order = market.order_of(&[(&mug, 2), (&chair, 1)]);
        let placed = customer.post("/orders", order).await.expect(201);
        assert_eq!(placed["totals"]["total"]["amount"], 7_000);
        // What was agreed stays, whatever the rules become.
        let dearer = json!({ "standard": { "bps": 5000 }, "tax_rate_bps": 0 });
        market.owner.put(&rules, dearer).await.ok();
        Self {
            market,
            bill,
            customer,
            order_id: text(&placed["order_id"]),
            payment_id: text(&placed["payment"]["payment_id"]),
        }
    }

    async fn paid(&mut self) {
        let collect = format!("/payments/{}/collect", self.payment_id);
        self.market.owner.post(&collect, json!({})).await.ok();
    }

    async fn refund(&mut self, amount: i64) {
        let path = format!("/payments/{}/refunds", self.payment_id);
        let body = json!({
            "amount": { "amount": amount, "currency": "KES" }, "reason": "it was broken",
        });
        self.market.owner.post(&path, body).await.expect(201);
    }

    /// What each account has come to; all of them together, to nothing.
    async fn balances(&self) -> BTreeMap<String, i64> {
        let path = format!("/ledger/trial-balance?store={}", self.market.store_id);
        let owner = &self.market.owner;
        let found = owner.get(&path).await.expect(200);
        let [sum] = found["sums"].as_array().unwrap().as_slice() else {
            panic!("one currency: {found}");
        };
        assert_eq!(
            (&sum["currency"], &sum["is_balanced"]),
            (&json!("KES"), &json!(true))
        );
        let accounts = owner.walk(&path, 5).await;
        let balances: BTreeMap<_, _> = accounts
            .iter()
            .map(|account| {
                (
                    text(&account["account"]),
                    account["balance"].as_i64().unwrap(),
                )
            })
            .collect();
        assert_eq!(balances.len(), accounts.len(), "each account once");
        assert_eq!(balances.values().sum::<i64>(), 0);
        balances
    }

    /// By order, by payment and by account, to whoever may see the books and to nobody else.
    async fn entries_are_told(&mut self) {
        let of_store = format!("/ledger/entries?store={}", self.market.store_id);
        let owner = &self.market.owner;
        let all = owner.walk(&of_store, 7).await;
        let of_order = owner
            .walk(&format!("{of_store}&order={}", self.order_id), 100)
            .await;
        let of_payment = format!("{of_store}&payment={}", self.payment_id);
        assert_eq!(of_order, all);
        assert_eq!(owner.walk(&of_payment, 100).await, all);
        let kinds = |entries: &[Value]| {
            let kinds: Vec<_> = entries.iter().map(|entry| text(&entry["kind"])).collect();
            let first = kinds
                .iter()
                .zip(&kinds[1..])
                .filter(|(kind, next)| kind != next);
            first.count() + 1
        };
        // Captured, paid, and for each refund both, the latest first.
        assert_eq!(
            (kinds(&all), &all[0]["kind"]),
            (8, &json!("order.refunded"))
        );
        let of_account = format!("{of_store}&account=clearing:cash_on_delivery");
        let moves = owner.walk(&of_account, 1).await;
        let moves: Vec<_> = moves.iter().map(|entry| &entry["amount"]).collect();
        assert_eq!(moves, [-4_500, -1_500, -1_000, 7_000]);

        let staff = self.market.vendor.after(owner);
        for person in [&staff, &self.customer] {
            let refused = person.get(&of_store).await;
            assert!([403, 404].contains(&refused.status), "{}", refused.text);
        }
        let refused = owner.get("/ledger/entries").await;
        assert!([403, 404].contains(&refused.status), "{}", refused.text);
        let wrong = owner.get(&format!("{of_store}&order=nonsense")).await;
        wrong.expect_problem(422, "validation");
    }
}

async fn readiness_tells_of_the_books(soko: &Soko) {
    let admin = soko.admin().await;
    let path = "/ledger/trial-balance";
    let everywhere = admin.get(path).await.expect(200);
    assert_eq!(everywhere["sums"][0]["is_balanced"], true);
    let ready = send(soko.guest().request(Method::GET, "//health/ready")).await;
    let ready = ready.expect(200);
    let mut checks = ready["checks"].as_array().unwrap().iter();
    let books = checks.find(|check| check["name"] == "ledger").unwrap();
    assert_eq!(
        (&books["is_ok"], &books["detail"]),
        (&json!(true), &json!("balanced"))
    );
}
