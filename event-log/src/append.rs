//! What is appended: units of work.

use crate::{CanonicalError, Claim, ClaimKind, Metadata, NewKey, Position, canonical_json};
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use soko_domain::{AggregateId, Decide, SubjectId, TenantId};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// What becomes durable together, or not at all.
#[derive(Debug, Clone)]
pub struct Unit {
    pub tenant_id: TenantId,
    pub metadata: Metadata,
    /// In the order in which they happened; the sequences of each stream follow each other.
    pub events: Vec<NewEvent>,
    pub claims: Vec<Claim>,
    pub releases: Vec<Release>,
    pub guards: Vec<Guard>,
    pub epochs: Vec<EpochMark>,
    /// Of the subjects whose personal data is in the events and was nowhere before.
    pub keys: Vec<NewKey>,
    /// Whose keys are destroyed.
    pub erased: Vec<SubjectId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub stream_type: &'static str,
    pub stream_id: Uuid,
    /// Counts the events of the stream from 1.
    pub sequence: u64,
    pub event_type: Cow<'static, str>,
    pub event_version: Cow<'static, str>,
    /// As [`canonical_json`] writes it; what is personal has to be sealed before it is appended.
    pub payload: String,
}

/// Gives a claim of the same tenant back; nothing happens if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub kind: ClaimKind,
    pub value: String,
}

/// A stream that the decision read but did not write: the append fails if it has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub stream_type: &'static str,
    pub stream_id: Uuid,
    /// Of its last event; 0 if there must be no such stream.
    pub sequence: u64,
}

/// What a decision stood on: the unit is not sent once the cell has left the epoch.
#[derive(Debug, Clone)]
pub struct EpochMark {
    pub cell: Arc<AtomicU64>,
    /// The cell's value at the time of the decision.
    pub epoch: u64,
    /// Whether others may already stand on what this unit does: if it fails, the cell moves on.
    pub writes: bool,
}

/// Where the events of a unit stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub first: Position,
    /// Of a unit without events, the position of the event before it; `first` is then behind it.
    pub last: Position,
    pub recorded_at: DateTime<Utc>,
}

/// Why a unit is not in the log. Each of these is certain: nothing of the unit was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    #[error("somebody else has appended to a stream that the unit writes")]
    VersionConflict,
    #[error("somebody else has appended to a stream that the unit read")]
    GuardMoved,
    #[error("{kind} {value:?} is taken")]
    ClaimTaken { kind: ClaimKind, value: String },
    #[error("a subject of the unit's personal data was given its key by somebody else")]
    KeyMade,
    #[error("the unit shows personal data in the clear")]
    Unsealed,
    #[error("the unit stood on another one that failed")]
    Stopped,
    #[error("the log has too much to do; try again in {retry_after:?}")]
    Overloaded { retry_after: Duration },
    #[error("the database refused the unit")]
    Database(#[source] Arc<sqlx::Error>),
    #[error("the log takes nothing any more")]
    Closed,
}

impl NewEvent {
    /// The event in the form in which it is stored.
    ///
    /// # Errors
    /// It has no canonical form.
    pub fn of<A: Decide>(
        id: A::Id,
        sequence: u64,
        event: &A::Event,
    ) -> Result<Self, CanonicalError> {
        Ok(Self {
            stream_type: A::TYPE,
            stream_id: id.as_uuid(),
            sequence,
            event_type: event.event_type().into(),
            event_version: event.event_version().into(),
            payload: canonical_json(event)?,
        })
    }
}

impl EpochMark {
    pub(crate) fn has_moved(&self) -> bool {
        self.cell.load(Ordering::Acquire) != self.epoch
    }

    /// Only from the epoch of the unit: if it has moved on before, what stands on the new one is
    /// sound.
    pub(crate) fn move_on(&self) {
        let _ = self.cell.compare_exchange(
            self.epoch,
            self.epoch + 1,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }
}
