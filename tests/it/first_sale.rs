//! The main job: a vendor puts stock on sale, a customer buys it, an auditor replays it.

use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko};

#[tokio::test]
async fn an_order_goes_from_cart_to_cash_to_completed() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Kahawa Mug", 65_000, 10).await;
    let mut customer = soko.person("customer").await;

    let item = json!({
        "store_id": market.store_id, "variant_id": mug.variant_id, "quantity": 2,
    });
    customer.post("/cart/items", item).await.expect(200);
    let order = json!({
        "store_id": market.store_id,
        "cart": true,
        "shipping_address": soko_tests::address(),
        "payment": { "provider": "cash_on_delivery" },
    });
    let placed = customer.post("/orders", order).await.expect(201);
    assert_eq!(placed["status"], "confirmed");
    assert_eq!(
        placed["totals"]["total"],
        json!({ "amount": 130_000, "currency": "KES" })
    );
    // 16 % within the price: 1300.00 × 16 / 116 = 179.31
    assert_eq!(placed["totals"]["tax"]["amount"], 17_931);
    let order_id = placed["order_id"].as_str().unwrap();

    let cart = customer
        .get(&format!("/cart?store={}", market.store_id))
        .await
        .expect(200);
    assert_eq!(cart["items"], json!([]));
    let stock = market
        .vendor
        .after(&customer)
        .get(&format!("/stock/{}", mug.variant_id))
        .await;
    let stock = stock.expect(200);
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"]),
        (&json!(10), &json!(2))
    );
    assert_eq!(stock["available"], 8);

    let fulfilment = format!("/orders/{order_id}/fulfilments/{}", market.vendor_id);
    let mut vendor = market.vendor.clone();
    for (step, body) in [
        ("pack", json!({})),
        (
            "ship",
            json!({ "carrier": "G4S", "tracking_number": "KE-1" }),
        ),
        ("deliver", json!({})),
    ] {
        let answer = vendor.post(&format!("{fulfilment}/{step}"), body).await;
        assert!(
            (200..300).contains(&answer.status),
            "{step}: {}",
            answer.text
        );
    }
    let shown = customer
        .after(&vendor)
        .get(&format!("/orders/{order_id}"))
        .await
        .expect(200);
    assert_eq!(shown["status"], "delivered");
    let payment_id = shown["payment"]["payment_id"].as_str().unwrap();
    let mut owner = market.owner.clone();
    let collected = owner
        .post(&format!("/payments/{payment_id}/collect"), json!({}))
        .await;
    assert!((200..300).contains(&collected.status), "{}", collected.text);

    let reader = customer.after(&owner);
    let shown = reader.get(&format!("/orders/{order_id}")).await.expect(200);
    assert_eq!(shown["status"], "completed");
    assert_eq!(shown["payment"]["status"], "captured");
    let tracking = reader
        .get(&format!("/orders/{order_id}/tracking"))
        .await
        .expect(200);
    let kinds: Vec<_> = tracking["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["kind"].as_str())
        .collect();
    assert!(kinds.len() >= 5, "{kinds:?}");
    let stock = market
        .vendor
        .after(&owner)
        .get(&format!("/stock/{}", mug.variant_id))
        .await;
    let stock = stock.expect(200);
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"]),
        (&json!(8), &json!(0))
    );

    let (code, story, errors) = soko.replay_tool(&["history", "order", order_id]).await;
    assert_eq!(code, 0, "{errors}");
    for word in ["placed", "shipped", "delivered", "1300.00"] {
        assert!(story.contains(word), "{word} is missing in:\n{story}");
    }
    check_everything(&soko).await;
}
