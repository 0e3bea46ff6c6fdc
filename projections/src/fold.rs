//! Folding events into rows that are in memory.

use crate::ReadModel;
use crate::read_model::folds;
use soko_event_log::{Entry, Position, RecordedEvent};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Rows while events are folded into them. `None` is a row that is known not to be there.
#[derive(Debug)]
pub(crate) struct Rows<M: ReadModel> {
    rows: HashMap<M::Key, Option<M::Row>>,
    /// Those that are in the table.
    stored: HashSet<M::Key>,
}

/// What has become of rows, in the order of their keys, so that what lies together is written
/// together.
#[derive(Debug)]
pub(crate) struct Folded<'a, M: ReadModel> {
    pub(crate) added: Vec<&'a M::Row>,
    pub(crate) changed: Vec<&'a M::Row>,
    pub(crate) gone: Vec<&'a M::Key>,
}

/// An event that a fold cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at {position} cannot be folded: {reason}")]
pub(crate) struct FoldFailed {
    pub(crate) position: Position,
    pub(crate) reason: String,
}

impl<M: ReadModel> Default for Rows<M> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            stored: HashSet::new(),
        }
    }
}

impl<M: ReadModel> Rows<M> {
    /// Folds the events in their order. A row that was not put in before counts as not there.
    ///
    /// After a failure the rows are of no use: what the fold held in its hands is gone.
    pub(crate) fn fold<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a Arc<RecordedEvent>>,
    ) -> Result<(), FoldFailed> {
        self.fold_some(events, |_| true)
    }

    /// As [`Self::fold`], for some of the keys only.
    pub(crate) fn fold_some<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a Arc<RecordedEvent>>,
        is_wanted: impl Fn(&M::Key) -> bool,
    ) -> Result<(), FoldFailed> {
        let mut position = Position::START;
        let folded = catch_unwind(AssertUnwindSafe(|| {
            for recorded in events {
                position = recorded.position;
                for key in M::keys(recorded) {
                    if is_wanted(&key) {
                        self.fold_row(key, recorded);
                    }
                }
            }
        }));
        folded.map_err(|panic| FoldFailed {
            position,
            reason: panic_text(panic.as_ref()),
        })
    }

    fn fold_row(&mut self, key: M::Key, recorded: &RecordedEvent) {
        match self.rows.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                let row = entry.get_mut().take();
                let row = M::fold(row, entry.key(), recorded);
                *entry.get_mut() = row;
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                let row = M::fold(None, entry.key(), recorded);
                entry.insert(row);
            }
        }
    }

    /// The keys of rows that the events touch, that are not here, and that the events do not make.
    pub(crate) fn unknown(&self, events: &[Arc<RecordedEvent>]) -> Vec<M::Key> {
        let mut seen = HashSet::new();
        let mut unknown = Vec::new();
        for recorded in events {
            let is_new = M::creates(recorded);
            for key in M::keys(recorded) {
                if !self.rows.contains_key(&key) && seen.insert(key.clone()) && !is_new {
                    unknown.push(key);
                }
            }
        }
        unknown
    }

    /// A row as it is in the table; `None` if it is not there.
    pub(crate) fn put(&mut self, key: M::Key, row: Option<M::Row>) {
        if row.is_some() {
            self.stored.insert(key.clone());
        }
        self.rows.insert(key, row);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn into_inner(self) -> HashMap<M::Key, Option<M::Row>> {
        self.rows
    }

    pub(crate) fn folded(&self) -> Folded<'_, M> {
        let mut folded = Folded {
            added: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
        };
        for (key, row) in self.sorted() {
            match (row, self.stored.contains(key)) {
                (Some(row), true) => folded.changed.push(row),
                (Some(row), false) => folded.added.push(row),
                (None, true) => folded.gone.push(key),
                (None, false) => (),
            }
        }
        folded
    }

    fn sorted(&self) -> Vec<(&M::Key, Option<&M::Row>)> {
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .map(|(key, row)| (key, row.as_ref()))
            .collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows
    }
}

/// The events of the entries that a model folds.
pub(crate) fn needed<M: ReadModel>(
    entries: &[Entry],
    skipped: &HashSet<Position>,
) -> Result<Vec<Arc<RecordedEvent>>, FoldFailed> {
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry.event {
            _ if skipped.contains(&entry.position) => (),
            Ok(recorded) if folds::<M>(recorded.event.stream_type()) => {
                events.push(Arc::clone(recorded));
            }
            Err(poisoned) if folds::<M>(&poisoned.stream_type) => {
                return Err(FoldFailed {
                    position: entry.position,
                    reason: poisoned.reason.clone(),
                });
            }
            Ok(_) | Err(_) => (),
        }
    }
    Ok(events)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the fold panicked".to_owned())
}
