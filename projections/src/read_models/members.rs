//! Who belongs to which team, and as what.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::rows;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::store::StoreEvent;
use soko_domain::tenant::{TenantEvent, TenantRole};
use soko_domain::vendor::{VendorEvent, VendorRole};
use soko_domain::{AccountId, AnyEvent, TenantId};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;
use std::fmt;
use uuid::Uuid;

crate::row! {
    /// A membership: an account in the team of a tenant, a store or a vendor.
    pub struct Member in "members" {
        key {
            account_id: AccountId,
            scope: MemberScope,
            /// The id of the tenant, store or vendor.
            scope_id: Uuid,
        }
        tenant_id: TenantId,
        /// As its events name it, such as `owner`: a `TenantRole`, `StoreRole` or `VendorRole`.
        role: String,
        since: DateTime<Utc>,
    }
}

/// Whose team it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberScope {
    Tenant,
    Store,
    Vendor,
}

impl fmt::Display for MemberScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Store => "store",
            Self::Vendor => "vendor",
        })
    }
}

impl Member {
    /// The role, as the type of its scope.
    pub fn role_as<R: serde::de::DeserializeOwned>(&self) -> Option<R> {
        serde_json::from_value(self.role.clone().into()).ok()
    }
}

/// The read model.
#[derive(Debug)]
pub struct Members;

type MemberKey = (AccountId, MemberScope, Uuid);

impl ReadModel for Members {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["tenant", "store", "vendor"];

    type Key = MemberKey;
    type Row = Member;

    fn keys(recorded: &RecordedEvent) -> Vec<MemberKey> {
        let Some(change) = Change::of(recorded) else {
            return vec![];
        };
        vec![(change.account_id, change.scope, change.scope_id)]
    }

    fn fold(row: Option<Member>, key: &MemberKey, recorded: &RecordedEvent) -> Option<Member> {
        let Some(change) = Change::of(recorded) else {
            return row;
        };
        let (account_id, scope, scope_id) = *key;
        Some(Member {
            account_id,
            scope,
            scope_id,
            tenant_id: recorded.tenant_id,
            role: change.role?,
            since: row.map_or(recorded.recorded_at, |member| member.since),
        })
    }
}

/// What an event does to a membership.
struct Change {
    scope: MemberScope,
    scope_id: Uuid,
    account_id: AccountId,
    /// None if it ends.
    role: Option<String>,
}

impl Change {
    fn of(recorded: &RecordedEvent) -> Option<Self> {
        let (scope, scope_id, (account_id, role)) = match &recorded.event {
            AnyEvent::Tenant(id, event) => (MemberScope::Tenant, id.as_uuid(), of_tenant(event)?),
            AnyEvent::Store(id, event) => (MemberScope::Store, id.as_uuid(), of_store(event)?),
            AnyEvent::Vendor(id, event) => (MemberScope::Vendor, id.as_uuid(), of_vendor(event)?),
            AnyEvent::Account(..)
            | AnyEvent::Promotion(..)
            | AnyEvent::Category(..)
            | AnyEvent::Product(..)
            | AnyEvent::Stock(..)
            | AnyEvent::Cart(..)
            | AnyEvent::Order(..)
            | AnyEvent::Payment(..)
            | AnyEvent::Statement(..)
            | AnyEvent::VendorAccount(..) => return None,
        };
        Some(Self {
            scope,
            scope_id,
            account_id,
            role,
        })
    }
}

type AccountAndRole = (AccountId, Option<String>);

fn of_tenant(event: &TenantEvent) -> Option<AccountAndRole> {
    match event {
        TenantEvent::Created { owner, .. } => Some((*owner, name(TenantRole::Owner))),
        TenantEvent::MemberAdded { account_id, role }
        | TenantEvent::MemberRoleChanged { account_id, role } => Some((*account_id, name(role))),
        TenantEvent::MemberRemoved { account_id } => Some((*account_id, None)),
        TenantEvent::Renamed { .. } => None,
    }
}

fn of_store(event: &StoreEvent) -> Option<AccountAndRole> {
    match event {
        StoreEvent::MemberAdded { account_id, role }
        | StoreEvent::MemberRoleChanged { account_id, role } => Some((*account_id, name(role))),
        StoreEvent::MemberRemoved { account_id } => Some((*account_id, None)),
        StoreEvent::Opened(_)
        | StoreEvent::Renamed { .. }
        | StoreEvent::TimeZoneChanged { .. }
        | StoreEvent::TaxChanged { .. }
        | StoreEvent::PaymentMethodsChanged { .. }
        | StoreEvent::CommissionChanged { .. }
        | StoreEvent::PaymentAccountSet { .. }
        | StoreEvent::PaymentAccountRemoved { .. }
        | StoreEvent::CommissionRulesChanged(_)
        | StoreEvent::LocationAdded { .. }
        | StoreEvent::LocationRenamed { .. }
        | StoreEvent::PayoutRulesChanged(_)
        | StoreEvent::WebOriginsChanged { .. }
        | StoreEvent::Closed {} => None,
    }
}

fn of_vendor(event: &VendorEvent) -> Option<AccountAndRole> {
    match event {
        VendorEvent::Registered { owner, .. } => Some((*owner, name(VendorRole::Owner))),
        VendorEvent::MemberJoined {
            account_id, role, ..
        }
        | VendorEvent::MemberRoleChanged { account_id, role } => Some((*account_id, name(role))),
        VendorEvent::MemberRemoved { account_id } => Some((*account_id, None)),
        VendorEvent::Approved {}
        | VendorEvent::Rejected { .. }
        | VendorEvent::Suspended { .. }
        | VendorEvent::Reinstated {}
        | VendorEvent::DetailsChanged { .. }
        | VendorEvent::MemberInvited { .. }
        | VendorEvent::InvitationWithdrawn { .. } => None,
    }
}

/// A role as its events name it.
fn name(role: impl Serialize) -> Option<String> {
    match serde_json::to_value(role) {
        Ok(serde_json::Value::String(name)) => Some(name),
        Ok(_) | Err(_) => None,
    }
}

/// Teams, and memberships of one account, that are answered at once, at most.
const MEMBERS_MAX: i64 = 1_000;

/// What an account is a member of: what it may do follows from it.
///
/// # Errors
/// The database failed.
pub async fn memberships(
    reader: &ScopedReader,
    account_id: AccountId,
) -> Result<Vec<Member>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Member>());
    query
        .push(" WHERE account_id = ")
        .push_bind(account_id.as_uuid());
    query.push(" ORDER BY scope, scope_id LIMIT ");
    query.push_bind(MEMBERS_MAX);
    rows::all(query, reader, &Scope::Account(account_id)).await
}
