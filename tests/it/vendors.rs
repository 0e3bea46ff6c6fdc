//! Those who sell, whom the store lets, and who works for them.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, Soko, text};

#[tokio::test]
async fn a_vendor_sells_only_once_it_is_approved_and_not_while_it_is_suspended() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mut applicant = soko.person("applicant").await;
    let registered = applicant
        .post("/vendors/register", application(&market, &applicant))
        .await;
    let pending = text(&registered.expect(201)["vendor_id"]);
    let product = json!({
        "store_id": market.store_id, "vendor_id": pending, "name": "Too early",
        "variants": [{ "sku": "EARLY-1", "name": "x", "price": { "amount": 1, "currency": "KES" } }],
    });
    let early = applicant.post("/products", product).await;
    assert!(early.status == 409, "{}", early.text);
    let itself = applicant
        .post(&format!("/vendors/{pending}/approve"), json!({}))
        .await;
    itself.expect_problem(403, "forbidden");

    let mug = market.product("Mug", 500, 5).await;
    let mut owner = market.owner.clone();
    let suspend = format!("/vendors/{}/suspend", market.vendor_id);
    owner
        .post(&suspend, json!({ "reason": 7 }))
        .await
        .expect_problem(422, "validation");
    owner
        .post(&suspend, json!({ "reason": "fakes" }))
        .await
        .ok();
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    let refused = customer.post("/orders", order.clone()).await;
    let problem = refused.expect_problem(409, "state-conflict");
    assert!(problem.to_string().contains(&mug.variant_id), "{problem}");
    owner
        .post(
            &format!("/vendors/{}/reinstate", market.vendor_id),
            json!({}),
        )
        .await
        .ok();
    customer.post("/orders", order).await.expect(201);
}

#[tokio::test]
async fn a_command_that_changes_nothing_still_says_where_it_stands() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let approve = format!("/vendors/{}/approve", market.vendor_id);
    // It was approved when the market opened; a body is not needed either.
    let again = owner.post(&approve, json!({})).await;
    assert_eq!(again.status, 204, "{}", again.text);
    let position: i64 = again.header("soko-position").unwrap().parse().unwrap();
    assert!(position > 0);
    owner.get("/tenants").await.expect(200);
    let reject = format!("/vendors/{}/suspend", market.vendor_id);
    let request = owner.request(reqwest::Method::POST, &reject);
    assert_eq!(soko_tests::send(request).await.status, 204);
}

#[tokio::test]
async fn a_team_is_listed_page_by_page() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    for role in ["manager", "staff", "auditor", "analyst", "staff"] {
        let person = soko.person(role).await;
        let body = json!({ "email": person.email, "role": role });
        let path = format!("/stores/{}/members", market.store_id);
        owner.post(&path, body).await.ok();
    }
    let path = format!("/stores/{}/members", market.store_id);
    let all = owner.get(&path).await.expect(200);
    assert_eq!(all["next_cursor"], Value::Null);
    assert_eq!(all["items"].as_array().unwrap().len(), 5);
    assert_eq!(
        json!(owner.walk(&path, 2).await),
        all["items"],
        "the same, two at a time"
    );
    for path in [
        format!("/stores/{}/locations", market.store_id),
        format!("/tenants/{}/members", market.tenant_id),
        format!("/categories?store={}", market.store_id),
        "/me/sessions".to_owned(),
        "/me/memberships".to_owned(),
        "/vendors".to_owned(),
    ] {
        let list = owner.get(&path).await.expect(200);
        assert!(list["items"].is_array(), "{path}: {list}");
        assert!(list.as_object().unwrap().contains_key("next_cursor"));
        owner.walk(&path, 1).await;
        let mark = if path.contains('?') { '&' } else { '?' };
        let wrong = owner.get(&format!("{path}{mark}cursor=AAAA")).await;
        wrong.expect_problem(400, "bad-cursor");
    }
}

#[tokio::test]
async fn who_was_rejected_stays_out() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut applicant = soko.person("applicant").await;
    let registered = applicant
        .post("/vendors/register", application(&market, &applicant))
        .await;
    let vendor = format!("/vendors/{}", text(&registered.expect(201)["vendor_id"]));
    let mut owner = market.owner.clone();
    owner
        .post(
            &format!("{vendor}/reject"),
            json!({ "reason": "no papers" }),
        )
        .await
        .ok();
    assert_eq!(
        applicant.get(&vendor).await.expect(200)["status"],
        "rejected"
    );
    let late = owner.post(&format!("{vendor}/approve"), json!({})).await;
    late.expect_problem(409, "state-conflict");
}

#[tokio::test]
async fn an_invitation_is_accepted_by_whom_it_was_meant_for_and_once() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.vendor.clone();
    let mut helper = soko.person("helper").await;
    let members = format!("/vendors/{}/members", market.vendor_id);
    let invite = json!({ "email": helper.email, "role": "fulfilment" });
    let invited = owner.post(&members, invite).await.expect(201);
    let accept = format!("/invitations/{}/accept", text(&invited["token"]));
    let mut thief = soko.person("thief").await;
    thief
        .post(&accept, json!({}))
        .await
        .expect_problem(404, "not-found");
    let joined = helper.post(&accept, json!({})).await.ok();
    assert_eq!(
        (&joined["vendor_id"], &joined["role"]),
        (&json!(market.vendor_id), &json!("fulfilment"))
    );
    assert!(
        helper
            .get(&members)
            .await
            .expect(200)
            .to_string()
            .contains(&helper.email)
    );
    thief
        .post(&accept, json!({}))
        .await
        .expect_problem(404, "not-found");
    thief.get(&members).await.expect_problem(404, "not-found");
    let invite = json!({ "email": "x@soko.test", "role": "owner" });
    helper
        .post(&members, invite)
        .await
        .expect_problem(403, "forbidden");
    check_everything(&soko).await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.vendor.clone();
    let me = format!(
        "/vendors/{}/members/{}",
        market.vendor_id,
        owner.account_id.clone().unwrap()
    );
    owner
        .delete(&me)
        .await
        .expect_problem(409, "state-conflict");
    let demoted = owner.patch(&me, json!({ "role": "viewer" })).await;
    demoted.expect_problem(409, "state-conflict");
}

fn application(market: &Market, person: &Person) -> Value {
    json!({
        "store_id": market.store_id, "name": "Newcomer", "email": person.email,
        "phone": "+254712345678", "country": "KE",
    })
}
