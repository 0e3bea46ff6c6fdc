//! Invariant 1: more is never reserved than is on hand, and everything adds up.

use super::expect_none;
use sqlx::PgConnection;

pub(super) async fn adds_up(auditor: &mut PgConnection) {
    let oversold = "SELECT * FROM audit.stock WHERE reserved > on_hand OR reserved < 0";
    expect_none(auditor, "more is reserved than is on hand", oversold).await;
    let sums = "SELECT * FROM (
            SELECT variant_id, location_id, sum(on_hand_delta) AS on_hand,
                   sum(reserved_delta) AS reserved
            FROM audit.stock_moves GROUP BY variant_id, location_id) AS moves
        FULL JOIN audit.stock AS stock USING (variant_id, location_id)
        WHERE moves.on_hand IS DISTINCT FROM stock.on_hand
           OR moves.reserved IS DISTINCT FROM stock.reserved";
    expect_none(auditor, "stock is not the sum of its moves", sums).await;
    let moments = "SELECT * FROM (
        SELECT variant_id, location_id, position,
            sum(on_hand_delta) OVER w AS on_hand, sum(reserved_delta) OVER w AS reserved
        FROM audit.stock_moves
        WINDOW w AS (PARTITION BY variant_id, location_id ORDER BY position)) AS m
        WHERE reserved > on_hand OR reserved < 0";
    expect_none(auditor, "more was once reserved than was on hand", moments).await;
    let open = "SELECT order_id, sum(reserved_delta) AS reserved
        FROM audit.stock_moves JOIN audit.orders USING (order_id)
        WHERE is_final GROUP BY order_id HAVING sum(reserved_delta) <> 0";
    expect_none(auditor, "a finished order still holds stock", open).await;
}
