//! Tenants, stores, vendors and categories, and who may touch them.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::soko::{Person, Soko, code, problem};

/// A business with a store, and the people around it.
struct Market {
    soko: Soko,
    owner: Person,
    seller: Person,
    stranger: Person,
    tenant: String,
    store: String,
    vendor: String,
}

async fn id(response: Response, name: &str) -> String {
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(status, 201, "{body}");
    body[name].as_str().unwrap().to_owned()
}

fn store_terms(tenant: &str, slug: &str) -> Value {
    json!({
        "tenant_id": tenant, "slug": slug, "name": "Duka", "currency": "KES", "country": "KE",
        "time_zone": "Africa/Nairobi", "prices_include_tax": true, "tax_rate_bps": 1600,
        "payment_methods": ["cash_on_delivery"], "commission_bps": 1000,
    })
}

fn vendor_details(store: &str) -> Value {
    json!({
        "store_id": store, "name": "Pwani Crafts", "email": "crafts@example.com",
        "phone": "+254712345678", "country": "KE",
    })
}

impl Market {
    async fn open() -> Self {
        let soko = Soko::start().await;
        let owner = soko.person("owner").await;
        let seller = soko.person("seller").await;
        let stranger = soko.person("stranger").await;
        let created = soko
            .post_as(&owner, "/api/v1/tenants", json!({ "name": "Pwani Ltd" }))
            .await;
        let tenant = id(created, "tenant_id").await;
        let opened = soko
            .post_as(&owner, "/api/v1/stores", store_terms(&tenant, "duka"))
            .await;
        let store = id(opened, "store_id").await;
        let details = vendor_details(&store);
        let registered = soko
            .post_as(&seller, "/api/v1/vendors/register", details)
            .await;
        let vendor = id(registered, "vendor_id").await;
        Self {
            soko,
            owner,
            seller,
            stranger,
            tenant,
            store,
            vendor,
        }
    }

