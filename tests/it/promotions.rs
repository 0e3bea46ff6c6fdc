//! Coupons: made by stores and vendors, named by customers, and what they do to the books.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Product, Soko, coupon, text};
use std::collections::BTreeMap;

#[tokio::test]
async fn a_coupon_is_made_used_counted_changed_and_ended() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 1_000, 10).await;
    let made = market
        .owner
        .post("/promotions", tenth(&market))
        .await
        .expect(201);
    let path = format!("/promotions/{}", text(&made["promotion_id"]));
    let mut buyer = soko.person("buyer").await.after(&market.owner);

    let placed = buyer
        .post("/orders", with_coupon(&market, &mug, 2))
        .await
        .expect(201);
    let money = |amount: i64| json!({ "amount": amount, "currency": "KES" });
    assert_eq!(placed["totals"]["subtotal"], money(2_000));
    assert_eq!(placed["totals"]["discount"], money(200));
    assert_eq!(placed["totals"]["total"], money(1_800));
    assert_eq!(placed["lines"][0]["discount"], money(200));
    assert_eq!(placed["coupon"], "KARIBU");
    let order = format!("/orders/{}", text(&placed["order_id"]));
    let seen = buyer.get(&order).await.expect(200);
    assert_eq!(
        (&seen["coupon"], &seen["totals"]),
        (&placed["coupon"], &placed["totals"])
    );

    let found = market.owner.get(&path).await.expect(200);
    let expected = json!({
        "promotion_id": made["promotion_id"], "store_id": market.store_id, "vendor_id": null,
        "funder": "store", "code": "KARIBU", "name": "Karibu", "status": "active",
        "discount": { "type": "percentage", "bps": 1000, "at_most": money(500), "amount": null },
        "minimum": null, "starts_at": null, "ends_at": null, "uses_max": 2,
        "uses_per_customer": null, "uses": 1, "discounted": money(200),
    });
    assert_eq!(found, expected);
    let owner = market.owner.after(&buyer);
    let list = format!("/promotions?store={}", market.store_id);
    assert_eq!(
        owner.get(&list).await.expect(200)["items"],
        json!([expected])
    );

    // The second use is the last one, until its order is called off.
    let second = buyer
        .post("/orders", with_coupon(&market, &mug, 1))
        .await
        .expect(201);
    assert_eq!(owner.get(&path).await.expect(200)["status"], "exhausted");
    let refused = buyer.post("/orders", with_coupon(&market, &mug, 1)).await;
    refused.expect_problem(409, "coupon-exhausted");
    let cancel = format!("/orders/{}/cancel", text(&second["order_id"]));
    buyer.post(&cancel, json!({})).await.ok();
    assert_eq!(owner.get(&path).await.expect(200)["uses"], 1);

    // Other terms count from now on; what was agreed stays.
    let mut owner = owner.clone();
    let fixed = json!({ "type": "fixed", "amount": money(300) });
    owner
        .patch(&path, json!({ "discount": fixed, "uses_max": null }))
        .await
        .ok();
    let third = buyer
        .after(&owner)
        .post("/orders", with_coupon(&market, &mug, 1))
        .await;
    assert_eq!(third.expect(201)["totals"]["discount"], money(300));
    assert_eq!(
        buyer.get(&order).await.expect(200)["totals"]["discount"],
        money(200)
    );

    owner.post(&format!("{path}/end"), json!({})).await.ok();
    owner.post(&format!("{path}/end"), json!({})).await.ok();
    assert_eq!(owner.get(&path).await.expect(200)["status"], "ended");
    let refused = buyer.post("/orders", with_coupon(&market, &mug, 1)).await;
    refused.expect_problem(409, "state-conflict");
    owner.patch(&path, json!({ "ends_at": null })).await.ok();
    buyer
        .post("/orders", with_coupon(&market, &mug, 1))
        .await
        .expect(201);
    // A code stands for one promotion for ever.
    let again = owner.post("/promotions", tenth(&market)).await;
    again.expect_problem(409, "already-exists");
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_where_it_is_wrong() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let (store_id, vendor_id) = (market.store_id.clone(), market.vendor_id.clone());
    let fixed = |amount: i64, currency: &str| json!({ "type": "fixed", "amount": { "amount": amount, "currency": currency } });
    for (member, wrong, pointer) in [
        ("code", json!("a b"), "/code"),
        ("discount", json!({ "type": "percentage" }), "/discount/bps"),
        (
            "discount",
            json!({ "type": "percentage", "bps": 0 }),
            "/discount/bps",
        ),
        (
            "discount",
            json!({ "type": "fixed", "bps": 1 }),
            "/discount/bps",
        ),
        ("discount", fixed(0, "KES"), "/discount/amount"),
        ("discount", fixed(100, "USD"), "/discount/amount/currency"),
        (
            "minimum",
            json!({ "amount": -1, "currency": "KES" }),
            "/minimum",
        ),
        ("uses_max", json!(0), "/uses_max"),
        ("uses_per_customer", json!(11), "/uses_per_customer"),
        ("ends_at", json!("2020-01-01T00:00:00Z"), "/ends_at"),
        ("funder", json!("vendor"), "/funder"),
        ("colour", json!("red"), "/colour"),
    ] {
        let mut body = tenth(&market);
        body["starts_at"] = json!("2020-01-02T00:00:00Z");
        body[member] = wrong;
        let refused = market.owner.post("/promotions", body).await;
        let problem = refused.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    // A vendor gives away what is its own, and neither the store's nor another's.
    let mut of_store = tenth(&market);
    let refused = market.vendor.post("/promotions", of_store.clone()).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.text);
    of_store["vendor_id"] = json!(vendor_id);
    of_store["funder"] = json!("store");
    let refused = market.vendor.post("/promotions", of_store.clone()).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.text);
    // What the store gives on a vendor's goods, that vendor sees and does not change.
    let made = market.owner.post("/promotions", of_store.clone()).await;
    let path = format!("/promotions/{}", text(&made.expect(201)["promotion_id"]));
    let mut vendor = market.vendor.after(&market.owner);
    assert_eq!(vendor.get(&path).await.expect(200)["funder"], "store");
    let refused = vendor.patch(&path, json!({ "name": "Mine" })).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.text);
    of_store["code"] = json!("ELSEWHERE");
    of_store["vendor_id"] = json!(Market::open(&soko).await.vendor_id);
    let refused = market.owner.post("/promotions", of_store).await;
    refused.expect_problem(404, "not-found");
    let mut of_vendor = tenth(&market);
    of_vendor["code"] = json!("OF-VENDOR");
    of_vendor["vendor_id"] = json!(vendor_id);
    let made = market
        .vendor
        .post("/promotions", of_vendor)
        .await
        .expect(201);
    let list = format!("/promotions?store={store_id}&vendor={vendor_id}");
    let found = market.vendor.get(&list).await.expect(200);
    assert_eq!(found["items"][0]["promotion_id"], made["promotion_id"]);
    assert_eq!(found["items"][0]["funder"], "vendor");
}

