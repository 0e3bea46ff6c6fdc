//! That an e-mail and a phone are somebody's, a password that is forgotten, and what is asked of
//! accounts where strangers can reach them.

use serde_json::{Value, json};
use soko_tests::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Person, Settings, Soko, code_in, text};

const CONFIRM: &str = "confirm your e-mail";
const RESET: &str = "Set another password";
const LONG_PASSWORD: &str = "nyumba ya kijani kibichi";

#[tokio::test]
async fn an_e_mail_is_verified_by_what_was_sent_to_it() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let me = amina.get("/me").await.expect(200);
    assert_eq!(me["email_verified"], false);
    let token = soko.letter(&amina.email, CONFIRM, 1).await.token();

    let mut guest = soko.guest();
    let wrong = format!("{}A", &token[1..]);
    for wrong in [wrong.as_str(), "", "token"] {
        let answer = verify_email(&mut guest, wrong).await;
        assert_eq!(refused_member(answer), "/token");
    }
    verify_email(&mut guest, &token).await.expect(204);
    let me = amina.get("/me").await.expect(200);
    assert_eq!(me["email_verified"], true);
    let answer = verify_email(&mut guest, &token).await;
    assert_eq!(refused_member(answer), "/token");
}

#[tokio::test]
async fn who_asks_again_gets_another_link_and_the_one_before_is_good_no_more() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let first = soko.letter(&amina.email, CONFIRM, 1).await.token();
    let mut guest = soko.guest();
    send_email(&mut guest, &amina.email).await.expect(202);
    let second = soko.letter(&amina.email, CONFIRM, 2).await.token();
    assert_ne!(first, second);
    let answer = verify_email(&mut guest, &first).await;
    assert_eq!(refused_member(answer), "/token");
    verify_email(&mut guest, &second).await.expect(204);

    // There is nothing left to show, so nothing is sent; nor to somebody whom nobody knows.
    send_email(&mut guest, &amina.email).await.expect(202);
    send_email(&mut guest, "nobody@soko.test").await.expect(202);
    // What was asked for before has been dealt with when this arrives.
    forgot(&mut guest, &amina.email).await.expect(202);
    soko.letter(&amina.email, RESET, 1).await;
    assert_eq!(soko.letters(&amina.email, CONFIRM).len(), 2);
    assert!(soko.letters("nobody@soko.test", "").is_empty());
}

#[tokio::test]
async fn a_mail_goes_to_the_address_of_the_account_and_not_to_what_was_typed() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let typed = amina.email.replace("amina", "AMINA");
    forgot(&mut soko.guest(), &typed).await.expect(202);
    soko.letter(&amina.email, RESET, 1).await;
    assert!(soko.letters(&typed, RESET).is_empty());
}

#[tokio::test]
async fn nobody_is_sent_more_mail_than_they_can_stand() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let mut guest = soko.guest();
    let known = mails_until_refused(&mut guest, &amina.email).await;
    let unknown = mails_until_refused(&mut guest, "nobody@soko.test").await;
    // She was written to once when she registered.
    assert_eq!((known, unknown), (4, 5));
}

async fn mails_until_refused(guest: &mut Person, email: &str) -> usize {
    for sent in 0..20 {
        let answer = forgot(guest, email).await;
        if answer.status == 429 {
            answer.expect_problem(429, "rate-limited");
            return sent;
        }
        answer.expect(202);
    }
    panic!("20 mails to {email}");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_and_ends_every_session() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let email = amina.email.clone();
    let mut guest = soko.guest();
    let answers = [&email, "nobody@soko.test"].map(async |email| {
        let mut guest = soko.guest();
        let answer = forgot(&mut guest, email).await;
        (answer.status, answer.text)
    });
    let [known, unknown] = answers;
    assert_eq!(known.await, unknown.await);
    let token = soko.letter(&email, RESET, 1).await.token();

    // A password that is not good enough does not use the link up.
    for poor in ["short", "password1", &email] {
        let answer = reset(&mut guest, &token, poor).await;
        assert_eq!(refused_member(answer), "/new_password");
    }
    reset(&mut guest, &token, LONG_PASSWORD).await.expect(204);
    let answer = reset(&mut guest, &token, "and yet another password").await;
    assert_eq!(refused_member(answer), "/token");

    amina
        .get("/me")
        .await
        .expect_problem(401, "unauthenticated");
    let old = json!({ "email": email, "password": "a long enough password" });
    let refused = guest.post("/auth/login", old).await;
    refused.expect_problem(401, "unauthenticated");
    amina.log_in(&email, LONG_PASSWORD).await;
    // Whoever followed the link has the mailbox.
    let me = amina.get("/me").await.expect(200);
    assert_eq!(me["email_verified"], true);
    soko.letter(&email, "Your password was changed", 1).await;
}

