//! Businesses and their stores.

use serde_json::json;
use soko_tests::{Market, Soko, text};

#[tokio::test]
async fn a_business_and_its_stores_are_seen_by_its_own_people_only() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let other = Market::open(&soko).await;
    let tenant = format!("/tenants/{}", market.tenant_id);
    assert_eq!(
        market.owner.get(&tenant).await.expect(200)["name"],
        "Maduka"
    );
    for stranger in [&other.owner, &other.vendor, &market.vendor] {
        let answer = stranger.get(&tenant).await;
        answer.expect_problem(404, "not-found");
    }
    let members = format!("/stores/{}/members", market.store_id);
    other
        .owner
        .get(&members)
        .await
        .expect_problem(404, "not-found");
    // What a store is called is public.
    let store = format!("/stores/{}", market.store_id);
    assert_eq!(
        soko.guest().get(&store).await.expect(200)["currency"],
        "KES"
    );
}

#[tokio::test]
async fn a_store_is_found_by_its_slug_which_no_other_can_take() {
    let soko = Soko::start().await;
    let market = Market::open_with(&soko, json!({ "slug": "duka-la-kwanza" })).await;
    let found = soko.guest().get("/stores/duka-la-kwanza").await.expect(200);
    assert_eq!(found["store_id"], market.store_id);
    let mut owner = market.owner.clone();
    let body = json!({
        "tenant_id": market.tenant_id, "slug": "duka-la-kwanza", "name": "Second",
        "currency": "USD", "country": "ZW", "time_zone": "Africa/Harare",
        "prices_include_tax": false, "tax_rate_bps": 1550,
        "payment_methods": ["cash_on_delivery"], "commission_bps": 500,
    });
    let refused = owner.post("/stores", body.clone()).await;
    refused.expect_problem(409, "already-exists");
    for (field, wrong) in [
        ("currency", json!("XXQ")),
        ("time_zone", json!("Mars/Olympus")),
        ("tax_rate_bps", json!(10_001)),
        ("payment_methods", json!([])),
        ("slug", json!("Not A Slug")),
    ] {
        let mut body = body.clone();
        body["slug"] = json!("another");
        body[field] = wrong;
        let problem = owner
            .post("/stores", body)
            .await
            .expect_problem(422, "validation");
        let pointer = &problem["errors"][0]["pointer"];
        assert!(text(pointer).starts_with(&format!("/{field}")), "{problem}");
    }
}

#[tokio::test]
async fn a_stale_change_is_refused_with_what_has_changed_since() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let path = format!("/tenants/{}", market.tenant_id);
    let mut owner = market.owner.clone();
    let tag = owner.get(&path).await.header("etag").unwrap().to_owned();
    let mut first = owner.with_header("If-Match", &tag);
    first
        .patch(&path, json!({ "name": "Maduka Mapya" }))
        .await
        .ok();
    let stale = first
        .patch(&path, json!({ "name": "Maduka Ya Kale" }))
        .await;
    let problem = stale.expect_problem(412, "precondition-failed");
    assert!(
        problem["changes"].to_string().contains("renamed"),
        "{problem}"
    );
    assert_eq!(owner.get(&path).await.expect(200)["name"], "Maduka Mapya");
    let unread = owner.with_header("If-None-Match", &tag).get(&path).await;
    assert_eq!(unread.status, 200);
    let tag = unread.header("etag").unwrap().to_owned();
    assert_eq!(
        owner
            .with_header("If-None-Match", &tag)
            .get(&path)
            .await
            .status,
        304
    );
    owner
        .patch(&path, json!({ "name": "" }))
        .await
        .expect_problem(422, "validation");
}

#[tokio::test]
async fn who_is_taken_out_of_a_store_has_no_say_in_it_any_more() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let staff = soko.person("staff").await;
    let members = format!("/stores/{}/members", market.store_id);
    staff.get(&members).await.expect_problem(404, "not-found");
    owner
        .post(&members, json!({ "email": staff.email, "role": "staff" }))
        .await
        .ok();
    assert!(
        staff
            .get(&members)
            .await
            .expect(200)
            .to_string()
            .contains(&staff.email)
    );
    let account_id = staff.account_id.clone().unwrap();
    let mut member = staff.clone();
    let promoted = member
        .patch(
            &format!("{members}/{account_id}"),
            json!({ "role": "manager" }),
        )
        .await;
    promoted.expect_problem(403, "forbidden");
    owner.delete(&format!("{members}/{account_id}")).await.ok();
    staff.get(&members).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_closed_store_sells_nothing() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let mut owner = market.owner.clone();
    owner
        .delete(&format!("/stores/{}", market.store_id))
        .await
        .ok();
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    customer
        .post("/orders", order)
        .await
        .expect_problem(409, "state-conflict");
}
