//! `kill -9` of the servers below, while people shop: what was told is what happened.

use serde_json::json;
use soko_embedded::testing::scratch_folder;
use soko_embedded::{Nats, NatsOptions, Postgres, PostgresOptions};
use soko_tests::checkers::check_everything;
use soko_tests::{
    Answer, Market, Person, Product, Settings, Shopping, Soko, kill_at_once, text, with_children,
};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The longest that a request may take where a database does not answer: what was sent to it waits
/// that long for word of what became of it.
const DEADLINE: Duration = Duration::from_secs(3);

const BACK_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_private_database_that_is_killed_comes_back_with_all_that_was_answered() {
    let mut soko = Soko::start_alone().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000_000).await;
    let customer = soko.person("customer").await;
    let shopping = Shopping::start(&[soko.base()], &market, &mug, &customer);
    for _ in 0..3 {
        shopping.goes_on().await;
        kill_at_once(&soko.private_postgres());
        // Nobody helps: the process starts its database again.
        shopping.goes_on().await;
    }
    let told = shopping.end().await;
    assert_eq!(told.unanswered, 0, "{}", soko.log());
    assert!(told.put_off > 0, "nobody noticed");
    told.is_what_happened(&soko, &customer).await;
    check_everything(&soko).await;
    assert!(soko.stop().await.success());
}

#[tokio::test]
async fn a_private_nats_that_is_killed_and_has_forgotten_everything_costs_nothing() {
    let mut soko = Soko::start_alone().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000_000).await;
    let customer = soko.person("customer").await;
    let shopping = Shopping::start(&[soko.base()], &market, &mug, &customer);
    let store = soko.private_folder("nats").join("jetstream");
    let lost = |number: u8| soko.private_folder("nats").join(format!("lost-{number}"));
    for number in 0..3 {
        bus_is(&soko, "connected").await;
        shopping.goes_on().await;
        // So that the next one begins without it, however soon it is started.
        std::fs::rename(&store, lost(number)).unwrap();
        kill_at_once(&soko.private_nats());
        bus_is(&soko, "not connected").await;
        shopping.goes_on().await;
    }
    bus_is(&soko, "connected").await;
    let told = shopping.end().await;
    assert_eq!((told.unanswered, told.put_off), (0, 0), "{}", soko.log());
    assert!(store.exists(), "it has begun anew");
    told.is_what_happened(&soko, &customer).await;
    check_everything(&soko).await;
    assert!(soko.stop().await.success());
}

#[tokio::test]
async fn when_the_power_fails_all_that_was_answered_is_there_at_the_next_start() {
    let mut soko = Soko::start_alone().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000_000).await;
    let customer = soko.person("customer").await;
    let shopping = Shopping::start(&[soko.base()], &market, &mug, &customer);
    for _ in 0..2 {
        shopping.goes_on().await;
        let all = [
            soko.private_postgres(),
            soko.private_nats(),
            vec![soko.process_id()],
        ];
        kill_at_once(&all.concat());
        soko.kill().await;
        soko.launch().await;
        shopping.goes_on().await;
    }
    let told = shopping.end().await;
    told.is_what_happened(&soko, &customer).await;
    check_everything(&soko).await;
    assert!(soko.stop().await.success());
}

