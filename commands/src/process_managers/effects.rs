//! What follows from an event, and how it is written down.

use crate::snapshots::is_personal;
use crate::timers::{self, Change, SetTimer};
use chrono::{DateTime, Utc};
use serde_json::Value;
use soko_event_log::RecordedEvent;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// What follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    kind: &'static str,
    stream_id: Uuid,
    act: Act,
}

#[derive(Debug, Clone, PartialEq)]
enum Act {
    /// The event is part of the timer's identity: another one sets another timer.
    AtOnce {
        details: Details,
    },
    At {
        due_at: DateTime<Utc>,
        details: Details,
    },
    Cancel,
}

type Details = Option<Value>;

/// Why what follows from an event cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    #[error("the details of {kind} contain personal data")]
    Personal { kind: &'static str },
}

impl Effect {
    /// Fires as soon as it can, once for this event.
    pub fn at_once(kind: &'static str, stream_id: impl Into<Uuid>) -> Self {
        Self {
            kind,
            stream_id: stream_id.into(),
            act: Act::AtOnce { details: None },
        }
    }

    /// Fires at some time. There is one timer of a kind for a stream: setting it again moves it.
    pub fn at(kind: &'static str, stream_id: impl Into<Uuid>, due_at: DateTime<Utc>) -> Self {
        Self {
            kind,
            stream_id: stream_id.into(),
            act: Act::At {
                due_at,
                details: None,
            },
        }
    }

    /// The timer of this kind does not fire, if it has not fired yet.
    pub fn cancel(kind: &'static str, stream_id: impl Into<Uuid>) -> Self {
        Self {
            kind,
            stream_id: stream_id.into(),
            act: Act::Cancel,
        }
    }

    /// What the timer is to remember. It is kept in the clear: no personal data.
    #[must_use]
    pub fn with_details(mut self, value: Value) -> Self {
        match &mut self.act {
            Act::AtOnce { details } | Act::At { details, .. } => *details = Some(value),
            Act::Cancel => (),
        }
        self
    }

    fn into_change(
        self,
        manager: &'static str,
        recorded: &RecordedEvent,
        index: usize,
    ) -> (Uuid, Change) {
        let Self {
            kind,
            stream_id,
            act,
        } = self;
        let (timer_id, due_at, details) = match act {
            Act::AtOnce { details } => {
                let timer_id = timer_id(manager, kind, stream_id, Some((recorded, index)));
                (timer_id, recorded.recorded_at, details)
            }
            Act::At { due_at, details } => {
                (timer_id(manager, kind, stream_id, None), due_at, details)
            }
            Act::Cancel => {
                return (timer_id(manager, kind, stream_id, None), Change::Cancel);
            }
        };
        let set = SetTimer {
            kind,
            tenant_id: recorded.tenant_id,
            stream_id,
            position: recorded.position,
            correlation: recorded.metadata.correlation,
            details: details.map(|details| details.to_string()),
            due_at,
        };
        (timer_id, Change::Set(set))
    }
}

/// What follows from several events: of each timer, only what is last said.
#[derive(Debug)]
pub(super) struct Changes {
    manager: &'static str,
    changes: HashMap<Uuid, Change>,
}

impl Changes {
    pub(super) fn new(manager: &'static str) -> Self {
        Self {
            manager,
            changes: HashMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn add(
        &mut self,
        recorded: &RecordedEvent,
        effects: Vec<Effect>,
    ) -> Result<(), EffectError> {
        for (index, effect) in effects.into_iter().enumerate() {
            let kind = effect.kind;
            let (timer_id, change) = effect.into_change(self.manager, recorded, index);
            if let Change::Set(set) = &change
                && set.details.as_deref().is_some_and(is_personal)
            {
                return Err(EffectError::Personal { kind });
            }
            self.changes.insert(timer_id, change);
        }
        Ok(())
    }

    pub(super) async fn write(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        timers::change(connection, self.manager, &self.changes).await
    }
}

/// The same for the same timer, whoever computes it.
fn timer_id(
    manager: &str,
    kind: &str,
    stream_id: Uuid,
    event: Option<(&RecordedEvent, usize)>,
) -> Uuid {
    let name = match event {
        None => format!("{manager} {kind}"),
        Some((recorded, index)) => format!("{manager} {kind} {} {index}", recorded.position),
    };
    Uuid::new_v5(&stream_id, name.as_bytes())
}
