//! Invariant 2: a payment is applied at most once.

use super::expect_none;
use sqlx::PgConnection;

pub(super) async fn are_applied_once(auditor: &mut PgConnection) {
    let twice = "SELECT provider, reference, kind, count(*) FROM audit.payment_references
        GROUP BY provider, reference, kind HAVING count(*) > 1";
    expect_none(auditor, "a payment was applied twice", twice).await;
    // At each moment, and not only at the end.
    let moves = "SELECT * FROM (
            SELECT payment_id, position,
                   sum(delta) OVER (PARTITION BY payment_id ORDER BY position) AS kept
            FROM audit.payment_moves) AS running
        WHERE kept < 0";
    expect_none(auditor, "more was given back than was taken", moves).await;
    let unrecorded = "SELECT payment_id FROM audit.payment_moves
        WHERE payment_id NOT IN (SELECT payment_id FROM audit.payment_references)";
    expect_none(auditor, "money moved without a reference", unrecorded).await;
}
