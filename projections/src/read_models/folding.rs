//! Folds without an engine, for the tests of the read models.

use super::samples::{TENANT, time};
use crate::ReadModel;
use chrono::TimeDelta;
use soko_domain::AnyEvent;
use soko_event_log::{Actor, Metadata, Position, RecordedEvent};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(crate) fn folded<M: ReadModel>(events: &[RecordedEvent]) -> BTreeMap<M::Key, M::Row> {
    let mut rows: BTreeMap<M::Key, M::Row> = BTreeMap::new();
    for recorded in events {
        for key in M::keys(recorded) {
            let row = rows.remove(&key);
            assert!(
                row.is_none() || !M::creates(recorded),
                "it was there before"
            );
            if let Some(row) = M::fold(row, &key, recorded) {
                rows.insert(key, row);
            }
        }
    }
    rows
}

/// The only row that the events make.
pub(crate) fn only_row<M: ReadModel>(events: &[RecordedEvent]) -> M::Row {
    let mut rows = folded::<M>(events).into_values();
    match (rows.next(), rows.next()) {
        (Some(row), None) => row,
        _ => panic!("not one row"),
    }
}

/// Events of one stream, one a minute, from the first on.
pub(crate) fn recorded(events: impl IntoIterator<Item = AnyEvent>) -> Vec<RecordedEvent> {
    let start = time("2026-03-01T10:00:00Z");
    let metadata = Metadata {
        actor: Actor::Guest,
        api_key: None,
        correlation: Uuid::from_u128(1),
        causation: None,
        command_id: Uuid::from_u128(2),
        request_id: None,
    };
    let events = events.into_iter().zip(1_i32..);
    let recorded = events.map(|(event, number)| RecordedEvent {
        position: Position::new(i64::from(number) + 100),
        tenant_id: TENANT,
        sequence: u64::from(number.unsigned_abs()),
        event,
        metadata: metadata.clone(),
        recorded_at: start + TimeDelta::minutes(number.into()),
    });
    recorded.collect()
}
