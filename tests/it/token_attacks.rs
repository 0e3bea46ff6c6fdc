//! What is no access token of this system, over HTTP: on every operation, in every place.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Contract, Market, Operation, Person, Settings, Soko, send, text};
use std::time::Duration;
use tokio::net::TcpListener;

/// Of what there is no such thing.
const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

/// As long as a server might take to look for a key.
const FETCHED_WITHIN: Duration = Duration::from_millis(500);

#[tokio::test]
async fn no_operation_takes_what_is_no_access_token() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let contract = Contract::of(&soko).await;
    let mut tokens = Kinds::collect(&soko).await.all();
    // Looked up while the rest is read, which may be refused first; `api_keys.rs` has these.
    tokens.retain(|(_, token)| !token.starts_with("soko_key_"));
    // Of the same name, but with keys of its own: another installation.
    let elsewhere = Soko::start_with(Settings::of_one_issuer()).await;
    tokens.push(("a token from elsewhere", token_of(&elsewhere.admin().await)));
    let admin = soko.admin().await;
    let (header, claims, signature) = parts(&token_of(&admin));
    let mut unsigned = header.clone();
    unsigned["alg"] = json!("none");
    let mut later = claims.clone();
    later["exp"] = json!(later["exp"].as_i64().unwrap() + 60);
    tokens.extend([
        (
            "unsigned",
            format!("{}.{}.", encode(&unsigned), encode(&claims)),
        ),
        (
            "altered",
            format!("{}.{}.{signature}", encode(&header), encode(&later)),
        ),
        ("nothing", String::new()),
    ]);
    let mut asked = 0;
    for operation in contract.operations() {
        if operation.is_public {
            continue;
        }
        for (what, token) in &tokens {
            let answer = send(request(&admin.with_token(token), &operation)).await;
            let of_it = format!("{what} at {} {}", operation.method, operation.path);
            assert_eq!(answer.status, 401, "{of_it}: {}", answer.text);
            answer.expect_problem(401, "unauthenticated");
            asked += 1;
        }
    }
    assert!(asked > 500, "{asked}");
}

#[tokio::test]
async fn what_opens_one_thing_opens_nothing_else() {
    let soko = Soko::start().await;
    let kinds = Kinds::collect(&soko).await;
    let guest = &kinds.guest;
    for (what, token) in kinds.all() {
        let body = json!({ "refresh_token": token });
        let refreshed = guest.clone().post("/auth/refresh", body).await;
        let order = guest.with_header("X-Order-Token", &token);
        let order = order.get(&format!("/orders/{}", kinds.order_id)).await;
        let accept = format!("/invitations/{token}/accept");
        let accepted = kinds.customer.clone().post(&accept, json!({})).await;
        match what {
            "a refresh token" => _ = refreshed.expect(200),
            _ => _ = refreshed.expect_problem(401, "unauthenticated"),
        }
        match what {
            "an order's token" => _ = order.expect(200),
            // No token that we gave has such a form.
            _ if order.status == 400 => _ = order.expect_problem(400, "malformed-header"),
            _ => _ = order.expect_problem(404, "not-found"),
        }
        // Not even the invitation, which is somebody else's.
        accepted.expect_problem(404, "not-found");
    }
    let access = token_of(&kinds.customer);
    let body = json!({ "refresh_token": access });
    let refreshed = guest.clone().post("/auth/refresh", body).await;
    refreshed.expect_problem(401, "unauthenticated");
    let accept = format!("/invitations/{access}/accept");
    let accepted = kinds.customer.clone().post(&accept, json!({})).await;
    accepted.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_token_is_heard_in_its_header_only() {
    let soko = Soko::start().await;
    let (amina, other) = (soko.person("amina").await, soko.person("other").await);
    let (guest, token) = (soko.guest(), token_of(&amina));
    for query in ["access_token", "token", "bearer", "authorization", "jwt"] {
        let path = format!("/me?{query}={token}");
        guest
            .get(&path)
            .await
            .expect_problem(401, "unauthenticated");
        let me = other.get(&path).await;
        // Whose token is in the header, or nobody: never the one of the address.
        if me.status == 200 {
            assert_eq!(me.expect(200)["email"], other.email, "{query}");
        } else {
            me.expect_problem(422, "validation");
        }
    }
    for (name, value) in [
        (
            "Cookie",
            format!("access_token={token}; token={token}; session={token}"),
        ),
        ("X-Access-Token", token.clone()),
        ("X-Auth-Token", token.clone()),
        ("X-Api-Key", token.clone()),
        ("X-Authorization", format!("Bearer {token}")),
        ("X-Forwarded-Authorization", format!("Bearer {token}")),
        ("Proxy-Authorization", format!("Bearer {token}")),
        ("X-Cart-Token", token.clone()),
        ("X-Order-Token", token.clone()),
        ("X-Account-Id", amina.account_id.clone().unwrap()),
        ("X-Forwarded-User", amina.email.clone()),
    ] {
        let as_guest = guest.with_header(name, &value).get("/me").await;
        as_guest.expect_problem(401, "unauthenticated");
        let as_other = other.with_header(name, &value).get("/me").await;
        if as_other.status == 200 {
            assert_eq!(as_other.expect(200)["email"], other.email, "{name}");
        } else {
            as_other.expect_problem(400, "malformed-header");
        }
    }
    let body = json!({ "access_token": token });
    let by_body = guest.clone().post("/tenants", body).await;
    by_body.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn of_two_tokens_none_is_believed() {
    let soko = Soko::start().await;
    let (amina, other) = (soko.person("amina").await, soko.person("other").await);
    let bearer = |person: &Person| format!("Bearer {}", token_of(person));
    let twice = amina.with_header("Authorization", &bearer(&other));
    let same = amina.with_header("Authorization", &bearer(&amina));
    let empty = amina.with_header("Authorization", "");
    for person in [twice, same, empty] {
        person
            .get("/me")
            .await
            .expect_problem(401, "unauthenticated");
    }
    let guest = soko.guest();
    for value in [
        format!("{}, {}", bearer(&amina), bearer(&other)),
        format!("{} {}", bearer(&amina), token_of(&other)),
        format!("Basic {}", token_of(&amina)),
        format!("DPoP {}", token_of(&amina)),
        format!("Bearer  {}", token_of(&amina)),
        format!("Bearer\t{}", token_of(&amina)),
        format!("Bearer:{}", token_of(&amina)),
        format!("Bearer \"{}\"", token_of(&amina)),
        format!("Token {}", token_of(&amina)),
        token_of(&amina),
    ] {
        let answer = guest.with_header("Authorization", &value).get("/me").await;
        assert_eq!(answer.status, 401, "{value}");
        answer.expect_problem(401, "unauthenticated");
    }
    let lower = format!("bearer {}", token_of(&amina));
    let lower = guest.with_header("Authorization", &lower);
    lower.get("/me").await.expect(200);
}

#[tokio::test]
async fn nothing_that_a_token_points_at_is_fetched() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let sink = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/jwks.json", sink.local_addr().unwrap());
    let (header, claims, signature) = parts(&token_of(&amina));
    for (name, value) in [
        ("jku", json!(address)),
        ("x5u", json!(address)),
        ("kid", json!(address)),
        (
            "jwk",
            json!({ "kty": "OKP", "jku": address, "x5u": address }),
        ),
        ("iss", json!(address)),
    ] {
        let (mut header, mut claims) = (header.clone(), claims.clone());
        header[name] = value.clone();
        claims[name] = value;
        let token = format!("{}.{}.{signature}", encode(&header), encode(&claims));
        let refused = amina.with_token(&token).get("/me").await;
        refused.expect_problem(401, "unauthenticated");
    }
    let called = tokio::time::timeout(FETCHED_WITHIN, sink.accept()).await;
    assert!(called.is_err(), "somebody came for a key: {called:?}");
}

#[tokio::test]
async fn each_log_in_is_a_session_of_its_own() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let first = (amina.clone(), sid(&amina));
    let email = amina.email.clone();
    // With the first one's token: nobody goes on in a session that was there before.
    amina.log_in(&email, "a long enough password").await;
    assert_ne!(sid(&amina), first.1);
    first
        .0
        .clone()
        .post("/auth/logout", json!({}))
        .await
        .expect(204);
    amina.get("/me").await.expect(200);
    let refused = first.0.get("/me").await;
    refused.expect_problem(401, "unauthenticated");
    let body = json!({ "refresh_token": first.0.refresh_token });
    let refused = soko.guest().post("/auth/refresh", body).await;
    refused.expect_problem(401, "unauthenticated");
}

