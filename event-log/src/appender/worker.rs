//! What the thread does: one call after the other.

use super::AppenderOptions;
use super::appended::Appended;
use super::call::{Blamed, Call, Committed};
use super::connection::{Connection, Refusal};
use super::queue::{Queue, Queued, UNITS_PER_CALL_MAX};
use crate::{AppendError, Position};
use futures::future::join;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How often the same units are sent although each time they are refused for no fault of theirs.
const TRIES_MAX: u32 = 3;
/// How long those who are about to enqueue are waited for, and how often, as long as more come.
const GATHERING_PAUSE: Duration = Duration::from_micros(50);
const GATHERING_PAUSES_MAX: u32 = 8;
/// Half of fewer is not worth a call of its own.
const UNITS_WORTH_SPLITTING: usize = 4;
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(20);
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Worker {
    queue: Arc<Queue>,
    connection: Connection,
    appended: Appended,
    done: Done,
    latency_budget: Duration,
}

/// What is in the log and not answered yet: the database does not wait for that.
#[derive(Debug, Default)]
struct Done {
    units: Vec<(Queued, crate::Appended)>,
    /// Every unit up to this number is among them, or is answered.
    up_to: u64,
}

/// Units that go with one call, in their order.
struct Part {
    units: Vec<Queued>,
    tries: u32,
}

impl Worker {
    pub(super) fn new(
        connection: Connection,
        head: Position,
        options: AppenderOptions,
    ) -> (Arc<Queue>, Self) {
        let latency_budget = options.latency_budget;
        let queue = Arc::new(Queue::new(head, options));
        let worker = Self {
            queue: Arc::clone(&queue),
            connection,
            appended: Appended::default(),
            done: Done::default(),
            latency_budget,
        };
        (queue, worker)
    }

    pub(super) async fn run(mut self) {
        while let Some(units) = self.next().await {
            let mut parts = vec![Part::new(units)];
            // Each step decides at least one unit, parts with one, or uses up a try.
            while let Some(part) = parts.pop() {
                parts.extend(self.send(part).await);
            }
            self.done.up_to = self.queue.call_ended();
            if self.queue.len() == 0 {
                self.done.answer(&self.queue);
            }
        }
        self.connection.close().await;
    }

    /// What goes with the next call.
    ///
    /// If the database had to wait, those who were just answered, or who are about to enqueue, come
    /// first, as long as more do: a call costs about the same for one unit as for a few, and who
    /// misses it waits for the whole of it. Then only half of them go. The others follow while the
    /// first are answered and decide anew, so that from then on this process and the database are
    /// both at work all the time, and not in turn.
    async fn next(&self) -> Option<Vec<Queued>> {
        if self.queue.len() > 0 {
            return self.queue.take(UNITS_PER_CALL_MAX);
        }
        self.queue.filled().await;
        let mut waiting = 0;
        for _ in 0..GATHERING_PAUSES_MAX {
            let now_waiting = self.queue.len();
            if now_waiting == waiting || now_waiting >= UNITS_PER_CALL_MAX {
                break;
            }
            waiting = now_waiting;
            // Shorter than the runtime can wait; nothing else is to be done on this thread.
            std::thread::sleep(GATHERING_PAUSE);
        }
        let half = self.queue.len() / 2;
        self.queue.take(if half < UNITS_WORTH_SPLITTING {
            UNITS_PER_CALL_MAX
        } else {
            half
        })
    }

    /// Sends what can go of a part; gives back what is left to be sent, the next last.
    async fn send(&mut self, part: Part) -> Vec<Part> {
        let Part { mut units, tries } = self.without_stopped(part);
        if units.is_empty() {
            return vec![];
        }
        if !self.connection.is_live() {
            self.done.answer(&self.queue);
        }
        if let Err(error) = self.connected_within(self.latency_budget).await {
            fail_all(units, error);
            return vec![];
        }
        let (call, riders) = Call::of(&units, &self.appended);
        self.measure(riders, call.events());
        let since = Instant::now();
        // The first is asked first: the call is on its way when those before it are answered.
        let (result, ()) = join(self.connection.send(&call), async {
            self.done.answer(&self.queue);
        })
        .await;
        self.queue.meters().call_seconds.record(since.elapsed());

        let refusal = match result {
            Ok(committed) => {
                let rest = units.split_off(riders);
                self.succeed(units, committed);
                return vec![Part::new(rest)];
            }
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::Conflict(error) => {
                let meters = self.queue.meters();
                meters.splits.increment(u64::from(riders > 1));
                match self.connection.blame(&call, &units[..riders]).await {
                    Ok(blamed) if blamed.is_empty() && riders == 1 => {
                        self.retry(Part { units, tries }, error)
                    }
                    Ok(blamed) if blamed.is_empty() => Part { units, tries }.halved(riders),
                    Ok(blamed) => self.without_blamed(units, blamed),
                    Err(error) => self.retry(Part { units, tries }, error),
                }
            }
            Refusal::BadData(error) if riders == 1 => {
                let rest = units.split_off(1);
                fail_all(units, error);
                vec![Part::new(rest)]
            }
            Refusal::BadData(_) => {
                self.queue.meters().splits.increment(1);
                Part { units, tries }.halved(riders)
            }
            Refusal::Busy(error) => self.retry(Part { units, tries }, error),
            Refusal::Failed(error) => {
                fail_all(units, error);
                vec![]
            }
            Refusal::Unknown(error) => {
                tracing::warn!(%error, units = riders, "the outcome of an append is not known yet");
                self.queue.meters().unknown_outcomes.increment(1);
                match self.outcome(&units[..riders]).await {
                    Some(committed) => {
                        let rest = units.split_off(riders);
                        self.succeed(units, committed);
                        vec![Part::new(rest)]
                    }
                    None => self.retry(Part { units, tries }, error),
                }
            }
        }
    }

