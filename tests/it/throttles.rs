//! Guessing is slowed down, whatever the guesses have in common, and nobody else is.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Answer, Market, Person, Settings, Soko, send, text};
use std::time::{Duration, Instant};

/// What [`Soko::person`] gives everybody.
const PASSWORD: &str = "a long enough password";

/// Wrong guesses that cost no wait.
const FREE: usize = 5;

#[tokio::test]
async fn after_five_wrong_passwords_each_wait_is_twice_the_last() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    for email in [amina.email.as_str(), "nobody@soko.test"] {
        guess_wrong(&soko, email, FREE).await;
        for (failures, wait) in [(9, 16), (10, 32), (11, 64), (14, 512), (15, 900), (99, 900)] {
            as_if_wrong(&soko, failures).await;
            let refused = log_in(&soko, email, PASSWORD, None).await;
            // Some of it has passed since.
            let told = retry_after(&refused);
            assert!(
                (wait - 10..=wait).contains(&told),
                "{email}: {}",
                refused.text
            );
            refused.expect_problem(429, "rate-limited");
        }
        sqlx::query("DELETE FROM login_counters")
            .execute(soko.database())
            .await
            .unwrap();
    }
    // The wait over, the right one is taken.
    guess_wrong(&soko, &amina.email, FREE).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    log_in(&soko, &amina.email, PASSWORD, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_restart_gives_a_guesser_no_new_start() {
    let mut soko = Soko::start().await;
    let amina = soko.person("amina").await;
    guess_wrong(&soko, &amina.email, FREE).await;
    as_if_wrong(&soko, 20).await;
    soko.kill().await;
    soko.launch().await;
    let refused = log_in(&soko, &amina.email, PASSWORD, None).await;
    refused.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn a_stranger_cannot_lock_somebody_out_of_their_own_device() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let first = log_in(&soko, &amina.email, PASSWORD, None)
        .await
        .expect(200);
    let device = text(&first["device_token"]);
    guess_wrong(&soko, &amina.email, FREE).await;
    as_if_wrong(&soko, 20).await;
    let stranger = log_in(&soko, &amina.email, PASSWORD, None).await;
    stranger.expect_problem(429, "rate-limited");
    let juma = soko.person("juma").await;
    let of_another = log_in(&soko, &juma.email, PASSWORD, None).await.expect(200);
    let of_another = text(&of_another["device_token"]);
    for forged in [of_another.as_str(), "nonsense", &"A".repeat(43)] {
        let refused = log_in(&soko, &amina.email, PASSWORD, Some(forged)).await;
        refused.expect_problem(429, "rate-limited");
    }
    let again = log_in(&soko, &amina.email, PASSWORD, Some(&device)).await;
    assert_eq!(again.expect(200)["device_token"], device.as_str());
    // A device that was stolen has five free guesses too, and no more.
    for _ in 0..FREE {
        let wrong = log_in(&soko, &amina.email, "not the password", Some(&device)).await;
        wrong.expect_problem(401, "unauthenticated");
    }
    as_if_wrong(&soko, 20).await;
    let refused = log_in(&soko, &amina.email, PASSWORD, Some(&device)).await;
    refused.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn one_password_cannot_be_tried_on_everybody() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    for number in 0..30 {
        let email = format!("victim-{number}@soko.test");
        let wrong = log_in(&soko, &email, "Summer2026!", None).await;
        wrong.expect_problem(401, "unauthenticated");
    }
    let refused = log_in(&soko, "victim-30@soko.test", "Summer2026!", None).await;
    assert!(
        (1..=60).contains(&retry_after(&refused)),
        "{}",
        refused.text
    );
    refused.expect_problem(429, "rate-limited");
    // Whoever comes with another is not kept waiting.
    log_in(&soko, &amina.email, PASSWORD, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_hundred_wrong_passwords_close_an_account_until_it_has_another() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    guess_wrong(&soko, &amina.email, FREE).await;
    // As if the waits had been sat through: that takes a day.
    let counters = "UPDATE login_counters SET failures = 99, last_at = now() - interval '1 hour'
        WHERE failures = 5 AND whole_at <= last_at";
    let done = sqlx::query(counters)
        .execute(soko.database())
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
    let hundredth = log_in(&soko, &amina.email, "not the password", None).await;
    let body = hundredth.expect_problem(401, "unauthenticated");
    assert!(!text(&body["detail"]).contains("reset"), "{body}");
    let closed = log_in(&soko, &amina.email, PASSWORD, None).await;
    let body = closed.expect_problem(401, "unauthenticated");
    assert!(text(&body["detail"]).contains("reset"), "{body}");

    let change = json!({ "current_password": PASSWORD, "new_password": "another long password" });
    amina.post("/auth/password/change", change).await.ok();
    log_in(&soko, &amina.email, "another long password", None)
        .await
        .expect(200);
}

#[tokio::test]
async fn guesses_made_at_the_same_time_count_each_other() {
    let soko = Soko::start().await;
    let amina = soko.person("amina").await;
    let guesses = (0..40).map(|_| log_in(&soko, &amina.email, "not the password", None));
    let answers = futures::future::join_all(guesses).await;
    let hashed = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(hashed, FREE);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 429).count(),
        40 - FREE
    );
}

