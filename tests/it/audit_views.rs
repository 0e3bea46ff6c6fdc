//! What outside checkers see: these views, their columns, and nothing else.

use soko_tests::checkers::{auditor, check_everything};
use soko_tests::{Market, Soko};
use sqlx::{Executor, PgConnection, Row};
use std::collections::BTreeMap;

const VIEWS: &[(&str, &str)] = &[
    (
        "events",
        "position, tenant_id, stream_type, stream_id, sequence, event_type, event_version, \
         recorded_at, actor, causation, correlation, payload, metadata",
    ),
    (
        "ledger",
        "entry_id, transaction_id, tenant_id, position, account, currency, amount, order_id, \
         payment_id",
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
        "tenant_id, variant_id, location_id, position, kind, on_hand_delta, reserved_delta, order_id",
    ),
    (
        "orders",
        "order_id, tenant_id, status, is_final, waiting_for, timer_due",
    ),
    ("projections", "name, version, position, rows, digest"),
];

#[tokio::test]
async fn the_views_have_the_columns_that_were_promised() {
    let soko = Soko::start().await;
    let mut auditor = auditor(&soko).await;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let columns = "SELECT c.relname::text, a.attname::text FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind IN ('v', 'm')
        ORDER BY a.attnum";
    for row in sqlx::query(columns).fetch_all(&mut auditor).await.unwrap() {
        found.entry(row.get(0)).or_default().push(row.get(1));
    }
    for (view, columns) in VIEWS {
        let names = found
            .get(*view)
            .unwrap_or_else(|| panic!("audit.{view} is missing"));
        for column in columns.split(", ") {
            assert!(
                names.iter().any(|name| name == column),
                "audit.{view} has no {column}"
            );
        }
        let rows = format!("SELECT {columns} FROM audit.{view} LIMIT 1");
        auditor.execute(rows.as_str()).await.unwrap();
    }
}

#[tokio::test]
async fn an_auditor_sees_the_views_alone_and_changes_nothing() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.product("Mug", 500, 5).await;
    let mut auditor = auditor(&soko).await;
    let tables = "SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'audit')
          AND n.nspname NOT LIKE 'pg_temp%'";
    let names: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut auditor)
        .await
        .unwrap();
    assert!(
        names.iter().any(|name| name.ends_with(".events")),
        "{names:?}"
    );
    for name in names {
        refused(&mut auditor, &format!("SELECT 1 FROM {name} LIMIT 1")).await;
    }
    for (view, _) in VIEWS {
        let delete = format!("DELETE FROM audit.{view}");
        assert!(auditor.execute(delete.as_str()).await.is_err(), "{delete}");
    }
    refused(&mut auditor, "CREATE TABLE public.mine (x int)").await;
    refused(&mut auditor, "CREATE TABLE audit.mine (x int)").await;
}

#[tokio::test]
async fn nobody_who_serves_can_change_what_happened() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.product("Mug", 500, 5).await;
    let mut app = soko.database().acquire().await.unwrap();
    app.execute("SET ROLE soko_app").await.unwrap();
    for change in [
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "TRUNCATE events",
        "INSERT INTO events SELECT * FROM events LIMIT 1",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "UPDATE access_log SET query = ''",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
    ] {
        refused(&mut app, change).await;
    }
    app.execute("RESET ROLE").await.unwrap();
    // Its owner can take the guard away, but not by mistake.
    for change in [
        "UPDATE events SET payload = payload",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE access_log SET query = query",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
    ] {
        assert!(app.execute(change).await.is_err(), "{change}");
    }
    drop(app);
    check_everything(&soko).await;
}

/// For want of the right, and not for another reason.
#[track_caller]
fn is_refusal(statement: &str, error: &sqlx::Error) {
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(String::from));
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

async fn refused(connection: &mut PgConnection, statement: &str) {
    match connection.execute(statement).await {
        Ok(_) => panic!("was not refused: {statement}"),
        Err(error) => is_refusal(statement, &error),
    }
}
