//! What people ask about payments.

use super::{Payment, PaymentMove};
use crate::query::{Within, rows};
use crate::read_models::orders::Audience;
use soko_domain::{OrderId, PaymentId};
use soko_event_log::ScopedReader;
use sqlx::{Postgres, QueryBuilder};

/// One payment, if the audience may see it.
///
/// # Errors
/// The database failed.
pub async fn payment(
    reader: &ScopedReader,
    audience: &Audience,
    payment_id: PaymentId,
) -> Result<Option<Payment>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Payment>());
    query
        .push(" WHERE payment_id = ")
        .push_bind(payment_id.as_uuid());
    and_visible(audience, &mut query);
    rows::optional(query, reader, &audience.scope_with(payment_id.as_uuid())).await
}

/// The payments that were asked for an order, in their order.
///
/// # Errors
/// The database failed.
pub async fn payments_of_order(
    reader: &ScopedReader,
    audience: &Audience,
    order_id: OrderId,
) -> Result<Vec<Payment>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Payment>());
    query
        .push(" WHERE order_id = ")
        .push_bind(order_id.as_uuid());
    and_visible(audience, &mut query);
    query.push(" ORDER BY initiated_at, payment_id");
    rows::all(query, reader, &audience.scope_with(order_id.as_uuid())).await
}

/// How the money of a payment moved, in its order; nothing if the audience may not see the
/// payment.
///
/// # Errors
/// The database failed.
pub async fn payment_moves(
    reader: &ScopedReader,
    audience: &Audience,
    payment_id: PaymentId,
) -> Result<Vec<PaymentMove>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<PaymentMove>());
    query
        .push(" WHERE payment_id = ")
        .push_bind(payment_id.as_uuid());
    query.push(
        " AND EXISTS (SELECT FROM read_models.payments \
                      WHERE payments.payment_id = payment_moves.payment_id",
    );
    and_visible(audience, &mut query);
    query.push(") ORDER BY position");
    rows::all(query, reader, &audience.scope_with(payment_id.as_uuid())).await
}

/// Payments know their tenant and store; vendors and customers see those of their orders.
fn and_visible(audience: &Audience, query: &mut QueryBuilder<'_, Postgres>) {
    match audience {
        Audience::Within(within @ (Within::Platform | Within::Tenant(_) | Within::Store(..))) => {
            within.and_of("payments.", query);
        }
        Audience::Within(Within::Vendor(..)) | Audience::Customer(_) => {
            audience.and_its_order("payments.order_id", query);
        }
    }
}