    async fn get(&self, person: &Person, path: &str) -> Value {
        let response = self.soko.get_as(person, &format!("/api/v1{path}")).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn send(&self, person: &Person, method: Method, path: &str, body: Value) -> Response {
        self.soko
            .send_as(person, method, &format!("/api/v1{path}"), body)
            .await
    }

    async fn post(&self, person: &Person, path: &str, body: Value) -> Response {
        self.send(person, Method::POST, path, body).await
    }
}

#[tokio::test]
async fn a_business_opens_a_store_that_everybody_sees() {
    let market = Market::open().await;
    let by_slug = market.soko.get("/api/v1/stores/duka").await;
    assert_eq!(by_slug.headers()["etag"], "\"1\"");
    let by_slug: Value = by_slug.json().await.unwrap();
    let path = format!("/api/v1/stores/{}", market.store);
    assert_eq!(
        by_slug,
        market.soko.get(&path).await.json::<Value>().await.unwrap()
    );
    assert_eq!(
        (&by_slug["name"], &by_slug["status"]),
        (&json!("Duka"), &json!("open"))
    );
    assert_eq!(by_slug["tax_rate_bps"], 1600);
    for nothing in [
        "/api/v1/stores/none",
        "/api/v1/stores/No%20Slug",
        "/api/v1/stores/%00",
    ] {
        assert_eq!(
            code(market.soko.get(nothing).await).await.0,
            404,
            "{nothing}"
        );
    }
    let path = format!("/stores/{}/locations", market.store);
    let locations = market.get(&market.owner, &path).await;
    assert_eq!(locations["items"][0]["is_main"], true);
    assert_eq!(
        locations["items"][0]["location_id"],
        by_slug["main_location_id"]
    );
}

#[tokio::test]
async fn a_slug_belongs_to_one_store() {
    let market = Market::open().await;
    let again = market
        .post(
            &market.owner,
            "/stores",
            store_terms(&market.tenant, "duka"),
        )
        .await;
    let again = problem(again).await;
    assert_eq!(
        (&again["code"], &again["detail"]),
        (&json!("already-exists"), &json!("this store slug is taken"))
    );
}

#[tokio::test]
async fn the_same_request_with_one_key_opens_one_store() {
    let market = Market::open().await;
    let open = async |body: Value| {
        let request = market
            .soko
            .request(Method::POST, "/api/v1/stores")
            .bearer_auth(&market.owner.token)
            .header("idempotency-key", "open-1")
            .json(&body);
        request.send().await.unwrap()
    };
    let first = open(store_terms(&market.tenant, "soko")).await;
    let location = first.headers()["location"].to_str().unwrap().to_owned();
    let first: Value = first.json().await.unwrap();
    let second = open(store_terms(&market.tenant, "soko")).await;
    assert_eq!(
        (
            second.status().as_u16(),
            &second.headers()["idempotency-replayed"]
        ),
        (201, &"true".parse().unwrap())
    );
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    assert_eq!(
        location,
        format!("/api/v1/stores/{}", first["store_id"].as_str().unwrap())
    );
    assert_eq!(market.soko.get(&location).await.status(), 200);
    let other = open(store_terms(&market.tenant, "other")).await;
    assert_eq!(code(other).await, (422, "idempotency-mismatch".to_owned()));
    let outcome = market.get(&market.owner, "/commands/open-1").await;
    assert_eq!(
        (&outcome["status"], &outcome["outcome"][0]),
        (&json!("succeeded"), &first["store_id"])
    );
    let path = "/api/v1/commands/open-1";
    assert_eq!(
        market.soko.get_as(&market.stranger, path).await.status(),
        404
    );
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let market = Market::open().await;
    let body = store_terms(&market.tenant, "soko");
    let dry = market
        .post(&market.owner, "/stores?dry_run=true", body.clone())
        .await;
    assert_eq!(dry.status(), 200);
    assert!(!dry.headers().contains_key("soko-position"));
    let dry: Value = dry.json().await.unwrap();
    assert_eq!(dry["dry_run"], true);
    assert!(dry["events"].to_string().contains("soko"), "{dry}");
    assert_eq!(market.soko.get("/api/v1/stores/soko").await.status(), 404);
    assert_eq!(
        market.post(&market.owner, "/stores", body).await.status(),
        201
    );
}

#[tokio::test]
async fn a_store_is_changed_in_one_step_or_not_at_all() {
    let market = Market::open().await;
    let path = format!("/stores/{}", market.store);
    let changes = json!({ "name": "Duka Kubwa", "tax_rate_bps": 800, "payment_methods": [] });
    let refused = market
        .send(&market.owner, Method::PATCH, &path, changes)
        .await;
    let refused = problem(refused).await;
    assert_eq!(refused["errors"][0]["pointer"], "/payment_methods");
    let store: Value = market
        .soko
        .get("/api/v1/stores/duka")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(store["name"], "Duka");
    let changes = json!({ "name": "Duka Kubwa", "tax_rate_bps": 800 });
    assert_eq!(
        market
            .send(&market.owner, Method::PATCH, &path, changes)
            .await
            .status(),
        204
    );
    let store: Value = market
        .soko
        .get("/api/v1/stores/duka")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&store["name"], &store["tax_rate_bps"]),
        (&json!("Duka Kubwa"), &json!(800))
    );
    assert_eq!(store["prices_include_tax"], true);
    let zone = market.send(
        &market.owner,
        Method::PATCH,
        &path,
        json!({ "time_zone": "Mars/Base" }),
    );
    assert_eq!(
        problem(zone.await).await["errors"][0]["pointer"],
        "/time_zone"
    );
}

