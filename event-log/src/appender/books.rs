//! What is in the log as far as this appender knows, and who has still to be told.

use super::appended::Appended;
use super::call::{Call, Committed};
use super::queue::Queue;
use super::queued::Footing;
use crate::Position;

/// Of a call that has landed it is noted at once that it has; the rest can wait until the next is
/// on its way, since the database waits for that.
#[derive(Debug, Default)]
pub(super) struct Books {
    appended: Appended,
    landed: Option<(Call, Committed)>,
}

impl Books {
    /// Whether all events that a unit found in the stream are certainly there.
    pub(super) fn has(&self, footing: &Footing) -> bool {
        let landed = self.landed.as_ref();
        self.appended.has(footing) || landed.is_some_and(|(call, _)| call.has(footing))
    }

    /// Notes that the call is in the log.
    pub(super) fn land(&mut self, call: Call, committed: Committed, queue: &Queue) {
        if let Some((call, committed)) = self.landed.replace((call, committed)) {
            self.answer_units(call, committed, queue);
        }
    }

    /// Answers the units of the call that has landed; then every unit up to the number is decided.
    pub(super) fn answer(&mut self, queue: &Queue, up_to: u64) {
        if let Some((call, committed)) = self.landed.take() {
            self.answer_units(call, committed, queue);
        }
        queue.settle(up_to);
    }

    fn answer_units(&mut self, call: Call, committed: Committed, queue: &Queue) {
        let after = |base: Position, events: usize| {
            Position::new(base.get() + i64::try_from(events).unwrap_or(i64::MAX))
        };
        let Committed {
            mut base,
            recorded_at,
        } = committed;
        queue.reached(after(base, call.size().events));
        let meters = queue.meters();
        for queued in call.into_units() {
            let events = queued.unit.events.len();
            let written = queued
                .footings
                .iter()
                .filter(|footing| footing.is_written());
            written.for_each(|footing| self.appended.remember(footing));
            let appended = crate::Appended {
                first: base.next(),
                last: after(base, events),
                recorded_at,
            };
            base = appended.last;
            meters.unit_seconds.record(queued.waited());
            meters.appended_events.increment(events as u64);
            queued.succeed(appended);
        }
    }
}
