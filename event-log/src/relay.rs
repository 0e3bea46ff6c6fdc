//! From the log to JetStream: one process publishes every event, in order, and nothing is lost if
//! it dies.
//!
//! What has been published is asked of the stream itself, never remembered elsewhere: its last
//! message says up to where. Every message names the sequence it must get in the stream, so that
//! whoever publishes on old knowledge is refused, and all that he sent after it too.

mod leadership;
mod publisher;
mod stream;

use crate::bus::{Bus, BusError};
use crate::subscription::Pulse;
use crate::{Position, ReadError};
use leadership::Leadership;
use publisher::Publisher;
use sqlx::postgres::PgConnectOptions;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a relay needs, and how much the stream may keep.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// A connection of its own is made with this: who loses it is leader no more.
    pub database: PgConnectOptions,
    pub bus: Bus,
    /// Wakes the relay when this process appends.
    pub wake: Option<watch::Receiver<Position>>,
    /// Messages that are sent before the first of them is acknowledged.
    pub window: usize,
    /// How much of the log's end an empty or outdated stream is given. Readers who need more read
    /// the log.
    pub backlog: u64,
    /// How long the stream keeps a message.
    pub max_age: Duration,
    /// How much the stream keeps.
    pub max_bytes: i64,
    /// Servers that keep a copy each.
    pub replicas: usize,
}

impl RelayOptions {
    pub const fn new(database: PgConnectOptions, bus: Bus) -> Self {
        Self {
            database,
            bus,
            wake: None,
            window: 2_000,
            backlog: 10_000,
            max_age: Duration::from_secs(24 * 60 * 60),
            max_bytes: 256 * 1024 * 1024,
            replicas: 1,
        }
    }
}

/// Publishes the log while it is the leader, and waits to become it while another is.
#[derive(Debug)]
pub struct Relay {
    options: RelayOptions,
    pulse: Pulse,
    /// Up to here the stream says that it has what we send, although it is not at its end.
    known: Position,
}

/// Why publishing stopped, for the moment.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the connection to the log is lost")]
    LeadershipLost(#[source] sqlx::Error),
    #[error("the log cannot be read")]
    Log(#[source] ReadError),
    #[error("the bus does not do what it is asked")]
    Bus(#[from] BusError),
    #[error("the connection to the bus is lost")]
    Disconnected,
    #[error("the bus does not acknowledge")]
    Unacknowledged,
    /// Somebody else publishes, or the stream is not what it was.
    #[error("the bus refused {position}: {reason}")]
    Refused { position: Position, reason: String },
    /// It was sent before, and is somewhere in the stream.
    #[error("the bus has {position} already")]
    Repeated { position: Position },
}

impl Relay {
    /// Entries that are read from the log at once.
    const PAGE: usize = 1_000;
    const BACK_OFF_MIN: Duration = Duration::from_millis(50);
    const BACK_OFF_MAX: Duration = Duration::from_secs(2);
    const LAG_INTERVAL: Duration = Duration::from_secs(1);

    /// Runs until it is told to stop. Whatever fails is tried again.
    pub async fn run(options: RelayOptions, stop: CancellationToken) {
        let mut relay = Self {
            pulse: Pulse::new(options.wake.clone()),
            options,
            known: Position::START,
        };
        stop.run_until_cancelled(relay.lead_for_ever()).await;
    }

    async fn lead_for_ever(&mut self) {
        let mut back_off = BackOff::new(Self::BACK_OFF_MIN, Self::BACK_OFF_MAX);
        loop {
            let stream = self.options.bus.stream();
            match Leadership::win(&self.options.database, stream).await {
                Ok(leadership) => {
                    tracing::info!(stream, "this relay publishes the log");
                    metrics::gauge!("soko_relay_leader").set(1);
                    back_off.reset();
                    self.lead(leadership).await;
                    metrics::gauge!("soko_relay_leader").set(0);
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the relay cannot reach the log");
                }
            }
            back_off.wait().await;
        }
    }

    /// Publishes for as long as we are the leader, starting over from what the stream says
    /// whenever something failed.
    async fn lead(&mut self, mut leadership: Leadership) {
        let mut back_off = BackOff::new(Self::BACK_OFF_MIN, Self::BACK_OFF_MAX);
        loop {
            self.options.bus.connected().await;
            let (published, error) = self.publish(&mut leadership).await;
            metrics::counter!("soko_relay_restarts_total").increment(1);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                published,
                "the relay starts over from the end of the stream"
            );
            if matches!(error, RelayError::LeadershipLost(_)) {
                return;
            }
            if published > 0 || matches!(error, RelayError::Repeated { .. }) {
                back_off.reset();
            }
            back_off.wait().await;
        }
    }

    /// Returns how many messages the stream took, and what ended it.
    async fn publish(&mut self, leadership: &mut Leadership) -> (u64, RelayError) {
        let start = match stream::resume(&self.options, leadership, self.known).await {
            Ok(start) => start,
            Err(error) => return (0, error),
        };
        if start.is_new {
            self.known = Position::START;
        }
        let bus = &self.options.bus;
        let mut publisher = match Publisher::new(bus, start.sequence, self.options.window).await {
            Ok(publisher) => publisher,
            Err(error) => return (0, error.into()),
        };
        let Err(error) = self.forward(leadership, &mut publisher, start.after).await;
        publisher.drain().await;
        publisher.count();
        self.known = self.known.max(publisher.known());
        (publisher.published(), error)
    }

    async fn forward(
        &mut self,
        leadership: &mut Leadership,
        publisher: &mut Publisher,
        mut after: Position,
    ) -> Result<std::convert::Infallible, RelayError> {
        let mut lag_is_due = Instant::now();
        loop {
            publisher.count();
            self.pulse.look();
            let prefix = self.options.bus.prefix();
            let page = leadership.page(after, Self::PAGE, prefix).await?;
            if Instant::now() >= lag_is_due {
                lag_is_due = Instant::now() + Self::LAG_INTERVAL;
                let lag = leadership.head().await?.distance_from(after);
                metrics::gauge!("soko_relay_lag_events").set(approximate(lag));
            }
            if page.is_empty() {
                self.pulse.found_nothing();
            } else {
                self.pulse.found(page.len() < Self::PAGE);
            }
            let last = page.last().map(|message| message.position);
            for message in page {
                after = message.position;
                publisher.send(message, Some(after) == last).await?;
            }
            self.wait(publisher).await?;
        }
    }

    /// Waits until it is worth while to read on.
    async fn wait(&mut self, publisher: &mut Publisher) -> Result<(), RelayError> {
        let news = self.pulse.wait();
        tokio::pin!(news);
        loop {
            tokio::select! {
                biased;
                () = &mut news => return Ok(()),
                // Nobody waits for these acknowledgements, but a refusal must be noticed.
                settled = publisher.settle(), if publisher.is_waiting() => settled?,
            }
        }
    }
}

/// Pauses that double.
#[derive(Debug)]
struct BackOff {
    next: Duration,
    min: Duration,
    max: Duration,
}

impl BackOff {
    const fn new(min: Duration, max: Duration) -> Self {
        let next = min;
        Self { next, min, max }
    }

    const fn reset(&mut self) {
        self.next = self.min;
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.max);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and a lag stays far below 2^53"
)]
const fn approximate(count: u64) -> f64 {
    count as f64
}