#[tokio::test]
async fn a_cart_shows_what_its_coupon_is_worth_and_takes_it_along() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 1_000, 10).await;
    let mut coupon = tenth(&market);
    coupon["minimum"] = json!({ "amount": 2_000, "currency": "KES" });
    coupon["uses_per_customer"] = json!(1);
    let made = market.owner.post("/promotions", coupon).await.expect(201);
    let mut buyer = soko.person("buyer").await.after(&market.owner);
    let store = market.store_id.clone();
    let cart = format!("/cart?store={store}");
    let item = json!({ "store_id": store, "variant_id": mug.variant_id, "quantity": 1 });
    let name = json!({ "store_id": store, "code": "karibu" });

    let empty = buyer.post("/cart/coupon", name.clone()).await;
    empty.expect_problem(409, "state-conflict");
    buyer.post("/cart/items", item.clone()).await.ok();
    let unknown = json!({ "store_id": store, "code": "UNKNOWN" });
    let unknown = buyer.post("/cart/coupon", unknown).await;
    let problem = unknown.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["pointer"], "/code");
    let seen = buyer.post("/cart/coupon", name.clone()).await.expect(200);
    assert_eq!(seen["coupon"]["discount"]["amount"], 0);
    let problem = text(&seen["coupon"]["problem"]);
    assert!(problem.contains("of KES 20.00 or more"), "{problem}");
    let seen = buyer.post("/cart/items", item.clone()).await.expect(200);
    let worth = json!({
        "code": "KARIBU", "discount": { "amount": 200, "currency": "KES" }, "problem": null,
    });
    assert_eq!(seen["coupon"], worth);

    buyer
        .delete(&format!("/cart/coupon?store={store}"))
        .await
        .ok();
    assert_eq!(buyer.get(&cart).await.expect(200)["coupon"], Value::Null);
    buyer.post("/cart/coupon", name.clone()).await.expect(200);
    let mut order = market.order_of(&[]);
    order.as_object_mut().unwrap().remove("lines");
    order["cart"] = json!(true);
    let placed = buyer.post("/orders", order.clone()).await.expect(201);
    assert_eq!(placed["totals"]["discount"]["amount"], 200);
    assert_eq!(buyer.get(&cart).await.expect(200)["coupon"], Value::Null);

    // Once for each customer, and for customers who can be told apart.
    buyer
        .post(
            "/cart/items",
            json!({ "store_id": store, "variant_id": mug.variant_id, "quantity": 2 }),
        )
        .await
        .ok();
    buyer.post("/cart/coupon", name.clone()).await.expect(200);
    let refused = buyer.post("/orders", order.clone()).await;
    refused.expect_problem(409, "coupon-exhausted");
    let mut guest = soko.guest();
    let filled = guest.post("/cart/items", item).await.expect(200);
    let mut guest = guest.with_header("X-Cart-Token", &text(&filled["cart_token"]));
    let refused = guest.post("/cart/coupon", name).await;
    refused.expect_problem(409, "state-conflict");
    // What the cart's coupon stands in the way of, an order without it may have.
    buyer
        .delete(&format!("/cart/coupon?store={store}"))
        .await
        .ok();
    let placed = buyer.post("/orders", order).await.expect(201);
    assert_eq!(placed["totals"]["discount"]["amount"], 0);
    let owner = market.owner.after(&buyer);
    let found = owner
        .get(&format!("/promotions/{}", text(&made["promotion_id"])))
        .await;
    assert_eq!(found.expect(200)["uses"], 1);
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_funds_a_discount_bears_it_in_the_books_and_it_goes_back_with_a_refund() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 1_000, 10).await;
    let vendor = market.vendor_id.clone();
    let of = |account: &str| format!("{account}:{vendor}");
    market
        .owner
        .post("/promotions", tenth(&market))
        .await
        .expect(201);
    let mut of_vendor = tenth(&market);
    of_vendor["code"] = json!("DUKA");
    of_vendor["vendor_id"] = json!(vendor);
    market
        .vendor
        .post("/promotions", of_vendor)
        .await
        .expect(201);
    let mut buyer = soko
        .person("buyer")
        .await
        .after(&market.owner)
        .after(&market.vendor);

    // 1000, of which the store takes off 100 and pays it: 124 of tax in 900, and a tenth of 1000 kept.
    let first = buyer
        .post("/orders", with_coupon(&market, &mug, 1))
        .await
        .expect(201);
    collect(&mut market.owner, &first).await;
    let mut expected = BTreeMap::from([
        ("receivable".to_owned(), 0),
        ("clearing:cash_on_delivery".to_owned(), 900),
        (of("sales"), -876),
        (of("tax"), -124),
        ("discount:store".to_owned(), 100),
        (of("settlement"), 1_000),
        (of("vendor_payable"), -900),
        ("commission".to_owned(), -100),
    ]);
    assert_eq!(balances(&market).await, expected);

    // The vendor takes off 100 itself: a tenth of 900 is kept.
    let mut order = with_coupon(&market, &mug, 1);
    order["coupon"] = json!("duka");
    let second = buyer.post("/orders", order).await.expect(201);
    collect(&mut market.owner, &second).await;
    expected.extend([
        ("clearing:cash_on_delivery".to_owned(), 1_800),
        (of("sales"), -1_752),
        (of("tax"), -248),
        (of("discount"), 100),
        (of("settlement"), 1_900),
        (of("vendor_payable"), -1_710),
        ("commission".to_owned(), -190),
    ]);
    assert_eq!(balances(&market).await, expected);

    // Half of the first goes back, and with it half of what the store made up for.
    let refund = json!({ "amount": { "amount": 450, "currency": "KES" }, "reason": "broken" });
    let refunds = format!(
        "/payments/{}/refunds",
        text(&first["payment"]["payment_id"])
    );
    market.owner.post(&refunds, refund).await.expect(201);
    expected.extend([
        ("clearing:cash_on_delivery".to_owned(), 1_350),
        (of("refunds"), 438),
        (of("tax"), -186),
        ("discount:store".to_owned(), 50),
        (of("settlement"), 1_400),
        (of("vendor_payable"), -1_260),
        ("commission".to_owned(), -140),
    ]);
    assert_eq!(balances(&market).await, expected);
    let vendor_person = market.vendor.after(&market.owner);
    let statement = format!("/vendors/{vendor}/statement");
    let lines = soko_tests::till::until(&vendor_person, &statement, |found| {
        found["items"]
            .as_array()
            .is_some_and(|items| items.len() == 3)
    })
    .await;
    let told: Vec<_> = lines["items"].as_array().unwrap().iter().collect();
    let mut told: Vec<_> = told
        .iter()
        .map(|line| {
            ["gross", "subsidy", "commission", "amount"].map(|name| line[name].as_i64().unwrap())
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            [-450, -50, -50, -450],
            [900, 0, 90, 810],
            [900, 100, 100, 900]
        ]
    );
    check_everything(&soko).await;
}

