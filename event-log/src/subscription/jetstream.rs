//! New events from JetStream, with the log behind it.
//!
//! What the bus brings is only believed where it fits: the position that is expected is given,
//! older ones are skipped, and before newer ones the log is read. When the bus is silent the log is
//! asked whether it has moved on. So whatever the bus loses, repeats or invents, what is given is
//! the log.

mod pump;

use super::{Delivery, Subscription, SubscriptionError, Tail};
use crate::bus::{Bus, Message, position_in};
use crate::{LogReader, Position};
use async_nats::Subject;
use async_trait::async_trait;
use pump::{Incoming, Pump};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How to follow the bus.
#[derive(Debug, Clone)]
pub struct JetStreamOptions {
    pub bus: Bus,
    /// The name of the durable consumer: one for each process that follows.
    pub name: String,
    /// How long the bus may be silent before the log is asked.
    pub silence_max: Duration,
    /// How long the server remembers a consumer that nobody reads.
    pub inactive_max: Duration,
}

impl JetStreamOptions {
    pub fn new(bus: Bus, name: impl Into<String>) -> Self {
        Self {
            bus,
            name: name.into(),
            silence_max: Duration::from_millis(250),
            inactive_max: Duration::from_secs(5 * 60),
        }
    }
}

/// Follows the log over JetStream, and reads it where JetStream does not serve.
#[derive(Debug)]
pub struct JetStream {
    bus: Bus,
    reader: LogReader,
    pump: Pump,
    /// What the pump has brought and nobody has taken.
    arrived: VecDeque<Incoming>,
    /// The last position given.
    after: Position,
    trust: Trust,
    acks: Acks,
    silence_max: Duration,
    /// When the log is asked, unless the bus gives something before.
    look_at: Instant,
    pause: Duration,
    /// Since when the log moves and the bus brings nothing at all.
    dumb_since: Option<Instant>,
}

/// What is thought of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing that it brought has been compared with the log since it was opened.
    Open,
    /// It brings the log.
    Given,
    /// It brings something else; nothing is taken until it is opened again.
    Lost,
}

/// What the messages that have arrived amount to.
#[derive(Debug)]
enum Step {
    Give(Vec<Delivery>),
    /// Read the log up to here before more is taken.
    Read(Position),
    /// Compare the message at this position, which is the next, with the log.
    Compare(Position),
    Wait,
}

impl JetStream {
    /// A consumer that brings nothing for this long although the log moves is made anew.
    const DUMB_MAX: Duration = Duration::from_secs(2);
    const ARRIVED_MAX: usize = 1_000;

    /// Follows what comes after a position.
    pub fn new(options: JetStreamOptions, reader: LogReader, after: Position) -> Self {
        Self {
            bus: options.bus.clone(),
            reader,
            silence_max: options.silence_max,
            pause: options.silence_max,
            pump: Pump::start(options, after),
            arrived: VecDeque::new(),
            after,
            trust: Trust::Open,
            acks: Acks::new(after),
            // What was there before is in the log.
            look_at: Instant::now(),
            dumb_since: None,
        }
    }

    fn step(&mut self, max: usize) -> Step {
        let mut found = Vec::new();
        let mut after = self.after;
        while found.len() < max
            && let Some(next) = self.arrived.front()
        {
            let Incoming::Message(message) = next else {
                self.trust = Trust::Open;
                self.acks.forget();
                self.arrived.pop_front();
                continue;
            };
            let position = message.headers.as_ref().and_then(position_in);
            let position =
                position.filter(|position| *position > after && self.trust != Trust::Lost);
            if let Some(position) = position {
                if self.trust == Trust::Open {
                    return self.give_or(found, Step::Compare(position));
                }
                if position > after.next() {
                    let hole = Position::new(position.get() - 1);
                    return self.give_or(found, Step::Read(hole));
                }
                let stored = Message::read(&message.payload);
                let Some(stored) = stored.filter(|stored| stored.position == position) else {
                    // The event is too long for a message.
                    return self.give_or(found, Step::Read(position));
                };
                found.push(Delivery::of(&stored));
                after = position;
            }
            // Older ones too are acknowledged, with what has been given.
            self.acks.expect(after, message.reply.clone());
            self.arrived.pop_front();
        }
        self.give_or(found, Step::Wait)
    }

    fn give_or(&mut self, found: Vec<Delivery>, step: Step) -> Step {
        if found.is_empty() {
            return step;
        }
        self.dumb_since = None;
        self.look_in(self.silence_max);
        Step::Give(found)
    }

    /// Whether the message at a position, which has just arrived, says what the log says there. A
    /// bus that belongs to another log, or to this one before it was restored, does not.
    async fn compare(&mut self, position: Position) -> Result<(), SubscriptionError> {
        let before = Position::new(position.get() - 1);
        let stored = self.reader.read_stored(before, 1).await?;
        let Some(Incoming::Message(message)) = self.arrived.front() else {
            return Ok(());
        };
        let is_the_log =
            |stored| message.payload.is_empty() || Message::body(stored) == message.payload;
        if stored.first().is_some_and(is_the_log) {
            self.trust = Trust::Given;
        } else {
            self.distrust();
        }
        Ok(())
    }

