//! A code of an authenticator app beside the password.

use serde_json::{Value, json};
use soko_tests::checkers::catch_up;
use soko_tests::{Answer, Authenticator, Person, Soko, text};

const PASSWORD: &str = "a long enough password";

/// Sets an app up, whose code of this time step is used up by it.
pub(crate) async fn add_to(person: &mut Person, password: &str) -> Authenticator {
    set_up(person, password).await.0
}

async fn set_up(person: &mut Person, password: &str) -> (Authenticator, Vec<String>) {
    let offer = person
        .post("/me/second-factor", json!({ "current_password": password }))
        .await
        .expect(200);
    let app = Authenticator::new(&text(&offer["secret"]));
    let uri = text(&offer["uri"]);
    assert!(uri.starts_with("otpauth://totp/Soko:"), "{uri}");
    let confirmed = confirm(person, &app.code(0)).await.expect(200);
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    (app, codes.iter().map(text).collect())
}

#[tokio::test]
async fn a_password_alone_lets_nobody_in_any_more() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let (app, _) = set_up(&mut amina, PASSWORD).await;
    assert_eq!(amina.get("/me").await.expect(200)["second_factor"], true);

    let refused = log_in(&soko, &amina.email, None).await;
    refused.expect_problem(401, "second-factor-required");
    for wrong in ["000000", "", "12345", "abcd-efgh-jkmn-pq23"] {
        let refused = log_in(&soko, &amina.email, Some(wrong)).await;
        refused.expect_problem(401, "second-factor-required");
    }
    // A wrong password is told first, and as to who has no second factor.
    let wrong = json!({ "email": amina.email, "password": "x".repeat(20), "code": app.code(1) });
    let refused = soko.guest().post("/auth/login", wrong).await;
    refused.expect_problem(401, "unauthenticated");
    let code = app.code(1);
    log_in(&soko, &amina.email, Some(&code)).await.expect(200);
    // Each code is good once.
    let refused = log_in(&soko, &amina.email, Some(&code)).await;
    refused.expect_problem(401, "second-factor-required");
}

#[tokio::test]
async fn nothing_changes_before_a_code_of_the_app_was_shown() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let wrong = json!({ "current_password": "not this one" });
    let refused = amina.post("/me/second-factor", wrong).await;
    assert_eq!(refused_member(refused), "/current_password");
    let refused = confirm(&mut amina, "123456").await;
    refused.expect_problem(409, "state-conflict");

    let password = json!({ "current_password": PASSWORD });
    let offer = amina
        .post("/me/second-factor", password.clone())
        .await
        .expect(200);
    let first = Authenticator::new(&text(&offer["secret"]));
    let offer = amina
        .post("/me/second-factor", password.clone())
        .await
        .expect(200);
    let second = Authenticator::new(&text(&offer["secret"]));
    log_in(&soko, &amina.email, None).await.expect(200);
    assert_eq!(
        refused_member(confirm(&mut amina, &first.code(0)).await),
        "/code"
    );
    confirm(&mut amina, &second.code(0)).await.expect(200);
    let refused = amina.post("/me/second-factor", password).await;
    refused.expect_problem(409, "state-conflict");
    let refused = confirm(&mut amina, &second.code(1)).await;
    refused.expect_problem(409, "state-conflict");
}

#[tokio::test]
async fn sessions_that_never_showed_it_end_when_it_is_added_and_when_it_is_removed() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let elsewhere = log_in(&soko, &amina.email, None).await.expect(200);
    let elsewhere = amina.with_token(&text(&elsewhere["access_token"]));
    elsewhere.get("/me").await.expect(200);
    let (app, codes) = set_up(&mut amina, PASSWORD).await;
    elsewhere
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");

    let remove = |code: &str| json!({ "current_password": PASSWORD, "code": code });
    let refused = amina
        .post("/me/second-factor/remove", remove("000000"))
        .await;
    assert_eq!(refused_member(refused), "/code");
    let other = log_in(&soko, &amina.email, Some(&app.code(1)))
        .await
        .expect(200);
    let other = amina.with_token(&text(&other["access_token"]));
    amina
        .post("/me/second-factor/remove", remove(&codes[0]))
        .await
        .expect(204);
    other
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(amina.get("/me").await.expect(200)["second_factor"], false);
    log_in(&soko, &amina.email, None).await.expect(200);
    for words in [
        "A second factor was added",
        "Your second factor was removed",
    ] {
        soko.letter(&amina.email, words, 1).await;
    }
}

