//! Who was asked to join a vendor's team.

use crate::ReadModel;
use crate::query::rows;
use crate::row::Json;
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::vendor::{VendorEvent, VendorRole};
use soko_domain::{AnyEvent, EmailAddress, InvitationId, Personal, TenantId, VendorId};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;

crate::row! {
    /// An invitation. Whether it has expired, the clock tells.
    pub struct Invitation in "invitations" {
        key { invitation_id: InvitationId }
        tenant_id: TenantId,
        vendor_id: VendorId,
        email: Json<Personal<EmailAddress>>,
        role: VendorRole,
        /// Of the token that accepts it: SHA-256 (hex).
        token_hash: String,
        status: InvitationStatus,
        invited_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    Open,
    Accepted,
    Withdrawn,
}

/// The read model.
#[derive(Debug)]
pub struct Invitations;

impl ReadModel for Invitations {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["vendor"];

    type Key = InvitationId;
    type Row = Invitation;

    fn keys(recorded: &RecordedEvent) -> Vec<InvitationId> {
        match &recorded.event {
            AnyEvent::Vendor(
                _,
                VendorEvent::MemberInvited { invitation_id, .. }
                | VendorEvent::InvitationWithdrawn { invitation_id }
                | VendorEvent::MemberJoined { invitation_id, .. },
            ) => vec![*invitation_id],
            _ => vec![],
        }
    }

    fn fold(
        row: Option<Invitation>,
        invitation_id: &InvitationId,
        recorded: &RecordedEvent,
    ) -> Option<Invitation> {
        let AnyEvent::Vendor(vendor_id, event) = &recorded.event else {
            return row;
        };
        let status = match event {
            VendorEvent::MemberInvited {
                email,
                role,
                token_hash,
                expires_at,
                ..
            } => {
                return Some(Invitation {
                    invitation_id: *invitation_id,
                    tenant_id: recorded.tenant_id,
                    vendor_id: *vendor_id,
                    email: Json(email.clone()),
                    role: *role,
                    token_hash: token_hash.clone(),
                    status: InvitationStatus::Open,
                    invited_at: recorded.recorded_at,
                    // Postgres keeps microseconds, the event whatever the clock told.
                    expires_at: expires_at.trunc_subsecs(6),
                });
            }
            VendorEvent::InvitationWithdrawn { .. } => InvitationStatus::Withdrawn,
            VendorEvent::MemberJoined { .. } => InvitationStatus::Accepted,
            VendorEvent::Registered { .. }
            | VendorEvent::Approved {}
            | VendorEvent::Rejected { .. }
            | VendorEvent::Suspended { .. }
            | VendorEvent::Reinstated {}
            | VendorEvent::DetailsChanged { .. }
            | VendorEvent::MemberRoleChanged { .. }
            | VendorEvent::MemberRemoved { .. } => return row,
        };
        row.map(|invitation| Invitation {
            status,
            ..invitation
        })
    }
}

/// The invitation that a token accepts; whoever holds the token may see it.
///
/// # Errors
/// The database failed.
pub async fn invitation_by_token(
    reader: &ScopedReader,
    token_hash: &str,
) -> Result<Option<Invitation>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Invitation>());
    query
        .push(" WHERE token_hash = ")
        .push_bind(token_hash.to_owned());
    query.push(" LIMIT 1");
    rows::optional(query, reader, &Scope::Token(token_hash.to_owned())).await
}

/// Open invitations, at most.
const OPEN_MAX: i64 = 1_000;

/// The open invitations of a vendor, in the order in which they were sent. Whether the caller may
/// see the vendor's team is for the caller to have asked.
///
/// # Errors
/// The database failed.
pub async fn open_invitations(
    reader: &ScopedReader,
    tenant_id: TenantId,
    vendor_id: VendorId,
) -> Result<Vec<Invitation>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Invitation>());
    query
        .push(" WHERE vendor_id = ")
        .push_bind(vendor_id.as_uuid());
    query
        .push(" AND tenant_id = ")
        .push_bind(tenant_id.as_uuid());
    query.push(" AND status = 'open' ORDER BY invitation_id LIMIT ");
    query.push_bind(OPEN_MAX);
    rows::all(query, reader, &Scope::Tenant(tenant_id)).await
}

/// Invitations of all vendors that were open when they expired, before a moment, after one of them
/// in the order of their ids. For retention, which knows no tenants.
///
/// # Errors
/// The database failed.
pub async fn long_expired(
    reader: &ScopedReader,
    before: DateTime<Utc>,
    after: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Invitation>());
    query.push(" WHERE status = 'open' AND expires_at < ");
    query.push_bind(before).push(" AND invitation_id > ");
    query.push_bind(after.map_or(uuid::Uuid::nil(), |after| after.as_uuid()));
    query
        .push(" ORDER BY invitation_id LIMIT ")
        .push_bind(limit);
    rows::all(query, reader, &Scope::Platform).await
}
