//! A unit that waits, and what it stands on.

use crate::vault::is_open;
use crate::{AppendError, Appended, EpochMark, NewEvent, Unit};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use uuid::Uuid;

/// What a row takes beside its texts.
const ROW_BYTES: usize = 128;

/// What units take of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) units: usize,
    pub(super) events: usize,
    /// About, on the wire.
    pub(super) bytes: usize,
}

/// Type and id.
pub(super) type Stream = (&'static str, Uuid);

/// A stream that a unit stands on.
#[derive(Debug)]
pub(super) struct Footing {
    pub(super) stream: Stream,
    /// Its last sequence, as the unit found it.
    pub(super) before: u64,
    /// And as the unit leaves it.
    pub(super) after: u64,
}

impl Footing {
    /// Or only read.
    pub(super) const fn is_written(&self) -> bool {
        self.after > self.before
    }
}

/// A unit that waits, or is on its way.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) number: u64,
    pub(super) unit: Unit,
    /// Written here, by who enqueues, because the task is one and they are many.
    pub(super) metadata: String,
    pub(super) footings: Vec<Footing>,
    pub(super) since: Instant,
    /// About what it takes on the wire.
    pub(super) bytes: usize,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Size {
    pub(super) const fn less(self, other: Self) -> Self {
        Self {
            units: self.units.saturating_sub(other.units),
            events: self.events.saturating_sub(other.events),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Queued {
    pub(super) fn new(
        unit: Unit,
        answer: oneshot::Sender<Result<Appended, AppendError>>,
    ) -> Result<Self, AppendError> {
        if unit.events.iter().any(|event| is_open(&event.payload)) {
            return Err(AppendError::Unsealed);
        }
        let metadata = unit.metadata.to_canonical_json();
        let events: usize = unit
            .events
            .iter()
            .map(|event| event.payload.len() + metadata.len() + ROW_BYTES)
            .sum();
        let claims: usize = unit
            .claims
            .iter()
            .map(|claim| {
                ROW_BYTES + claim.value.len() + claim.outcome.as_ref().map_or(0, String::len)
            })
            .sum();
        Ok(Self {
            number: 0,
            footings: footings(&unit)?,
            metadata,
            since: Instant::now(),
            bytes: events + claims,
            unit,
            answer,
        })
    }

    pub(super) fn has_moved(&self) -> bool {
        self.unit.epochs.iter().any(EpochMark::has_moved)
    }

    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn succeed(self, appended: Appended) {
        // Who does not wait for the answer may drop the ticket.
        let _ = self.answer.send(Ok(appended));
    }

    /// Whatever stands on the unit must not be sent any more; that comes before the answer.
    pub(super) fn fail(self, error: AppendError) {
        for mark in self.unit.epochs.iter().filter(|mark| mark.writes) {
            mark.move_on();
        }
        let _ = self.answer.send(Err(error));
    }
}

/// Every stream that the unit writes or read, once each.
fn footings(unit: &Unit) -> Result<Vec<Footing>, AppendError> {
    let mut footings: Vec<Footing> = Vec::with_capacity(unit.events.len() + unit.guards.len());
    for NewEvent {
        stream_type,
        stream_id,
        sequence,
        ..
    } in &unit.events
    {
        let stream = (*stream_type, *stream_id);
        let before = sequence
            .checked_sub(1)
            .ok_or(AppendError::VersionConflict)?;
        match footings.iter_mut().find(|known| known.stream == stream) {
            Some(known) if known.after == before => known.after = *sequence,
            Some(_) => return Err(AppendError::VersionConflict),
            None => footings.push(Footing {
                stream,
                before,
                after: *sequence,
            }),
        }
    }
    for guard in &unit.guards {
        let stream = (guard.stream_type, guard.stream_id);
        match footings.iter().find(|known| known.stream == stream) {
            Some(known) if known.before == guard.sequence => (),
            Some(_) => return Err(AppendError::VersionConflict),
            None => footings.push(Footing {
                stream,
                before: guard.sequence,
                after: guard.sequence,
            }),
        }
    }
    Ok(footings)
}
