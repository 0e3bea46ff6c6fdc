//! Registering, logging in, staying in, and leaving.

use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::soko::{PASSWORD, Person, Soko, code, problem};

async fn refresh(soko: &Soko, token: &str) -> reqwest::Response {
    soko.post("/api/v1/auth/refresh", json!({ "refresh_token": token }))
        .await
}

async fn refreshed(soko: &Soko, token: &str) -> String {
    successor_in(refresh(soko, token).await).await
}

async fn refreshed_with_key(soko: &Soko, token: &str, key: &str) -> String {
    let request = soko
        .request(Method::POST, "/api/v1/auth/refresh")
        .header("idempotency-key", key)
        .json(&json!({ "refresh_token": token }));
    successor_in(request.send().await.unwrap()).await
}

async fn successor_in(response: reqwest::Response) -> String {
    assert_eq!(response.status(), 200);
    let tokens: Value = response.json().await.unwrap();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

async fn is_logged_in(soko: &Soko, person: &Person) -> bool {
    soko.get_as(person, "/api/v1/me").await.status() == StatusCode::OK
}

#[tokio::test]
async fn whoever_registers_can_log_in_and_sees_who_they_are() {
    let soko = Soko::start().await;
    let body = json!({
        "email": "Amina@Example.com", "password": PASSWORD, "name": "Amina", "phone": "+254712345678",
    });
    let registered = soko.post("/api/v1/auth/register", body).await;
    assert_eq!(registered.status(), 201);
    assert!(registered.headers().contains_key("soko-position"));
    let registered: Value = registered.json().await.unwrap();
    // Whatever the case; it is shown as it was typed, but for the domain.
    let amina = soko.log_in("aMINA@example.COM").await;
    assert_eq!(registered["account_id"], amina.account_id.as_str());
    let me = soko.get_as(&amina, "/api/v1/me").await;
    assert_eq!(me.headers()["etag"], "\"1\"");
    let me: Value = me.json().await.unwrap();
    assert_eq!(me["email"], "Amina@example.com");
    assert_eq!(
        (&me["name"], &me["phone"]),
        (&json!("Amina"), &json!("+254712345678"))
    );
}

#[tokio::test]
async fn an_e_mail_is_taken_once() {
    let soko = Soko::start().await;
    soko.person("amina").await;
    let body = json!({ "email": "AMINA@example.com", "password": PASSWORD, "name": "Other" });
    let response = soko.post("/api/v1/auth/register", body).await;
    let body = problem(response).await;
    assert_eq!(
        (&body["status"], &body["code"]),
        (&json!(409), &json!("already-exists"))
    );
    assert!(!body.to_string().contains("amina"), "{body}");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM credentials")
        .fetch_one(soko.pool())
        .await
        .unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn the_same_registration_twice_with_one_key_is_one() {
    let soko = Soko::start().await;
    let register = async |password: &str| {
        let request = soko
            .request(Method::POST, "/api/v1/auth/register")
            .header("idempotency-key", "walk-1")
            .json(&json!({ "email": "a@example.com", "password": password, "name": "Amina" }));
        request.send().await.unwrap()
    };
    let first: Value = register(PASSWORD).await.json().await.unwrap();
    let second = register(PASSWORD).await;
    assert_eq!(second.status(), 201);
    assert_eq!(second.headers()["idempotency-replayed"], "true");
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    // The key does not tell whether a password is right.
    assert_eq!(register("another password").await.status(), 201);
    soko.log_in("a@example.com").await;
    assert_eq!(
        soko.try_log_in("a@example.com", "another password")
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn everything_wrong_with_a_registration_is_named() {
    let soko = Soko::start().await;
    let body = json!({ "email": "nobody", "password": 7, "name": "", "role": "admin" });
    let body = problem(soko.post("/api/v1/auth/register", body).await).await;
    let places: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["pointer"])
        .collect();
    assert_eq!(places, ["/email", "/password", "/name", "/role"]);
    for (password, message) in [
        ("short", "must have at least 8 characters"),
        ("password1", "is one of those that are tried first"),
        (
            "amina@example.com",
            "must not be made of the e-mail or the name",
        ),
    ] {
        let body = json!({ "email": "amina@example.com", "password": password, "name": "Amina" });
        let body = problem(soko.post("/api/v1/auth/register", body).await).await;
        assert_eq!(
            body["errors"],
            json!([{ "pointer": "/password", "message": message }])
        );
    }
}

#[tokio::test]
async fn nothing_tells_an_unknown_e_mail_from_a_wrong_password() {
    let soko = Soko::start().await;
    soko.person("amina").await;
    let mut seen = vec![];
    for email in ["amina@example.com", "nobody@example.com"] {
        let began = Instant::now();
        let mut body = problem(soko.try_log_in(email, "not the password").await).await;
        body["instance"].take();
        seen.push((body, began.elapsed()));
    }
    assert_eq!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].0["code"], "unauthenticated");
    // Both took a hash, which takes much longer than anything else.
    assert!(
        seen.iter()
            .all(|(_, elapsed)| *elapsed > Duration::from_millis(10)),
        "{seen:?}"
    );
    let no_email = soko.try_log_in("no e-mail at all", PASSWORD).await;
    assert_eq!(code(no_email).await, (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn guesses_are_slowed_down_before_they_cost_a_hash() {
    let soko = Soko::start().await;
    soko.person("amina").await;
    for email in ["amina@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(
                soko.try_log_in(email, "not the password").await.status(),
                401
            );
        }
        let began = Instant::now();
        let refused = soko.try_log_in(email, PASSWORD).await;
        assert!(refused.headers().contains_key("retry-after"), "{email}");
        assert_eq!(code(refused).await, (429, "rate-limited".to_owned()));
        assert!(
            began.elapsed() < Duration::from_millis(200),
            "{:?}",
            began.elapsed()
        );
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(
        soko.try_log_in("amina@example.com", PASSWORD)
            .await
            .status(),
        200
    );
    // A right one starts the count anew.
    assert_eq!(
        soko.try_log_in("amina@example.com", "not the password")
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_leads_to_the_next() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let second = refreshed(&soko, &amina.refresh_token).await;
    let third = refreshed(&soko, &second).await;
    assert_ne!(second, third);
    // Whoever comes with the first is a thief, or was robbed: nobody can tell which.
    let reused = refresh(&soko, &amina.refresh_token).await;
    assert_eq!(code(reused).await, (401, "unauthenticated".to_owned()));
    assert_eq!(refresh(&soko, &third).await.status(), 401);
    assert!(!is_logged_in(&soko, &amina).await);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_its_session() {
    let soko = Soko::start().await;
    for keys in [None, Some(("first", "second"))] {
        let amina = match keys {
            None => soko.person("amina").await,
            Some(_) => soko.log_in("amina@example.com").await,
        };
        let second = match keys {
            None => refreshed(&soko, &amina.refresh_token).await,
            Some((key, _)) => refreshed_with_key(&soko, &amina.refresh_token, key).await,
        };
        let request = soko
            .request(Method::POST, "/api/v1/auth/refresh")
            .json(&json!({ "refresh_token": amina.refresh_token }));
        let request = match keys {
            None => request,
            Some((_, other)) => request.header("idempotency-key", other),
        };
        let again = request.send().await.unwrap();
        assert_eq!(code(again).await, (401, "unauthenticated".to_owned()));
        assert_eq!(refresh(&soko, &second).await.status(), 401);
        assert!(!is_logged_in(&soko, &amina).await);
    }
}

#[tokio::test]
async fn who_lost_the_answer_gets_the_same_again_for_the_same_key() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let second = refreshed_with_key(&soko, &amina.refresh_token, "try-1").await;
    let again = refreshed_with_key(&soko, &amina.refresh_token, "try-1").await;
    assert_eq!(again, second);
    assert_eq!(refresh(&soko, &second).await.status(), 200);
}

#[tokio::test]
async fn fifty_refreshes_at_once_have_one_successor() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let all = (0..50).map(|_| refreshed_with_key(&soko, &amina.refresh_token, "once"));
    let mut successors = join_all(all).await;
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

/// Whoever has one token, and be it a thief, does not have the connections of everybody.
#[tokio::test]
async fn refreshes_of_one_session_that_wait_hold_nobody_else_up() {
    let settings = [
        ("SOKO_RATE_LIMITS", "off"),
        ("SOKO_DATABASE_CONNECTIONS", "4"),
    ];
    let soko = Soko::with(&settings).await;
    let (amina, wanjiru) = (soko.person("amina").await, soko.person("wanjiru").await);
    let mut held = soko.pool().begin().await.unwrap();
    sqlx::query("SELECT 1 FROM sessions FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let refreshes = (0..20).map(|_| refreshed_with_key(&soko, &amina.refresh_token, "once"));
    let other_things = async {
        // By then all of them wait.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let sessions = soko.get_as(&wanjiru, "/api/v1/me/sessions").await;
        assert_eq!(sessions.status(), 200);
        held.rollback().await.unwrap();
    };
    let (all, ()) = join(join_all(refreshes), other_things).await;
    assert!(all.iter().all(|token| *token == all[0]), "{all:?}");
}

#[tokio::test]
async fn refresh_tokens_are_kept_as_hashes_only() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let second = refreshed(&soko, &amina.refresh_token).await;
    let dump: String = sqlx::query_scalar(
        "SELECT string_agg(t::text, '') || (SELECT string_agg(s::text, '') FROM sessions s) \
         FROM refresh_tokens t",
    )
    .fetch_one(soko.pool())
    .await
    .unwrap();
    for token in [&amina.refresh_token, &second] {
        use base64::Engine;
        let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(token)
            .unwrap();
        assert!(!dump.contains(token.as_str()) && !dump.contains(&hex::encode(raw)));
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let long = "a".repeat(8_000);
    for token in [
        "",
        "a",
        &"A".repeat(43),
        long.as_str(),
        amina.token.as_str(),
    ] {
        assert_eq!(
            code(refresh(&soko, token).await).await,
            (401, "unauthenticated".to_owned())
        );
    }
    // Nor is one of these an access token.
    let as_access = Person {
        token: amina.refresh_token.clone(),
        ..amina.clone()
    };
    assert!(!is_logged_in(&soko, &as_access).await && is_logged_in(&soko, &amina).await);
}

#[tokio::test]
async fn a_log_out_counts_at_once_and_everywhere() {
    let soko = Soko::start().await;
    let other = soko.another(&[]).await;
    let amina = soko.person("amina").await;
    let elsewhere = soko.log_in("amina@example.com").await;
    assert!(is_logged_in(&other, &amina).await);
    let logout = soko.post_as(&amina, "/api/v1/auth/logout", json!({})).await;
    assert_eq!(logout.status(), 204);
    assert!(!is_logged_in(&soko, &amina).await);
    assert_eq!(refresh(&soko, &amina.refresh_token).await.status(), 401);
    assert!(is_logged_in(&soko, &elsewhere).await);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!is_logged_in(&other, &amina).await);
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let phone = soko.log_in("amina@example.com").await;
    let brian = soko.person("brian").await;
    let sessions: Value = soko
        .get_as(&amina, "/api/v1/me/sessions")
        .await
        .json()
        .await
        .unwrap();
    let items = sessions["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let current: Vec<_> = items
        .iter()
        .map(|item| item["is_current"].as_bool().unwrap())
        .collect();
    assert_eq!(current, [false, true]);
    let phones = format!(
        "/api/v1/me/sessions/{}",
        items[0]["session_id"].as_str().unwrap()
    );
    let not_his = soko
        .send_as(&brian, Method::DELETE, &phones, json!({}))
        .await;
    assert_eq!(code(not_his).await, (404, "not-found".to_owned()));
    assert!(is_logged_in(&soko, &phone).await);
    assert_eq!(
        soko.send_as(&amina, Method::DELETE, &phones, json!({}))
            .await
            .status(),
        204
    );
    assert!(!is_logged_in(&soko, &phone).await && is_logged_in(&soko, &amina).await);
    assert_eq!(
        soko.send_as(&amina, Method::DELETE, &phones, json!({}))
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn another_password_ends_all_other_sessions() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let thief = soko.log_in("amina@example.com").await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        soko.post_as(&amina, "/api/v1/auth/password/change", body)
            .await
    };
    let wrong = problem(change("not the password", "safari ya kesho").await).await;
    assert_eq!(wrong["errors"][0]["pointer"], "/current_password");
    let weak = problem(change(PASSWORD, "12345678").await).await;
    assert_eq!(weak["errors"][0]["pointer"], "/new_password");
    assert!(is_logged_in(&soko, &thief).await);
    assert_eq!(change(PASSWORD, "safari ya kesho").await.status(), 204);
    assert!(!is_logged_in(&soko, &thief).await && is_logged_in(&soko, &amina).await);
    assert_eq!(
        soko.try_log_in("amina@example.com", PASSWORD)
            .await
            .status(),
        401
    );
    assert_eq!(
        soko.try_log_in("amina@example.com", "safari ya kesho")
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn tokens_of_others_are_refused() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let stranger = Soko::start().await;
    assert!(!is_logged_in(&stranger, &amina).await);
    for value in ["Bearer", "Bearer ", "Basic YTpi", "bearer x.y.z", ""] {
        let request = soko
            .request(Method::GET, "/api/v1/me")
            .header("authorization", value);
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(
            code(response).await,
            (401, "unauthenticated".to_owned()),
            "{value}"
        );
    }
    let twice = soko
        .request(Method::GET, "/api/v1/me")
        .header("authorization", format!("Bearer {}", amina.token))
        .header("authorization", format!("Bearer {}", amina.token));
    assert_eq!(twice.send().await.unwrap().status(), 401);
    assert_eq!(
        soko.get(&format!("/api/v1/me?access_token={}", amina.token))
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn an_expired_token_says_so() {
    use soko_api::tokens::Bearer;
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let bearer = Bearer {
        account_id: amina.account_id.parse().unwrap(),
        session_id: uuid::Uuid::now_v7(),
        second_factor_at: None,
    };
    let long_ago = chrono::Utc::now() - chrono::Duration::hours(1);
    let expired = Person {
        token: soko.app.tokens().sign(bearer, long_ago).unwrap(),
        ..amina
    };
    let response = soko.get_as(&expired, "/api/v1/me").await;
    let challenge = response.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(code(response).await, (401, "token-expired".to_owned()));
}

#[tokio::test]
async fn who_needs_no_token_is_not_asked_for_a_good_one() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    for header in ["Bearer ", "Bearer x.y.z"] {
        let request = soko
            .request(Method::POST, "/api/v1/auth/login")
            .header("authorization", header)
            .json(&json!({ "email": "amina@example.com", "password": PASSWORD }));
        assert_eq!(request.send().await.unwrap().status(), 200, "{header}");
    }
    let request = soko
        .request(Method::POST, "/api/v1/auth/refresh")
        .header("authorization", "Bearer x.y.z")
        .json(&json!({ "refresh_token": amina.refresh_token }));
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn all_nodes_share_their_keys_and_publish_them() {
    let soko = Soko::start().await;
    let other = soko.another(&[]).await;
    let amina = soko.person("amina").await;
    assert!(is_logged_in(&other, &amina).await);
    let mut published = vec![];
    for node in [&soko, &other] {
        let response = node.get("/.well-known/jwks.json").await;
        assert!(
            response.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("public")
        );
        published.push(response.json::<Value>().await.unwrap());
    }
    assert_eq!(published[0], published[1]);
    assert_eq!(published[0]["keys"].as_array().unwrap().len(), 1);
    assert!(published[0]["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn keys_are_replaced_in_time_and_old_tokens_stay_good() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    sqlx::query("UPDATE signing_keys SET created_at = now() - interval '91 days'")
        .execute(soko.pool())
        .await
        .unwrap();
    // A new node makes the next key, which it publishes and does not yet use.
    let other = soko.another(&[]).await;
    let keys: Value = other
        .get("/.well-known/jwks.json")
        .await
        .json()
        .await
        .unwrap();
    let ids: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["kid"])
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(is_logged_in(&other, &amina).await);
    let kid_of = |token: &str| {
        use base64::Engine;
        let header = token.split('.').next().unwrap();
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(header)
            .unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()["kid"].clone()
    };
    let old = kid_of(&amina.token);
    assert_eq!(kid_of(&other.log_in("amina@example.com").await.token), old);
    sqlx::query("UPDATE signing_keys SET created_at = created_at - interval '2 hours'")
        .execute(soko.pool())
        .await
        .unwrap();
    let third = soko.another(&[]).await;
    assert_ne!(kid_of(&third.log_in("amina@example.com").await.token), old);
    assert!(is_logged_in(&third, &amina).await);
}

#[tokio::test]
async fn the_first_admin_comes_from_the_settings_once() {
    let settings = [
        ("SOKO_ADMIN_EMAIL", "root@example.com"),
        ("SOKO_ADMIN_PASSWORD", PASSWORD),
        ("SOKO_RATE_LIMITS", "off"),
    ];
    let soko = Soko::with(&settings).await;
    let admin = soko.log_in("root@example.com").await;
    let me: Value = soko
        .get_as(&admin, "/api/v1/me")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(me["platform_roles"], json!(["admin"]));
    let other = soko.another(&settings).await;
    assert_eq!(
        other.log_in("root@example.com").await.account_id,
        admin.account_id
    );
}

#[tokio::test]
async fn a_profile_is_changed_under_the_version_it_was_read_at() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let change = async |version: &str, body: Value| {
        let request = soko
            .request(Method::PATCH, "/api/v1/me")
            .bearer_auth(&amina.token)
            .header("if-match", version)
            .json(&body);
        request.send().await.unwrap()
    };
    let changed = change("\"1\"", json!({ "phone": "+254712345678" })).await;
    assert_eq!(
        (changed.status().as_u16(), &changed.headers()["etag"]),
        (204, &"\"2\"".parse().unwrap())
    );
    let stale = problem(change("\"1\"", json!({ "name": "Amina O" })).await).await;
    assert_eq!(
        (&stale["status"], &stale["actual_version"]),
        (&json!(412), &json!(2))
    );
    assert_eq!(stale["changes"][0]["event"], "account.profile_changed");
    assert_eq!(
        change("\"2\"", json!({ "phone": null })).await.status(),
        204
    );
    let me: Value = soko
        .get_as(&amina, "/api/v1/me")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((&me["name"], &me["phone"]), (&json!("amina"), &Value::Null));
    assert_eq!(
        code(change("7", json!({})).await).await,
        (400, "malformed-header".to_owned())
    );
}
