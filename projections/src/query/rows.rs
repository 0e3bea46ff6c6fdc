//! Whole rows of a read model, out of a query.

use crate::row::{Column, ResultFields, Row, RowError};
use crate::row_store::Schema;
use soko_event_log::{Scope, ScopedReader};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

/// `SELECT …, … FROM …`, to be gone on with.
pub(crate) fn select<R: Row>() -> String {
    select_from::<R>(Schema::Live.name())
}

/// The same from the view of what everybody may see of the table.
pub(crate) fn select_public<R: Row>() -> String {
    select_from::<R>("catalog")
}

fn select_from<R: Row>(schema: &str) -> String {
    format!("SELECT {} FROM {schema}.{}", names::<R>(""), R::TABLE)
}

/// The row's columns, each with a prefix such as `t.`.
pub(crate) fn names<R: Row>(prefix: &str) -> String {
    let names = R::COLUMNS
        .iter()
        .map(|column| format!("{prefix}{}", column.name));
    names.collect::<Vec<_>>().join(", ")
}

pub(crate) async fn optional<R: Row>(
    query: QueryBuilder<'_, Postgres>,
    reader: &ScopedReader,
    scope: &Scope,
) -> Result<Option<R>, sqlx::Error> {
    let found = reader.optional(scope, query).await?;
    found.as_ref().map(decode).transpose()
}

pub(crate) async fn all<R: Row>(
    query: QueryBuilder<'_, Postgres>,
    reader: &ScopedReader,
    scope: &Scope,
) -> Result<Vec<R>, sqlx::Error> {
    let found = reader.all(scope, query).await?;
    found.iter().map(decode).collect()
}

pub(crate) fn decode<R: Row>(row: &PgRow) -> Result<R, sqlx::Error> {
    R::decode(&mut ResultFields::new(row, 0)).map_err(unreadable)
}

/// The value of one column, of a type that rows are made of.
pub(crate) fn column<T: Column>(row: &PgRow, index: usize) -> Result<T, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    // Only a null has no bytes.
    T::decode(value.as_bytes().ok()).map_err(unreadable)
}

fn unreadable(error: RowError) -> sqlx::Error {
    match error {
        RowError::Database(error) => error,
        error => sqlx::Error::Decode(Box::new(error)),
    }
}

/// What stands for a value in its column of type `text`.
pub(crate) fn text_of(value: &impl Column) -> Result<String, sqlx::Error> {
    let mut bytes = Vec::new();
    value
        .encode(&mut bytes)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    String::from_utf8(bytes).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
