//! Appends to a log with nothing but SQL, the way that the append function does it, so that what
//! follows the log is tested apart from what writes it.

use serde_json::json;
use soko_event_log::Position;
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pool: PgPool,
}

impl Writer {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Appends events that can be read; returns the last position.
    pub(crate) async fn append(&self, count: i64) -> Position {
        let payload = json!({ "ran_low": { "available": 1, "threshold": 5 } }).to_string();
        self.append_payload(count, &payload, Duration::ZERO).await
    }

    /// Appends, and keeps its turn for a while before it commits.
    pub(crate) async fn append_slowly(&self, count: i64, pause: Duration) -> Position {
        let payload = json!({ "ran_low": { "available": 1, "threshold": 5 } }).to_string();
        self.append_payload(count, &payload, pause).await
    }

    /// Appends one event that no program can read.
    pub(crate) async fn append_bad(&self) -> Position {
        let payload = json!({ "ran_low": { "available": "a lot" } }).to_string();
        self.append_payload(1, &payload, Duration::ZERO).await
    }

    /// Appends one event whose payload has this many bytes and some more.
    pub(crate) async fn append_heavy(&self, bytes: usize) -> Position {
        let ballast = "x".repeat(bytes);
        let payload = json!({ "ran_low": { "available": 1, "ballast": ballast, "threshold": 5 } });
        self.append_payload(1, &payload.to_string(), Duration::ZERO)
            .await
    }

    async fn append_payload(&self, count: i64, payload: &str, pause: Duration) -> Position {
        let metadata = json!({
            "actor": "system:test",
            "correlation": Uuid::from_u128(1),
            "command_id": Uuid::from_u128(2),
        });
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let last: i64 = sqlx::query_scalar("SELECT position + $1 FROM log_head")
            .bind(count)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO events SELECT $1 - $2 + n, $3, 'stock', \
             '00000000-0000-7000-8000-00000000000' || (n % 10), $1 - $2 + n, 'stock.ran_low', '1', \
             $4::json, $5::json, clock_timestamp() FROM generate_series(1, $2) AS n",
        )
        .bind(last)
        .bind(count)
        .bind(Uuid::nil())
        .bind(payload)
        .bind(metadata.to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
        tokio::time::sleep(pause).await;
        transaction.commit().await.unwrap();
        Position::new(last)
    }
}
