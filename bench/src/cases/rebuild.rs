//! Rebuilding each read model from a long log of orders.

use crate::load::rate;
use crate::orders::Shelf;
use crate::report::{Case, Goal};
use crate::servers::{Database, Server};
use futures::future::try_join_all;
use soko_event_log::{Appender, AppenderOptions, LogReader};
use soko_projections::{RebuildOptions, all};
use std::error::Error;

/// Events each second that a rebuild has to read, by read model.
const GOALS: [(&str, f64); 2] = [("sales", 100_000.0), ("orders", 50_000.0)];

const CALLERS: usize = 256;
const PRODUCTS: usize = 500;
const EVENTS_PER_ORDER: u64 = 4;

/// Every read model there is, over the same log.
pub(crate) async fn all_models(
    server: &Server,
    events: u64,
    runs: usize,
) -> Result<Vec<Case>, Box<dyn Error>> {
    let database = server.database().await?;
    fill(&database, events).await?;
    let head = LogReader::new(database.pool.clone())
        .head()
        .await?
        .get()
        .unsigned_abs();
    let mut cases = Vec::new();
    for model in all() {
        let mut figures = Vec::with_capacity(runs);
        for _ in 0..runs {
            let rebuilt = model
                .rebuild(&database.pool, &RebuildOptions::default())
                .await?;
            figures.push(rate(head, rebuilt.elapsed));
        }
        let goal = GOALS.iter().find(|(name, _)| *name == model.name());
        cases.push(Case {
            name: format!("rebuild of {} from {head} events", model.name()),
            unit: "events/s",
            figures,
            goal: goal.map_or(Goal::None, |(_, goal)| Goal::AtLeast(*goal)),
            latency: None,
            notes: vec![],
        });
    }
    Ok(cases)
}

/// Orders of two products each, until there are so many events.
pub(super) async fn fill(database: &Database, events: u64) -> Result<Shelf, Box<dyn Error>> {
    let appender = Appender::start(database.options.clone(), AppenderOptions::default()).await?;
    let engine = database.engine(&appender);
    let shelf = Shelf::fill(&engine, PRODUCTS, 1_000_000).await?;
    let orders = usize::try_from(events / EVENTS_PER_ORDER)?;
    let callers = (0..CALLERS).map(|caller| {
        let (engine, shelf) = (engine.clone(), shelf.clone());
        async move {
            for number in (caller..orders).step_by(CALLERS) {
                let first = number.wrapping_mul(7_919) % PRODUCTS;
                let both = [
                    shelf.variants[first],
                    shelf.variants[(first + 1) % PRODUCTS],
                ];
                shelf.order(&engine, &both).await?;
            }
            Ok::<_, soko_commands::CommandError<crate::orders::Refusal>>(())
        }
    });
    try_join_all(callers).await?;
    appender.close().await;
    Ok(shelf)
}
