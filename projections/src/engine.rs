//! One batch: load the rows it touches, fold, write them with the checkpoint.

use crate::ReadModel;
use crate::fold::{FoldFailed, Folded, Rows};
use crate::row::Row;
use crate::row_store::{Changes, Fence, RowStore, Schema, StoreError};
use lru::LruCache;
use soko_event_log::{Position, RecordedEvent};
use sqlx::PgConnection;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Folds batches into the table of one read model, keeping the rows that events come back to.
///
/// What is kept is right only while nobody else writes: drop the engine when a write has failed or
/// the fence has not held.
#[derive(Debug)]
pub(crate) struct Engine<M: ReadModel> {
    store: RowStore<M::Row>,
    kept: Option<LruCache<M::Key, Option<M::Row>>>,
}

/// The checkpoint that a batch starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) generation: i32,
}

/// Why a batch was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    #[error(transparent)]
    Fold(#[from] FoldFailed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<M: ReadModel> Engine<M> {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            store: RowStore::new(schema),
            kept: NonZeroUsize::new(M::CACHE_ROWS).map(LruCache::new),
        }
    }

    /// Takes in events, in their order, and moves the checkpoint to `to`; all or nothing. Without a
    /// checkpoint only the rows are written.
    pub(crate) async fn take_in(
        &mut self,
        connection: &mut PgConnection,
        events: &[Arc<RecordedEvent>],
        from: Option<Checkpoint>,
        to: Position,
    ) -> Result<(), BatchError> {
        let mut rows = self.rows_of(connection, events).await?;
        rows.fold(events)?;
        self.write(connection, &rows, from, to).await?;
        self.keep(rows);
        Ok(())
    }

    /// The rows that the events touch, as they stand: from memory, or else from the table.
    async fn rows_of(
        &mut self,
        connection: &mut PgConnection,
        events: &[Arc<RecordedEvent>],
    ) -> Result<Rows<M>, StoreError> {
        let mut rows = Rows::default();
        let mut missing = Vec::new();
        for key in rows.unknown(events) {
            match self.kept.as_mut().and_then(|kept| kept.get(&key)) {
                Some(row) => rows.put(key, row.clone()),
                None => missing.push(key),
            }
        }
        for row in self.store.load(connection, &missing).await? {
            rows.put(row.key(), Some(row));
        }
        Ok(rows)
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        rows: &Rows<M>,
        from: Option<Checkpoint>,
        to: Position,
    ) -> Result<(), StoreError> {
        let Folded {
            added,
            changed,
            gone,
        } = rows.folded();
        let changes = Changes {
            added: &added,
            changed: &changed,
            gone: &gone,
        };
        let fence = from.map(|from| Fence {
            name: M::NAME,
            generation: from.generation,
            from: from.position,
            to,
        });
        self.store.write(connection, changes, fence).await
    }

    fn keep(&mut self, rows: Rows<M>) {
        if let Some(kept) = &mut self.kept {
            for (key, row) in rows.into_inner() {
                kept.put(key, row);
            }
        }
    }
}
