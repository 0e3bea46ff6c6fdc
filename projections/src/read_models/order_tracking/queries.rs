//! What people ask about the way of an order.

use super::TrackingItem;
use crate::query::rows;
use crate::read_models::orders::Audience;
use soko_domain::OrderId;
use soko_event_log::{Position, ScopedReader};
use sqlx::QueryBuilder;

/// The steps of an order after a position, in their order; none if the audience may not see the
/// order. A vendor sees the steps of its own part, and of the order as a whole.
///
/// # Errors
/// The database failed.
pub async fn timeline(
    reader: &ScopedReader,
    audience: &Audience,
    order_id: OrderId,
    after: Position,
) -> Result<Vec<TrackingItem>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<TrackingItem>());
    query
        .push(" WHERE order_id = ")
        .push_bind(order_id.as_uuid());
    query.push(" AND position > ").push_bind(after.get());
    if let Some(vendor_id) = audience.vendor() {
        query.push(" AND (vendor_id IS NULL OR vendor_id = ");
        query.push_bind(vendor_id.as_uuid()).push(")");
    }
    audience.and_its_order("order_tracking.order_id", &mut query);
    query.push(" ORDER BY position");
    rows::all(query, reader, &audience.scope_with(order_id.as_uuid())).await
}
