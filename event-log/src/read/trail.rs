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

/// A part of the log, from behind one position up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub after: Position,
    pub up_to: Position,
}

impl ScopedReader {
    /// Such events after a position, in their order, at most `limit`; of a tenant or of all.
    ///
    /// By actor and correlation there is no index: each append would pay for it. Whoever knows where
    /// such events are says so by `stretches`, and no other part of the log is read.
    ///
    /// # Errors
    /// [`ReadError::Database`].
    pub async fn trail(
        &self,
        scope: &Scope,
        trail: &Trail,
        after: Position,
        stretches: Option<&[Stretch]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ReadError> {
        let mut query = QueryBuilder::<Postgres>::new("SELECT ");
        query.push(COLUMNS);
        if let Some(stretches) = stretches {
            let bounds = |bound: fn(&Stretch) -> Position| -> Vec<i64> {
                stretches.iter().map(|part| bound(part).get()).collect()
            };
            query.push(" FROM unnest(");
            query
                .push_bind(bounds(|part| part.after))
                .push("::bigint[], ");
            query.push_bind(bounds(|part| part.up_to));
            // Each stretch is a query of its own, or the log might be read in order all the same.
            query.push("::bigint[]) AS part (after, up_to) CROSS JOIN LATERAL (SELECT ");
            query.push(COLUMNS);
            query.push(" FROM events WHERE position > part.after AND position <= part.up_to");
        } else {
            query.push(" FROM events WHERE true");
        }
        query.push(" AND position > ").push_bind(after.get());
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
        if stretches.is_some() {
            query.push(") AS found ORDER BY position LIMIT ");
            query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        let rows = self.all(scope, query).await?;
        rows.iter()
            .map(|row| Ok(stored(row)?.to_stored()))
            .collect()
    }
}
