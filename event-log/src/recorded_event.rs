//! An event as the log gives it back.

use crate::Position;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soko_domain::{AccountId, AnyEvent, TenantId};
use std::fmt::{self, Write};
use uuid::Uuid;

/// An event with all that the log knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    pub position: Position,
    pub tenant_id: TenantId,
    /// Counts the events of one stream from 1.
    pub sequence: u64,
    pub event: AnyEvent,
    pub metadata: Metadata,
    pub recorded_at: DateTime<Utc>,
}

/// Who asked, why, and what else came of the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Metadata {
    pub actor: Actor,
    /// The API key that the actor's program asked with, if it was a program that asked.
    pub api_key: Option<Uuid>,
    /// The same for everything that one request, or one process, led to.
    pub correlation: Uuid,
    /// The position of the event that led to this one, if an event did.
    pub causation: Option<Position>,
    /// The same for all events of one unit of work, different for every unit.
    pub command_id: Uuid,
    pub request_id: Option<String>,
}

/// Metadata as they stand in the log, with each event: what can be known without is left out.
#[derive(Serialize, Deserialize)]
struct Written {
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<Uuid>,
    correlation: Uuid,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "position_as_text"
    )]
    causation: Option<Position>,
    /// Nothing where it is the correlation: of the command that a request began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl From<Metadata> for Written {
    fn from(metadata: Metadata) -> Self {
        let command_id = metadata.written_command_id();
        Self {
            actor: metadata.actor,
            api_key: metadata.api_key,
            correlation: metadata.correlation,
            causation: metadata.causation,
            command_id,
            request_id: metadata.request_id,
        }
    }
}

impl From<Written> for Metadata {
    fn from(written: Written) -> Self {
        Self {
            actor: written.actor,
            api_key: written.api_key,
            correlation: written.correlation,
            causation: written.causation,
            command_id: written.command_id.unwrap_or(written.correlation),
            request_id: written.request_id,
        }
    }
}

/// All metadata are texts, as cqrs-es and postgres-es want them.
mod position_as_text {
    use crate::Position;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "it is how serde calls it")]
    pub(super) fn serialize<S: Serializer>(
        position: &Option<Position>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match position {
            Some(position) => serializer.collect_str(position),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Position>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// Who did it; stored as `account:<id>`, `guest` or `system:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    Account(AccountId),
    /// Somebody who is not logged in.
    Guest,
    /// A process manager or an operator's command, by name.
    System(String),
}

/// The text is not an actor.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an actor")]
pub struct ActorError(String);

impl Metadata {
    fn written_command_id(&self) -> Option<Uuid> {
        (self.command_id != self.correlation).then_some(self.command_id)
    }

    /// As [`canonical_json`](crate::canonical_json) writes it, without its detours.
    pub fn to_canonical_json(&self) -> String {
        let Self {
            actor,
            api_key,
            correlation,
            causation,
            command_id: _,
            request_id,
        } = self;
        let actor = Value::String(actor.to_string());
        let mut json = format!(r#"{{"actor":{actor}"#);
        // Writing to a String cannot fail.
        if let Some(api_key) = api_key {
            let _ = write!(json, r#","api_key":"{api_key}""#);
        }
        if let Some(causation) = causation {
            let _ = write!(json, r#","causation":"{causation}""#);
        }
        if let Some(command_id) = self.written_command_id() {
            let _ = write!(json, r#","command_id":"{command_id}""#);
        }
        let _ = write!(json, r#","correlation":"{correlation}""#);
        if let Some(request_id) = request_id {
            let request_id = Value::String(request_id.clone());
            let _ = write!(json, r#","request_id":{request_id}"#);
        }
        json.push('}');
        json
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Guest => f.write_str("guest"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        if text == "guest" {
            return Ok(Self::Guest);
        }
        if let Some(name) = text.strip_prefix("system:") {
            return Ok(Self::System(name.to_owned()));
        }
        let account = text.strip_prefix("account:").and_then(|id| id.parse().ok());
        account.map(Self::Account).ok_or(ActorError(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical_json;

    #[test]
    fn metadata_has_one_form_however_it_is_written() {
        for metadata in [bare(), full(), following()] {
            let json = metadata.to_canonical_json();
            assert_eq!(json, canonical_json(&metadata).unwrap());
            assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
        }
    }

    #[test]
    fn all_metadata_are_texts() {
        let json: Value = serde_json::from_str(&full().to_canonical_json()).unwrap();
        assert!(json.as_object().unwrap().values().all(Value::is_string));
    }

    #[test]
    fn the_command_that_a_request_began_with_is_its_correlation_and_not_written_twice() {
        let id = Uuid::from_u128(1);
        assert_eq!(
            bare().to_canonical_json(),
            format!(r#"{{"actor":"guest","correlation":"{id}"}}"#)
        );
        let read: Metadata = serde_json::from_str(&bare().to_canonical_json()).unwrap();
        assert_eq!(read.command_id, id);
    }

    fn bare() -> Metadata {
        Metadata {
            actor: Actor::Guest,
            api_key: None,
            correlation: Uuid::from_u128(1),
            causation: None,
            command_id: Uuid::from_u128(1),
            request_id: None,
        }
    }

    fn following() -> Metadata {
        Metadata {
            command_id: Uuid::from_u128(2),
            ..bare()
        }
    }

    fn full() -> Metadata {
        Metadata {
            actor: Actor::System("collect \"payment\"\n".into()),
            api_key: Some(Uuid::from_u128(3)),
            causation: Some(Position::new(17)),
            request_id: Some("a\\b\u{1}é".into()),
            ..following()
        }
    }
}
