//! The tasks: one call after the other.

use super::AppenderOptions;
use super::appended::Appended;
use super::call::{Blamed, Call, Committed};
use super::connection::{Connection, Refusal};
use super::queue::{Queue, Queued, UNITS_PER_CALL_MAX};
use crate::{AppendError, Position};
use futures::future::join;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

/// How often the same units are sent although each time they are refused for no fault of theirs.
const TRIES_MAX: u32 = 3;
/// How often the runtime's other tasks go first before a call.
const YIELDS_MAX: u32 = 4;
/// How far a call that finds the database idle goes ahead of the next one, so that it has the turn.
const LEAD: Duration = Duration::from_micros(300);
/// Half of fewer is not worth a call of its own.
const UNITS_WORTH_SPLITTING: usize = 4;
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(20);
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// One of those who send calls, on a connection of its own. There are two: while the call of one is
/// at work in the database, that of the other is already there and waits for its turn, so that the
/// database waits for nobody. It also keeps them in order; should they ever overtake each other,
/// what stands on a unit that is not in the log is refused there, and decided again.
#[derive(Debug)]
pub(super) struct Worker {
    shared: Arc<Shared>,
    connection: Connection,
}

#[derive(Debug)]
struct Shared {
    queue: Arc<Queue>,
    appended: Mutex<Appended>,
    /// Whoever holds it sends the next call; within, the last one that was sent.
    baton: Arc<tokio::sync::Mutex<Option<LastCall>>>,
    latency_budget: Duration,
}

type Baton = OwnedMutexGuard<Option<LastCall>>;

#[derive(Debug)]
struct LastCall {
    since: Instant,
    units: usize,
    /// Closed when it is over.
    over: watch::Receiver<()>,
}

/// Units that go with one call, in their order.
struct Part {
    units: Vec<Queued>,
    tries: u32,
}

impl Worker {
    /// As many as there are connections.
    pub(super) fn team(
        connections: Vec<Connection>,
        head: Position,
        options: AppenderOptions,
    ) -> (Arc<Queue>, Vec<Self>) {
        let latency_budget = options.latency_budget;
        let queue = Arc::new(Queue::new(head, options));
        let shared = Arc::new(Shared {
            queue: Arc::clone(&queue),
            appended: Mutex::default(),
            baton: Arc::default(),
            latency_budget,
        });
        let worker = |connection| Self {
            shared: Arc::clone(&shared),
            connection,
        };
        (queue, connections.into_iter().map(worker).collect())
    }

    pub(super) async fn run(mut self) {
        while let Some((units, baton)) = self.next().await {
            let first = units.first().map_or(0, |queued| queued.number);
            let mut baton = Some(baton);
            let mut parts = vec![Part::new(units)];
            // Each step decides at least one unit, parts with one, or uses up a try.
            while let Some(part) = parts.pop() {
                parts.extend(self.send(part, baton.take()).await);
            }
            self.shared.queue.call_ended(first);
        }
        self.connection.close().await;
    }

    /// What goes with the next call, and the right to send it. Those who were just answered, or
    /// who are about to enqueue, come first, as long as more do: a call costs about the same for
    /// one unit as for a few, and who misses it waits for the whole of it.
    ///
    /// Had the database to wait for them, only half of them go. The others follow when the first are
    /// answered and decide anew, so that from then on both are at work all the time, and not in turn.
    async fn next(&self) -> Option<(Vec<Queued>, Baton)> {
        let queue = &self.shared.queue;
        let mut baton = Arc::clone(&self.shared.baton).lock_owned().await;
        let mut units_max = UNITS_PER_CALL_MAX;
        if let Some(last) = baton.as_mut().filter(|last| !last.is_over()) {
            let enough = last.units.div_ceil(2);
            tokio::select! {
                () = last.ended() => (),
                () = queue.filled(enough) => if last.since.elapsed() < LEAD {
                    last.ended().await;
                },
            }
            queue.filled(1).await;
        } else if queue.len() == 0 {
            self.gather().await;
            let half = queue.len() / 2;
            if half >= UNITS_WORTH_SPLITTING {
                units_max = half;
            }
        }
        Some((queue.take(units_max)?, baton))
    }

