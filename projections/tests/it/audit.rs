//! What the auditor's role sees, and what it does not.

use crate::log::Log;
use crate::running::built;
use crate::tables::market;
use sqlx::{PgConnection, PgPool};

const VIEWS: [(&str, &str); 8] = [
    (
        "events",
        "position, tenant_id, stream_type, stream_id, sequence, event_type, event_version, \
         recorded_at, actor, causation, correlation, payload, metadata",
    ),
    (
        "payment_references",
        "provider, reference, kind, payment_id, position",
    ),
    (
        "payment_moves",
        "payment_id, position, kind, delta, currency",
    ),
    (
        "stock",
        "tenant_id, variant_id, location_id, on_hand, reserved",
    ),
    (
        "stock_moves",
        "tenant_id, variant_id, location_id, position, kind, on_hand_delta, reserved_delta, \
         order_id",
    ),
    (
        "orders",
        "order_id, tenant_id, status, is_final, waiting_for, timer_due",
    ),
    (
        "timers",
        "timer_id, kind, stream_id, due_at, fired_at, attempts",
    ),
    ("projections", "name, version, position, rows, digest"),
];

#[tokio::test]
async fn the_auditor_sees_every_view_before_and_after_a_rebuild() {
    let log = folded().await;
    for _ in 0..2 {
        let mut auditor = auditor(log.pool()).await;
        for (view, columns) in VIEWS {
            let names: Vec<String> = sqlx::query_scalar(
                "SELECT column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'audit' AND table_name = $1 ORDER BY ordinal_position",
            )
            .bind(view)
            .fetch_all(&mut auditor)
            .await
            .unwrap();
            assert_eq!(names.join(", "), columns, "{view}");
            let rows: i64 = count(&mut auditor, view).await;
            assert!(rows > 0 || view == "timers", "{view} is empty");
        }
        built(log.pool()).await;
    }
}

#[tokio::test]
async fn the_auditor_sees_nothing_else() {
    let log = folded().await;
    let mut auditor = auditor(log.pool()).await;
    let relations: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = relnamespace \
         WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
           AND nspname NOT IN ('audit', 'information_schema') AND nspname NOT LIKE 'pg\\_%' \
           AND (has_schema_privilege(n.oid, 'USAGE') \
                AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE') \
                     OR has_table_privilege(c.oid, 'DELETE, TRUNCATE')))",
    )
    .fetch_all(&mut auditor)
    .await
    .unwrap();
    let extensions_own = |name: &String| name.starts_with("pg_stat");
    let seen: Vec<_> = relations
        .iter()
        .filter(|name| !extensions_own(name))
        .collect();
    assert_eq!(seen, Vec::<&String>::new());
    for statement in [
        "SELECT * FROM events",
        "SELECT * FROM read_models.orders",
        "INSERT INTO audit.timers (timer_id) VALUES (NULL)",
        "DELETE FROM audit.payment_moves",
        "SELECT projection_switch('orders')",
        "SELECT projection_build_drop('orders')",
    ] {
        let refused = sqlx::query(statement)
            .execute(&mut auditor)
            .await
            .unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap();
        assert_eq!(code, "42501", "{statement}");
    }
}

#[tokio::test]
async fn stock_is_the_sum_of_its_moves() {
    let log = folded().await;
    let mut auditor = auditor(log.pool()).await;
    let differences: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (
             SELECT variant_id, location_id, sum(on_hand_delta) AS on_hand,
                    sum(reserved_delta) AS reserved
             FROM audit.stock_moves GROUP BY variant_id, location_id) AS moves
         FULL JOIN audit.stock AS stock USING (variant_id, location_id)
         WHERE moves.on_hand IS DISTINCT FROM stock.on_hand
            OR moves.reserved IS DISTINCT FROM stock.reserved",
    )
    .fetch_one(&mut auditor)
    .await
    .unwrap();
    assert_eq!(differences, 0);
}

#[tokio::test]
async fn an_order_waits_until_the_first_timer_of_its_own_or_of_its_payment() {
    let log = folded().await;
    sqlx::query(
        "INSERT INTO timers (timer_id, manager, kind, tenant_id, stream_id, position, correlation, \
                             due_at, fired_at) \
         SELECT gen_random_uuid(), 'test', 'expire', tenant_id, stream_id, 1, order_id, due_at, \
                fired_at \
         FROM read_models.orders, LATERAL (VALUES \
             (order_id, timestamptz '2030-01-03', NULL), \
             (payment_id, timestamptz '2030-01-02', NULL), \
             (order_id, timestamptz '2030-01-01', timestamptz '2030-01-01')) \
             AS timer (stream_id, due_at, fired_at) \
         WHERE NOT is_final",
    )
    .execute(log.pool())
    .await
    .unwrap();
    let mut auditor = auditor(log.pool()).await;
    let due: Vec<bool> = sqlx::query_scalar(
        "SELECT timer_due = timestamptz '2030-01-02' FROM audit.orders WHERE NOT is_final",
    )
    .fetch_all(&mut auditor)
    .await
    .unwrap();
    assert_eq!(due, [true]);
}

async fn folded() -> Log {
    let log = market().await;
    built(log.pool()).await;
    log
}

async fn auditor(pool: &PgPool) -> PgConnection {
    let mut connection = pool.acquire().await.unwrap().detach();
    sqlx::query("SET ROLE soko_auditor")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

async fn count(auditor: &mut PgConnection, view: &str) -> i64 {
    sqlx::query_scalar(&format!("SELECT count(*) FROM audit.{view}"))
        .fetch_one(auditor)
        .await
        .unwrap()
}
