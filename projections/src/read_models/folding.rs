//! Folds without an engine, for the tests of the read models.

use crate::ReadModel;
use soko_event_log::RecordedEvent;
use std::collections::BTreeMap;

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
