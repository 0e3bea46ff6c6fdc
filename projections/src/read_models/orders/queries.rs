//! What people ask about orders.

use super::{Audience, FoundOrder, Order};
use crate::query::{Keyset, Owner, Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::order::OrderStatus;
use soko_domain::{AccountId, OrderId, StoreId, TenantId};
use soko_event_log::{Position, ScopedReader};
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

/// Which orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    pub store_id: Option<StoreId>,
    /// As people call it, such as `7KQ2-M9XD`.
    pub number: Option<String>,
}

/// A part of a list, latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    pub items: Vec<FoundOrder>,
    /// Where the next part begins, if there is one.
    pub next: Option<Position>,
}

/// One order, as far as the audience may see it.
///
/// # Errors
/// The database failed.
pub async fn order(
    reader: &ScopedReader,
    audience: &Audience,
    order_id: OrderId,
) -> Result<Option<FoundOrder>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Order>());
    query
        .push(" WHERE order_id = ")
        .push_bind(order_id.as_uuid());
    audience.and_of("", &mut query);
    let found: Option<Order> = rows::optional(query, reader, &audience.scope()).await?;
    match found {
        Some(order) => seen_by(audience, order),
        None => Ok(None),
    }
}

/// The orders of a business, latest first, placed before a position.
///
/// # Errors
/// The database failed.
pub async fn orders(
    reader: &ScopedReader,
    within: Within,
    filter: &OrderFilter,
    page: Keyset<Position>,
) -> Result<OrderPage, sqlx::Error> {
    list(reader, &Audience::Within(within), filter, page).await
}

/// What an account has ordered, latest first, before a position.
///
/// # Errors
/// The database failed.
pub async fn orders_of_account(
    reader: &ScopedReader,
    account_id: AccountId,
    filter: &OrderFilter,
    page: Keyset<Position>,
) -> Result<OrderPage, sqlx::Error> {
    let audience = Audience::Customer(Owner::Account(account_id));
    list(reader, &audience, filter, page).await
}

/// Finished orders of guests whose personal data nobody has destroyed, unchanged since a moment,
/// after one of them in the order of their ids; with their tenants. For retention, which knows no
/// tenants.
///
/// # Errors
/// The database failed.
pub async fn guests_to_forget(
    pool: &PgPool,
    unchanged_since: DateTime<Utc>,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<(TenantId, OrderId)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT o.tenant_id, o.order_id FROM personal_keys AS k \
         JOIN read_models.orders AS o ON o.order_id = k.subject_id \
         WHERE k.sealed_key IS NOT NULL AND k.made_at < $1 AND k.subject_id > $2 \
         AND o.account_id IS NULL AND o.is_final AND o.changed_at < $1 \
         ORDER BY k.subject_id LIMIT $3",
    )
    .bind(unchanged_since)
    .bind(after.map_or(Uuid::nil(), |after| after.as_uuid()))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let typed = |(tenant, order)| (TenantId::from_uuid(tenant), OrderId::from_uuid(order));
    Ok(rows.into_iter().map(typed).collect())
}

async fn list(
    reader: &ScopedReader,
    audience: &Audience,
    filter: &OrderFilter,
    page: Keyset<Position>,
) -> Result<OrderPage, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(rows::names::<Order>("o."));
    query.push(" FROM read_models.orders AS o");
    let is_open = filter.status.is_some_and(|status| !status.is_final());
    // What is open is few, and found by its tenant; all that a vendor ever had is not.
    let by_vendor = audience.vendor().filter(|_| !is_open);
    let place = if by_vendor.is_some() {
        query.push(" JOIN read_models.vendor_orders AS v ON v.order_id = o.order_id");
        "v.position"
    } else {
        "o.position"
    };
    query.push(" WHERE ").push(place).push(" < ");
    query.push_bind(page.after.map_or(i64::MAX, Position::get));
    if let Some(vendor_id) = by_vendor {
        query
            .push(" AND v.vendor_id = ")
            .push_bind(vendor_id.as_uuid());
    }
    audience.and_of("o.", &mut query);
    if is_open {
        query.push(" AND NOT o.is_final");
    }
    if let Some(status) = filter.status {
        query
            .push(" AND o.status = ")
            .push_bind(rows::text_of(&status)?);
    }
    if let Some(store_id) = filter.store_id {
        query
            .push(" AND o.store_id = ")
            .push_bind(store_id.as_uuid());
    }
    if let Some(number) = &filter.number {
        query.push(" AND o.number = ").push_bind(number.clone());
    }
    // Written out, here and in other lists: of a limit that it does not know Postgres thinks that it is
    // far too high to keep one plan for all pages, and planning takes longer than reading.
    query.push(" ORDER BY ").push(place).push(" DESC LIMIT ");
    query.push(page.limit + 1);
    let found: Vec<Order> = rows::all(query, reader, &audience.scope()).await?;
    let mut items = Vec::with_capacity(found.len());
    for order in found {
        items.extend(seen_by(audience, order)?);
    }
    let next = Keyset::cut(page.limit, &mut items, |last| {
        Position::new(last.order.position)
    });
    Ok(OrderPage { items, next })
}

fn seen_by(audience: &Audience, order: Order) -> Result<Option<FoundOrder>, sqlx::Error> {
    FoundOrder::seen_by(audience, order).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