#[tokio::test]
async fn what_lies_outside_of_ones_scope_is_not_there() {
    let market = Market::open().await;
    let Market {
        tenant,
        store,
        vendor,
        ..
    } = &market;
    let unknown = uuid::Uuid::now_v7();
    for (method, path, nowhere, body) in [
        (
            Method::GET,
            format!("/tenants/{tenant}"),
            format!("/tenants/{unknown}"),
            json!({}),
        ),
        (
            Method::PATCH,
            format!("/tenants/{tenant}"),
            format!("/tenants/{unknown}"),
            json!({}),
        ),
        (
            Method::PATCH,
            format!("/stores/{store}"),
            format!("/stores/{unknown}"),
            json!({ "name": "Mine" }),
        ),
        (
            Method::DELETE,
            format!("/stores/{store}"),
            format!("/stores/{unknown}"),
            json!({}),
        ),
        (
            Method::GET,
            format!("/stores/{store}/members"),
            format!("/stores/{unknown}/members"),
            json!({}),
        ),
        (
            Method::GET,
            format!("/vendors/{vendor}"),
            format!("/vendors/{unknown}"),
            json!({}),
        ),
        (
            Method::POST,
            format!("/vendors/{vendor}/approve"),
            format!("/vendors/{unknown}/approve"),
            json!({}),
        ),
    ] {
        let mut answers = vec![];
        for path in [&path, &nowhere] {
            let response = market
                .send(&market.stranger, method.clone(), path, body.clone())
                .await;
            let mut body = problem(response).await;
            assert_eq!(body["status"], 404, "{method} {path}");
            body["instance"].take();
            answers.push(body);
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
        let request = market
            .soko
            .request(method.clone(), &format!("/api/v1{path}"))
            .json(&body);
        assert_eq!(
            request.send().await.unwrap().status(),
            401,
            "{method} {path}"
        );
    }
    let body = store_terms(tenant, "mine");
    assert_eq!(
        market
            .post(&market.stranger, "/stores", body)
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn who_has_a_role_but_not_this_one_is_forbidden() {
    let market = Market::open().await;
    let approve = format!("/vendors/{}/approve", market.vendor);
    let own = market.post(&market.seller, &approve, json!({})).await;
    assert_eq!(code(own).await, (403, "forbidden".to_owned()));
    let add = json!({ "email": "stranger@example.com", "role": "analyst" });
    let path = format!("/stores/{}/members", market.store);
    assert_eq!(market.post(&market.owner, &path, add).await.status(), 204);
    let store = format!("/stores/{}", market.store);
    let change = market.send(
        &market.stranger,
        Method::PATCH,
        &store,
        json!({ "name": "Mine" }),
    );
    assert_eq!(code(change.await).await, (403, "forbidden".to_owned()));
    // And sees what an analyst may see, at once.
    assert_eq!(
        market.get(&market.stranger, &path).await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_role_that_is_taken_away_counts_at_once() {
    let market = Market::open().await;
    let members = format!("/tenants/{}/members", market.tenant);
    let add = json!({ "email": "stranger@example.com", "role": "admin" });
    assert_eq!(
        market.post(&market.owner, &members, add).await.status(),
        204
    );
    assert_eq!(
        market.get(&market.stranger, &members).await["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let his = format!("{members}/{}", market.stranger.account_id);
    assert_eq!(
        market
            .send(&market.owner, Method::DELETE, &his, json!({}))
            .await
            .status(),
        204
    );
    let path = format!("/api/v1{members}");
    assert_eq!(
        market.soko.get_as(&market.stranger, &path).await.status(),
        404
    );
    let own = format!("{members}/{}", market.owner.account_id);
    let last = market
        .send(&market.owner, Method::DELETE, &own, json!({}))
        .await;
    assert_eq!(code(last).await, (409, "state-conflict".to_owned()));
}

#[tokio::test]
async fn a_store_decides_which_vendors_sell() {
    let market = Market::open().await;
    let vendor = format!("/vendors/{}", market.vendor);
    let status = async || market.get(&market.seller, &vendor).await["status"].clone();
    assert_eq!(status().await, "pending");
    for (step, body, expected) in [
        ("approve", json!({}), "approved"),
        ("suspend", json!({ "reason": "complaints" }), "suspended"),
        ("reinstate", json!({}), "approved"),
    ] {
        let response = market
            .post(&market.owner, &format!("{vendor}/{step}"), body)
            .await;
        assert_eq!(response.status(), 204, "{step}");
        assert_eq!(status().await, expected);
    }
    let late = market
        .post(
            &market.owner,
            &format!("{vendor}/reject"),
            json!({ "reason": "no" }),
        )
        .await;
    assert_eq!(code(late).await, (409, "state-conflict".to_owned()));
    let blank = market
        .post(
            &market.owner,
            &format!("{vendor}/suspend"),
            json!({ "reason": " " }),
        )
        .await;
    assert_eq!(problem(blank).await["errors"][0]["pointer"], "/reason");
    let without = market
        .post(&market.owner, &format!("{vendor}/suspend"), json!({}))
        .await;
    assert_eq!(without.status(), 204);
}

#[tokio::test]
async fn nothing_has_to_be_sent_where_nothing_is_needed() {
    let market = Market::open().await;
    let path = format!("/api/v1/vendors/{}/approve", market.vendor);
    let request = market
        .soko
        .request(Method::POST, &path)
        .bearer_auth(&market.owner.token);
    assert_eq!(request.send().await.unwrap().status(), 204);
    let request = market
        .soko
        .request(Method::POST, &path)
        .bearer_auth(&market.owner.token);
    let form = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body("a=b");
    assert_eq!(
        code(form.send().await.unwrap()).await,
        (415, "unsupported-media-type".to_owned())
    );
}

#[tokio::test]
async fn an_invitation_is_for_one_person_once() {
    let market = Market::open().await;
    let members = format!("/vendors/{}/members", market.vendor);
    let invite = json!({ "email": "stranger@example.com", "role": "catalog" });
    let key = async || {
        let request = market
            .soko
            .request(Method::POST, &format!("/api/v1{members}"))
            .bearer_auth(&market.seller.token)
            .header("idempotency-key", "invite-1")
            .json(&invite);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let invited = key().await;
    assert_eq!(
        key().await,
        invited,
        "the same token again for who lost the answer"
    );
    let token = invited["token"].as_str().unwrap();
    let stored: String = sqlx::query_scalar(
        "SELECT string_agg(payload::text, '') || (SELECT string_agg(c::text, '') FROM claims c) FROM events",
    )
    .fetch_one(market.soko.pool())
    .await
    .unwrap();
    assert!(!stored.contains(token));
    let accept = format!("/invitations/{token}/accept");
    let other = market.post(&market.owner, &accept, json!({})).await;
    assert_eq!(code(other).await, (404, "not-found".to_owned()));
    let joined = market.post(&market.stranger, &accept, json!({})).await;
    assert_eq!(joined.status(), 200);
    assert_eq!(joined.json::<Value>().await.unwrap()["role"], "catalog");
    let items = market.get(&market.stranger, &members).await["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    for wrong in ["x", &"A".repeat(64), &format!("{token}A")] {
        let path = format!("/invitations/{wrong}/accept");
        assert_eq!(
            market
                .post(&market.stranger, &path, json!({}))
                .await
                .status(),
            404,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_withdrawn_invitation_opens_nothing() {
    let market = Market::open().await;
    let vendor = format!("/vendors/{}", market.vendor);
    let invite = json!({ "email": "stranger@example.com", "role": "viewer" });
    let invited = market
        .post(&market.seller, &format!("{vendor}/members"), invite)
        .await;
    let invited: Value = invited.json().await.unwrap();
    let pending = market
        .get(&market.seller, &format!("{vendor}/invitations"))
        .await;
    assert_eq!(pending["items"][0]["email"], "stranger@example.com");
    let path = format!(
        "{vendor}/invitations/{}",
        invited["invitation_id"].as_str().unwrap()
    );
    assert_eq!(
        market
            .send(&market.seller, Method::DELETE, &path, json!({}))
            .await
            .status(),
        204
    );
    let accept = format!("/invitations/{}/accept", invited["token"].as_str().unwrap());
    assert_eq!(
        market
            .post(&market.stranger, &accept, json!({}))
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn categories_lie_within_each_other_and_never_within_themselves() {
    let market = Market::open().await;
    let create = async |name: &str, parent: Option<&str>| {
        let body = json!({ "store_id": market.store, "name": name, "parent_id": parent });
        id(
            market.post(&market.owner, "/categories", body).await,
            "category_id",
        )
        .await
    };
    let home = create("Nyumba", None).await;
    let kitchen = create("Jiko", Some(&home)).await;
    let mugs = create("Vikombe", Some(&kitchen)).await;
    let path = format!("/api/v1/categories/{mugs}");
    let category: Value = market.soko.get(&path).await.json().await.unwrap();
    assert_eq!(
        (&category["slug"], &category["parent_id"]),
        (&json!("vikombe"), &json!(kitchen))
    );
    let edit = async |id: &str, body: Value| {
        market
            .send(
                &market.owner,
                Method::PATCH,
                &format!("/categories/{id}"),
                body,
            )
            .await
    };
    let ring = edit(&home, json!({ "parent_id": mugs })).await;
    assert_eq!(problem(ring).await["errors"][0]["pointer"], "/parent_id");
    assert_eq!(
        edit(&mugs, json!({ "parent_id": null, "name": "Mugs" }))
            .await
            .status(),
        204
    );
    let category: Value = market.soko.get(&path).await.json().await.unwrap();
    assert_eq!(
        (&category["name"], &category["parent_id"]),
        (&json!("Mugs"), &Value::Null)
    );
    let again = json!({ "store_id": market.store, "name": "Jiko" });
    assert_eq!(
        code(
            market
                .post(&market.owner, "/categories", again.clone())
                .await
        )
        .await
        .0,
        409
    );
    let path = format!("/categories/{kitchen}");
    assert_eq!(
        market
            .send(&market.stranger, Method::DELETE, &path, json!({}))
            .await
            .status(),
        404
    );
    assert_eq!(
        market
            .send(&market.owner, Method::DELETE, &path, json!({}))
            .await
            .status(),
        204
    );
    // Its name is free again.
    assert_eq!(
        market
            .post(&market.owner, "/categories", again)
            .await
            .status(),
        201
    );
}

#[tokio::test]
async fn lists_show_what_was_just_written_page_by_page() {
    let market = Market::open().await;
    let mut position = String::new();
    for number in 0..4 {
        let slug = format!("store-{number}");
        let opened = market
            .post(&market.owner, "/stores", store_terms(&market.tenant, &slug))
            .await;
        opened.headers()["soko-position"]
            .to_str()
            .unwrap()
            .clone_into(&mut position);
    }
    let list = async |path: &str| {
        let request = market.soko.request(Method::GET, &format!("/api/v1{path}"));
        let request = request.header("soko-min-position", &position);
        let response = request
            .bearer_auth(&market.owner.token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json::<Value>().await.unwrap()
    };
    let (mut seen, mut path) = (vec![], "/stores?limit=2".to_owned());
    loop {
        let page = list(&path).await;
        let slugs = page["items"].as_array().unwrap().iter();
        seen.extend(slugs.map(|store| store["slug"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/stores?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["store-3", "store-2", "store-1", "store-0", "duka"]);
    let other_list = path.replace("/stores?", &format!("/stores?tenant={}&", market.tenant));
    let other_list = market.soko.get(&format!("/api/v1{other_list}")).await;
    assert_eq!(code(other_list).await, (400, "bad-cursor".to_owned()));

    let tenants = list("/tenants").await;
    assert_eq!(
        tenants["items"],
        json!([{ "tenant_id": market.tenant, "name": "Pwani Ltd" }])
    );
    let vendors = list(&format!("/vendors?store={}&status=pending", market.store)).await;
    assert_eq!(vendors["items"][0]["email"], "crafts@example.com");
    assert_eq!(list("/vendors").await["items"], json!([]));
    let memberships = list("/me/memberships").await;
    assert_eq!(
        memberships["items"],
        json!([{ "scope": "tenant", "id": market.tenant, "role": "owner" }])
    );
    let categories = list(&format!("/categories?store={}", market.store)).await;
    assert_eq!(categories, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn lists_keep_to_what_the_caller_may_see() {
    let market = Market::open().await;
    let everything = market.get(&market.stranger, "/tenants").await;
    assert_eq!(everything["items"], json!([]));
    let path = format!("/api/v1/vendors?store={}", market.store);
    let foreign = market.soko.get_as(&market.stranger, &path).await;
    assert_eq!(code(foreign).await, (404, "not-found".to_owned()));
    assert_eq!(market.soko.get("/api/v1/vendors").await.status(), 401);
    let request = market.soko.request(Method::GET, "/api/v1/vendors");
    let position = soko_event_log::LogReader::new(market.soko.pool().clone())
        .head()
        .await
        .unwrap();
    let request = request.header("soko-min-position", position.get());
    let own = request
        .bearer_auth(&market.seller.token)
        .send()
        .await
        .unwrap();
    let own: Value = own.json().await.unwrap();
    assert_eq!(own["items"][0]["vendor_id"], market.vendor.as_str());
}

#[tokio::test]
async fn a_view_that_is_behind_says_so() {
    let soko = Soko::start().await;
    let ask = async |position: &str| {
        let request = soko.request(Method::GET, "/api/v1/stores");
        request
            .header("soko-min-position", position)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(ask("0").await.status(), 200);
    let behind = ask("1000").await;
    assert!(behind.headers().contains_key("retry-after"));
    assert_eq!(code(behind).await, (503, "projection-behind".to_owned()));
    for wrong in ["-1", "x", "1.5", "99999999999999999999"] {
        assert_eq!(
            code(ask(wrong).await).await,
            (400, "malformed-header".to_owned()),
            "{wrong}"
        );
    }
}
