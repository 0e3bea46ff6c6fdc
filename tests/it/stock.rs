//! What there is, and why.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko};

#[tokio::test]
async fn the_ledger_tells_every_move_and_adds_up_to_what_there_is() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let stock = format!("/stock/{}", mug.variant_id);
    let mut vendor = market.vendor.clone();
    let adjust = json!({ "quantity": -3, "reason": "damaged", "note": "fell" });
    vendor.post(&format!("{stock}/adjust"), adjust).await.ok();
    let count = json!({ "quantity": 9, "reason": "stocktake" });
    vendor.post(&format!("{stock}/count"), count).await.ok();
    let mut customer = soko.person("customer").await;
    customer
        .post("/orders", market.order_of(&[(&mug, 4)]))
        .await
        .expect(201);

    let reader = vendor.after(&customer);
    let level = reader.get(&stock).await.expect(200);
    assert_eq!(
        [&level["on_hand"], &level["reserved"], &level["available"]],
        [&json!(9), &json!(4), &json!(5)]
    );
    let sum = |items: &[Value], field: &str| -> i64 {
        items.iter().map(|item| item[field].as_i64().unwrap()).sum()
    };
    let places = level["locations"].as_array().unwrap();
    assert_eq!((sum(places, "on_hand"), sum(places, "reserved")), (9, 4));
    let ledger = reader.walk(&format!("{stock}/ledger"), 2).await;
    assert_eq!(ledger.len(), 4, "{ledger:?}");
    assert_eq!(
        (
            sum(&ledger, "on_hand_delta"),
            sum(&ledger, "reserved_delta")
        ),
        (9, 4)
    );
    let mut positions: Vec<_> = ledger
        .iter()
        .map(|item| item["position"].as_i64().unwrap())
        .collect();
    let walked = positions.clone();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), 4);
    let newest = if walked[0] > walked[1] {
        &ledger[0]
    } else {
        &ledger[3]
    };
    assert_eq!(
        (&newest["on_hand"], &newest["reserved"]),
        (&json!(9), &json!(4))
    );
    check_everything(&soko).await;
}

#[tokio::test]
async fn nothing_that_is_promised_can_be_taken_away() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let mut customer = soko.person("customer").await;
    customer
        .post("/orders", market.order_of(&[(&mug, 4)]))
        .await
        .expect(201);
    let stock = format!("/stock/{}", mug.variant_id);
    let mut vendor = market.vendor.clone();
    let adjust = json!({ "quantity": -2, "reason": "damaged" });
    let refused = vendor.post(&format!("{stock}/adjust"), adjust).await;
    refused.expect_problem(409, "state-conflict");
    let count = json!({ "quantity": 3, "reason": "stocktake" });
    let refused = vendor.post(&format!("{stock}/count"), count).await;
    refused.expect_problem(409, "state-conflict");
    let adjust = json!({ "quantity": -1, "reason": "damaged" });
    vendor.post(&format!("{stock}/adjust"), adjust).await.ok();
    check_everything(&soko).await;
}

#[tokio::test]
async fn numbers_that_cannot_be_are_refused_and_never_break_anything() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let stock = format!("/stock/{}", mug.variant_id);
    let mut vendor = market.vendor.clone();
    for quantity in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("5"),
        json!(1e30),
        json!(null),
    ] {
        let body = json!({ "quantity": quantity, "reason": "delivery" });
        let refused = vendor.post(&format!("{stock}/receive"), body).await;
        refused.expect_problem(422, "validation");
    }
    for quantity in [i64::MAX, i64::MIN] {
        let body = json!({ "quantity": quantity, "reason": "typo" });
        let refused = vendor.post(&format!("{stock}/adjust"), body).await;
        assert!([409, 422].contains(&refused.status), "{}", refused.text);
    }
    for quantity in [4_294_967_296_i64, -1] {
        let body = json!({ "quantity": quantity, "reason": "stocktake" });
        let refused = vendor.post(&format!("{stock}/count"), body).await;
        refused.expect_problem(422, "validation");
    }
    let most = json!({ "quantity": u32::MAX, "reason": "stocktake" });
    let counted = vendor.post(&format!("{stock}/count"), most).await;
    assert!(counted.status < 500, "{}", counted.text);
    let elsewhere = json!({
        "quantity": 1, "reason": "delivery", "location_id": "018f0000-0000-7000-8000-000000000000",
    });
    let refused = vendor.post(&format!("{stock}/receive"), elsewhere).await;
    refused.expect_problem(422, "validation");
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_falls_to_its_threshold_is_listed_as_low() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let plenty = market.product("Plenty", 500, 50).await;
    let mut vendor = market.vendor.clone();
    for product in [&mug, &plenty] {
        let path = format!("/stock/{}/low-stock-threshold", product.variant_id);
        vendor.put(&path, json!({ "threshold": 4 })).await.ok();
    }
    let low = format!("/stock?vendor={}&low=true", market.vendor_id);
    assert_eq!(vendor.walk(&low, 10).await.len(), 0);
    let mut customer = soko.person("customer").await;
    customer
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let found = vendor.after(&customer).walk(&low, 10).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["variant_id"], mug.variant_id);
    let by_sku = format!("/stock?store={}&sku={}", market.store_id, plenty.sku);
    let found = market.owner.after(&customer).walk(&by_sku, 10).await;
    assert_eq!((found.len(), &found[0]["available"]), (1, &json!(50)));
}

#[tokio::test]
async fn the_stock_of_others_is_not_there() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let other = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let (mut rival, _) = Market::add_vendor(&soko, &mut owner, &market.store_id, "Rival").await;
    let stock = format!("/stock/{}", mug.variant_id);
    for stranger in [&other.owner, &other.vendor, &rival] {
        stranger.get(&stock).await.expect_problem(404, "not-found");
        stranger
            .get(&format!("{stock}/ledger"))
            .await
            .expect_problem(404, "not-found");
        let list = stranger
            .get(&format!("/stock?vendor={}", market.vendor_id))
            .await;
        list.expect_problem(404, "not-found");
    }
    let body = json!({ "quantity": 1, "reason": "delivery" });
    let refused = rival.post(&format!("{stock}/receive"), body).await;
    refused.expect_problem(404, "not-found");
}

/// A product shows what there is of it, which another read model says.
#[tokio::test]
async fn a_vendor_sees_the_stock_of_a_product_as_soon_as_it_was_counted() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let count = format!("/stock/{}/count", mug.variant_id);
    let products = format!("/vendors/{}/products", market.vendor_id);
    for quantity in 1..=20 {
        let body = json!({ "quantity": quantity, "reason": "stocktake" });
        market.vendor.post(&count, body).await.expect(204);
        let after = market.vendor.after(&market.vendor);
        let page = after.get(&products).await.expect(200);
        assert_eq!(page["items"][0]["available"], quantity);
    }
}
