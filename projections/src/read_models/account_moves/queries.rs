//! A statement: the movements of a period, and what was owed before and after each.

use super::AccountMove;
use crate::query::{Keyset, Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::VendorId;
use soko_event_log::{Position, ScopedReader};
use sqlx::{Postgres, QueryBuilder, Row as _};

/// A movement, and what the vendor was owed after it. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementEntry {
    pub line: AccountMove,
    pub balance: i64,
}

/// The movements of a period, or a part of them, oldest first. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What the vendor was owed when the period began.
    pub opening: i64,
    /// And when it ended, or now.
    pub closing: i64,
    pub items: Vec<StatementEntry>,
    pub next: Option<Position>,
}

/// What moved from one time until before another, after a position.
///
/// # Errors
/// The database failed.
pub async fn statement(
    reader: &ScopedReader,
    within: Within,
    vendor_id: VendorId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    page: Keyset<Position>,
) -> Result<Statement, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT coalesce(sum(amount) FILTER (WHERE at < ");
    query.push_bind(from);
    query.push(
        "), 0)::bigint, coalesce(sum(amount), 0)::bigint, coalesce(max(position), 0) \
         FROM read_models.account_moves WHERE vendor_id = ",
    );
    query.push_bind(vendor_id.as_uuid());
    query.push(" AND at < ").push_bind(to);
    within.and(&mut query);
    let found = reader.optional(&within.scope(), query).await?;
    let (opening, closing, last) = match &found {
        Some(row) => (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?),
        None => (0, 0, 0_i64),
    };
    // The sums are of what there was a moment ago, and so are the lines.
    let mut query: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT ");
    query.push(rows::names::<AccountMove>("l."));
    query.push(", l.moved FROM (SELECT *, sum(amount) OVER (ORDER BY position)::bigint AS moved ");
    query.push("FROM read_models.account_moves WHERE vendor_id = ");
    query.push_bind(vendor_id.as_uuid());
    query.push(" AND position <= ").push_bind(last);
    query.push(" AND at >= ").push_bind(from);
    query.push(" AND at < ").push_bind(to);
    within.and(&mut query);
    query.push(") AS l WHERE l.position > ");
    query.push_bind(page.after.map_or(0, Position::get));
    query
        .push(" ORDER BY l.position LIMIT ")
        .push(page.limit + 1);
    let found = reader.all(&within.scope(), query).await?;
    let columns = <AccountMove as crate::row::Row>::COLUMNS.len();
    let mut items = found
        .iter()
        .map(|row| {
            let moved: i64 = row.try_get(columns)?;
            Ok(StatementEntry {
                line: rows::decode(row)?,
                balance: opening + moved,
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let next = Keyset::cut(page.limit, &mut items, |last| {
        Position::new(last.line.position)
    });
    Ok(Statement {
        opening,
        closing,
        items,
        next,
    })
}
