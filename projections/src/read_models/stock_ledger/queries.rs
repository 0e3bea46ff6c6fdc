//! What people ask about the moves of stock.

use super::StockMove;
use crate::query::{Keyset, Within, rows};
use soko_domain::VariantId;
use soko_event_log::{Position, ScopedReader};
use sqlx::{QueryBuilder, Row as _};

/// A move, and what there was of the variant after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    pub moved: StockMove,
    pub on_hand: i64,
    pub reserved: i64,
}

/// A part of a ledger, latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    pub items: Vec<LedgerLine>,
    pub next: Option<Position>,
}

/// The moves of one variant, latest first, before a position. Whether the caller may see the
/// variant is for [`level`](crate::read_models::stock_levels::level) to say: moves know their
/// tenant only, so within a store or a vendor it is asked there.
///
/// # Errors
/// The database failed.
pub async fn ledger(
    reader: &ScopedReader,
    within: Within,
    variant_id: VariantId,
    page: Keyset<Position>,
) -> Result<LedgerPage, sqlx::Error> {
    let before = page.after.map_or(i64::MAX, Position::get);
    // Sums run over the moves that are older than the page once, then along the page.
    let mut query = QueryBuilder::new(
        "WITH page AS MATERIALIZED (SELECT * FROM read_models.stock_ledger WHERE variant_id = ",
    );
    query.push_bind(variant_id.as_uuid());
    query.push(" AND position < ").push_bind(before);
    query.push(
        " AND EXISTS (SELECT FROM read_models.stock_levels AS l \
                      WHERE l.variant_id = stock_ledger.variant_id",
    );
    within.and_of("l.", &mut query);
    query
        .push(") ORDER BY position DESC LIMIT ")
        .push(page.limit + 1);
    query.push(
        "), older AS (
             SELECT coalesce(sum(on_hand_delta), 0)::bigint AS on_hand,
                    coalesce(sum(reserved_delta), 0)::bigint AS reserved
             FROM read_models.stock_ledger WHERE variant_id = ",
    );
    query.push_bind(variant_id.as_uuid());
    query.push(" AND position < (SELECT min(position) FROM page)) SELECT ");
    query.push(rows::names::<StockMove>("page."));
    query.push(
        ", older.on_hand + (sum(on_hand_delta) OVER along)::bigint,
           older.reserved + (sum(reserved_delta) OVER along)::bigint
         FROM page, older WINDOW along AS (ORDER BY position) ORDER BY position DESC",
    );
    let found = reader.all(&within.scope(), query).await?;
    let columns = <StockMove as crate::row::Row>::COLUMNS.len();
    let mut items = found
        .iter()
        .map(|row| {
            Ok(LedgerLine {
                moved: rows::decode(row)?,
                on_hand: row.try_get(columns)?,
                reserved: row.try_get(columns + 1)?,
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let next = Keyset::cut(page.limit, &mut items, |last| {
        Position::new(last.moved.position)
    });
    Ok(LedgerPage { items, next })
}