#[tokio::test]
async fn a_flood_of_log_ins_does_not_stop_sales() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000).await;
    let mut customer = soko.person("customer").await;
    let until = Instant::now() + Duration::from_secs(6);
    let flood = (0..160).map(|number| flood(soko.guest(), number, until));
    let flood = tokio::spawn(futures::future::join_all(flood.collect::<Vec<_>>()));
    // By then those who may wait are there.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut orders = vec![];
    while Instant::now() < until {
        let began = Instant::now();
        let order = market.order_of(&[(&mug, 1)]);
        customer.post("/orders", order).await.expect(201);
        orders.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answers: Vec<(u16, Duration)> = flood.await.unwrap().into_iter().flatten().collect();
    let mut refused: Vec<Duration> = answers
        .iter()
        .filter(|(status, _)| *status == 429)
        .map(|(_, took)| *took)
        .collect();
    // On a machine with far more to do than it can, some are told to come back in another way.
    let is_answered = |status: &u16| [401, 429, 503].contains(status);
    assert!(answers.iter().all(|(status, _)| is_answered(status)));
    orders.sort();
    refused.sort();
    let middle = |times: &[Duration]| times[times.len() / 2];
    let (order, refusal) = (middle(&orders), middle(&refused));
    println!(
        "{} orders, half within {order:?}; {} refusals, half within {refusal:?}; {} log-ins tried",
        orders.len(),
        refused.len(),
        answers.len()
    );
    // The clients of this test use the same cores, and so do other tests; alone, both are far faster.
    assert!(orders.len() >= 3, "{} orders", orders.len());
    assert!(order < Duration::from_secs(1), "{order:?}");
    assert!(refused.len() >= 50, "{} refusals", refused.len());
    assert!(refusal < Duration::from_secs(1), "{refusal:?}");
}

#[tokio::test]
async fn an_account_has_one_budget_wherever_it_calls_from() {
    let settings = Settings::default()
        .with("SOKO_RATE_LIMITS", "on")
        .with("SOKO_CALLER_REQUESTS_PER_SECOND", "1")
        .with("SOKO_PROXIES", "1");
    let soko = Soko::start_with(settings).await;
    let amina = soko.person("amina").await;
    let mut refused = None;
    for number in 0..20 {
        let from = amina.with_header("X-Forwarded-For", &format!("203.0.113.{number}"));
        let answer = from.get("/me").await;
        let told: Vec<_> = answer.headers.get_all("ratelimit").iter().collect();
        assert_eq!(
            told.len(),
            2,
            "one of the address, one of the account: {told:?}"
        );
        if answer.status == 429 {
            refused = Some((number, retry_after(&answer)));
            break;
        }
    }
    let (number, wait) = refused.expect("ten at once, and one each second");
    assert!((10..=13).contains(&number), "after {number}");
    // Others are not concerned, and after the wait that was named it may go on.
    soko.person("juma").await.get("/me").await.expect(200);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    amina.get("/me").await.expect(200);
}

async fn flood(guest: Person, number: usize, until: Instant) -> Vec<(u16, Duration)> {
    let mut answers = vec![];
    while Instant::now() < until {
        let began = Instant::now();
        let email = format!("flood-{number}-{}@soko.test", answers.len());
        let password = format!("guess {number} {}", answers.len());
        let body = json!({ "email": email, "password": password });
        let answer = send(guest.request(Method::POST, "/auth/login").json(&body)).await;
        answers.push((answer.status, began.elapsed()));
        if answer.status == 429 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    answers
}

async fn guess_wrong(soko: &Soko, email: &str, times: usize) {
    for _ in 0..times {
        let wrong = log_in(soko, email, "not the password", None).await;
        wrong.expect_problem(401, "unauthenticated");
    }
}

async fn log_in(soko: &Soko, email: &str, password: &str, device: Option<&str>) -> Answer {
    let mut body = json!({ "email": email, "password": password });
    if let Some(device) = device {
        body["device_token"] = Value::from(device);
    }
    send(
        soko.guest()
            .request(Method::POST, "/auth/login")
            .json(&body),
    )
    .await
}

/// So many were wrong, the last just now: no test should sit through the waits, or race them.
async fn as_if_wrong(soko: &Soko, failures: i32) {
    let counters = "UPDATE login_counters SET failures = $1, last_at = now()
        WHERE failures >= 5 AND whole_at <= last_at";
    let done = sqlx::query(counters).bind(failures);
    let done = done.execute(soko.database()).await.unwrap();
    assert!(done.rows_affected() > 0);
}

fn retry_after(answer: &Answer) -> u64 {
    let wait = answer
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    wait.unwrap_or_else(|| panic!("{} {}", answer.status, answer.text))
}
