//! The engine alone: units of work from many callers at once, into a durable log.

use crate::load::{histogram, micros, rate};
use crate::orders::{Refusal, Shelf};
use crate::report::Latency;
use crate::servers::Server;
use hdrhistogram::Histogram;
use soko_commands::{CommandError, Engine};
use soko_event_log::{Appender, AppenderOptions};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Units each second, and how long they took.
pub(crate) type Run = (f64, Latency);

/// Orders of two out of many products.
pub(crate) async fn spread(
    server: &Server,
    callers: usize,
    seconds: u64,
) -> Result<Run, Box<dyn Error>> {
    let database = server.database().await?;
    let appender = Appender::start(database.options.clone(), AppenderOptions::default()).await?;
    let engine = database.engine(&appender);
    let shelf = Shelf::fill(&engine, 1_000, 1_000_000).await?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let run = drive(&engine, &shelf, callers, move |number, shelf| {
        let products = shelf.variants.len();
        let first = usize::try_from(number.wrapping_mul(7_919)).unwrap_or(0) % products;
        let variants = vec![
            shelf.variants[first],
            shelf.variants[(first + 1) % products],
        ];
        (Instant::now() < until).then_some(variants)
    })
    .await?;
    appender.close().await;
    if run.sold == 0 || run.refused > 0 {
        return Err(format!("{} orders placed, {} refused", run.sold, run.refused).into());
    }
    Ok(run.into())
}

/// Everybody wants the same product, until there is none: what is sold is the stock, exactly.
pub(crate) async fn hot(
    server: &Server,
    callers: usize,
    stock: u32,
) -> Result<Run, Box<dyn Error>> {
    let database = server.database().await?;
    let appender = Appender::start(database.options.clone(), AppenderOptions::default()).await?;
    let engine = database.engine(&appender);
    let shelf = Shelf::fill(&engine, 1, stock).await?;
    let run = drive(&engine, &shelf, callers, |_, shelf| {
        Some(vec![shelf.variants[0]])
    })
    .await?;
    appender.close().await;
    let reserved: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'stock.reserved'")
            .fetch_one(&database.pool)
            .await?;
    if run.sold != u64::from(stock) || reserved != i64::from(stock) {
        return Err(format!("{} sold, {reserved} reserved, {stock} in stock", run.sold).into());
    }
    Ok(run.into())
}

struct Driven {
    sold: u64,
    refused: u64,
    elapsed: Duration,
    latency: Histogram<u64>,
}

impl From<Driven> for Run {
    fn from(driven: Driven) -> Self {
        (
            rate(driven.sold, driven.elapsed),
            Latency::of(&driven.latency),
        )
    }
}

/// Lets every caller order until `next` gives nothing, or until there is nothing left to order.
async fn drive(
    engine: &Engine,
    shelf: &Shelf,
    callers: usize,
    next: impl Fn(u64, &Shelf) -> Option<Vec<soko_domain::VariantId>> + Clone + Send + Sync + 'static,
) -> Result<Driven, Box<dyn Error>> {
    let shelf = Arc::new(shelf.clone());
    let numbers = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = Vec::with_capacity(callers);
    for _ in 0..callers {
        let (engine, shelf) = (engine.clone(), Arc::clone(&shelf));
        let (numbers, next) = (Arc::clone(&numbers), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut latency = histogram();
            let (mut sold, mut refused) = (0_u64, 0_u64);
            while let Some(variants) = next(numbers.fetch_add(1, Ordering::Relaxed), &shelf) {
                let asked = Instant::now();
                match shelf.order(&engine, &variants).await {
                    Ok(()) => sold += 1,
                    Err(CommandError::Rejected {
                        rejection: Refusal::Stock(_),
                        ..
                    }) => {
                        refused += 1;
                        break;
                    }
                    Err(error) => return Err(error.to_string()),
                }
                latency.saturating_record(micros(asked.elapsed()));
            }
            Ok((latency, sold, refused))
        }));
    }
    let mut driven = Driven {
        sold: 0,
        refused: 0,
        elapsed: Duration::ZERO,
        latency: histogram(),
    };
    for task in tasks {
        let (latency, sold, refused) = task.await??;
        driven.latency.add(latency)?;
        driven.sold += sold;
        driven.refused += refused;
    }
    driven.elapsed = started.elapsed();
    Ok(driven)
}
