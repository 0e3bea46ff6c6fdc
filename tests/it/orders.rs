//! Buying: from lines or a cart, as a customer or a guest, from one vendor or several.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Product, Soko, text};

mod conditions;
mod fulfilment;

#[tokio::test]
async fn tax_is_within_the_price_or_comes_on_top_by_the_stores_terms() {
    let soko = Soko::start().await;
    // 3 × 3.33 = 9.99 at 15.5 %: within 9.99 × 15.5 / 115.5 = 1.3406…, on top 1.54845
    for (is_within, tax, total) in [(true, 134, 999), (false, 155, 1154)] {
        let mut market = Market::open_with(
            &soko,
            json!({
                "currency": "KES", "prices_include_tax": is_within, "tax_rate_bps": 1550,
            }),
        )
        .await;
        let mug = market.product("Mug", 333, 10).await;
        let mut customer = soko.person("customer").await;
        let placed = customer
            .post("/orders", market.order_of(&[(&mug, 3)]))
            .await
            .expect(201);
        let totals = &placed["totals"];
        assert_eq!(totals["tax"], money(tax), "{totals}");
        assert_eq!(totals["total"], money(total), "{totals}");
        assert_eq!(totals["subtotal"]["amount"], 999, "{totals}");
        let shown = customer
            .get(&format!("/orders/{}", text(&placed["order_id"])))
            .await;
        assert_eq!(&shown.expect(200)["totals"], totals);
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_order_from_several_vendors_adds_up_and_each_sees_its_own_part() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 333, 10).await;
    let mut owner = market.owner.clone();
    let (mut second, second_id) =
        Market::add_vendor(&soko, &mut owner, &market.store_id, "Second").await;
    let basket = market
        .product_of(&mut second, &second_id, "Basket", 777, 10)
        .await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 3), (&basket, 2)]);
    let placed = customer.post("/orders", order).await.expect(201);
    assert_eq!(placed["fulfilments"].as_array().unwrap().len(), 2);
    let lines = placed["lines"].as_array().unwrap();
    for (field, total) in [("tax", "tax"), ("total", "total")] {
        let sum: i64 = lines
            .iter()
            .map(|line| line[field]["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(placed["totals"][total]["amount"], sum);
    }
    let path = format!("/orders/{}", text(&placed["order_id"]));
    let seen = second.after(&customer).get(&path).await.expect(200);
    let mine: Vec<_> = seen["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["variant_id"])
        .collect();
    assert_eq!(
        mine,
        [&json!(basket.variant_id)],
        "a vendor sees its own lines"
    );
    let whole = market.owner.after(&customer).get(&path).await.expect(200);
    assert_eq!(whole["lines"].as_array().unwrap().len(), 2);
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_guest_opens_an_order_with_its_token_and_nobody_does_without() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut guest = soko.guest();
    let mut order = market.order_of(&[(&mug, 1)]);
    let anonymous = guest.post("/orders", order.clone()).await;
    assert_eq!(
        anonymous.expect_problem(422, "validation")["errors"][0]["pointer"],
        "/email"
    );
    order["email"] = json!("guest@soko.test");
    let placed = guest.post("/orders", order).await.expect(201);
    let path = format!("/orders/{}", text(&placed["order_id"]));
    guest.get(&path).await.expect_problem(404, "not-found");
    let stranger = soko.person("stranger").await;
    stranger.get(&path).await.expect_problem(404, "not-found");
    let wrong = guest.with_header("X-Order-Token", &"A".repeat(43));
    wrong.get(&path).await.expect_problem(404, "not-found");

    let mut holder = guest.with_header("X-Order-Token", &text(&placed["guest_token"]));
    let shown = holder.get(&path).await.expect(200);
    assert_eq!(shown["status"], "confirmed");
    assert!(shown.get("guest_token").is_none());
    holder.get(&format!("{path}/tracking")).await.expect(200);
    holder
        .post(
            &format!("{path}/cancel"),
            json!({ "reason": "changed my mind" }),
        )
        .await
        .ok();
    assert_eq!(holder.get(&path).await.expect(200)["status"], "cancelled");
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_order_is_shown_as_it_was_at_a_moment() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let placed = customer
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let path = format!("/orders/{}", text(&placed["order_id"]));
    let at_first = customer.get(&path).await.expect(200);
    let mut vendor = market.vendor.clone();
    let ship = format!("{path}/fulfilments/{}/ship", market.vendor_id);
    vendor.post(&ship, json!({ "carrier": "G4S" })).await.ok();
    let customer = customer.after(&vendor);
    assert_eq!(customer.get(&path).await.expect(200)["status"], "shipped");

    let then = text(&placed["placed_at"]);
    let as_of = |moment: &str| format!("{path}?as_of={moment}");
    assert_eq!(customer.get(&as_of(&then)).await.expect(200), at_first);
    let seller = vendor.get(&as_of(&then)).await.expect(200);
    assert_eq!(seller["status"], "confirmed");
    let later = customer.get(&as_of("2100-01-01T00:00:00Z")).await;
    assert_eq!(later.expect(200)["fulfilments"][0]["carrier"], "G4S");
    let before = customer.get(&as_of("2020-01-01T00:00:00Z")).await;
    before.expect_problem(404, "not-found");
    let wrong = customer.get(&as_of("yesterday")).await;
    wrong.expect_problem(422, "validation");
    let stranger = soko.person("stranger").await;
    stranger
        .get(&as_of(&then))
        .await
        .expect_problem(404, "not-found");
}

#[tokio::test]
async fn what_an_order_may_also_say_is_taken_or_refused_by_name() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let mut order = market.order_of(&[(&mug, 1)]);
    order["payment"] = json!({
        "provider": "cash_on_delivery", "phone": "+254712345678",
        "return_url": "https://shop.example/thanks",
    });
    order["coupon"] = Value::Null;
    order["shipping_method_id"] = Value::Null;
    customer.post("/orders", order.clone()).await.expect(201);
    for (field, value) in [
        ("coupon", json!("KARIBU")),
        ("shipping_method_id", json!(market.store_id)),
    ] {
        let mut order = order.clone();
        order[field] = value;
        let refused = customer.post("/orders", order).await;
        let problem = refused.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn what_is_called_off_can_be_sold_again() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Last Mug", 500, 1).await;
    let mut amina = soko.person("amina").await;
    let mut brian = soko.person("brian").await;
    let order = market.order_of(&[(&mug, 1)]);
    let placed = amina.post("/orders", order.clone()).await.expect(201);
    let refused = brian.post("/orders", order.clone()).await;
    let problem = refused.expect_problem(409, "out-of-stock");
    assert_eq!(problem["lines"][0]["variant_id"], mug.variant_id);
    let cancel = format!("/orders/{}/cancel", text(&placed["order_id"]));
    brian
        .post(&cancel, json!({}))
        .await
        .expect_problem(404, "not-found");
    let cancelled = amina.post(&cancel, json!({})).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
    // Asked again, it changes nothing.
    assert_eq!(
        amina.post(&cancel, json!({})).await.ok()["status"],
        "cancelled"
    );
    let again = brian.post("/orders", order).await.expect(201);
    let again = format!("/orders/{}/cancel", text(&again["order_id"]));
    let mut owner = market.owner.clone();
    owner
        .post(&again, json!({ "reason": "out of town" }))
        .await
        .ok();
    check_everything(&soko).await;
}

#[tokio::test]
async fn each_list_has_the_orders_of_its_scope_and_a_walk_sees_each_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100).await;
    let other = Market::open(&soko).await;
    let mut amina = soko.person("amina").await;
    let mut brian = soko.person("brian").await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        let answer = amina
            .post("/orders", market.order_of(&[(&mug, 1)]))
            .await
            .expect(201);
        placed.push(text(&answer["order_id"]));
    }
    brian
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let ids = |items: Vec<Value>| -> Vec<String> {
        items.iter().map(|item| text(&item["order_id"])).collect()
    };
    let mine = ids(amina.after(&brian).walk("/orders", 3).await);
    let newest_first: Vec<_> = placed.iter().rev().cloned().collect();
    assert_eq!(mine, newest_first);
    let of_store = format!("/orders?store={}", market.store_id);
    let of_vendor = format!("/orders?vendor={}", market.vendor_id);
    assert_eq!(market.owner.after(&brian).walk(&of_store, 3).await.len(), 8);
    assert_eq!(
        market.vendor.after(&brian).walk(&of_vendor, 3).await.len(),
        8
    );
    for stranger in [&amina, &other.owner, &other.vendor] {
        stranger
            .get(&of_store)
            .await
            .expect_problem(404, "not-found");
        stranger
            .get(&of_vendor)
            .await
            .expect_problem(404, "not-found");
    }
    assert_eq!(other.vendor.walk("/orders", 3).await, Vec::<Value>::new());
    soko.guest()
        .get("/orders")
        .await
        .expect_problem(401, "unauthenticated");
    let page = amina.get("/orders?limit=3").await.expect(200);
    let foreign = format!("{of_store}&cursor={}", text(&page["next_cursor"]));
    market
        .owner
        .get(&foreign)
        .await
        .expect_problem(400, "bad-cursor");
}