/// Everything that opens something, and is no access token.
struct Kinds {
    customer: Person,
    /// Who placed the orders.
    guest: Person,
    refresh_token: String,
    invitation: String,
    order_id: String,
    order_token: String,
    order_token_of_another: String,
}

impl Kinds {
    async fn collect(soko: &Soko) -> Self {
        let mut market = Market::open(soko).await;
        let mug = market.product("Mug", 500, 10).await;
        let (customer, invited) = (soko.person("customer").await, soko.person("invited").await);
        let invitation = json!({ "email": invited.email, "role": "viewer" });
        let members = format!("/vendors/{}/members", market.vendor_id);
        let invitation = market.vendor.post(&members, invitation).await.expect(201);
        let mut order = market.order_of(&[(&mug, 1)]);
        order["email"] = json!("guest@soko.test");
        let mut guest = soko.guest();
        let placed = guest.post("/orders", order.clone()).await.expect(201);
        let another = guest.post("/orders", order).await.expect(201);
        Self {
            refresh_token: customer.refresh_token.clone().unwrap(),
            customer,
            guest,
            invitation: text(&invitation["token"]),
            order_id: text(&placed["order_id"]),
            order_token: text(&placed["guest_token"]),
            order_token_of_another: text(&another["guest_token"]),
        }
    }

    fn all(&self) -> Vec<(&'static str, String)> {
        vec![
            ("a refresh token", self.refresh_token.clone()),
            ("an invitation", self.invitation.clone()),
            ("an order's token", self.order_token.clone()),
            ("another order's token", self.order_token_of_another.clone()),
            ("a cart's token", "c".repeat(43)),
            ("an id", self.customer.account_id.clone().unwrap()),
            ("a session", sid(&self.customer)),
            (
                "the mark of a key",
                format!("soko_key_{}", self.refresh_token),
            ),
        ]
    }
}

/// The operation, on something that is not there.
fn request(person: &Person, operation: &Operation) -> reqwest::RequestBuilder {
    let steps = operation.path.split('/');
    let steps = steps.map(|step| if step.starts_with('{') { NOBODY } else { step });
    let path = steps.collect::<Vec<_>>().join("/");
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let request = person.request(method, &format!("/{path}"));
    request.header("Idempotency-Key", "one").json(&json!({}))
}

fn token_of(person: &Person) -> String {
    person.token().unwrap().to_owned()
}

fn sid(person: &Person) -> String {
    text(&parts(&token_of(person)).1["sid"])
}

/// Header, claims, signature.
fn parts(token: &str) -> (Value, Value, String) {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token} is no JWT");
    };
    (decode(header), decode(claims), signature.to_owned())
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}
