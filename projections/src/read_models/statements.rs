//! What providers say they moved: their statements, and each line once.

mod lines;
mod queries;
mod reconciliation;
#[cfg(test)]
mod tests;

pub use lines::{StatementLine, StatementLines};
pub use queries::{StatementsPage, known_before, statement, statements};
pub use reconciliation::{Booked, Question, Reconciliation, Stated, reconcile, reconcile_with};

use super::version;
use crate::ReadModel;
use crate::row::Json;
use chrono::{DateTime, Utc};
use soko_domain::statement::{StatementEvent, StatementProvider, Tally};
use soko_domain::{AnyEvent, StatementId, StoreId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// One file of a provider's.
    pub struct Statement in "statements" {
        key { statement_id: StatementId }
        tenant_id: TenantId,
        store_id: StoreId,
        provider: StatementProvider,
        /// SHA-256 of the file, in hex.
        digest: String,
        period_from: DateTime<Utc>,
        period_to: DateTime<Utc>,
        /// How many the file has.
        lines: i64,
        /// How many of them are recorded.
        recorded: i64,
        /// What they come to, once all are there.
        tallies: Json<Vec<Tally>>,
        opened_at: DateTime<Utc>,
        closed_at: Option<DateTime<Utc>>,
        /// The sequence of the statement's last event.
        version: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Statements;

impl ReadModel for Statements {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["statement"];
    const CACHE_ROWS: usize = 64;
    const ROW_BYTES: usize = 1_024;

    type Key = StatementId;
    type Row = Statement;

    fn keys(recorded: &RecordedEvent) -> Vec<StatementId> {
        match &recorded.event {
            AnyEvent::Statement(statement_id, _) => vec![*statement_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(
        row: Option<Statement>,
        statement_id: &StatementId,
        recorded: &RecordedEvent,
    ) -> Option<Statement> {
        let AnyEvent::Statement(_, event) = &recorded.event else {
            return row;
        };
        let mut statement = match event {
            StatementEvent::Opened(opening) => Statement {
                statement_id: *statement_id,
                tenant_id: recorded.tenant_id,
                store_id: opening.store_id,
                provider: opening.provider,
                digest: opening.digest.to_string(),
                period_from: opening.period.from,
                period_to: opening.period.to,
                lines: i64::from(opening.lines),
                recorded: 0,
                tallies: Json(vec![]),
                opened_at: recorded.recorded_at,
                closed_at: None,
                version: 0,
            },
            StatementEvent::LineRecorded { number, .. } => Statement {
                recorded: i64::from(*number),
                ..row?
            },
            StatementEvent::Closed { tallies, .. } => Statement {
                tallies: Json(tallies.clone()),
                closed_at: Some(recorded.recorded_at),
                ..row?
            },
        };
        statement.version = version(recorded);
        Some(statement)
    }

    fn sources(statement_id: &StatementId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("statement", statement_id.as_uuid())])
    }
}
