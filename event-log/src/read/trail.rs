//! Events as auditors look for them: by their stream, by who did it, by what they belong to.

use super::{COLUMNS, ReadError, stored};
use crate::{Position, Scope, ScopedReader, StoredEvent};
use soko_domain::TenantId;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Which events; all of them if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    pub tenant_id: Option<TenantId>,
    pub stream: Option<(String, Uuid)>,
    /// As it is stored: `account:<id>`, `guest` or `system:<name>`.
    pub actor: Option<String>,
    pub correlation: Option<Uuid>,
}

impl ScopedReader {
    /// Such events after a position, in their order, at most `limit`; of a tenant or of all.
    ///
    /// By actor there is no index: each append would pay for it. A page of one actor looks through
    /// what lies between its events.
    ///
    /// # Errors
    /// [`ReadError::Database`].
    pub async fn trail(
        &self,
        scope: &Scope,
        trail: &Trail,
        after: Position,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ReadError> {
        let mut query = QueryBuilder::<Postgres>::new("SELECT ");
        query.push(COLUMNS).push(" FROM events WHERE position > ");
        query.push_bind(after.get());
        if let Some(tenant_id) = trail.tenant_id {
            query
                .push(" AND tenant_id = ")
                .push_bind(tenant_id.as_uuid());
        }
        if let Some((stream_type, stream_id)) = &trail.stream {
            query
                .push(" AND aggregate_id = ")
                .push_bind(stream_id.to_string());
            query
                .push(" AND aggregate_type = ")
                .push_bind(stream_type.clone());
        }
        if let Some(actor) = &trail.actor {
            query
                .push(" AND metadata ->> 'actor' = ")
                .push_bind(actor.clone());
        }
        if let Some(correlation) = trail.correlation {
            query.push(" AND metadata ->> 'correlation' = ");
            query.push_bind(correlation.to_string());
        }
        query.push(" ORDER BY position LIMIT ");
        query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.all(scope, query).await?;
        rows.iter()
            .map(|row| Ok(stored(row)?.to_stored()))
            .collect()
    }
}
