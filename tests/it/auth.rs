//! Getting in, staying in, and what does not open anything.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Person, Settings, Soko, send, text};

#[tokio::test]
async fn whoever_registers_can_log_in_and_see_themselves() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let me = person.get("/me").await.expect(200);
    assert_eq!(me["email"], person.email);
    assert_eq!(me["account_id"], person.account_id.clone().unwrap());
    soko.guest()
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_e_mail_belongs_to_one_account_however_it_is_written() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let again = json!({
        "email": amina.email.to_uppercase(), "password": "another long password", "name": "A",
    });
    let mut guest = soko.guest();
    let refused = guest.post("/auth/register", again).await;
    refused.expect_problem(409, "already-exists");
    let wrong = json!({ "email": amina.email, "password": "another long password" });
    let refused = guest.post("/auth/login", wrong).await;
    refused.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_after_its_successor_ends_the_whole_session() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let first = amina.refresh_token.clone().unwrap();
    let second = refresh(&soko, &first).await.expect(200);
    let third = refresh(&soko, &text(&second["refresh_token"]))
        .await
        .expect(200);
    let reader = amina.with_token(&text(&third["access_token"]));
    reader.get("/me").await.expect(200);

    refresh(&soko, &first)
        .await
        .expect_problem(401, "unauthenticated");
    let third = refresh(&soko, &text(&third["refresh_token"])).await;
    third.expect_problem(401, "unauthenticated");
    soko.letter(&amina.email, "One of your log-ins was ended", 1)
        .await;
    reader
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn who_logs_out_is_out_everywhere_at_once() {
    let soko = Soko::start_with(Settings::of_one_issuer()).await;
    let node = soko.beside().await;
    let mut amina = soko.person("amina").await;
    amina.at(&node.base()).get("/me").await.expect(200);
    amina.post("/auth/logout", json!({})).await.expect(204);
    amina
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
    // Other processes look once a second.
    let elsewhere = amina.at(&node.base());
    for attempt in 0.. {
        let answer = elsewhere.get("/me").await;
        if answer.status == 401 {
            break;
        }
        assert!(attempt < 50, "{}", answer.text);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn no_altered_token_opens_anything() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let token = amina.token().unwrap().to_owned();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token} is no JWT");
    };
    let unsigned = encode(&json!({ "alg": "none", "typ": "at+jwt" }));
    let mut later = decode(claims);
    later["exp"] = json!(later["exp"].as_i64().unwrap() + 86_400);
    let mut other = decode(claims);
    other["sub"] = json!("018f0000-0000-7000-8000-000000000000");
    for wrong in [
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        format!("{header}.{}.{signature}", encode(&later)),
        format!("{header}.{}.{signature}", encode(&other)),
        format!(
            "{header}.{claims}.{}",
            signature.chars().rev().collect::<String>()
        ),
        format!("{header}.{claims}"),
        "x".repeat(5000),
        String::new(),
    ] {
        let answer = amina.with_token(&wrong).get("/me").await;
        answer.expect_problem(401, "unauthenticated");
    }
    amina.get("/me").await.expect(200);
}

#[tokio::test]
async fn the_published_keys_know_the_key_that_signed() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let token = amina.token().unwrap();
    let header = decode(token.split('.').next().unwrap());
    assert_eq!(header["alg"], "EdDSA");
    let keys = send(soko.guest().request(Method::GET, "//.well-known/jwks.json"))
        .await
        .expect(200);
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!(
        (&key["kty"], &key["crv"]),
        (&json!("OKP"), &json!("Ed25519"))
    );
    assert!(key["x"].is_string() && key.get("d").is_none(), "{key}");
}

#[tokio::test]
async fn no_password_and_no_token_is_ever_logged() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    amina.get("/me").await.expect(200);
    let log = soko.log();
    for secret in [
        amina.token().unwrap(),
        amina.refresh_token.as_deref().unwrap(),
        "a long enough password",
        amina.email.as_str(),
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

async fn refresh(soko: &Soko, token: &str) -> soko_tests::Answer {
    let mut guest: Person = soko.guest();
    let body = json!({ "refresh_token": token });
    guest.post("/auth/refresh", body).await
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}
