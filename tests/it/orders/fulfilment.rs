//! From the vendors to the customer.

use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};

#[tokio::test]
async fn an_order_is_as_far_as_its_slowest_vendor() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut owner = market.owner.clone();
    let (mut second, second_id) =
        Market::add_vendor(&soko, &mut owner, &market.store_id, "Second").await;
    let basket = market
        .product_of(&mut second, &second_id, "Basket", 700, 10)
        .await;
    let mut first = market.vendor.clone();
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1), (&basket, 1)]);
    let order_id = text(&customer.post("/orders", order).await.expect(201)["order_id"]);
    let step =
        |vendor_id: &str, step: &str| format!("/orders/{order_id}/fulfilments/{vendor_id}/{step}");
    let shipment = json!({ "carrier": "G4S", "tracking_number": "KE-1" });

    let meddling = second
        .post(&step(&market.vendor_id, "pack"), json!({}))
        .await;
    assert!([403, 404].contains(&meddling.status), "{}", meddling.text);
    customer
        .post(&step(&second_id, "pack"), json!({}))
        .await
        .expect_problem(403, "forbidden");
    let mut stranger = soko.person("stranger").await;
    stranger
        .post(&step(&second_id, "pack"), json!({}))
        .await
        .expect_problem(404, "not-found");

    first
        .post(&step(&market.vendor_id, "ship"), shipment.clone())
        .await
        .ok();
    let shipped = first
        .after(&customer)
        .get(&format!("/orders/{order_id}"))
        .await
        .expect(200);
    assert_eq!(shipped["status"], "partly_shipped");
    let cancel = customer
        .post(&format!("/orders/{order_id}/cancel"), json!({}))
        .await;
    cancel.expect_problem(409, "state-conflict");
    let shipped = second.post(&step(&second_id, "ship"), shipment).await.ok();
    assert_eq!(shipped["status"], "shipped");
    second
        .post(&step(&second_id, "deliver"), json!({}))
        .await
        .ok();
    let delivered = first
        .post(&step(&market.vendor_id, "deliver"), json!({}))
        .await
        .ok();
    assert_eq!(delivered["status"], "delivered");
    // Told twice, it happened once.
    let again = first
        .post(&step(&market.vendor_id, "deliver"), json!({}))
        .await
        .ok();
    assert_eq!(again["status"], "delivered");

    let tracking = customer
        .after(&first)
        .get(&format!("/orders/{order_id}/tracking"))
        .await;
    let tracking = tracking.expect(200);
    let kinds: Vec<_> = tracking["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| text(&item["kind"]))
        .collect();
    let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    assert_eq!((count("shipped"), count("delivered")), (2, 2), "{kinds:?}");
    check_everything(&soko).await;
}

#[tokio::test]
async fn nothing_is_delivered_before_it_is_on_its_way() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut vendor = market.vendor.clone();
    let mut customer = soko.person("customer").await;
    let placed = customer
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let order = format!("/orders/{}", text(&placed["order_id"]));
    let fulfilment = format!("{order}/fulfilments/{}", market.vendor_id);
    let early = vendor
        .post(&format!("{fulfilment}/deliver"), json!({}))
        .await;
    early.expect_problem(409, "state-conflict");
    customer
        .post(&format!("{order}/cancel"), json!({}))
        .await
        .ok();
    for step in ["pack", "ship", "deliver"] {
        let late = vendor
            .post(&format!("{fulfilment}/{step}"), json!({}))
            .await;
        late.expect_problem(409, "state-conflict");
    }
    check_everything(&soko).await;
}
