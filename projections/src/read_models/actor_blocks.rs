//! Where in the log an actor has done anything: in which blocks of positions.
//!
//! Auditors ask what somebody did. The log has no index for that, which each append would pay for;
//! this is kept beside it, and leaves a few hundred events to look through for each that is found.

use crate::ReadModel;
use soko_domain::{AnyEvent, TenantId};
use soko_event_log::{Position, RecordedEvent, Scope, ScopedReader, Stretch};
use sqlx::{PgPool, QueryBuilder, Row as _};

crate::row! {
    /// What one actor did for one tenant within one block.
    pub struct ActorBlock in "actor_blocks" {
        key { actor: String, block: i64, tenant_id: TenantId }
        events: i64,
    }
}

/// Small, so that little is looked through; large enough that a busy actor has few rows.
const BLOCK_POSITIONS: i64 = 256;

/// The read model.
#[derive(Debug)]
pub struct ActorBlocks;

impl ReadModel for ActorBlocks {
    /// 2: of vendors' accounts, too.
    const VERSION: i32 = 2;
    const STREAMS: &'static [&'static str] = AnyEvent::STREAM_TYPES;
    const ROW_BYTES: usize = 160;

    type Key = (String, i64, TenantId);
    type Row = ActorBlock;

    fn keys(recorded: &RecordedEvent) -> Vec<(String, i64, TenantId)> {
        let actor = recorded.metadata.actor.to_string();
        vec![(actor, block_of(recorded.position), recorded.tenant_id)]
    }

    fn fold(
        row: Option<ActorBlock>,
        (actor, block, tenant_id): &(String, i64, TenantId),
        _recorded: &RecordedEvent,
    ) -> Option<ActorBlock> {
        let mut row = row.unwrap_or_else(|| ActorBlock {
            actor: actor.clone(),
            block: *block,
            tenant_id: *tenant_id,
            events: 0,
        });
        row.events += 1;
        Some(row)
    }
}

fn block_of(position: Position) -> i64 {
    position.get() / BLOCK_POSITIONS
}

/// How far the blocks are known.
///
/// # Errors
/// The database failed.
pub async fn known_up_to(pool: &PgPool) -> Result<Position, sqlx::Error> {
    let position: Option<i64> =
        sqlx::query_scalar("SELECT position FROM projections WHERE name = $1")
            .bind(ActorBlocks::NAME)
            .fetch_optional(pool)
            .await?;
    Ok(position.map_or(Position::START, Position::new))
}

/// Where to look for events of an actor after a position, in their order, so that at least `limit` are
/// found if there are so many. What is not known yet, after `known_up_to`, is looked through as a whole.
///
/// # Errors
/// The database failed.
pub async fn stretches(
    reader: &ScopedReader,
    scope: &Scope,
    tenant_id: Option<TenantId>,
    actor: &str,
    after: Position,
    known_up_to: Position,
    limit: usize,
) -> Result<Vec<Stretch>, sqlx::Error> {
    // Of the first block, all may be before the position.
    let blocks_max = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut query =
        QueryBuilder::new("SELECT DISTINCT block FROM read_models.actor_blocks WHERE actor = ");
    query.push_bind(actor.to_owned());
    query.push(" AND block >= ").push_bind(block_of(after));
    if let Some(tenant_id) = tenant_id {
        query
            .push(" AND tenant_id = ")
            .push_bind(tenant_id.as_uuid());
    }
    query.push(" ORDER BY block LIMIT ").push_bind(blocks_max);
    let found = reader.all(scope, query).await?;
    let mut stretches = Vec::with_capacity(found.len() + 1);
    for row in &found {
        let first: i64 = row.try_get::<i64, _>(0)? * BLOCK_POSITIONS;
        stretches.push(Stretch {
            after: Position::new(first - 1).max(after),
            up_to: Position::new(first + BLOCK_POSITIONS - 1).min(known_up_to),
        });
    }
    let is_all = i64::try_from(found.len()).is_ok_and(|count| count < blocks_max);
    if is_all {
        stretches.push(Stretch {
            after: known_up_to.max(after),
            up_to: Position::new(i64::MAX),
        });
    }
    Ok(stretches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{id, rows, text};
    use soko_domain::AnyEvent;
    use soko_domain::tenant::TenantEvent;

    #[test]
    fn an_actor_has_one_row_for_each_block_in_which_there_are_events_of_theirs() {
        let events = (0..600).map(|_| {
            let event = TenantEvent::Renamed { name: text("Duka") };
            AnyEvent::Tenant(id(1), event)
        });
        let found: Vec<_> = rows::<ActorBlocks>(events)
            .into_iter()
            .map(|row| (row.actor, row.block, row.events))
            .collect();
        let guest = || "guest".to_owned();
        assert_eq!(
            found,
            [(guest(), 0, 255), (guest(), 1, 256), (guest(), 2, 89)]
        );
    }
}
