//! What people ask about statements.

use super::Statement;
use crate::query::{Keyset, Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::StatementId;
use soko_event_log::ScopedReader;
use sqlx::QueryBuilder;

/// A part of a list of statements, latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementsPage {
    pub items: Vec<Statement>,
    pub next: Option<(DateTime<Utc>, StatementId)>,
}

/// # Errors
/// The database failed.
pub async fn statement(
    reader: &ScopedReader,
    within: Within,
    statement_id: StatementId,
) -> Result<Option<Statement>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Statement>());
    query
        .push(" WHERE statement_id = ")
        .push_bind(statement_id.as_uuid());
    within.and(&mut query);
    rows::optional(query, reader, &within.scope()).await
}

/// # Errors
/// The database failed.
pub async fn statements(
    reader: &ScopedReader,
    within: Within,
    page: Keyset<(DateTime<Utc>, StatementId)>,
) -> Result<StatementsPage, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Statement>());
    query.push(" WHERE true");
    within.and(&mut query);
    if let Some((opened_at, statement_id)) = page.after {
        query
            .push(" AND (opened_at, statement_id) < (")
            .push_bind(opened_at)
            .push(", ")
            .push_bind(statement_id.as_uuid())
            .push(")");
    }
    query
        .push(" ORDER BY opened_at DESC, statement_id DESC LIMIT ")
        .push(page.limit + 1);
    let mut items: Vec<Statement> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| {
        (last.opened_at, last.statement_id)
    });
    Ok(StatementsPage { items, next })
}

/// How many of its lines were in an earlier statement of the store already.
///
/// # Errors
/// The database failed.
pub async fn known_before(
    reader: &ScopedReader,
    within: Within,
    statement: &Statement,
) -> Result<i64, sqlx::Error> {
    let mut query =
        QueryBuilder::new("SELECT count(*) FROM read_models.statement_lines WHERE statement_id = ");
    query.push_bind(statement.statement_id.as_uuid());
    within.and(&mut query);
    let row = reader.optional(&within.scope(), query).await?;
    let row = row.ok_or(sqlx::Error::RowNotFound)?;
    let own: i64 = rows::column(&row, 0)?;
    // The lines may be a moment ahead of their statement.
    Ok((statement.recorded - own).max(0))
}
