//! Rows in Postgres, read and written by the set: one statement for any number of rows.

mod copy;
mod parameters;
mod statements;

pub(crate) use copy::{CopyRows, RowReader};
pub(crate) use statements::Schema;

use crate::row::{ResultFields, Row, RowError};
use parameters::SetParameters;
use soko_event_log::Position;
use sqlx::PgConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use statements::{Parts, Statements};
use std::marker::PhantomData;

/// The table of one read model, in one schema.
#[derive(Debug)]
pub(crate) struct RowStore<R> {
    statements: Statements,
    rows: PhantomData<fn() -> R>,
}

/// What makes a batch count once: it is written only if the checkpoint is still where the batch
/// began, in the same generation of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence<'a> {
    pub(crate) name: &'a str,
    pub(crate) generation: i32,
    pub(crate) from: Position,
    pub(crate) to: Position,
}

/// What is to be written, in the order of the keys.
#[derive(Debug)]
pub(crate) struct Changes<'a, R: Row> {
    /// Rows that are certainly not in the table.
    pub(crate) added: &'a [&'a R],
    pub(crate) changed: &'a [&'a R],
    pub(crate) gone: &'a [&'a R::Key],
}

impl<R: Row> Default for Changes<'_, R> {
    fn default() -> Self {
        Self {
            added: &[],
            changed: &[],
            gone: &[],
        }
    }
}

/// Why rows could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the checkpoint has moved: somebody else folds this read model")]
    Fenced,
    #[error("a row cannot be stored")]
    Row(#[from] RowError),
    #[error("the database did not take the rows")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether the rows themselves are at fault, so that it would fail again.
    pub(crate) fn is_of_the_data(&self) -> bool {
        /// Data exceptions, violated constraints, limits of the program.
        const CLASSES: [&str; 3] = ["22", "23", "54"];
        match self {
            Self::Fenced | Self::Row(RowError::Database(_)) => false,
            Self::Row(_) => true,
            Self::Database(error) => error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| CLASSES.iter().any(|class| code.starts_with(class))),
        }
    }
}

impl<R: Row> RowStore<R> {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            statements: Statements::new::<R>(schema),
            rows: PhantomData,
        }
    }

    /// Those of the rows that are there.
    pub(crate) async fn load(
        &self,
        connection: &mut PgConnection,
        keys: &[R::Key],
    ) -> Result<Vec<R>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut parameters = SetParameters::new(&R::COLUMNS[..R::KEY_COLUMNS], keys.len());
        for key in keys {
            parameters.add(|sink| R::encode_key(key, sink))?;
        }
        let query = parameters.bind(sqlx::query(&self.statements.load));
        let found = query.fetch_all(connection).await?;
        found
            .iter()
            .map(|row| Ok(R::decode(&mut ResultFields::new(row, 0))?))
            .collect()
    }

    /// Puts rows and takes others away, and moves the checkpoint, all or nothing, in one round
    /// trip. Without a fence it only writes the rows: for a table that nobody else knows of.
    pub(crate) async fn write(
        &self,
        connection: &mut PgConnection,
        changes: Changes<'_, R>,
        fence: Option<Fence<'_>>,
    ) -> Result<(), StoreError> {
        let Changes {
            added,
            changed,
            gone,
        } = changes;
        let sql = self.statements.write(Parts {
            is_fenced: fence.is_some(),
            adds: !added.is_empty(),
            changes: !changed.is_empty(),
            takes: !gone.is_empty(),
        });
        let mut query = sqlx::query(sql);
        if let Some(fence) = fence {
            query = query
                .bind(fence.to.get())
                .bind(fence.name)
                .bind(fence.from.get())
                .bind(fence.generation);
        }
        for rows in [added, changed] {
            if !rows.is_empty() {
                query = Self::bind_rows(query, rows)?;
            }
        }
        if !gone.is_empty() {
            let mut parameters = SetParameters::new(&R::COLUMNS[..R::KEY_COLUMNS], gone.len());
            for key in gone {
                parameters.add(|sink| R::encode_key(key, sink))?;
            }
            query = parameters.bind(query);
        }
        let done = query.execute(connection).await?;
        // The statement ends in a row if the fence held, and in none if not.
        if fence.is_some() && done.rows_affected() != 1 {
            return Err(StoreError::Fenced);
        }
        Ok(())
    }

    fn bind_rows<'q>(
        query: Query<'q, sqlx::Postgres, PgArguments>,
        rows: &[&R],
    ) -> Result<Query<'q, sqlx::Postgres, PgArguments>, StoreError> {
        let mut parameters = SetParameters::new(R::COLUMNS, rows.len());
        for row in rows {
            parameters.add(|sink| row.encode(sink))?;
        }
        Ok(parameters.bind(query))
    }

    /// Starts writing rows that are not in the table yet.
    pub(crate) async fn copy_in<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> Result<CopyRows<'c, R>, StoreError> {
        CopyRows::start(connection, &self.statements.copy_in).await
    }

    /// Reads the whole table, in no order.
    pub(crate) async fn copy_out<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> Result<RowReader<'c, R>, StoreError> {
        RowReader::start(connection, &self.statements.copy_out).await
    }
}