#[tokio::test]
async fn while_there_is_no_database_everybody_is_told_to_come_back() {
    let folder = scratch_folder();
    let postgres = Postgres::start(folder.path(), PostgresOptions::default());
    let mut postgres = postgres.await.unwrap();
    let deadline = Settings::default().with("SOKO_REQUEST_DEADLINE_MS", "3000");
    let soko = Soko::start_at(postgres.url(), deadline).await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 1)]);
    customer.post("/orders", order.clone()).await.expect(201);

    kill_at_once(&with_children(postgres.pid()));
    let (mut guest, looker) = (soko.guest(), soko.guest());
    let log_in = json!({ "email": customer.email, "password": "not this one, but long" });
    for _ in 0..2 {
        let receive = json!({ "quantity": 1, "reason": "delivery" });
        let path = format!("/stock/{}/receive", mug.variant_id);
        let mut buyer = customer.clone();
        tokio::join!(
            put_off(buyer.post("/orders", order.clone())),
            put_off(customer.get("/orders")),
            put_off(market.vendor.post(&path, receive)),
            put_off(guest.post("/auth/login", log_in.clone())),
            put_off(looker.get("/products")),
        );
    }
    assert_eq!(health(&soko, "live").await.status, 200);
    health(&soko, "ready").await.is_told_to_come_back();

    postgres.restart().await.unwrap();
    let since = Instant::now();
    while let answer = customer.post("/orders", order.clone()).await
        && answer.status != 201
    {
        answer.is_told_to_come_back();
        assert!(since.elapsed() < BACK_WITHIN, "{}", soko.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(health(&soko, "ready").await.status, 200);
    check_everything(&soko).await;
    drop(soko);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn two_processes_go_on_when_nats_is_killed_and_its_store_deleted() {
    let folder = scratch_folder();
    let nats = Nats::start(folder.path(), NatsOptions::default());
    let mut nats = nats.await.expect("a nats-server is installed");
    let settings = Settings::default()
        .with("SOKO_PUBLIC_URL", "http://soko.test")
        .with("NATS_URL", nats.url());
    let soko = Soko::start_with(settings).await;
    let node = soko.beside().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 1_000_000).await;
    let customer = soko.person("customer").await;
    let bases = [soko.base(), node.base()];
    let shopping = Shopping::start(&bases, &market, &mug, &customer);
    for outage_ms in [0, 1500] {
        shopping.goes_on().await;
        kill_at_once(&[nats.pid()]);
        while nats.is_running() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::remove_dir_all(nats.store()).unwrap();
        shopping.goes_on().await;
        tokio::time::sleep(Duration::from_millis(outage_ms)).await;
        nats.restart().await.unwrap();
        shopping.goes_on().await;
        read_models_follow(&bases, &market, &mug, &customer).await;
    }
    let told = shopping.end().await;
    assert_eq!(told.unanswered, 0);
    let distinct: BTreeSet<_> = told.orders.iter().collect();
    assert_eq!(distinct.len(), told.orders.len());
    check_everything(&soko).await;
    drop((soko, node));
    nats.stop().await.unwrap();
}

/// Who has just ordered sees the order, at each process.
async fn read_models_follow(bases: &[String], market: &Market, mug: &Product, customer: &Person) {
    for base in bases {
        let mut customer = customer.at(base);
        let order = market.order_of(&[(mug, 1)]);
        let placed = loop {
            let answer = customer.post("/orders", order.clone()).await;
            if answer.body["code"] != "version-conflict" {
                break answer.expect(201);
            }
        };
        let path = format!("/orders/{}", text(&placed["order_id"]));
        customer.get(&path).await.expect(200);
    }
}

/// Told to come back, and soon.
async fn put_off(asking: impl Future<Output = Answer>) {
    let since = Instant::now();
    asking.await.is_told_to_come_back();
    let took = since.elapsed();
    assert!(took < 2 * DEADLINE, "{took:?}");
}

/// Waits until the process says so of its connection to NATS.
async fn bus_is(soko: &Soko, state: &str) {
    let since = Instant::now();
    loop {
        let ready = health(soko, "ready").await.expect(200);
        let checks = ready["checks"].as_array().unwrap();
        let bus = checks.iter().find(|check| check["name"] == "bus").unwrap();
        if bus["detail"] == state {
            return;
        }
        assert!(since.elapsed() < BACK_WITHIN, "{ready}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn health(soko: &Soko, what: &str) -> Answer {
    let guest = soko.guest();
    soko_tests::send(guest.request(reqwest::Method::GET, &format!("//health/{what}"))).await
}
