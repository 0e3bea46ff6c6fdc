//! Who asks, why, and under which conditions.

use chrono::{DateTime, Utc};
use soko_domain::TenantId;
use soko_event_log::{Actor, Metadata, Position};
use uuid::Uuid;

/// What comes with a command besides the command itself.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// Whose streams the unit writes: a unit never spans two tenants.
    pub tenant_id: TenantId,
    pub actor: Actor,
    /// The API key that the actor's program asked with, if it was a program that asked.
    pub api_key: Option<Uuid>,
    /// The same for everything that one request, or one process, leads to.
    pub correlation: Uuid,
    /// The event that led to this command, if an event did.
    pub causation: Option<Position>,
    pub request_id: Option<String>,
    pub command_id: Uuid,
    /// The time at which the command is decided, for those who need to know it.
    pub now: DateTime<Utc>,
    pub idempotency: Option<IdempotencyKey>,
    /// The version that the first aggregate named must have (`If-Match`).
    pub expected_version: Option<u64>,
    /// Decide and tell, but append nothing. It takes no notice of the idempotency key.
    pub dry_run: bool,
}

/// What makes a repeated command the same command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Within which keys are told apart: an account's id, the hash of a guest's token, or the name
    /// of a process manager.
    pub scope: String,
    /// Visible ASCII: no spaces.
    pub key: String,
    /// Of everything that makes up the request; the same key with another digest is a mistake.
    pub digest: [u8; 32],
}

impl CommandContext {
    /// For a command that is asked once, unconditionally.
    pub fn new(tenant_id: TenantId, actor: Actor, command_id: Uuid, now: DateTime<Utc>) -> Self {
        Self {
            tenant_id,
            actor,
            api_key: None,
            correlation: command_id,
            causation: None,
            request_id: None,
            command_id,
            now,
            idempotency: None,
            expected_version: None,
            dry_run: false,
        }
    }

    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            actor: self.actor.clone(),
            api_key: self.api_key,
            correlation: self.correlation,
            causation: self.causation,
            command_id: self.command_id,
            request_id: self.request_id.clone(),
        }
    }
}
