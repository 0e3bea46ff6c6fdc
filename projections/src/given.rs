//! Events as the log would give them, for tests of folds.

use crate::ReadModel;
use crate::fold::Rows;
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::AnyEvent;
use soko_event_log::{Actor, Metadata, Position, RecordedEvent};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// An id that tells its number.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

/// A text of whatever type is wanted.
pub(crate) fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn at(position: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap() + TimeDelta::seconds(position)
}

/// The events as they follow each other in the log, a second apart.
pub(crate) fn recorded(events: impl IntoIterator<Item = AnyEvent>) -> Vec<Arc<RecordedEvent>> {
    let mut sequences: HashMap<(&'static str, Uuid), u64> = HashMap::new();
    (1..)
        .zip(events)
        .map(|(position, event)| {
            let stream = (event.stream_type(), event.stream_id());
            let sequence = sequences.entry(stream).or_default();
            *sequence += 1;
            Arc::new(RecordedEvent {
                position: Position::new(position),
                tenant_id: id(1),
                sequence: *sequence,
                event,
                metadata: Metadata {
                    actor: Actor::Guest,
                    api_key: None,
                    correlation: Uuid::nil(),
                    causation: None,
                    command_id: Uuid::nil(),
                    request_id: None,
                },
                recorded_at: at(position),
            })
        })
        .collect()
}

/// The rows that the events lead to, in the order of their keys.
pub(crate) fn rows<M: ReadModel>(events: impl IntoIterator<Item = AnyEvent>) -> Vec<M::Row> {
    let recorded = recorded(events);
    for event in &recorded {
        let keys = M::keys(event);
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len(), "an event touches each row once");
    }
    let mut rows = Rows::<M>::default();
    rows.fold(&recorded).unwrap();
    rows.folded().added.into_iter().cloned().collect()
}

/// The one row that the events lead to.
pub(crate) fn row<M: ReadModel>(events: impl IntoIterator<Item = AnyEvent>) -> M::Row {
    let mut rows = rows::<M>(events);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}