#[tokio::test]
async fn a_vendor_sees_an_order_as_soon_as_its_buyer_was_answered() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 100).await;
    let mut amina = soko.person("amina").await;
    let of_vendor = format!("/orders?vendor={}", market.vendor_id);
    for placed in 1..=20 {
        let order = market.order_of(&[(&mug, 1)]);
        amina.post("/orders", order).await.expect(201);
        let seen = market.vendor.after(&amina).walk(&of_vendor, 50).await;
        assert_eq!(seen.len(), placed);
    }
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_by_name() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let draft = draft(&mut market).await;
    let other = {
        let mut other = Market::open(&soko).await;
        other.product("Elsewhere", 500, 10).await
    };
    let mut customer = soko.person("customer").await;
    for product in [&draft, &other] {
        let refused = customer
            .post("/orders", market.order_of(&[(product, 1)]))
            .await;
        let problem = refused.expect_problem(409, "state-conflict");
        assert!(
            problem.to_string().contains(&product.variant_id),
            "{problem}"
        );
    }
    let good = market.order_of(&[(&mug, 1)]);
    for (field, wrong) in [
        ("lines", json!([])),
        ("cart", json!(true)),
        ("payment", json!({ "provider": "mpesa" })),
        ("payment", json!({ "provider": "shells" })),
        ("shipping_address", json!({ "name": "x" })),
        ("store_id", json!("nairobi")),
        ("surprise", json!(1)),
    ] {
        let mut body = good.clone();
        body[field] = wrong;
        customer
            .post("/orders", body)
            .await
            .expect_problem(422, "validation");
    }
    let mut nowhere = good.clone();
    nowhere["store_id"] = json!("018f0000-0000-7000-8000-000000000000");
    customer
        .post("/orders", nowhere)
        .await
        .expect_problem(404, "not-found");
    let mut cart = good.clone();
    cart.as_object_mut().unwrap().remove("lines");
    cart["cart"] = json!(true);
    customer
        .post("/orders", cart)
        .await
        .expect_problem(409, "state-conflict");
    customer.post("/orders", good).await.expect(201);
    check_everything(&soko).await;
}

async fn draft(market: &mut Market) -> Product {
    let product = market.product("Draft", 500, 10).await;
    let mut vendor = market.vendor.clone();
    let path = format!("/products/{}/unpublish", product.product_id);
    vendor.post(&path, json!({})).await.ok();
    product
}

fn money(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "KES" })
}
