//! A log, a stream and what runs between them, for tests.

use super::rules::{PATIENCE, Source};
use crate::writer::Writer;
use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, jetstream::stream::Stream};
use futures::FutureExt;
use futures::future::BoxFuture;
use soko_embedded::testing::{TestDatabase, fresh_database, until};
use soko_event_log::{
    Bus, JetStream, JetStreamOptions, LogReader, MIGRATOR, POSITION_HEADER, Position, Relay,
    RelayOptions, Subscription,
};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// One log and one stream; relays are started by the tests.
pub(crate) struct Town {
    pub(crate) writer: Writer,
    pub(crate) reader: LogReader,
    pub(crate) bus: Bus,
    pub(crate) database: Arc<TestDatabase>,
    url: String,
}

impl Town {
    pub(crate) async fn new(nats_url: &str, prefix: &str) -> Self {
        // What a relay has to say shows with the tests that fail.
        let _ = tracing_subscriber::fmt()
            .with_env_filter("info,soko_event_log=debug")
            .with_test_writer()
            .try_init();
        let database = Arc::new(fresh_database(&MIGRATOR).await);
        Self {
            writer: Writer::new(database.pool().clone()),
            reader: LogReader::new(database.pool().clone()),
            bus: Bus::connect(nats_url, prefix).await.unwrap(),
            database,
            url: nats_url.to_owned(),
        }
    }

    /// The same log, and another stream.
    pub(crate) async fn beside(&self, prefix: &str) -> Self {
        Self {
            writer: self.writer.clone(),
            reader: self.reader.clone(),
            bus: Bus::connect(&self.url, prefix).await.unwrap(),
            database: Arc::clone(&self.database),
            url: self.url.clone(),
        }
    }

    pub(crate) fn relay_options(&self) -> RelayOptions {
        let database: PgConnectOptions = self.database.url().parse().unwrap();
        RelayOptions {
            // A server sets this aside for each stream, and the tests share one.
            max_bytes: 8_000_000,
            ..RelayOptions::new(database, self.bus.clone())
        }
    }

    pub(crate) fn relay(&self) -> RunningRelay {
        RunningRelay::start(self.relay_options())
    }

    pub(crate) fn follow(&self, name: &str, after: Position) -> JetStream {
        let options = JetStreamOptions::new(self.bus.clone(), name);
        JetStream::new(options, self.reader.clone(), after)
    }

    /// Follows the bus, and takes nothing from the log unless the bus shows that something is
    /// missing. One event is written and given, so that bus and follower know each other.
    pub(crate) async fn follow_the_bus_alone(&self, name: &str) -> (JetStream, Position) {
        let options = JetStreamOptions {
            silence_max: Duration::from_secs(60 * 60),
            ..JetStreamOptions::new(self.bus.clone(), name)
        };
        let head = self.reader.head().await.unwrap();
        let mut subscription = JetStream::new(options, self.reader.clone(), head);
        let jetstream = self.jetstream().await;
        let first = async {
            until(
                "the consumer stands where the stream ends",
                async || match jetstream.get_stream(self.bus.stream()).await {
                    Ok(stream) => stream.consumer_info(name).await.is_ok(),
                    Err(_) => false,
                },
            )
            .await;
            self.writer.append(1).await
        };
        let (found, first) = tokio::join!(timeout(PATIENCE, subscription.next(1)), first);
        assert_eq!(found.unwrap().unwrap()[0].entry.position, first);
        // The first may have come from the log all the same. Nothing more will.
        self.published(first).await;
        let nothing = timeout(Duration::from_millis(200), subscription.next(1)).await;
        assert!(nothing.is_err(), "{nothing:?}");
        (subscription, first)
    }

    /// A client of its own, so that nothing under test can be in its way.
    pub(crate) async fn jetstream(&self) -> Context {
        let bus = Bus::connect(&self.url, "onlooker").await.unwrap();
        jetstream::new(bus.client())
    }

    pub(crate) async fn stream(&self) -> Stream {
        let jetstream = self.jetstream().await;
        jetstream.get_stream(self.bus.stream()).await.unwrap()
    }

    /// Waits until the last message of the stream is the one for a position.
    pub(crate) async fn published(&self, position: Position) {
        let jetstream = self.jetstream().await;
        until(&format!("{position} is published"), async || {
            let Ok(stream) = jetstream.get_stream(self.bus.stream()).await else {
                return false;
            };
            let subjects = self.bus.subjects();
            let last = stream.get_last_raw_message_by_subject(&subjects).await;
            let last = last.map(|last| position_of(&last.headers));
            last.is_ok_and(|last| last == position)
        })
        .await;
    }

    /// The positions of all messages of the stream, in the order of the stream.
    pub(crate) async fn positions(&self) -> Vec<i64> {
        let mut stream = self.stream().await;
        let state = stream.info().await.unwrap().state.clone();
        let mut positions = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                positions.push(position_of(&message.headers).get());
            }
        }
        positions
    }
}

impl Source for Town {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    fn subscribe<'a>(
        &'a self,
        name: &'a str,
        after: Position,
    ) -> BoxFuture<'a, Box<dyn Subscription>> {
        async move { Box::new(self.follow(name, after)) as Box<dyn Subscription> }.boxed()
    }
}

/// A relay that can be killed: nothing of it goes on when this is dropped.
pub(crate) struct RunningRelay {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl RunningRelay {
    pub(crate) fn start(options: RelayOptions) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(Relay::run(options, stop.clone()));
        Self { stop, task }
    }

    /// Stops it as a crash does, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }
}

impl Drop for RunningRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn position_of(headers: &HeaderMap) -> Position {
    headers
        .get(POSITION_HEADER)
        .unwrap()
        .as_str()
        .parse()
        .unwrap()
}
