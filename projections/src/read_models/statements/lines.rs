//! The lines of all statements, each once: statements of one store overlap.

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::statement::{LineKind, StatementEvent, StatementProvider};
use soko_domain::{AnyEvent, Currency, Money, StatementId, StatementLineId, StoreId, TenantId};
use soko_event_log::RecordedEvent;

crate::row! {
    /// One movement, as a provider tells it; amounts are minor units.
    pub struct StatementLine in "statement_lines" {
        key { line_id: StatementLineId }
        tenant_id: TenantId,
        store_id: StoreId,
        provider: StatementProvider,
        /// That it was first in.
        statement_id: StatementId,
        /// Its number there, from 1.
        number: i64,
        /// How many it is in.
        statements: i64,
        reference: String,
        /// By which our books know the movement.
        name: Option<String>,
        /// By which they may know it, if not by the name.
        other_name: Option<String>,
        kind: LineKind,
        /// What came to the store is above zero.
        amount: i64,
        currency: Currency,
        /// What the provider kept of it.
        fee: i64,
        happened_at: DateTime<Utc>,
        words: String,
    }
}

/// The read model.
#[derive(Debug)]
pub struct StatementLines;

impl ReadModel for StatementLines {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["statement"];
    /// A line that is in a second statement is there long after it was in the first.
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 512;

    type Key = StatementLineId;
    type Row = StatementLine;

    fn keys(recorded: &RecordedEvent) -> Vec<StatementLineId> {
        match &recorded.event {
            AnyEvent::Statement(_, StatementEvent::LineRecorded { line_id, .. }) => vec![*line_id],
            _ => vec![],
        }
    }

    fn fold(
        row: Option<StatementLine>,
        _line_id: &StatementLineId,
        recorded: &RecordedEvent,
    ) -> Option<StatementLine> {
        let AnyEvent::Statement(
            statement_id,
            StatementEvent::LineRecorded {
                store_id,
                provider,
                line_id,
                number,
                line,
            },
        ) = &recorded.event
        else {
            return row;
        };
        // What the first statement says of it stays: the next says the same.
        if let Some(known) = row {
            return Some(StatementLine {
                statements: known.statements + 1,
                ..known
            });
        }
        Some(StatementLine {
            line_id: *line_id,
            tenant_id: recorded.tenant_id,
            store_id: *store_id,
            provider: *provider,
            statement_id: *statement_id,
            number: i64::from(*number),
            statements: 1,
            reference: line.reference.to_string(),
            name: line.name.as_ref().map(ToString::to_string),
            other_name: line.other_name.as_ref().map(ToString::to_string),
            kind: line.kind,
            amount: line.amount.amount(),
            currency: line.amount.currency(),
            fee: line.fee.map_or(0, Money::amount),
            happened_at: line.happened_at,
            words: line.words.to_string(),
        })
    }
}
