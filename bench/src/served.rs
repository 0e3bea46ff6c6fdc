//! The cases against a running `soko serve`, each on what the one before it has left.

use crate::cases::http;
use crate::market::Market;
use crate::raw::RawLimits;
use crate::report::{Goal, Latency};
use crate::soko::Soko;
use crate::{Bench, part_of_r1, say};
use std::error::Error;
use std::path::Path;
use std::time::Duration;

const PRODUCTS: usize = 2_000;
const STOCK: u32 = 1_000_000;
const CUSTOMERS: usize = 64;
const VISIBLE_ORDERS_PER_SECOND: u64 = 500;

const PAGES: &str = "GET /products, another page each time";
const SAME_PAGE: &str = "GET /products, the same page while stock moves";
const ORDERS: &str = "POST /orders, two lines, 64 connections";
const CAUGHT_UP: &str = "every read model caught up after it";
const VISIBLE: &str = "commit to visible at 500 orders/s, p99";
const MEMORY_IDLE: &str = "memory of soko serve, idle";
const MEMORY_LOADED: &str = "memory of soko serve, under load";
const READY: &str = "start to ready on existing data";
const CASES: [&str; 8] = [
    PAGES,
    SAME_PAGE,
    ORDERS,
    CAUGHT_UP,
    VISIBLE,
    MEMORY_IDLE,
    MEMORY_LOADED,
    READY,
];

#[derive(Default)]
struct Figures {
    /// Right before the same page, and right before the orders.
    answers: Vec<f64>,
    inserts: Vec<f64>,
    pages: Vec<(f64, Latency)>,
    same_page: Vec<(f64, Latency)>,
    orders: Vec<(f64, Latency)>,
    caught_up: Vec<f64>,
    visible: Vec<(f64, Latency)>,
    idle_bytes: Vec<u64>,
    loaded_bytes: Vec<u64>,
    ready: Vec<f64>,
}

/// What was measured before a case failed is reported all the same.
pub(crate) async fn cases(
    bench: &mut Bench,
    folder: &Path,
    limits: &mut RawLimits<'_>,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    if !CASES.iter().any(|name| bench.wants(name)) {
        return Ok(());
    }
    let mut figures = Figures::default();
    let mut outcome = Ok(());
    for run in 0..bench.runs {
        let data = folder.join(format!("soko-{run}"));
        outcome = one_run(bench, &data, &mut figures, limits, seconds).await;
        if outcome.is_err() {
            break;
        }
    }
    report(bench, figures);
    outcome
}

async fn one_run(
    bench: &Bench,
    data: &Path,
    figures: &mut Figures,
    limits: &mut RawLimits<'_>,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let soko = Soko::start(data).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    figures.idle_bytes.push(soko.memory()?);
    say("  opening a market");
    let mut market = Market::open(&soko, PRODUCTS, STOCK, CUSTOMERS).await?;
    http::caught_up(&soko, Duration::from_secs(60)).await?;
    if bench.wants(PAGES) {
        say("  pages");
        let load = http::pages(&soko, &market, seconds).await?;
        let latency = Latency::of(&load.latency);
        figures.pages.push((load.rate(200), latency));
    }
    if bench.wants(SAME_PAGE) {
        figures.answers.push(limits.answers().await?);
        say("  the same page");
        let load = http::same_page(&soko, &mut market, seconds).await?;
        let latency = Latency::of(&load.latency);
        figures.same_page.push((load.rate(200), latency));
    }
    if [ORDERS, CAUGHT_UP, MEMORY_LOADED]
        .iter()
        .any(|name| bench.wants(name))
    {
        figures.inserts.push(limits.inserts().await?);
        say("  orders");
        let load = http::orders(&soko, &market, seconds).await?;
        figures.loaded_bytes.push(soko.memory()?);
        let behind = http::caught_up(&soko, Duration::from_secs(120)).await?;
        figures.caught_up.push(behind.as_secs_f64());
        let latency = Latency::of(&load.latency);
        figures.orders.push((load.rate(201), latency));
    }
    if bench.wants(VISIBLE) {
        say("  commit to visible");
        let delays = http::visible(&soko, &market, VISIBLE_ORDERS_PER_SECOND, seconds).await?;
        let delays = Latency::of(&delays);
        figures.visible.push((delays.p99_ms, delays));
    }
    soko.stop().await?;
    if bench.wants(READY) {
        let again = Soko::start(data).await?;
        figures.ready.push(again.ready_after.as_secs_f64());
        again.stop().await?;
    }
    Ok(())
}

fn report(bench: &mut Bench, figures: Figures) {
    let bytes_to_megabytes = |bytes: Vec<u64>| bytes.into_iter().map(megabytes).collect();
    bench.timed(PAGES, "req/s", &figures.pages, Goal::AtLeast(4_000.0));
    let same_page = Goal::PartOf {
        part: 0.4,
        limit: "r2",
        limits: figures.answers,
    };
    bench.timed(SAME_PAGE, "req/s", &figures.same_page, same_page);
    let orders = part_of_r1(0.2, figures.inserts);
    bench.timed(ORDERS, "orders/s", &figures.orders, orders);
    bench.plain(CAUGHT_UP, "s", figures.caught_up, Goal::AtMost(20.0));
    bench.timed(VISIBLE, "ms", &figures.visible, Goal::AtMost(100.0));
    let idle = bytes_to_megabytes(figures.idle_bytes);
    bench.plain(MEMORY_IDLE, "MB", idle, Goal::AtMost(80.0));
    let loaded = bytes_to_megabytes(figures.loaded_bytes);
    bench.plain(MEMORY_LOADED, "MB", loaded, Goal::AtMost(300.0));
    bench.plain(READY, "s", figures.ready, Goal::AtMost(2.0));
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}
