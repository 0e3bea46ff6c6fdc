//! Invariant 4: every order rests in a final state or waits for somebody or something named.

use super::expect_none;
use sqlx::PgConnection;

pub(super) async fn rest_or_wait(auditor: &mut PgConnection) {
    let lost = "SELECT * FROM audit.orders
        WHERE NOT is_final AND waiting_for IS NULL AND timer_due IS NULL";
    expect_none(auditor, "an order waits for nothing", lost).await;
    let unknown = "SELECT order_id FROM audit.orders WHERE order_id NOT IN (
        SELECT stream_id::uuid FROM audit.events WHERE event_type = 'order.placed')";
    expect_none(auditor, "an order that was never placed", unknown).await;
    let missing = "SELECT stream_id FROM audit.events WHERE event_type = 'order.placed'
        AND stream_id::uuid NOT IN (SELECT order_id FROM audit.orders)";
    expect_none(auditor, "a placed order that no read model has", missing).await;
}
