//! Rows on their way into a table that nobody queries yet.

use super::{RebuildError, RebuildOptions};
use crate::ReadModel;
use crate::checkpoint::skipped;
use crate::fold::{Folded, Rows, needed};
use crate::row::Row;
use crate::row_store::{Changes, RowStore, Schema, StoreError};
use soko_event_log::{LogReader, Position, RecordedEvent};
use sqlx::PgConnection;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows in one statement, where rows that are in the table already are written again.
const ROWS_PER_WRITE: usize = 2_000;
/// How often progress is recorded.
const RECORD_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Builder<'a, M: ReadModel> {
    connection: &'a mut PgConnection,
    reader: &'a LogReader,
    options: &'a RebuildOptions,
    skipped: HashSet<Position>,
    store: RowStore<M::Row>,
    rows: Rows<M>,
    /// Rows may be in the table that are not in memory.
    has_stored: bool,
    position: Position,
    /// How far the rows in the table, outside a transaction, are.
    committed: Position,
    events: u64,
    recorded_at: Instant,
}

impl<'a, M: ReadModel> Builder<'a, M> {
    pub(super) async fn start(
        connection: &'a mut PgConnection,
        reader: &'a LogReader,
        options: &'a RebuildOptions,
    ) -> Result<Self, RebuildError> {
        sqlx::query("SELECT projection_build_start($1)")
            .bind(M::NAME)
            .execute(&mut *connection)
            .await?;
        sqlx::query(
            "INSERT INTO projection_builds (name, version, target) \
             SELECT $1, $2, position FROM log_head \
             ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, position = 0, \
                 target = EXCLUDED.target, started_at = clock_timestamp(), \
                 updated_at = clock_timestamp()",
        )
        .bind(M::NAME)
        .bind(M::VERSION)
        .execute(&mut *connection)
        .await?;
        Ok(Self {
            skipped: skipped::<M>(connection).await?,
            connection,
            reader,
            options,
            store: RowStore::new(Schema::Next),
            rows: Rows::default(),
            has_stored: false,
            position: Position::START,
            committed: Position::START,
            events: 0,
            recorded_at: Instant::now(),
        })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    pub(super) const fn position(&self) -> Position {
        self.position
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    pub(super) async fn fold_to_head(&mut self) -> Result<(), RebuildError> {
        let head = self.reader.head().await?;
        self.fold_to(head).await
    }

    /// Writes what is in memory, and makes the indexes.
    pub(super) async fn finish_table(&mut self) -> Result<(), RebuildError> {
        self.store_rows().await?;
        self.make_indexes(false).await
    }

    /// Folds until at most `within` events are missing. As long as more are recorded than can be
    /// folded, this does not end.
    pub(super) async fn catch_up(&mut self, within: u64) -> Result<(), RebuildError> {
        loop {
            let head = self.reader.head().await?;
            if head.distance_from(self.position) <= within {
                return Ok(());
            }
            self.fold_to(head).await?;
            self.committed = self.position;
        }
    }

    /// After a transaction was rolled back: back to what is in the table.
    pub(super) fn forget_uncommitted(&mut self) {
        self.rows = Rows::default();
        self.position = self.committed;
    }

    /// Folds up to a position. Once rows have been written, they are all in the table afterwards.
    pub(super) async fn fold_to(&mut self, until: Position) -> Result<(), RebuildError> {
        let mut scan = self.reader.scan(self.position, until, M::STREAMS).await?;
        while let Some(entries) = scan.next().await? {
            let events = needed::<M>(&entries, &self.skipped)?;
            self.fold(&events).await?;
            if let Some(last) = entries.last() {
                self.position = last.position;
            }
            self.record_progress(until).await?;
        }
        self.position = until;
        if self.has_stored {
            self.store_rows().await?;
        }
        Ok(())
    }

    async fn fold(&mut self, events: &[Arc<RecordedEvent>]) -> Result<(), RebuildError> {
        if self.has_stored {
            self.load_rows(events).await?;
        }
        self.rows.fold(events)?;
        self.events += events.len() as u64;
        if self.rows.len().saturating_mul(M::ROW_BYTES) > self.options.memory_bytes {
            self.store_rows().await?;
        }
        Ok(())
    }

    /// Loads the rows that the events come back to.
    async fn load_rows(&mut self, events: &[Arc<RecordedEvent>]) -> Result<(), RebuildError> {
        let unknown = self.rows.unknown(events);
        for row in self.store.load(self.connection, &unknown).await? {
            self.rows.put(row.key(), Some(row));
        }
        Ok(())
    }

    /// Empties the memory into the table: new rows with `COPY`, others as updates.
    async fn store_rows(&mut self) -> Result<(), RebuildError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.len() == 0 {
            return Ok(());
        }
        let Folded {
            added,
            changed,
            gone,
        } = rows.folded();
        if !added.is_empty() {
            let mut copy = self.store.copy_in(self.connection).await?;
            for row in added {
                copy.row(row).await?;
            }
            copy.finish().await?;
        }
        for rows in changed.chunks(ROWS_PER_WRITE) {
            let changes = Changes {
                changed: rows,
                ..Changes::default()
            };
            self.store.write(self.connection, changes, None).await?;
        }
        for keys in gone.chunks(ROWS_PER_WRITE) {
            let changes = Changes {
                gone: keys,
                ..Changes::default()
            };
            self.store.write(self.connection, changes, None).await?;
        }
        if !self.has_stored {
            // From here on rows are looked for by their keys.
            self.make_indexes(true).await?;
            self.has_stored = true;
        }
        Ok(())
    }

    async fn make_indexes(&mut self, only_key: bool) -> Result<(), RebuildError> {
        sqlx::query("SELECT projection_build_indexes($1, $2)")
            .bind(M::NAME)
            .bind(only_key)
            .execute(&mut *self.connection)
            .await?;
        self.has_stored = true;
        self.committed = self.position;
        Ok(())
    }

    async fn record_progress(&mut self, target: Position) -> Result<(), RebuildError> {
        if self.recorded_at.elapsed() < RECORD_INTERVAL {
            return Ok(());
        }
        self.recorded_at = Instant::now();
        (self.options.on_progress)(self.position, target);
        sqlx::query(
            "UPDATE projection_builds SET position = $1, target = $2, \
                    updated_at = clock_timestamp() WHERE name = $3",
        )
        .bind(self.position.get())
        .bind(target.get())
        .bind(M::NAME)
        .execute(&mut *self.connection)
        .await
        .map_err(StoreError::from)?;
        Ok(())
    }
}
