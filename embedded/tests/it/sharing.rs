use std::collections::HashSet;

use soko_embedded::testing::{TestNats, fresh_database, nats_servers};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!("tests/it/migrations");

#[tokio::test]
async fn every_test_has_a_migrated_database_of_its_own() {
    let first = fresh_database(&MIGRATIONS).await;
    let second = fresh_database(&MIGRATIONS).await;

    sqlx::query("INSERT INTO things VALUES (1, 'mug')")
        .execute(first.pool())
        .await
        .unwrap();

    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM things")
        .fetch_one(second.pool())
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn a_database_is_gone_when_its_test_is() {
    let database = fresh_database(&MIGRATIONS).await;
    let other = fresh_database(&MIGRATIONS).await;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(database.pool())
        .await
        .unwrap();

    drop(database);

    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(other.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn each_installed_nats_version_serves_once() {
    let servers = nats_servers().await;
    let again = nats_servers().await;

    let versions: HashSet<_> = servers.iter().map(TestNats::version).collect();
    assert!(!servers.is_empty());
    assert_eq!(versions.len(), servers.len());
    for (server, same) in servers.iter().zip(&again) {
        assert_eq!(server.url(), same.url());
        assert_ne!(server.prefix(), same.prefix());
    }
}