    /// A unit whose ground has moved is never sent, and what stands on it moves too.
    fn without_stopped(&self, part: Part) -> Part {
        let mut units = Vec::with_capacity(part.units.len());
        for queued in part.units {
            if queued.has_moved() {
                self.queue.meters().stopped.increment(1);
                queued.fail(AppendError::Stopped);
            } else {
                units.push(queued);
            }
        }
        Part { units, ..part }
    }

    fn without_blamed(&self, units: Vec<Queued>, blamed: Vec<Blamed>) -> Vec<Part> {
        let mut errors: HashMap<usize, AppendError> = blamed
            .into_iter()
            .map(|blamed| (blamed.place, blamed.error))
            .collect();
        let mut rest = Vec::with_capacity(units.len());
        for (place, queued) in units.into_iter().enumerate() {
            if let Some(error) = errors.remove(&place) {
                self.queue.meters().conflicts.increment(1);
                queued.fail(error);
            } else {
                rest.push(queued);
            }
        }
        vec![Part::new(rest)]
    }

    fn retry(&self, part: Part, error: sqlx::Error) -> Vec<Part> {
        if part.tries + 1 >= TRIES_MAX {
            fail_all(part.units, error);
            return vec![];
        }
        self.queue.meters().retries.increment(1);
        vec![Part {
            tries: part.tries + 1,
            ..part
        }]
    }

    /// Notes where the units of a call stand, for them to be answered.
    fn succeed(&mut self, units: Vec<Queued>, committed: Committed) {
        let Committed {
            mut base,
            recorded_at,
        } = committed;
        for queued in units {
            let events = queued.unit.events.len();
            let written = queued
                .footings
                .iter()
                .filter(|footing| footing.is_written());
            written.for_each(|footing| self.appended.remember(footing));
            let last = Position::new(base.get() + i64::try_from(events).unwrap_or(i64::MAX));
            let appended = crate::Appended {
                first: base.next(),
                last,
                recorded_at,
            };
            self.done.units.push((queued, appended));
            base = last;
        }
    }

    /// Comes back when it is known: nobody may be told a guess.
    async fn outcome(&mut self, units: &[Queued]) -> Option<Committed> {
        loop {
            if self.connected_within(self.latency_budget).await.is_ok()
                && let Ok(outcome) = self.connection.outcome(units).await
            {
                return outcome;
            }
        }
    }

    async fn connected_within(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let since = Instant::now();
        let mut pause = RECONNECT_PAUSE_MIN;
        while !self.connection.is_live() {
            match self.connection.reconnect().await {
                Ok(()) => self.queue.meters().connections.increment(1),
                Err(error) => {
                    self.queue.refuse_overdue();
                    if since.elapsed() > limit {
                        return Err(error);
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(RECONNECT_PAUSE_MAX);
                }
            }
        }
        Ok(())
    }

    fn measure(&self, units: usize, events: usize) {
        let meters = self.queue.meters();
        meters.units_per_call.record(count(units));
        meters.events_per_call.record(count(events));
    }
}

impl Part {
    const fn new(units: Vec<Queued>) -> Self {
        Self { units, tries: 0 }
    }

    /// Of the first `riders`, the halves apart; the left one goes first. What stands behind the
    /// riders goes with the right one.
    fn halved(mut self, riders: usize) -> Vec<Self> {
        let right = self.units.split_off(riders / 2);
        vec![Self::new(right), Self::new(self.units)]
    }
}

impl Done {
    fn answer(&mut self, queue: &Queue) {
        if let Some((_, last)) = self.units.last() {
            queue.reached(last.last);
        }
        let meters = queue.meters();
        for (queued, appended) in self.units.drain(..) {
            let events = queued.unit.events.len() as u64;
            meters.unit_seconds.record(queued.waited());
            meters.appended_events.increment(events);
            queued.succeed(appended);
        }
        queue.settle(self.up_to);
    }
}

fn fail_all(units: Vec<Queued>, error: sqlx::Error) {
    tracing::error!(%error, units = units.len(), "units were not appended");
    let error = Arc::new(error);
    for queued in units {
        queued.fail(AppendError::Database(Arc::clone(&error)));
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
