//! The whole system over HTTP, with every worker on.

use crate::load::{Connection, Outcome, closed_loop, get, histogram, micros, post};
use crate::market::{Market, order_body};
use crate::soko::Soko;
use hdrhistogram::Histogram;
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const CONNECTIONS: usize = 64;

/// `POST /orders`: two lines, a token, a key of its own each.
pub(crate) async fn orders(
    soko: &Soko,
    market: &Market,
    seconds: u64,
) -> Result<Outcome, Box<dyn Error>> {
    let bearers: Vec<_> = market
        .customers
        .iter()
        .map(|token| format!("Bearer {token}"))
        .collect();
    let (store, variants) = (market.store_id.clone(), market.variants.clone());
    let (bearers, variants) = (Arc::new(bearers), Arc::new(variants));
    let request = move |connection: usize, number: u64| {
        let key = Uuid::new_v4().to_string();
        let bearer = &bearers[connection % bearers.len()];
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", key.as_str()),
        ];
        let number = connection * 100_003 + usize::try_from(number).unwrap_or(0);
        post(
            "/api/v1/orders",
            &headers,
            &order_body(&store, &variants, number),
        )
    };
    let outcome = closed_loop(
        soko.port,
        CONNECTIONS,
        Duration::from_secs(seconds),
        request,
    )
    .await?;
    if outcome.statuses.keys().any(|status| *status != 201) {
        return Err(format!("not all were placed: {:?}", outcome.statuses).into());
    }
    Ok(outcome)
}

/// How long it takes until every read model has seen everything, asked as a client would.
pub(crate) async fn caught_up(soko: &Soko, within: Duration) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let mut line = Connection::open(soko.port).await?;
    loop {
        let metrics = line.send(&get("/metrics", &[])).await?;
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        let lags: Vec<f64> = text
            .lines()
            .filter(|sample| sample.starts_with("soko_projection_lag"))
            .filter_map(|sample| sample.rsplit(' ').next()?.parse().ok())
            .collect();
        if lags.is_empty() {
            return Err("no soko_projection_lag among the metrics".into());
        }
        if lags.iter().all(|lag| *lag < 0.5) {
            return Ok(started.elapsed());
        }
        if started.elapsed() > within {
            return Err(format!("still behind after {within:?}: {lags:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// `GET /products`, 20 on a page, every request another page: no two ask for the same prices in
/// the same order, so that no answer is of use twice.
pub(crate) async fn pages(
    soko: &Soko,
    market: &Market,
    seconds: u64,
) -> Result<Outcome, Box<dyn Error>> {
    let store = market.store_id.clone();
    let numbers = Arc::new(AtomicU64::new(0));
    let request = move |_: usize, _: u64| {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let sort =
            ["price_asc", "price_desc", "newest", "name"][usize::try_from(number % 4).unwrap_or(0)];
        let min_price = 10_000 + number / 4 % 40_000;
        let max_price = 60_000 + number / 160_000;
        get(
            &format!(
                "/api/v1/products?store={store}&limit=20&sort={sort}\
                 &min_price={min_price}&max_price={max_price}"
            ),
            &[],
        )
    };
    let outcome = closed_loop(
        soko.port,
        CONNECTIONS,
        Duration::from_secs(seconds),
        request,
    )
    .await?;
    all_ok(outcome)
}

/// The same page, asked for by everybody, while its stock moves.
pub(crate) async fn same_page(
    soko: &Soko,
    market: &mut Market,
    seconds: u64,
) -> Result<Outcome, Box<dyn Error>> {
    let path = format!("/api/v1/products?store={}&limit=20", market.store_id);
    let request = get(&path, &[]);
    let load = closed_loop(
        soko.port,
        CONNECTIONS,
        Duration::from_secs(seconds),
        move |_, _| request.clone(),
    );
    let load = tokio::spawn(load);
    // What is newest stands on the first page.
    let newest: Vec<_> = market.variants.iter().rev().take(20).cloned().collect();
    let mut moves = 0_usize;
    while !load.is_finished() {
        let variant = &newest[moves % newest.len()];
        let body = json!({ "quantity": 1, "reason": "delivery" });
        market
            .vendor
            .post(&format!("/stock/{variant}/receive"), &body)
            .await?;
        moves += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all_ok(load.await??)
}

fn all_ok(outcome: Outcome) -> Result<Outcome, Box<dyn Error>> {
    if outcome.statuses.keys().any(|status| *status != 200) {
        return Err(format!("not all were answered: {:?}", outcome.statuses).into());
    }
    Ok(outcome)
}

/// From the answer to an order until `GET` shows it, at so many orders each second.
pub(crate) async fn visible(
    soko: &Soko,
    market: &Market,
    per_second: u64,
    seconds: u64,
) -> Result<Histogram<u64>, Box<dyn Error>> {
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for lane in 0..32_u64 {
        let bearer = format!("Bearer {}", market.customers[0]);
        let (store, variants) = (market.store_id.clone(), market.variants.clone());
        let port = soko.port;
        tasks.spawn(async move {
            let mut line = Connection::open(port).await?;
            let mut delays = histogram();
            // An open loop: request `number` of all is due at its time, whatever came before.
            for number in (lane..per_second * seconds).step_by(32) {
                let due = Duration::from_micros(number * 1_000_000 / per_second);
                tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
                let key = Uuid::new_v4().to_string();
                let headers = [
                    ("authorization", bearer.as_str()),
                    ("idempotency-key", &key),
                ];
                let body = order_body(&store, &variants, usize::try_from(number).unwrap_or(0));
                let placed = line.send(&post("/api/v1/orders", &headers, &body)).await?;
                let answered = Instant::now();
                let position = placed
                    .header("soko-position")
                    .unwrap_or_default()
                    .to_owned();
                let body: serde_json::Value = serde_json::from_slice(&placed.body)?;
                let order = body["order_id"].as_str().unwrap_or_default();
                let headers = [
                    ("authorization", bearer.as_str()),
                    ("soko-min-position", &position),
                ];
                let shown = line
                    .send(&get(&format!("/api/v1/orders/{order}"), &headers))
                    .await?;
                if placed.status != 201 || shown.status != 200 {
                    let (placed, shown) = (placed.status, shown.status);
                    return Err(std::io::Error::other(format!("{placed}, then {shown}")));
                }
                delays.saturating_record(micros(answered.elapsed()));
            }
            Ok(delays)
        });
    }
    let mut delays = histogram();
    while let Some(one) = tasks.join_next().await {
        delays.add(one??)?;
    }
    Ok(delays)
}
