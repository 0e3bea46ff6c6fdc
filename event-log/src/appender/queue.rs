//! What waits for the next call, and how long that will probably be.

use super::AppenderOptions;
use super::meters::Meters;
use super::queued::{Queued, Size};
use crate::{AppendError, Position};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

pub(super) const CALL_MAX: Size = Size {
    units: 1_000,
    events: 4_000,
    bytes: 1 << 20,
};
/// Before the first call has been timed.
const FIRST_CALL_TIME: Duration = Duration::from_millis(10);
const RETRY_AFTER_MIN: Duration = Duration::from_millis(100);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// Shared by those who enqueue and the task.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    head: watch::Sender<Position>,
    settled: watch::Sender<u64>,
    meters: Meters,
    options: AppenderOptions,
}

#[derive(Debug)]
struct Waiting {
    units: VecDeque<Queued>,
    events: usize,
    bytes: usize,
    last_number: u64,
    is_closed: bool,
    /// So many units are waited for.
    wanted: usize,
    call_since: Option<Instant>,
    /// Of the recent calls, the last counting most.
    call_time: Duration,
}

impl Queue {
    pub(super) fn new(head: Position, options: AppenderOptions) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                units: VecDeque::new(),
                events: 0,
                bytes: 0,
                last_number: 0,
                is_closed: false,
                wanted: 1,
                call_since: None,
                call_time: FIRST_CALL_TIME,
            }),
            filled: Notify::new(),
            head: watch::Sender::new(head),
            settled: watch::Sender::new(0),
            meters: Meters::new(),
            options,
        }
    }

    pub(super) fn push(&self, mut queued: Queued) -> Result<u64, AppendError> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(AppendError::Closed);
        }
        let wait = waiting.probable_wait();
        if wait > self.options.latency_budget || waiting.units.len() >= self.options.queue_max {
            self.meters.overloaded.increment(1);
            return Err(AppendError::Overloaded {
                retry_after: wait.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX),
            });
        }
        waiting.last_number += 1;
        queued.number = waiting.last_number;
        waiting.events += queued.unit.events.len();
        waiting.bytes += queued.bytes;
        waiting.units.push_back(queued);
        let number = waiting.last_number;
        let is_wanted = waiting.units.len() >= waiting.wanted;
        drop(waiting);
        if is_wanted {
            self.filled.notify_one();
        }
        Ok(number)
    }

    /// Waits until there is a unit, or the queue is closed.
    pub(super) async fn filled(&self) {
        self.wanted(1, |waiting| waiting.is_closed).await;
    }

    /// Waits until there are so many units.
    pub(super) async fn holds(&self, units: usize) {
        self.wanted(units, |_| false).await;
    }

    async fn wanted(&self, units: usize, or: impl Fn(&Waiting) -> bool) {
        let is_there = || {
            let mut waiting = self.lock();
            waiting.wanted = units;
            waiting.units.len() >= units || or(&waiting)
        };
        while !is_there() {
            self.filled.notified().await;
        }
    }

    /// What goes with the next call, as far as there is room.
    pub(super) fn take(&self, room: Size) -> Vec<Queued> {
        self.lock().take(room)
    }

    /// Lets units go before all that wait, in their order.
    pub(super) fn put_back(&self, units: Vec<Queued>) {
        self.lock().put_back(units);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().units.len()
    }

    /// While the log is out of reach: nobody waits longer than he was told.
    pub(super) fn refuse_overdue(&self) {
        let budget = self.options.latency_budget;
        loop {
            let mut waiting = self.lock();
            let is_overdue = |queued: &Queued| queued.since.elapsed() > budget;
            if !waiting.units.front().is_some_and(is_overdue) {
                return;
            }
            let Some(queued) = waiting.pop() else { return };
            drop(waiting);
            self.meters.overloaded.increment(1);
            queued.fail(AppendError::Overloaded {
                retry_after: RETRY_AFTER_MAX,
            });
        }
    }

    /// The worker has taken up a call, and takes up no other until that is decided, however long it
    /// takes to reach the database.
    pub(super) fn call_begins(&self) {
        self.lock().call_since = Some(Instant::now());
    }

    pub(super) fn call_ended(&self) {
        let mut waiting = self.lock();
        if let Some(since) = waiting.call_since.take() {
            waiting.call_time = (waiting.call_time * 3 + since.elapsed()) / 4;
        }
        let queue_length = waiting.units.len();
        drop(waiting);
        self.meters.queue_length.set(count(queue_length));
    }

    /// Of the first unit that waits, or that is yet to come.
    pub(super) fn first_number(&self) -> u64 {
        let waiting = self.lock();
        let first = waiting.units.front();
        first.map_or(waiting.last_number + 1, |queued| queued.number)
    }

    /// Every unit up to this number is answered.
    pub(super) fn settle(&self, number: u64) {
        self.settled.send_replace(number);
    }

    pub(super) fn reached(&self, head: Position) {
        self.head.send_if_modified(|known| {
            let is_news = head > *known;
            *known = head.max(*known);
            is_news
        });
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    pub(super) fn is_settled(&self, number: u64) -> bool {
        *self.settled.borrow() >= number
    }

    pub(super) fn settled(&self) -> watch::Receiver<u64> {
        self.settled.subscribe()
    }

    pub(super) fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    pub(super) const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Nothing that is done under the lock can leave it half done.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self, room: Size) -> Vec<Queued> {
        let (mut events, mut bytes) = (0, 0);
        let fits = |queued: &&Queued| {
            events += queued.unit.events.len();
            bytes += queued.bytes;
            events <= room.events && bytes <= room.bytes
        };
        let fitting = self.units.iter().take(room.units).take_while(fits).count();
        // A unit that is too big for any call goes alone.
        let least = usize::from(room.events == CALL_MAX.events && room.bytes == CALL_MAX.bytes);
        let taken = fitting.max(least).min(self.units.len());
        let units: Vec<Queued> = self.units.drain(..taken).collect();
        self.forget(&units);
        units
    }

    fn put_back(&mut self, units: Vec<Queued>) {
        for queued in units.into_iter().rev() {
            self.events += queued.unit.events.len();
            self.bytes += queued.bytes;
            self.units.push_front(queued);
        }
    }

    fn pop(&mut self) -> Option<Queued> {
        let queued = self.units.pop_front()?;
        self.forget(std::slice::from_ref(&queued));
        Some(queued)
    }

    fn forget(&mut self, gone: &[Queued]) {
        self.events -= gone.iter().map(|q| q.unit.events.len()).sum::<usize>();
        self.bytes -= gone.iter().map(|q| q.bytes).sum::<usize>();
    }

    /// Until a unit that is enqueued now is on its way: what is left of the call that is out, and
    /// the calls that what is waiting needs.
    fn probable_wait(&self) -> Duration {
        let out = self
            .call_since
            .map_or(Duration::ZERO, |since| self.call_time.max(since.elapsed()));
        let calls = (self.units.len() / CALL_MAX.units)
            .max(self.events / CALL_MAX.events)
            .max(self.bytes / CALL_MAX.bytes);
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        out.saturating_add(self.call_time.saturating_mul(calls))
    }
}

/// A gauge takes floats; no queue is long enough to lose a unit in one.
fn count(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::from(u32::MAX), f64::from)
}
