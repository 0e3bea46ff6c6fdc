//! The answer to a command, and to a question.

use chrono::{DateTime, Utc};
use serde_json::Value;
use soko_event_log::Position;
use std::sync::Arc;
use uuid::Uuid;

/// The answer to a command that succeeded; what it says is in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed<T> {
    pub value: T,
    /// Of the unit's last event. `None` if nothing changed, or if this was a dry run.
    pub position: Option<Position>,
    pub recorded_at: Option<DateTime<Utc>>,
    /// Whether this is the answer that the same idempotency key was given before.
    pub replayed: bool,
    /// What a dry run would have appended.
    pub dry_run_events: Vec<Value>,
    /// The aggregates that the decision depended on, with their versions after it. Empty for a
    /// replayed answer.
    pub versions: Vec<(&'static str, Uuid, u64)>,
}

/// An aggregate as it was at some moment between the question and the answer, and durably so.
#[derive(Debug, Clone)]
pub struct Snapshot<A> {
    /// Shared with the engine: give it back soon, for the next command has to copy it otherwise.
    pub state: Arc<A>,
    pub version: u64,
}

impl Committed<()> {
    /// Without a place in the log.
    pub(crate) fn unplaced(versions: Vec<(&'static str, Uuid, u64)>) -> Self {
        Self {
            value: (),
            position: None,
            recorded_at: None,
            replayed: false,
            dry_run_events: vec![],
            versions,
        }
    }
}

impl<T> Committed<T> {
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Committed<U> {
        Committed {
            value: map(self.value),
            position: self.position,
            recorded_at: self.recorded_at,
            replayed: self.replayed,
            dry_run_events: self.dry_run_events,
            versions: self.versions,
        }
    }
}
