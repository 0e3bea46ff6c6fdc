//! Every move of stock: why a number is what it is.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::{LedgerLine, LedgerPage, ledger};

use super::stock_levels::move_of;
use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::stock::{StockEvent, StockNote};
use soko_domain::{AnyEvent, LocationId, OrderId, TenantId, VariantId};
use soko_event_log::RecordedEvent;

crate::row! {
    /// One move, at the position of its event.
    pub struct StockMove in "stock_ledger" {
        key { position: i64 }
        tenant_id: TenantId,
        variant_id: VariantId,
        location_id: LocationId,
        at: DateTime<Utc>,
        /// The event's name without its stream, such as `received`.
        kind: String,
        on_hand_delta: i64,
        reserved_delta: i64,
        order_id: Option<OrderId>,
        reason: Option<String>,
        note: Option<String>,
        actor: String,
    }
}

/// The read model.
#[derive(Debug)]
pub struct StockLedger;

impl ReadModel for StockLedger {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["stock"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 320;

    type Key = i64;
    type Row = StockMove;

    fn keys(recorded: &RecordedEvent) -> Vec<i64> {
        match &recorded.event {
            AnyEvent::Stock(_, event) if move_of(event).is_some() => {
                vec![recorded.position.get()]
            }
            _ => vec![],
        }
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<StockMove>,
        position: &i64,
        recorded: &RecordedEvent,
    ) -> Option<StockMove> {
        let AnyEvent::Stock(variant_id, event) = &recorded.event else {
            return None;
        };
        let moved = move_of(event)?;
        let note = note_of(event);
        Some(StockMove {
            position: *position,
            tenant_id: recorded.tenant_id,
            variant_id: *variant_id,
            location_id: moved.location_id,
            at: recorded.recorded_at,
            kind: super::kind(event.name()).to_owned(),
            on_hand_delta: moved.on_hand,
            reserved_delta: moved.reserved,
            order_id: order_of(event),
            reason: note.map(|note| note.reason.to_string()),
            note: note.and_then(|note| note.note.as_ref().map(ToString::to_string)),
            actor: recorded.metadata.actor.to_string(),
        })
    }
}

fn note_of(event: &StockEvent) -> Option<&StockNote> {
    match event {
        StockEvent::Received { note, .. }
        | StockEvent::Adjusted { note, .. }
        | StockEvent::Counted { note, .. } => Some(note),
        StockEvent::Tracked { .. }
        | StockEvent::Reserved { .. }
        | StockEvent::Released { .. }
        | StockEvent::Committed { .. }
        | StockEvent::Returned { .. }
        | StockEvent::LowStockThresholdSet { .. }
        | StockEvent::RanLow { .. }
        | StockEvent::Replenished { .. } => None,
    }
}

fn order_of(event: &StockEvent) -> Option<OrderId> {
    match event {
        StockEvent::Reserved { order_id, .. }
        | StockEvent::Released { order_id, .. }
        | StockEvent::Committed { order_id, .. }
        | StockEvent::Returned { order_id, .. } => Some(*order_id),
        StockEvent::Tracked { .. }
        | StockEvent::Received { .. }
        | StockEvent::Adjusted { .. }
        | StockEvent::Counted { .. }
        | StockEvent::LowStockThresholdSet { .. }
        | StockEvent::RanLow { .. }
        | StockEvent::Replenished { .. } => None,
    }
}
