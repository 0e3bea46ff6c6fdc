//! Many messages on their way at once, each with the sequence it must get.
//!
//! Acknowledgements come to one inbox, in the order of the messages: one lost message makes all
//! that follow wrong, so there is nothing to be sorted out. For the same reason the acknowledgement
//! of one message is that of all before it, and most need not be asked for.

use super::RelayError;
use super::leadership::Outgoing;
use crate::Position;
use crate::bus::{Bus, BusError, POSITION_HEADER};
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::{Client, HeaderMap, HeaderValue, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Instant;
use tokio::time::timeout;

/// What the headers of a message take.
const HEADERS_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Publisher {
    bus: Bus,
    client: Client,
    inbox: String,
    acknowledgements: Subscriber,
    window: u64,
    /// The messages whose acknowledgement was asked for.
    waiting: VecDeque<Sent>,
    /// The sequence of the last message, once all those on their way are stored.
    last_sequence: u64,
    /// Up to here they are stored.
    stored_sequence: u64,
    published: u64,
    /// How many of them the metrics know.
    counted: u64,
    last_published: Position,
    known: Position,
}

#[derive(Debug)]
struct Sent {
    position: Position,
    sequence: u64,
    at: Instant,
}

#[derive(Debug, Deserialize)]
struct Acknowledgement {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default)]
    description: String,
}

impl Publisher {
    /// Within a long run of messages the window has to move on.
    const ACKNOWLEDGED_EVERY: u64 = 100;

    /// `last_sequence` is that of the last message the stream has.
    pub(super) async fn new(
        bus: &Bus,
        last_sequence: u64,
        window: usize,
    ) -> Result<Self, BusError> {
        let client = bus.client();
        let inbox = client.new_inbox();
        Ok(Self {
            acknowledgements: client.subscribe(format!("{inbox}.*")).await?,
            bus: bus.clone(),
            client,
            inbox,
            window: window.max(1) as u64,
            waiting: VecDeque::new(),
            last_sequence,
            stored_sequence: last_sequence,
            published: 0,
            counted: 0,
            last_published: Position::START,
            known: Position::START,
        })
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tells the metrics what has been published since it last did.
    pub(super) fn count(&mut self) {
        if self.published > self.counted {
            let more = self.published - self.counted;
            metrics::counter!("soko_relay_published_total").increment(more);
            metrics::gauge!("soko_relay_position").set(approximate(self.last_published));
            self.counted = self.published;
        }
    }

    /// How many messages the stream has acknowledged.
    pub(super) const fn published(&self) -> u64 {
        self.published
    }

    /// The last position that the stream said it has, without having it at the place it was meant
    /// for.
    pub(super) const fn known(&self) -> Position {
        self.known
    }

    /// Sends the next event; waits for acknowledgements while the window is full. The last before
    /// a pause must ask for one.
    pub(super) async fn send(
        &mut self,
        message: Outgoing,
        asks_for_acknowledgement: bool,
    ) -> Result<(), RelayError> {
        while self.last_sequence - self.stored_sequence >= self.window && self.is_waiting() {
            self.settle().await?;
        }
        while let Some(Some(answer)) = self.acknowledgements.next().now_or_never() {
            self.take(&answer)?;
        }
        let position = message.position;
        let sequence = self.last_sequence + 1;
        let headers = headers(position, self.last_sequence);
        let body = self.fitting(message.body);
        let is_acknowledged = asks_for_acknowledgement
            || sequence.is_multiple_of(Self::ACKNOWLEDGED_EVERY)
            || sequence - self.stored_sequence >= self.window
            // Until it has taken something, it is of interest what it says to each.
            || self.published == 0;
        let sending = async {
            if is_acknowledged {
                let reply = format!("{}.{sequence}", self.inbox);
                self.client
                    .publish_with_reply_and_headers(message.subject, reply, headers, body)
                    .await
            } else {
                self.client
                    .publish_with_headers(message.subject, headers, body)
                    .await
            }
        };
        // While it is disconnected, the client takes messages until its queue is full.
        timeout(Bus::ANSWER_TIMEOUT, sending)
            .await
            .map_err(|_| RelayError::Disconnected)?
            .map_err(|error| RelayError::Bus(error.into()))?;
        self.last_sequence = sequence;
        if is_acknowledged {
            self.waiting.push_back(Sent {
                position,
                sequence,
                at: Instant::now(),
            });
        }
        Ok(())
    }

    /// Waits for the next acknowledgement.
    pub(super) async fn settle(&mut self) -> Result<(), RelayError> {
        loop {
            let Some(oldest) = self.waiting.front() else {
                return Ok(());
            };
            if oldest.at.elapsed() > Bus::ANSWER_TIMEOUT {
                return Err(RelayError::Unacknowledged);
            }
            match timeout(Bus::CONNECTION_POLL, self.acknowledgements.next()).await {
                Ok(Some(answer)) => return self.take(&answer),
                Ok(None) => return Err(RelayError::Disconnected),
                Err(_) if !self.bus.is_connected() => return Err(RelayError::Disconnected),
                Err(_) => (),
            }
        }
    }

    /// After a failure: lets what is still on its way arrive, so that the stream's end is its end.
    pub(super) async fn drain(&mut self) {
        let deadline = Instant::now() + Bus::ANSWER_TIMEOUT;
        while !self.waiting.is_empty() && self.bus.is_connected() && Instant::now() < deadline {
            match timeout(Bus::CONNECTION_POLL, self.acknowledgements.next()).await {
                // The failure is known already; what was stored in spite of it is not.
                Ok(Some(answer)) => drop(self.take(&answer)),
                Ok(None) => return,
                Err(_) => (),
            }
        }
    }

    /// What is too long for the server stands in the stream without its body.
    fn fitting(&self, body: Bytes) -> Bytes {
        if body.len() + HEADERS_BYTES_MAX > self.client.max_payload() {
            Bytes::new()
        } else {
            body
        }
    }

    fn take(&mut self, answer: &Message) -> Result<(), RelayError> {
        let sequence = answer.subject.rsplit('.').next();
        let sequence: Option<u64> = sequence.and_then(|token| token.parse().ok());
        let Some(sent) = self.waiting.pop_front() else {
            return Ok(());
        };
        if sequence != Some(sent.sequence) {
            // An answer before this one is lost.
            return Err(RelayError::Unacknowledged);
        }
        let position = sent.position;
        let refused = |reason| RelayError::Refused { position, reason };
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(refused("there is no stream".to_owned()));
        }
        let acknowledgement: Acknowledgement =
            serde_json::from_slice(&answer.payload).map_err(|error| refused(error.to_string()))?;
        if let Some(refusal) = acknowledgement.error {
            return Err(refused(refusal.description));
        }
        if acknowledgement.seq == sent.sequence {
            self.published += sent.sequence - self.stored_sequence;
            self.stored_sequence = sent.sequence;
            self.last_published = position;
            return Ok(());
        }
        if acknowledgement.duplicate {
            self.known = self.known.max(position);
            return Err(RelayError::Repeated { position });
        }
        Err(refused(format!("it got {}", acknowledgement.seq)))
    }
}

fn headers(position: Position, last_sequence: u64) -> HeaderMap {
    let position = position.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(
        NATS_EXPECTED_LAST_SEQUENCE,
        HeaderValue::from(last_sequence),
    );
    headers.insert(POSITION_HEADER, position);
    headers
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and positions stay far below 2^53"
)]
const fn approximate(position: Position) -> f64 {
    position.get() as f64
}