    fn distrust(&mut self) {
        metrics::counter!("soko_subscription_distrusted_total").increment(1);
        tracing::warn!(
            stream = self.bus.stream(),
            after = self.after.get(),
            "the stream holds what this log does not; the log is read instead"
        );
        self.trust = Trust::Lost;
        self.pump.renew();
        self.look_in(Duration::ZERO);
    }

    /// Asks the log what the bus may have kept from us.
    async fn look(&mut self, max: usize) -> Result<Vec<Delivery>, SubscriptionError> {
        let found = self.reader.deliveries(self.after, max).await?;
        if found.is_empty() {
            let pause = if self.bus.is_connected() {
                self.silence_max
            } else {
                (self.pause * 3 / 2).clamp(Tail::POLL_MIN, Tail::POLL_MAX)
            };
            self.look_in(pause);
            return Ok(found);
        }
        metrics::counter!("soko_subscription_read_from_log_total").increment(found.len() as u64);
        let is_whole = found.len() < max;
        self.look_in(if is_whole {
            Tail::POLL_MIN
        } else {
            Duration::ZERO
        });
        let since = *self.dumb_since.get_or_insert_with(Instant::now);
        if since.elapsed() > Self::DUMB_MAX && self.bus.is_connected() {
            self.dumb_since = None;
            self.pump.renew();
        }
        Ok(found)
    }

    fn look_in(&mut self, pause: Duration) {
        self.pause = pause;
        self.look_at = Instant::now() + pause;
    }

    fn given(&mut self, found: Vec<Delivery>) -> Vec<Delivery> {
        if let Some(last) = found.last() {
            self.after = last.entry.position;
            self.pump.reached(self.after);
        }
        found
    }

    async fn acknowledge(&mut self) -> Result<(), SubscriptionError> {
        // The client would keep it until there is a connection, and wait when it keeps too much.
        if self.bus.is_connected()
            && let Some(reply) = self.acks.due()
        {
            self.bus.client().publish(reply, "+ACK".into()).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Subscription for JetStream {
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, SubscriptionError> {
        let max = max.max(1);
        loop {
            while self.arrived.len() < Self::ARRIVED_MAX
                && let Some(incoming) = self.pump.arrived()
            {
                self.arrived.push_back(incoming);
            }
            match self.step(max) {
                Step::Give(found) => return Ok(self.given(found)),
                Step::Read(until) => {
                    let missing = usize::try_from(until.distance_from(self.after));
                    let limit = missing.unwrap_or(max).min(max);
                    let found = self.reader.deliveries(self.after, limit).await?;
                    if !found.is_empty() {
                        metrics::counter!("soko_subscription_healed_total")
                            .increment(found.len() as u64);
                        return Ok(self.given(found));
                    }
                    self.distrust();
                }
                Step::Compare(position) => self.compare(position).await?,
                Step::Wait => {
                    self.acknowledge().await?;
                    let incoming = timeout_at(self.look_at, self.pump.next()).await;
                    if let Ok(incoming) = incoming {
                        self.dumb_since = None;
                        self.arrived.push_back(incoming);
                    }
                    if Instant::now() >= self.look_at {
                        let found = self.look(max).await?;
                        if !found.is_empty() {
                            return Ok(self.given(found));
                        }
                    }
                }
            }
        }
    }

    async fn confirm(&mut self, position: Position) -> Result<(), SubscriptionError> {
        self.acks.confirm(position);
        self.acknowledge().await
    }
}

/// What is still to be acknowledged. An acknowledgement covers all that was delivered before.
#[derive(Debug)]
struct Acks {
    /// Where to, once what is given up to a position is confirmed; in the order of arrival.
    expected: VecDeque<(Position, Subject)>,
    confirmed: Position,
}

impl Acks {
    const fn new(confirmed: Position) -> Self {
        Self {
            expected: VecDeque::new(),
            confirmed,
        }
    }

    fn expect(&mut self, given: Position, reply: Option<Subject>) {
        self.expected.extend(reply.map(|reply| (given, reply)));
    }

    fn confirm(&mut self, position: Position) {
        self.confirmed = self.confirmed.max(position);
    }

    fn due(&mut self) -> Option<Subject> {
        let confirmed = self.confirmed;
        let due = self
            .expected
            .partition_point(|(given, _)| *given <= confirmed);
        self.expected
            .drain(..due)
            .next_back()
            .map(|(_, reply)| reply)
    }

    /// Those of a consumer that is no more would be taken for those of its successor.
    fn forget(&mut self) {
        self.expected.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_acknowledgement_covers_all_that_is_confirmed() {
        let mut acks = Acks::new(Position::START);
        for position in 1..=5 {
            let reply = format!("reply.{position}").into();
            acks.expect(Position::new(position), Some(reply));
        }
        assert_eq!(acks.due(), None);
        acks.confirm(Position::new(3));
        assert_eq!(acks.due(), Some("reply.3".into()));
        assert_eq!(acks.due(), None);
        acks.confirm(Position::new(2));
        assert_eq!(acks.due(), None);
        acks.confirm(Position::new(9));
        assert_eq!(acks.due(), Some("reply.5".into()));
    }
}