#[tokio::test]
async fn auditors_see_who_was_given_what() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 1_000, 10).await;
    let made = market
        .owner
        .post("/promotions", tenth(&market))
        .await
        .expect(201);
    let promotion_id = text(&made["promotion_id"]);
    let mut buyer = soko.person("buyer").await.after(&market.owner);
    let placed = buyer
        .post("/orders", with_coupon(&market, &mug, 1))
        .await
        .expect(201);
    let stream = format!("/audit/streams/promotion/{promotion_id}");
    let owner = market.owner.after(&buyer);
    let found = owner.get(&stream).await.expect(200);
    let items = found["items"].as_array().unwrap();
    let kinds: Vec<_> = items
        .iter()
        .map(|event| text(&event["event_type"]))
        .collect();
    assert_eq!(kinds, ["promotion.created", "promotion.redeemed"]);
    let redeemed = &items[1]["payload"]["redeemed"];
    assert_eq!(redeemed["order_id"], placed["order_id"]);
    assert_eq!(redeemed["discount"], 100);
    let order = text(&placed["order_id"]);
    let (code, told, _) = soko.replay_tool(&["history", "order", &order]).await;
    assert_eq!(code, 0);
    assert!(told.contains("KES 1.00 off by coupon KARIBU"), "{told}");
}

async fn collect(owner: &mut Person, placed: &Value) {
    let payment = text(&placed["payment"]["payment_id"]);
    owner
        .post(&format!("/payments/{payment}/collect"), json!({}))
        .await
        .ok();
}

async fn balances(market: &Market) -> BTreeMap<String, i64> {
    let path = format!("/ledger/trial-balance?store={}", market.store_id);
    let accounts = market.owner.walk(&path, 100).await.into_iter();
    let balances: BTreeMap<_, _> = accounts
        .map(|account| {
            (
                text(&account["account"]),
                account["balance"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(balances.values().sum::<i64>(), 0);
    balances
}

/// A tenth off, at most 5.00, twice.
fn tenth(market: &Market) -> Value {
    let mut coupon = coupon(&market.store_id, "karibu");
    coupon["discount"]["at_most"] = json!({ "amount": 500, "currency": "KES" });
    coupon["uses_max"] = json!(2);
    coupon
}

fn with_coupon(market: &Market, product: &Product, quantity: u32) -> Value {
    let mut order = market.order_of(&[(product, quantity)]);
    order["coupon"] = json!("Karibu");
    order
}