#[tokio::test]
async fn one_of_fifty_who_follow_the_same_link_sets_the_password() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    forgot(&mut soko.guest(), &amina.email).await.expect(202);
    let token = soko.letter(&amina.email, RESET, 1).await.token();
    let all = (0..20).map(|number| {
        let mut guest = soko.guest();
        let token = token.clone();
        async move { reset(&mut guest, &token, &format!("{LONG_PASSWORD} {number}")).await }
    });
    let answers = futures::future::join_all(all).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 204).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| [204, 422, 429].contains(status)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_token_is_good_for_what_it_was_sent_for_alone() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let mut guest = soko.guest();
    forgot(&mut guest, &amina.email).await.expect(202);
    let to_verify = soko.letter(&amina.email, CONFIRM, 1).await.token();
    let to_reset = soko.letter(&amina.email, RESET, 1).await.token();
    let answer = verify_email(&mut guest, &to_reset).await;
    assert_eq!(refused_member(answer), "/token");
    let answer = reset(&mut guest, &to_verify, LONG_PASSWORD).await;
    assert_eq!(refused_member(answer), "/token");
    for token in [&to_verify, &to_reset] {
        let answer = amina.with_token(token).get("/me").await;
        answer.expect_problem(401, "unauthenticated");
        let refresh = json!({ "refresh_token": token });
        let answer = guest.post("/auth/refresh", refresh).await;
        answer.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_phone_is_verified_by_the_code_that_was_sent_to_it() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let none = amina.post("/auth/verify-phone/send", json!({})).await;
    none.expect_problem(409, "state-conflict");
    let phone = "+254712000001";
    amina
        .patch("/me", json!({ "phone": phone }))
        .await
        .expect(204);
    amina
        .post("/auth/verify-phone/send", json!({}))
        .await
        .expect(202);
    let code = code_in(&soko.letter(phone, "is your code", 1).await);
    let me = amina.get("/me").await.expect(200);
    assert_eq!(me["phone_verified"], false);

    // Of another account's it is no code.
    let mut juma = soko.person("juma").await;
    juma.patch("/me", json!({ "phone": phone }))
        .await
        .expect(204);
    assert_eq!(
        refused_member(verify_phone(&mut juma, &code).await),
        "/code"
    );
    verify_phone(&mut amina, &code).await.expect(204);
    assert_eq!(amina.get("/me").await.expect(200)["phone_verified"], true);
    assert_eq!(
        refused_member(verify_phone(&mut amina, &code).await),
        "/code"
    );

    // Another phone is another matter.
    let other = json!({ "phone": "+254712000002" });
    amina.patch("/me", other).await.expect(204);
    assert_eq!(amina.get("/me").await.expect(200)["phone_verified"], false);
}

