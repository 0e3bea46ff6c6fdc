//! What people ask about stock levels.

use super::StockLevel;
use crate::query::{Keyset, Within, rows};
use soko_domain::{ProductId, VariantId};
use soko_event_log::ScopedReader;
use sqlx::{Postgres, QueryBuilder};

/// Which levels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockFilter {
    pub sku: Option<String>,
    pub product_id: Option<ProductId>,
    /// Only what is at its threshold or below.
    pub only_low: bool,
}

/// A part of a list, in the order of the SKUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockPage {
    pub items: Vec<StockLevel>,
    /// Where the next part begins, if there is one.
    pub next: Option<(String, VariantId)>,
}

/// The stock of one variant, if it is within what the caller may see.
///
/// # Errors
/// The database failed.
pub async fn level(
    reader: &ScopedReader,
    within: Within,
    variant_id: VariantId,
) -> Result<Option<StockLevel>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<StockLevel>());
    query
        .push(" WHERE variant_id = ")
        .push_bind(variant_id.as_uuid());
    within.and(&mut query);
    rows::optional(query, reader, &within.scope()).await
}

/// Stock levels by SKU, after a place in that order.
///
/// # Errors
/// The database failed.
pub async fn levels(
    reader: &ScopedReader,
    within: Within,
    filter: &StockFilter,
    page: Keyset<(String, VariantId)>,
) -> Result<StockPage, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(rows::select::<StockLevel>());
    query.push(" WHERE true");
    within.and(&mut query);
    if let Some(sku) = &filter.sku {
        query.push(" AND sku = ").push_bind(sku.clone());
    }
    if let Some(product_id) = filter.product_id {
        query
            .push(" AND product_id = ")
            .push_bind(product_id.as_uuid());
    }
    if filter.only_low {
        query.push(" AND is_low");
    }
    if let Some((sku, variant_id)) = page.after {
        query.push(" AND (sku, variant_id) > (").push_bind(sku);
        query.push(", ").push_bind(variant_id.as_uuid()).push(")");
    }
    query
        .push(" ORDER BY sku, variant_id LIMIT ")
        .push(page.limit + 1);
    let mut items: Vec<StockLevel> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| {
        (last.sku.clone(), last.variant_id)
    });
    Ok(StockPage { items, next })
}
