//! Whole rows of a read model, out of a query.

use crate::row::{Column, ResultFields, Row, RowError};
use crate::row_store::Schema;
use sqlx::{PgExecutor, Postgres, QueryBuilder};

/// `SELECT …, … FROM …`, to be gone on with.
pub(crate) fn select<R: Row>() -> String {
    format!(
        "SELECT {} FROM {}.{}",
        names::<R>(""),
        Schema::Live.name(),
        R::TABLE
    )
}

/// The row's columns, each with a prefix such as `t.`.
pub(crate) fn names<R: Row>(prefix: &str) -> String {
    let names = R::COLUMNS
        .iter()
        .map(|column| format!("{prefix}{}", column.name));
    names.collect::<Vec<_>>().join(", ")
}

pub(crate) async fn optional<R: Row>(
    mut query: QueryBuilder<'_, Postgres>,
    executor: impl PgExecutor<'_>,
) -> Result<Option<R>, sqlx::Error> {
    let found = query.build().fetch_optional(executor).await?;
    found.as_ref().map(decode).transpose()
}

pub(crate) async fn all<R: Row>(
    mut query: QueryBuilder<'_, Postgres>,
    executor: impl PgExecutor<'_>,
) -> Result<Vec<R>, sqlx::Error> {
    let found = query.build().fetch_all(executor).await?;
    found.iter().map(decode).collect()
}

pub(crate) fn decode<R: Row>(row: &sqlx::postgres::PgRow) -> Result<R, sqlx::Error> {
    R::decode(&mut ResultFields::new(row)).map_err(|error| match error {
        RowError::Database(error) => error,
        error => sqlx::Error::Decode(Box::new(error)),
    })
}

/// What stands for a value in its column of type `text`.
pub(crate) fn text_of(value: &impl Column) -> Result<String, sqlx::Error> {
    let mut bytes = Vec::new();
    value
        .encode(&mut bytes)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    String::from_utf8(bytes).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