#[tokio::test]
async fn a_recovery_code_opens_once_and_its_owner_is_told() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let (app, codes) = set_up(&mut amina, PASSWORD).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[0].to_uppercase().replace('-', "");
    log_in(&soko, &amina.email, Some(&typed)).await.expect(200);
    let refused = log_in(&soko, &amina.email, Some(&codes[0])).await;
    refused.expect_problem(401, "second-factor-required");
    soko.letter(&amina.email, "9 of them are left", 1).await;

    // Nobody else's are any good.
    let mut juma = soko.person("juma").await;
    set_up(&mut juma, PASSWORD).await;
    let refused = log_in(&soko, &juma.email, Some(&codes[1])).await;
    refused.expect_problem(401, "second-factor-required");

    let code = json!({ "code": app.code(1) });
    let others = amina
        .post("/me/second-factor/recovery-codes", code)
        .await
        .expect(200);
    let refused = log_in(&soko, &amina.email, Some(&codes[1])).await;
    refused.expect_problem(401, "second-factor-required");
    let other = text(&others["recovery_codes"][0]);
    log_in(&soko, &amina.email, Some(&other)).await.expect(200);
}

#[tokio::test]
async fn one_of_fifty_who_show_the_same_code_is_let_in() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let (_, codes) = set_up(&mut amina, PASSWORD).await;
    let all = (0..20).map(|_| log_in(&soko, &amina.email, Some(&codes[0])));
    let answers = futures::future::join_all(all).await;
    let let_in = answers.iter().filter(|answer| answer.status == 200).count();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(let_in, 1, "{statuses:?}");
    assert!(
        statuses
            .iter()
            .all(|status| [200, 401, 429].contains(status)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn who_guesses_at_codes_has_to_wait() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    set_up(&mut amina, PASSWORD).await;
    for _ in 0..5 {
        let refused = log_in(&soko, &amina.email, Some("000000")).await;
        refused.expect_problem(401, "second-factor-required");
    }
    let refused = log_in(&soko, &amina.email, Some("000000")).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn what_a_thief_would_do_first_asks_for_a_fresh_code() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let key = || json!({ "name": "till", "permissions": ["view_stock"] });
    // Who has no second factor is not asked for one.
    amina.post("/api-keys", key()).await.expect(201);
    let (app, codes) = set_up(&mut amina, PASSWORD).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another long password" });
    for (path, body) in [("/api-keys", key()), ("/auth/password/change", change)] {
        let refused = amina.post(path, body).await;
        refused.expect_problem(403, "step-up-required");
    }
    let refused = amina.delete("/me").await;
    refused.expect_problem(403, "step-up-required");

    let refused = amina
        .post("/auth/step-up", json!({ "code": "000000" }))
        .await;
    assert_eq!(refused_member(refused), "/code");
    let code = json!({ "code": app.code(1) });
    let stepped_up = amina.post("/auth/step-up", code).await.expect(200);
    let mut amina = amina.with_token(&text(&stepped_up["access_token"]));
    amina.post("/api-keys", key()).await.expect(201);

    // A log-in with a code has shown it, and what comes of its refresh token has not forgotten.
    let tokens = log_in(&soko, &amina.email, Some(&codes[0]))
        .await
        .expect(200);
    let mut fresh = amina.with_token(&text(&tokens["access_token"]));
    fresh.post("/api-keys", key()).await.expect(201);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let tokens = soko
        .guest()
        .post("/auth/refresh", refresh)
        .await
        .expect(200);
    let mut later = amina.with_token(&text(&tokens["access_token"]));
    later.post("/api-keys", key()).await.expect(201);
}

#[tokio::test]
async fn its_secrets_lie_nowhere_in_the_clear_and_go_with_who_is_erased() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let offer = amina
        .post("/me/second-factor", json!({ "current_password": PASSWORD }))
        .await
        .expect(200);
    let app = Authenticator::new(&text(&offer["secret"]));
    let confirmed = confirm(&mut amina, &app.code(0)).await.expect(200);
    let code = text(&confirmed["recovery_codes"][0]);
    let rows = rows_of(&soko).await;
    assert!(!rows.is_empty());
    for secret in [text(&offer["secret"]), code.clone(), code.replace('-', "")] {
        assert!(!rows.contains(&secret), "{secret}");
        assert!(!soko.log().contains(&secret), "{secret}");
    }
    let code = json!({ "code": app.code(1) });
    let stepped_up = amina.post("/auth/step-up", code).await.expect(200);
    let mut amina = amina.with_token(&text(&stepped_up["access_token"]));
    catch_up(&soko).await;
    amina.delete("/me").await.expect(200);
    assert_eq!(rows_of(&soko).await, "");
}

/// All that is kept of second factors.
async fn rows_of(soko: &Soko) -> String {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT t::text FROM second_factors t UNION ALL SELECT t::text FROM recovery_codes t",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    rows.join("\n")
}

async fn confirm(person: &mut Person, code: &str) -> Answer {
    person
        .post("/me/second-factor/confirm", json!({ "code": code }))
        .await
}

async fn log_in(soko: &Soko, email: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "email": email, "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = Value::from(code);
    }
    soko.guest().post("/auth/login", body).await
}

fn refused_member(answer: Answer) -> String {
    let problem = answer.expect_problem(422, "validation");
    text(&problem["errors"][0]["pointer"])
}
