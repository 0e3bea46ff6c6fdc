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
        .post(&suspend, json!({}))
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
