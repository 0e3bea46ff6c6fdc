//! The log on its way over each NATS that is installed: published by the relay, then followed.

use crate::load::rate;
use crate::report::{Case, Goal};
use crate::servers::{Database, Server};
use soko_embedded::{Nats, NatsOptions};
use soko_event_log::{
    Bus, JetStream, JetStreamOptions, LogReader, Position, Relay, RelayOptions, Subscription,
};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Events each second; an order is four.
const GOAL: f64 = 40_000.0;

const EVENTS: i64 = 200_000;

/// Of about 600 bytes, as messages.
const FILL: &str = "INSERT INTO events
    SELECT n, '00000000-0000-0000-0000-000000000000', 'stock', gen_random_uuid()::text, 1,
           'stock.received', '1',
           ('{\"received\":{\"location_id\":\"' || gen_random_uuid()
            || '\",\"note\":{\"note\":\"' || repeat('x', 150) || '\",\"reason\":\"delivery\"},'
            || '\"quantity\":5}}')::json,
           ('{\"actor\":\"system:bench\",\"command_id\":\"' || gen_random_uuid()
            || '\",\"correlation\":\"' || gen_random_uuid() || '\"}')::json,
           now()
    FROM generate_series(1, $1) AS n";

pub(crate) async fn relayed_and_followed(
    server: &Server,
    folder: &Path,
    runs: usize,
) -> Result<Vec<Case>, Box<dyn Error>> {
    let database = server.database().await?;
    sqlx::query(FILL)
        .bind(EVENTS)
        .execute(&database.pool)
        .await?;
    let mut cases = Vec::new();
    for (version, program) in Nats::installed() {
        let (mut published, mut followed) = (Vec::new(), Vec::new());
        for run in 0..runs {
            let folder = folder.join(format!("nats-{version}-{run}"));
            let (publishing, following) = once(&database, &folder, &program).await?;
            published.push(publishing);
            followed.push(following);
        }
        for (what, figures) in [
            ("published by the relay", published),
            ("followed", followed),
        ] {
            cases.push(Case {
                name: format!("bus: events {what}, NATS {version}"),
                unit: "events/s",
                figures,
                goal: Goal::AtLeast(GOAL),
                latency: None,
                notes: vec![],
            });
        }
    }
    Ok(cases)
}

async fn once(
    database: &Database,
    folder: &Path,
    program: &Path,
) -> Result<(f64, f64), Box<dyn Error>> {
    let options = NatsOptions {
        program: Some(program.to_owned()),
    };
    let nats = Nats::start(folder, options).await?;
    let bus = Bus::connect(&nats.url(), "bench")
        .await
        .map_err(|error| error.to_string())?;
    let stop = CancellationToken::new();
    let start = Instant::now();
    let relay = Relay::run(
        RelayOptions {
            backlog: u64::MAX,
            ..RelayOptions::new(database.options.clone(), bus.clone())
        },
        stop.clone(),
    );
    let relay = tokio::spawn(relay);
    while messages(&bus).await < EVENTS.unsigned_abs() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let published = start.elapsed();
    stop.cancel();
    relay.await?;

    let options = JetStreamOptions {
        // What is followed is the bus: the log is not asked again.
        silence_max: Duration::from_secs(3_600),
        ..JetStreamOptions::new(bus, "bench")
    };
    let reader = LogReader::new(database.pool.clone());
    let mut subscription = JetStream::new(options, reader, Position::START);
    let start = Instant::now();
    let mut last = Position::START;
    while last.get() < EVENTS {
        let found = subscription.next(1_000).await?;
        last = found.last().map_or(last, |found| found.entry.position);
        subscription.confirm(last).await?;
    }
    let followed = start.elapsed();
    nats.stop().await?;
    let events = EVENTS.unsigned_abs();
    Ok((rate(events, published), rate(events, followed)))
}

async fn messages(bus: &Bus) -> u64 {
    let jetstream = async_nats::jetstream::new(bus.client());
    let stream = jetstream.get_stream(bus.stream()).await;
    stream.map_or(0, |stream| stream.cached_info().state.last_sequence)
}
