//! Brings messages from a consumer that is opened, and opened again, behind the reader's back.

use super::JetStreamOptions;
use crate::Position;
use crate::bus::BusError;
use async_nats::jetstream::consumer::pull::{self, Stream as Messages};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::stream::Stream;
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) enum Incoming {
    /// What follows comes from another consumer than what came before.
    Opened,
    Message(async_nats::Message),
}

#[derive(Debug)]
pub(super) struct Pump {
    incoming: mpsc::Receiver<Incoming>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// The last position that was given.
    after: AtomicI64,
    /// The consumer does not serve.
    renew: Notify,
}

impl Pump {
    pub(super) fn start(options: JetStreamOptions, after: Position) -> Self {
        let (sender, incoming) = mpsc::channel(Worker::CHANNEL);
        let shared = Arc::new(Shared {
            after: AtomicI64::new(after.get()),
            renew: Notify::new(),
        });
        let worker = Worker {
            options,
            sender,
            shared: Arc::clone(&shared),
        };
        Self {
            incoming,
            shared,
            task: tokio::spawn(worker.run()),
        }
    }

    /// What has arrived already.
    pub(super) fn arrived(&mut self) -> Option<Incoming> {
        self.incoming.try_recv().ok()
    }

    pub(super) async fn next(&mut self) -> Incoming {
        match self.incoming.recv().await {
            Some(incoming) => incoming,
            // The worker ends with us, not before.
            None => std::future::pending().await,
        }
    }

    pub(super) fn reached(&self, after: Position) {
        self.shared.after.store(after.get(), Ordering::Relaxed);
    }

    /// Makes the consumer anew.
    pub(super) fn renew(&self) {
        self.shared.renew.notify_one();
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Worker {
    options: JetStreamOptions,
    sender: mpsc::Sender<Incoming>,
    shared: Arc<Shared>,
}

impl Worker {
    const CHANNEL: usize = 500;
    const BATCH: usize = 500;
    const PULL_EXPIRY: Duration = Duration::from_secs(10);
    /// A consumer that misses two of these is opened again.
    const HEARTBEAT: Duration = Duration::from_secs(1);
    const ACK_WAIT: Duration = Duration::from_secs(30);
    const ACK_PENDING_MAX: i64 = 20_000;
    /// A consumer that would repeat more than this is made anew instead.
    const REPETITION_MAX: u64 = 1_000;
    const BACK_OFF_MIN: Duration = Duration::from_millis(50);
    const BACK_OFF_MAX: Duration = Duration::from_secs(2);

    async fn run(self) {
        let mut back_off = Self::BACK_OFF_MIN;
        let mut is_renewed = false;
        loop {
            self.options.bus.connected().await;
            let opened = Instant::now();
            match self.open(is_renewed).await {
                Ok(messages) => {
                    let Some(ended) = self.bring(messages).await else {
                        return;
                    };
                    is_renewed = ended == Ended::Renewed;
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &*error;
                    tracing::debug!(error, "the consumer cannot be opened");
                }
            }
            if opened.elapsed() > Self::BACK_OFF_MAX * 2 {
                back_off = Self::BACK_OFF_MIN;
            }
            tokio::time::sleep(back_off).await;
            back_off = (back_off * 2).min(Self::BACK_OFF_MAX);
        }
    }

    /// Passes messages on until that ends; None if nobody wants them any more.
    async fn bring(&self, mut messages: Messages) -> Option<Ended> {
        self.sender.send(Incoming::Opened).await.ok()?;
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                () = self.shared.renew.notified() => return Some(Ended::Renewed),
            };
            match message {
                Some(Ok(message)) => {
                    let message = Incoming::Message(message.message);
                    self.sender.send(message).await.ok()?;
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "the consumer is opened again");
                    return Some(Ended::Failed);
                }
                None => return Some(Ended::Failed),
            }
        }
    }

    async fn open(&self, is_renewed: bool) -> Result<Messages, BusError> {
        let bus = &self.options.bus;
        let stream = bus.context().get_stream(bus.stream()).await?;
        let start = self.start(&stream).await?;
        let name = &self.options.name;
        let consumer = match stream.get_consumer(name).await {
            Ok(found) if !is_renewed && Self::serves(&found, start) => found,
            Ok(_) => {
                stream.delete_consumer(name).await?;
                stream.create_consumer(self.config(start)).await?
            }
            Err(_) => stream.create_consumer(self.config(start)).await?,
        };
        let messages = consumer
            .stream()
            .max_messages_per_batch(Self::BATCH)
            .expires(Self::PULL_EXPIRY)
            .heartbeat(Self::HEARTBEAT)
            .messages()
            .await?;
        Ok(messages)
    }

    /// The sequence in the stream of what comes next, if the stream has no holes. If it has, too
    /// much is brought or too little, and neither does harm.
    async fn start(&self, stream: &Stream) -> Result<u64, BusError> {
        let after = Position::new(self.shared.after.load(Ordering::Relaxed));
        let end = stream.cached_info().state.last_sequence + 1;
        let Some(last) = self.options.bus.last(stream).await? else {
            return Ok(end);
        };
        let behind = last.position.map_or(0, |last| last.distance_from(after));
        Ok((last.sequence + 1).saturating_sub(behind).max(1))
    }

    fn serves(found: &Consumer<pull::Config>, start: u64) -> bool {
        let next = found.cached_info().delivered.stream_sequence + 1;
        next <= start && start - next <= Self::REPETITION_MAX
    }

    fn config(&self, start_sequence: u64) -> pull::Config {
        pull::Config {
            durable_name: Some(self.options.name.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::All,
            ack_wait: Self::ACK_WAIT,
            max_ack_pending: Self::ACK_PENDING_MAX,
            filter_subject: self.options.bus.subjects(),
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: self.options.inactive_max,
            ..pull::Config::default()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Failed,
    Renewed,
}
