//! What the thread does: one call after the other. While one is under way, the next is prepared.

use super::AppenderOptions;
use super::books::Books;
use super::call::{Call, Committed};
use super::connection::{Connection, Refusal};
use super::queue::{CALL_MAX, Queue};
use super::queued::{Queued, Size};
use crate::{AppendError, Position};
use futures::future::{Either, pending, select};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
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
/// Fewer are added to the next call when it is sent.
const UNITS_WORTH_PREPARING: usize = 8;
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(20);
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Worker {
    queue: Arc<Queue>,
    connection: Connection,
    books: Books,
    /// What was refused and goes again, before all else, the next last.
    again: Vec<Part>,
    latency_budget: Duration,
}

/// Units that go with one call, in their order.
#[derive(Debug)]
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
            books: Books::default(),
            again: Vec::new(),
            latency_budget,
        };
        (queue, worker)
    }

    pub(super) async fn run(mut self) {
        let mut prepared = Call::default();
        while let Some((call, tries)) = self.next(prepared).await {
            prepared = Call::default();
            self.queue.call_begins();
            match self.send(&call, &mut prepared).await {
                Ok(committed) => self.books.land(call, committed, &self.queue),
                Err(refusal) => {
                    // It may stand on what was refused.
                    self.queue
                        .put_back(std::mem::take(&mut prepared).into_units());
                    let again = self.decide(call, tries, refusal).await;
                    self.again.extend(again);
                }
            }
            self.queue.call_ended();
        }
        self.connection.close().await;
    }

    /// The next call, and how often it was tried; none when the queue is closed and empty.
    async fn next(&mut self, mut prepared: Call) -> Option<(Call, u32)> {
        let mut units_max = CALL_MAX.units;
        loop {
            let (call, tries) = match self.again.pop() {
                Some(part) => (self.part_of(part.units), part.tries),
                None => (self.complete(prepared, units_max), 0),
            };
            if !call.units().is_empty() {
                return Some((call, tries));
            }
            prepared = call;
            if self.again.is_empty() {
                self.books
                    .answer(&self.queue, self.queue.first_number() - 1);
                self.queue.filled().await;
                if self.queue.len() == 0 {
                    return None;
                }
                units_max = self.gather();
            }
        }
    }

    /// What can go of units that go again; the rest goes after them.
    fn part_of(&mut self, units: Vec<Queued>) -> Call {
        let mut call = Call::default();
        let units = self.without_stopped(units);
        let rest = call.fill(units, |footing| self.books.has(footing));
        if !rest.is_empty() {
            self.again.push(Part::new(rest));
        }
        call
    }

    /// The call that was prepared, with those who came late and without those whose ground has
    /// moved since.
    fn complete(&self, prepared: Call, units_max: usize) -> Call {
        let is_sound = !prepared.units().iter().any(Queued::has_moved);
        let (mut call, units) = if is_sound {
            let room = CALL_MAX.less(prepared.size());
            let units = room.units.min(units_max);
            (prepared, self.queue.take(Size { units, ..room }))
        } else {
            (Call::default(), prepared.into_units())
        };
        let units = self.without_stopped(units);
        let rest = call.fill(units, |footing| self.books.has(footing));
        self.queue.put_back(rest);
        call
    }

    /// If the database had to wait, those who were just answered, or who are about to enqueue, come
    /// first, as long as more do: a call costs about the same for one unit as for a few, and who
    /// misses it waits for the whole of it. Then only half of them go: so many are given back. The
    /// others follow while the first are answered and decide anew, so that from then on this process
    /// and the database are both at work all the time, and not in turn.
    fn gather(&self) -> usize {
        let mut waiting = 0;
        for _ in 0..GATHERING_PAUSES_MAX {
            let now_waiting = self.queue.len();
            if now_waiting == waiting || now_waiting >= CALL_MAX.units {
                break;
            }
            waiting = now_waiting;
            // Shorter than the runtime can wait; nothing else is to be done on this thread.
            std::thread::sleep(GATHERING_PAUSE);
        }
        match self.queue.len() / 2 {
            ..UNITS_WORTH_SPLITTING => CALL_MAX.units,
            half => half,
        }
    }

    /// Sends a call. When it is on its way, those before it are answered, and the next is prepared.
    async fn send(&mut self, call: &Call, prepared: &mut Call) -> Result<Committed, Refusal> {
        let first = call.units().first();
        let decided = first.map_or(0, |queued| queued.number - 1);
        if !self.connection.is_live() {
            self.books.answer(&self.queue, decided);
        }
        let connected = self.connected_within(self.latency_budget).await;
        connected.map_err(Refusal::Failed)?;

        let Self {
            queue,
            connection,
            books,
            again,
            ..
        } = self;
        let Size { units, events, .. } = call.size();
        let meters = queue.meters();
        meters.units_per_call.record(count(units));
        meters.events_per_call.record(count(events));
        let worth = UNITS_WORTH_PREPARING.max(units / 2);
        let preparing = async {
            books.answer(queue, decided);
            while again.is_empty() && prepare(prepared, call, books, queue) {
                queue.holds(worth).await;
            }
            pending::<Infallible>().await
        };
        let since = Instant::now();
        // The first is asked first: the call is on its way when those before it are answered.
        let result = match select(pin!(connection.send(call)), pin!(preparing)).await {
            Either::Left((result, _)) => result,
            Either::Right((never, _)) => match never {},
        };
        queue.meters().call_seconds.record(since.elapsed());
        result
    }

    /// What of a call that was refused goes again, the next last. Each time at least one unit is
    /// decided, or parted with, or a try is used up.
    async fn decide(&mut self, call: Call, tries: u32, refusal: Refusal) -> Vec<Part> {
        if let Refusal::Unknown(error) = &refusal {
            let units = call.units().len();
            tracing::warn!(%error, units, "the outcome of an append is not known yet");
            self.queue.meters().unknown_outcomes.increment(1);
            if let Some(committed) = self.outcome(call.units()).await {
                self.books.land(call, committed, &self.queue);
                return vec![];
            }
        }
        let units = call.into_units();
        let riders = units.len();
        let part = Part { units, tries };
        match refusal {
            Refusal::Conflict(error) => {
                let meters = self.queue.meters();
                meters.splits.increment(u64::from(riders > 1));
                match self.connection.blame(&part.units).await {
                    Ok(blamed) if !blamed.is_empty() => self.without_blamed(part.units, blamed),
                    Ok(_) if riders > 1 => part.halved(),
                    Ok(_) => self.retry(part, error),
                    Err(error) => self.retry(part, error),
                }
            }
            Refusal::BadData(error) if riders == 1 => {
                fail_all(part.units, error);
                vec![]
            }
            Refusal::BadData(_) => {
                self.queue.meters().splits.increment(1);
                part.halved()
            }
            Refusal::Busy(error) | Refusal::Unknown(error) => self.retry(part, error),
            Refusal::Failed(error) => {
                fail_all(part.units, error);
                vec![]
            }
        }
    }

    /// A unit whose ground has moved is never sent, and what stands on it moves too.
    fn without_stopped(&self, mut units: Vec<Queued>) -> Vec<Queued> {
        for queued in units.extract_if(.., |queued| queued.has_moved()) {
            self.queue.meters().stopped.increment(1);
            queued.fail(AppendError::Stopped);
        }
        units
    }

    fn without_blamed(
        &self,
        units: Vec<Queued>,
        mut blamed: HashMap<usize, AppendError>,
    ) -> Vec<Part> {
        let mut rest = Vec::with_capacity(units.len());
        for (place, queued) in units.into_iter().enumerate() {
            if let Some(error) = blamed.remove(&place) {
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
}

/// Takes into the next call what waits, while `under_way` is; whether more may be taken in later.
fn prepare(next: &mut Call, under_way: &Call, books: &Books, queue: &Queue) -> bool {
    let room = CALL_MAX.less(next.size());
    let is_there = |footing: &_| books.has(footing) || under_way.has(footing);
    let units = queue.take(room);
    let is_full = units.is_empty() && queue.len() > 0;
    let rest = next.fill(units, is_there);
    let may_have_more = rest.is_empty() && !is_full;
    queue.put_back(rest);
    may_have_more
}

impl Part {
    const fn new(units: Vec<Queued>) -> Self {
        Self { units, tries: 0 }
    }

    /// The halves apart; the left one goes first.
    fn halved(mut self) -> Vec<Self> {
        let right = self.units.split_off(self.units.len() / 2);
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
