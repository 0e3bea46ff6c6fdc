//! An event as it stands in the table, and what reading it gives.

use crate::{Metadata, Position, RecordedEvent};
use chrono::{DateTime, Utc};
use soko_domain::{AnyEvent, TenantId};
use std::fmt;
use std::sync::Arc;

/// One row of the log. The texts are those that were written, byte for byte; `S` is `String`, or
/// `&str` where the row is only looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent<S = String> {
    pub position: Position,
    pub tenant_id: TenantId,
    pub stream_type: S,
    pub stream_id: S,
    pub sequence: u64,
    pub event_type: S,
    pub event_version: S,
    pub payload: S,
    pub metadata: S,
    pub recorded_at: DateTime<Utc>,
}

/// An event, or why it cannot be read: a bad event stops only those who need it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub position: Position,
    pub event: Result<Arc<RecordedEvent>, Arc<PoisonedEvent>>,
}

/// An event that is in the log and that this program cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoisonedEvent {
    pub position: Position,
    pub stream_type: String,
    pub event_type: String,
    pub reason: String,
}

impl<S: AsRef<str>> StoredEvent<S> {
    pub fn to_stored(&self) -> StoredEvent {
        StoredEvent {
            position: self.position,
            tenant_id: self.tenant_id,
            stream_type: self.stream_type.as_ref().to_owned(),
            stream_id: self.stream_id.as_ref().to_owned(),
            sequence: self.sequence,
            event_type: self.event_type.as_ref().to_owned(),
            event_version: self.event_version.as_ref().to_owned(),
            payload: self.payload.as_ref().to_owned(),
            metadata: self.metadata.as_ref().to_owned(),
            recorded_at: self.recorded_at,
        }
    }

    pub fn decode(&self) -> Entry {
        let event = self.recorded().map(Arc::new).map_err(|reason| {
            Arc::new(PoisonedEvent {
                position: self.position,
                stream_type: self.stream_type.as_ref().to_owned(),
                event_type: self.event_type.as_ref().to_owned(),
                reason,
            })
        });
        Entry {
            position: self.position,
            event,
        }
    }

    fn recorded(&self) -> Result<RecordedEvent, String> {
        let event = AnyEvent::decode(
            self.stream_type.as_ref(),
            self.stream_id.as_ref(),
            self.event_type.as_ref(),
            self.event_version.as_ref(),
            self.payload.as_ref(),
        )
        .map_err(|error| with_causes(&error))?;
        let metadata: Metadata = serde_json::from_str(self.metadata.as_ref())
            .map_err(|error| format!("the metadata cannot be read: {error}"))?;
        Ok(RecordedEvent {
            position: self.position,
            tenant_id: self.tenant_id,
            sequence: self.sequence,
            event,
            metadata,
            recorded_at: self.recorded_at,
        })
    }
}

impl fmt::Display for PoisonedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            event_type,
            reason,
            ..
        } = self;
        write!(f, "{event_type} at {position} cannot be read: {reason}")
    }
}

impl std::error::Error for PoisonedEvent {}

/// Serde names fields and lines, never values of a payload, so the text may be shown.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_payload_of_another_shape_is_poison_with_its_reason() {
        let stored = stored("stock.ran_low", r#"{"ran_low":{"available":1}}"#);
        let poisoned = stored.decode().event.unwrap_err();
        assert_eq!(poisoned.position, Position::new(7));
        assert!(poisoned.reason.contains("threshold"), "{poisoned}");
    }

    #[test]
    fn a_stored_event_decodes() {
        let stored = stored(
            "stock.ran_low",
            r#"{"ran_low":{"available":1,"threshold":5}}"#,
        );
        let recorded = stored.decode().event.unwrap();
        assert_eq!(recorded.sequence, 3);
        assert_eq!(recorded.event.name(), "stock.ran_low");
    }

    fn stored(event_type: &str, payload: &str) -> StoredEvent {
        StoredEvent {
            position: Position::new(7),
            tenant_id: TenantId::PLATFORM,
            stream_type: "stock".into(),
            stream_id: Uuid::from_u128(1).to_string(),
            sequence: 3,
            event_type: event_type.into(),
            event_version: "1".into(),
            payload: payload.into(),
            metadata: json!({
                "actor": "guest",
                "correlation": Uuid::from_u128(2),
                "command_id": Uuid::from_u128(3),
            })
            .to_string(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }
}
