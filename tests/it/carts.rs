//! What somebody wants to buy.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Product, Soko, text};

#[tokio::test]
async fn a_cart_belongs_to_its_account() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut amina = soko.person("amina").await;
    let brian = soko.person("brian").await;
    amina
        .post("/cart/items", item(&market, &mug, 2))
        .await
        .expect(200);
    let cart = amina
        .post("/cart/items", item(&market, &mug, 1))
        .await
        .expect(200);
    assert_eq!(cart["items"][0]["quantity"], 3);
    assert_eq!(
        cart["subtotal"],
        json!({ "amount": 1500, "currency": "KES" })
    );
    let path = format!("/cart?store={}", market.store_id);
    assert_eq!(brian.get(&path).await.expect(200)["items"], json!([]));

    let line = format!("/cart/items/{}", mug.variant_id);
    let cart = amina.put(&line, json!({ "quantity": 5 })).await.expect(200);
    assert_eq!(cart["subtotal"]["amount"], 2500);
    amina.delete(&line).await.ok();
    assert_eq!(amina.get(&path).await.expect(200)["items"], json!([]));
    // Taken out twice, it is out.
    amina.delete(&line).await.ok();
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_guest_keeps_a_cart_by_its_token_and_orders_from_it() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut nobody = soko.guest();
    let cart = nobody
        .post("/cart/items", item(&market, &mug, 2))
        .await
        .expect(200);
    let mut guest = nobody.with_header("X-Cart-Token", &text(&cart["cart_token"]));
    let path = format!("/cart?store={}", market.store_id);
    assert_eq!(
        guest.get(&path).await.expect(200)["items"][0]["quantity"],
        2
    );
    let other = soko.guest().with_header("X-Cart-Token", &"A".repeat(22));
    assert_eq!(other.get(&path).await.expect(200)["items"], json!([]));

    let mut order = market.order_of(&[]);
    order.as_object_mut().unwrap().remove("lines");
    order["cart"] = json!(true);
    let missing = guest.post("/orders", order.clone()).await;
    let problem = missing.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["pointer"], "/email");
    order["email"] = json!("guest@soko.test");
    let placed = guest.post("/orders", order).await.expect(201);
    assert_eq!(placed["totals"]["total"]["amount"], 1000);
    assert_eq!(guest.get(&path).await.expect(200)["items"], json!([]));
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_guest_without_a_token_is_given_one_and_the_same_again_for_the_same_key() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let path = format!("/cart?store={}", market.store_id);
    let empty = soko.guest().get(&path).await.expect(200);
    assert_eq!(empty["items"], json!([]));
    let mut guest = soko
        .guest()
        .with_header("X-Cart-Token", &text(&empty["cart_token"]));
    guest
        .post("/cart/items", item(&market, &mug, 1))
        .await
        .expect(200);
    assert_eq!(
        guest.get(&path).await.expect(200)["subtotal"]["amount"],
        500
    );

    let (body, key) = (item(&market, &mug, 2), "first-visit");
    let mut visitor = soko.guest();
    let first = visitor
        .post_with_key("/cart/items", key, body.clone())
        .await;
    let first = first.expect(200);
    let again = visitor.post_with_key("/cart/items", key, body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(200), first);
    let other = visitor.post("/cart/items", item(&market, &mug, 2)).await;
    assert_ne!(other.expect(200)["cart_token"], first["cart_token"]);
}

#[tokio::test]
async fn a_cart_names_what_stands_in_the_way_of_ordering_it() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let dearer = market.product("Dearer", 500, 10).await;
    let scarce = market.product("Scarce", 500, 10).await;
    let gone = market.product("Gone", 500, 10).await;
    let mut amina = soko.person("amina").await;
    for product in [&dearer, &scarce, &gone] {
        amina
            .post("/cart/items", item(&market, product, 5))
            .await
            .expect(200);
    }
    let path = format!("/cart?store={}", market.store_id);
    assert_eq!(amina.get(&path).await.expect(200)["problems"], json!([]));

    let mut vendor = market.vendor.clone();
    let price = json!({ "price": { "amount": 700, "currency": "KES" } });
    vendor
        .patch(&format!("/variants/{}", dearer.variant_id), price)
        .await
        .ok();
    let count = json!({ "quantity": 2, "reason": "stocktake" });
    vendor
        .post(&format!("/stock/{}/count", scarce.variant_id), count)
        .await
        .ok();
    vendor
        .post(&format!("/products/{}/archive", gone.product_id), json!({}))
        .await
        .ok();

    let cart = amina.after(&vendor).get(&path).await.expect(200);
    let kind_of = |product: &Product| {
        let problems = cart["problems"].as_array().unwrap();
        let found = problems
            .iter()
            .find(|problem| problem["variant_id"] == product.variant_id);
        found.unwrap_or_else(|| panic!("no problem with it: {cart}"))["kind"].clone()
    };
    assert_eq!(kind_of(&dearer), "price_changed");
    assert_eq!(kind_of(&scarce), "too_little_stock");
    assert_eq!(kind_of(&gone), "gone");
    assert_eq!(cart["problems"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn more_than_there_is_does_not_go_into_a_cart() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 3).await;
    let mut amina = soko.person("amina").await;
    let refused = amina.post("/cart/items", item(&market, &mug, 4)).await;
    refused.expect_problem(409, "out-of-stock");
    for quantity in [
        json!(0),
        json!(-1),
        json!("1"),
        json!(1_000_000_000_000_u64),
    ] {
        let mut body = item(&market, &mug, 1);
        body["quantity"] = quantity;
        amina
            .post("/cart/items", body)
            .await
            .expect_problem(422, "validation");
    }
}

fn item(market: &Market, product: &Product, quantity: u32) -> Value {
    json!({
        "store_id": market.store_id, "variant_id": product.variant_id, "quantity": quantity,
    })
}
