//! What auditors read over HTTP: the events, what they came to, and that they looked.

use serde_json::{Value, json};
use soko_tests::{Market, Soko, text};

#[tokio::test]
async fn an_auditor_reads_what_happened_to_an_order_and_what_it_was_at_each_moment() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let placed = customer
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let order_id = text(&placed["order_id"]);
    let mut vendor = market.vendor.clone();
    let step = |step: &str| format!("/orders/{order_id}/fulfilments/{}/{step}", market.vendor_id);
    vendor.post(&step("pack"), json!({})).await.ok();
    vendor.post(&step("ship"), json!({})).await.ok();

    let mut auditor = soko.person("auditor").await;
    let role = json!({ "email": auditor.email, "role": "auditor" });
    let members = format!("/stores/{}/members", market.store_id);
    market.owner.post(&members, role).await.ok();
    auditor = auditor.after(&market.owner);
    let stream = format!("/audit/streams/order/{order_id}");
    let events = auditor.walk(&stream, 2).await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| text(&event["event_type"]))
        .collect();
    assert_eq!(kinds, ["order.placed", "order.packed", "order.shipped"]);
    let actor = format!("account:{}", customer.account_id.as_deref().unwrap());
    assert_eq!(events[0]["actor"], actor);
    for field in [
        "tenant_id",
        "correlation",
        "recorded_at",
        "payload",
        "metadata",
    ] {
        assert!(!events[0][field].is_null(), "{field}: {}", events[0]);
    }

    let at = |event: &Value| event["position"].as_i64().unwrap();
    let (first, last) = (at(&events[0]), at(&events[2]));
    let state = format!("{stream}/state");
    let now = auditor.get(&state).await.expect(200);
    assert_eq!(
        (&now["sequence"], &now["position"]),
        (&json!(3), &json!(last))
    );
    let then = auditor
        .get(&format!("{state}?position={first}"))
        .await
        .expect(200);
    assert_eq!(then["sequence"], 1);
    let time = text(&events[0]["recorded_at"]);
    let by_time = auditor
        .get(&format!("{state}?as_of={time}"))
        .await
        .expect(200);
    assert_eq!(by_time["state"], then["state"]);
    assert_ne!(now["state"], then["state"]);
    let before = auditor.get(&format!("{state}?position=1")).await;
    before.expect_problem(404, "not-found");
    let both = auditor
        .get(&format!("{state}?position=1&as_of={time}"))
        .await;
    both.expect_problem(422, "validation");

    let diff = auditor
        .get(&format!("{stream}/diff?from={first}&to={last}"))
        .await;
    let changes = diff.expect(200)["changes"].clone();
    assert!(changes.to_string().contains("shipped"), "{changes}");
    let none = auditor.get(&format!("{stream}/diff?from={last}")).await;
    assert_eq!(none.expect(200)["changes"], json!([]));

    let unknown = auditor.get("/audit/streams/nonsense/018f0000-0000-7000-8000-000000000000");
    unknown.await.expect_problem(404, "not-found");
    customer.get(&stream).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn the_trail_of_a_business_is_its_own_and_can_be_followed() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.product("Mug", 500, 10).await;
    let stranger = Market::open(&soko).await;
    let trail = format!("/audit/events?tenant={}", market.tenant_id);
    let events = market.owner.walk(&trail, 3).await;
    assert!(events.len() > 3);
    let positions: Vec<_> = events
        .iter()
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(
        events
            .iter()
            .all(|event| event["tenant_id"] == market.tenant_id.as_str())
    );

    let rest = market
        .owner
        .get(&format!("{trail}&after={}&limit=100", positions[1]))
        .await;
    let rest = rest.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(rest, events.len() - 2);
    let vendor = format!("account:{}", market.vendor.account_id.as_deref().unwrap());
    let by = market
        .owner
        .walk(&format!("{trail}&actor={vendor}"), 100)
        .await;
    assert!(!by.is_empty() && by.len() < events.len());
    let correlation = text(&events[0]["correlation"]);
    let of = market
        .owner
        .walk(&format!("{trail}&correlation={correlation}"), 100)
        .await;
    assert_eq!(of[0], events[0]);

    let foreign = stranger.owner.get(&trail).await;
    foreign.expect_problem(404, "not-found");
    let everything = market.owner.get("/audit/events").await;
    assert!(
        [403, 404].contains(&everything.status),
        "{}",
        everything.text
    );
    let admin = soko.admin().await;
    let all = admin.walk("/audit/events", 100).await;
    assert!(all.len() > events.len());
    assert_eq!(all[0]["position"], 1);
}