    async fn gather(&self) {
        let queue = &self.shared.queue;
        queue.filled(1).await;
        let mut waiting = queue.len();
        for _ in 0..YIELDS_MAX {
            yield_now().await;
            let now_waiting = queue.len();
            if now_waiting == waiting || now_waiting >= UNITS_PER_CALL_MAX {
                break;
            }
            waiting = now_waiting;
        }
    }

    /// Sends what can go of a part; gives back what is left to be sent, the next last.
    /// Whoever has the baton gives it away once the call is on its way.
    async fn send(&mut self, part: Part, baton: Option<Baton>) -> Vec<Part> {
        let Part { mut units, tries } = self.without_stopped(part);
        if units.is_empty() {
            return vec![];
        }
        if let Err(error) = self.connected_within(self.shared.latency_budget).await {
            fail_all(units, error);
            return vec![];
        }
        let (call, riders) = Call::of(&units, &self.shared.appended());
        self.measure(riders, call.events());
        let since = Instant::now();
        let (out, over) = watch::channel(());
        // The first is asked first, and so is on its way when the baton goes on.
        let (result, ()) = join(self.connection.send(&call), async {
            if let Some(mut baton) = baton {
                *baton = Some(LastCall {
                    since,
                    units: riders,
                    over,
                });
            }
        })
        .await;
        drop(out);
        self.shared.queue.meters().call_seconds.record(since.elapsed());

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
                let meters = self.shared.queue.meters();
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
                self.shared.queue.meters().splits.increment(1);
                Part { units, tries }.halved(riders)
            }
            Refusal::Busy(error) => self.retry(Part { units, tries }, error),
            Refusal::Failed(error) => {
                fail_all(units, error);
                vec![]
            }
            Refusal::Unknown(error) => {
                tracing::warn!(%error, units = riders, "the outcome of an append is not known yet");
                self.shared.queue.meters().unknown_outcomes.increment(1);
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
                self.shared.queue.meters().stopped.increment(1);
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
                self.shared.queue.meters().conflicts.increment(1);
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
        self.shared.queue.meters().retries.increment(1);
        vec![Part {
            tries: part.tries + 1,
            ..part
        }]
    }

    fn succeed(&self, units: Vec<Queued>, committed: Committed) {
        let Committed {
            mut base,
            recorded_at,
        } = committed;
        let written = units
            .iter()
            .flat_map(|queued| &queued.footings)
            .filter(|footing| footing.is_written());
        self.shared.appended().remember_all(written);
        let meters = self.shared.queue.meters();
        for queued in units {
            let events = queued.unit.events.len();
            let last = Position::new(base.get() + i64::try_from(events).unwrap_or(i64::MAX));
            meters.unit_seconds.record(queued.waited());
            meters.appended_events.increment(events as u64);
            queued.succeed(crate::Appended {
                first: base.next(),
                last,
                recorded_at,
            });
            base = last;
        }
        self.shared.queue.reached(base);
    }

    /// Comes back when it is known: nobody may be told a guess.
    async fn outcome(&mut self, units: &[Queued]) -> Option<Committed> {
        loop {
            if self.connected_within(self.shared.latency_budget).await.is_ok()
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
                Ok(()) => self.shared.queue.meters().connections.increment(1),
                Err(error) => {
                    self.shared.queue.refuse_overdue();
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
        let meters = self.shared.queue.meters();
        meters.units_per_call.record(count(units));
        meters.events_per_call.record(count(events));
    }
}

impl Shared {
    /// Nothing that is done under the lock can leave it half done.
    fn appended(&self) -> MutexGuard<'_, Appended> {
        self.appended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastCall {
    fn is_over(&self) -> bool {
        self.over.has_changed().is_err()
    }

    async fn ended(&mut self) {
        // Nothing is ever sent: the channel closes with the call.
        while self.over.changed().await.is_ok() {}
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
