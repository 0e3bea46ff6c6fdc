//! The businesses that run stores.

use crate::ReadModel;
use crate::query::{Keyset, rows};
use chrono::{DateTime, Utc};
use soko_domain::tenant::TenantEvent;
use soko_domain::{AccountId, AnyEvent, TenantId};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

crate::row! {
    /// A tenant. Who belongs to it is in [`members`](super::members).
    pub struct Tenant in "tenants" {
        key { tenant_id: TenantId }
        name: String,
        version: i64,
        created_at: DateTime<Utc>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Tenants;

impl ReadModel for Tenants {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["tenant"];

    type Key = TenantId;
    type Row = Tenant;

    fn keys(recorded: &RecordedEvent) -> Vec<TenantId> {
        match &recorded.event {
            AnyEvent::Tenant(tenant_id, _) => vec![*tenant_id],
            _ => vec![],
        }
    }

    fn fold(row: Option<Tenant>, tenant_id: &TenantId, recorded: &RecordedEvent) -> Option<Tenant> {
        let AnyEvent::Tenant(_, event) = &recorded.event else {
            return row;
        };
        let mut tenant = match (row, event) {
            (None, TenantEvent::Created { name, .. }) => Tenant {
                tenant_id: *tenant_id,
                name: name.to_string(),
                version: 0,
                created_at: recorded.recorded_at,
            },
            (row, _) => row?,
        };
        match event {
            TenantEvent::Renamed { name } => tenant.name = name.to_string(),
            TenantEvent::Created { .. }
            | TenantEvent::MemberAdded { .. }
            | TenantEvent::MemberRoleChanged { .. }
            | TenantEvent::MemberRemoved { .. } => (),
        }
        tenant.version = super::version(recorded);
        Some(tenant)
    }

    fn sources(tenant_id: &TenantId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("tenant", tenant_id.as_uuid())])
    }
}

/// Whose tenants are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantsOf {
    /// All there are: for the platform's own people.
    Platform,
    /// Those whose team an account belongs to.
    Member(AccountId),
}

/// One tenant; whether the caller may see it, their memberships tell.
///
/// # Errors
/// The database failed.
pub async fn tenant(
    reader: &ScopedReader,
    tenant_id: TenantId,
) -> Result<Option<Tenant>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Tenant>());
    query
        .push(" WHERE tenant_id = ")
        .push_bind(tenant_id.as_uuid());
    rows::optional(query, reader, &Scope::Tenant(tenant_id)).await
}

/// Tenants, the latest first, before one of them.
///
/// # Errors
/// The database failed.
pub async fn tenants(
    reader: &ScopedReader,
    of: TenantsOf,
    page: Keyset<TenantId>,
) -> Result<(Vec<Tenant>, Option<TenantId>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Tenant>());
    query.push(" WHERE true");
    let scope = match of {
        TenantsOf::Platform => Scope::Platform,
        TenantsOf::Member(account_id) => {
            let tenant_ids = tenants_of(reader, account_id).await?;
            let ids: Vec<_> = tenant_ids.iter().map(TenantId::as_uuid).collect();
            query.push(" AND tenant_id = ANY(").push_bind(ids).push(")");
            Scope::Tenants(tenant_ids)
        }
    };
    if let Some(before) = page.after {
        query.push(" AND tenant_id < ").push_bind(before.as_uuid());
    }
    query.push(" ORDER BY tenant_id DESC LIMIT ");
    query.push(page.limit + 1);
    let mut items: Vec<Tenant> = rows::all(query, reader, &scope).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| last.tenant_id);
    Ok((items, next))
}

async fn tenants_of(
    reader: &ScopedReader,
    account_id: AccountId,
) -> Result<Vec<TenantId>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "SELECT scope_id FROM read_models.members WHERE scope = 'tenant' AND account_id = ",
    );
    query.push_bind(account_id.as_uuid());
    let found = reader.all(&Scope::Account(account_id), query).await?;
    let ids = found.iter().map(|row| row.try_get(0));
    ids.map(|id| id.map(TenantId::from_uuid)).collect()
}