#[tokio::test]
async fn five_wrong_codes_are_enough_and_text_messages_are_few() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let phone = "+254712000003";
    amina
        .patch("/me", json!({ "phone": phone }))
        .await
        .expect(204);
    amina
        .post("/auth/verify-phone/send", json!({}))
        .await
        .expect(202);
    let code = code_in(&soko.letter(phone, "is your code", 1).await);
    for _ in 0..5 {
        let wrong = if code == "000000" { "000001" } else { "000000" };
        assert_eq!(
            refused_member(verify_phone(&mut amina, wrong).await),
            "/code"
        );
    }
    assert_eq!(
        refused_member(verify_phone(&mut amina, &code).await),
        "/code"
    );

    for _ in 0..2 {
        amina
            .post("/auth/verify-phone/send", json!({}))
            .await
            .expect(202);
    }
    let refused = amina.post("/auth/verify-phone/send", json!({})).await;
    refused.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn where_accounts_are_strict_registering_tells_nobody_who_is_known() {
    let soko = strict().await;
    let email = "amina@soko.test";
    let first = register(&soko, email, LONG_PASSWORD).await;
    let token = soko.letter(email, CONFIRM, 1).await.token();
    let again = register(&soko, email, LONG_PASSWORD).await;
    let other = register(&soko, email, "mvua kubwa ya masika").await;
    for answer in [&first, &again, &other] {
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert!(answer.header("soko-position").is_none());
        assert!(answer.header("idempotency-replayed").is_none());
        let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["account_id"]);
    }
    soko.letter(email, "has an account already", 2).await;

    // Who set the password and who only wanted to is told the same, until the e-mail is verified.
    let mut guest = soko.guest();
    let mut log_in = async |password: &str| {
        let body = json!({ "email": email, "password": password });
        guest.post("/auth/login", body).await
    };
    let mut answers = Vec::new();
    for password in [LONG_PASSWORD, "mvua kubwa ya masika"] {
        let mut answer = log_in(password)
            .await
            .expect_problem(401, "unauthenticated");
        answer["instance"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    verify_email(&mut soko.guest(), &token).await.expect(204);
    log_in("mvua kubwa ya masika")
        .await
        .expect_problem(401, "unauthenticated");
    let tokens = log_in(LONG_PASSWORD).await.expect(200);
    let amina = soko.guest().with_token(&text(&tokens["access_token"]));
    let me = amina.get("/me").await.expect(200);
    assert_eq!(me["account_id"], first.body["account_id"]);
}

#[tokio::test]
async fn where_accounts_are_strict_no_number_of_log_ins_tells_who_is_known() {
    let soko = strict().await;
    // One e-mail is new; the other has an account, whose password somebody else set.
    register(&soko, "new@soko.test", LONG_PASSWORD)
        .await
        .expect(201);
    register(&soko, "known@soko.test", "mvua kubwa ya masika")
        .await
        .expect(201);
    register(&soko, "known@soko.test", LONG_PASSWORD)
        .await
        .expect(201);
    let mut told = Vec::new();
    for email in ["new@soko.test", "known@soko.test"] {
        let mut statuses = Vec::new();
        for _ in 0..7 {
            let body = json!({ "email": email, "password": LONG_PASSWORD });
            statuses.push(soko.guest().post("/auth/login", body).await.status);
        }
        told.push(statuses);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], [401, 401, 401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn where_accounts_are_strict_a_key_and_a_dry_run_tell_nothing_either() {
    let soko = strict().await;
    let body = json!({ "email": "juma@soko.test", "password": LONG_PASSWORD, "name": "Juma" });
    let mut guest = soko.guest();
    let first = guest
        .post_with_key("/auth/register", "key", body.clone())
        .await;
    let again = guest
        .post_with_key("/auth/register", "key", body.clone())
        .await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_ne!(first.body["account_id"], again.body["account_id"]);
    let refused = guest.post("/auth/register?dry_run=true", body).await;
    refused.expect_problem(422, "validation");
}

#[tokio::test]
async fn where_accounts_are_strict_a_password_alone_is_long() {
    let soko = strict().await;
    let refused = register(&soko, "juma@soko.test", "nyumba kijani").await;
    assert_eq!(refused_member(refused), "/password");
}

#[tokio::test]
async fn where_accounts_are_strict_the_platform_is_run_with_a_second_factor() {
    let soko = strict().await;
    let mut admin = soko.guest();
    admin.log_in(ADMIN_EMAIL, ADMIN_PASSWORD).await;
    // What is one's own is not the platform's.
    admin.get("/me").await.expect(200);
    let refused = admin.get("/projections").await;
    refused.expect_problem(403, "step-up-required");
    let key = json!({ "name": "watch", "permissions": ["view_projections"] });
    let key = admin.post("/api-keys", key).await.expect(201);
    let program = soko.guest().with_token(&text(&key["key"]));
    let refused = program.get("/projections").await;
    refused.expect_problem(403, "step-up-required");

    let app = super::second_factor::add_to(&mut admin, ADMIN_PASSWORD).await;
    admin
        .get("/projections")
        .await
        .expect_problem(403, "step-up-required");
    let code = json!({ "code": app.code(1) });
    let stepped_up = admin.post("/auth/step-up", code).await.expect(200);
    let admin = admin.with_token(&text(&stepped_up["access_token"]));
    admin.get("/projections").await.expect(200);
}

/// As a service that strangers can reach, but for TLS.
async fn strict() -> Soko {
    Soko::start_with(Settings::default().with("SOKO_ACCOUNTS", "strict")).await
}

async fn register(soko: &Soko, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password, "name": "Somebody" });
    soko.guest().post("/auth/register", body).await
}

async fn verify_email(guest: &mut Person, token: &str) -> Answer {
    let body = json!({ "token": token });
    guest.post("/auth/verify-email", body).await
}

async fn send_email(guest: &mut Person, email: &str) -> Answer {
    let body = json!({ "email": email });
    guest.post("/auth/verify-email/send", body).await
}

async fn forgot(guest: &mut Person, email: &str) -> Answer {
    let body = json!({ "email": email });
    guest.post("/auth/password/forgot", body).await
}

async fn reset(guest: &mut Person, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "new_password": password });
    guest.post("/auth/password/reset", body).await
}

async fn verify_phone(person: &mut Person, code: &str) -> Answer {
    person
        .post("/auth/verify-phone", json!({ "code": code }))
        .await
}

fn refused_member(answer: Answer) -> String {
    let problem = answer.expect_problem(422, "validation");
    text(&problem["errors"][0]["pointer"])
}
