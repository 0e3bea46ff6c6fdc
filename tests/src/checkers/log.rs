//! Invariant 6: events are contiguous and in order.

use super::expect_none;
use sqlx::PgConnection;

pub(super) async fn is_contiguous(auditor: &mut PgConnection) {
    let gaps = "SELECT position, expected FROM (
        SELECT position, row_number() OVER (ORDER BY position) AS expected FROM audit.events) AS p
        WHERE position <> expected";
    expect_none(auditor, "positions have gaps", gaps).await;
    let holes = "SELECT stream_type, stream_id, sequence, expected FROM (
        SELECT stream_type, stream_id, sequence, row_number() OVER (
            PARTITION BY stream_type, stream_id ORDER BY position) AS expected
        FROM audit.events) AS s
        WHERE sequence <> expected";
    expect_none(auditor, "a stream has holes or is out of order", holes).await;
    let back = "SELECT position, recorded_at FROM (
        SELECT position, recorded_at, lag(recorded_at) OVER (ORDER BY position) AS before
        FROM audit.events) AS t
        WHERE recorded_at < before";
    expect_none(auditor, "time runs backwards", back).await;
}
