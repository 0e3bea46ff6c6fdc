//! An event as the log gives it back.

use crate::Position;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::{AccountId, AnyEvent, TenantId};
use std::fmt;
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
pub struct Metadata {
    pub actor: Actor,
    /// The same for everything that one request, or one process, led to.
    pub correlation: Uuid,
    /// The position of the event that led to this one, if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Position>,
    /// The same for all events of one unit of work, different for every unit.
    pub command_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
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
