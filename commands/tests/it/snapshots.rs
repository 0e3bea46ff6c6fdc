//! Snapshots save work, and change nothing.

use crate::world::{World, available, execute, new_id, receive, reserve};
use soko_commands::EngineOptions;
use soko_domain::{Decide, Stock, VariantId};
use soko_embedded::testing::until;
use sqlx::PgPool;

#[tokio::test]
async fn a_long_stream_gets_a_snapshot_that_agrees_with_it() {
    let world = world().await;
    let mug = busy(&world).await;
    let (sequence, schema_version) = snapshot(&world.pool(), mug).await;
    assert!(sequence >= 10, "{sequence}");
    assert_eq!(
        schema_version,
        i32::try_from(Stock::SNAPSHOT_VERSION).unwrap()
    );

    let with_snapshot = world.node().await;
    assert_eq!(available(&with_snapshot, mug).await, 100 - 20);
    sqlx::query("DELETE FROM snapshots")
        .execute(&world.pool())
        .await
        .unwrap();
    let without = world.node().await;
    assert_eq!(available(&without, mug).await, 100 - 20);
}

#[tokio::test]
async fn a_snapshot_is_used() {
    let world = world().await;
    let mug = busy(&world).await;
    snapshot(&world.pool(), mug).await;
    let forged = "UPDATE snapshots SET state = \
                  replace(state::text, '\"available\":', '\"available\":1')::json";
    // A later one may still be on its way.
    until("what a snapshot says is believed", async || {
        sqlx::query(forged).execute(&world.pool()).await.unwrap();
        available(&world.node().await, mug).await > 100
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_trusted_is_not_used() {
    let world = world().await;
    let mug = busy(&world).await;
    snapshot(&world.pool(), mug).await;
    for damage in [
        // Of another shape; both states would be read as an empty stock.
        r#"schema_version = 0, state = '"Untracked"'"#,
        r#"schema_version = 1000, state = '"Untracked"'"#,
        // Unreadable.
        r#"state = '{"unreadable":1}'"#,
        // Of a log that was longer.
        r#"sequence = 100000, state = '"Untracked"'"#,
    ] {
        sqlx::query("CREATE TABLE IF NOT EXISTS intact AS TABLE snapshots")
            .execute(&world.pool())
            .await
            .unwrap();
        sqlx::query(&format!("UPDATE snapshots SET {damage}"))
            .execute(&world.pool())
            .await
            .unwrap();
        let node = world.node().await;
        assert_eq!(available(&node, mug).await, 80, "{damage}");
        execute(&node, mug, receive(1)).await.unwrap();
        execute(&node, mug, reserve(new_id(), 1)).await.unwrap();
        let intact = "UPDATE snapshots SET sequence = intact.sequence, state = intact.state, \
                      schema_version = intact.schema_version FROM intact";
        sqlx::query(intact).execute(&world.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_grew_without_snapshots_gets_one_when_it_is_read() {
    let world = World::new().await;
    let mug = busy(&world).await;
    let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM snapshots")
        .fetch_one(&world.pool())
        .await
        .unwrap();
    assert_eq!(taken, 0);
    let node = world.node_with(eager()).await;
    available(&node, mug).await;
    let (sequence, _) = snapshot(&world.pool(), mug).await;
    assert_eq!(sequence.unsigned_abs(), world.version(mug).await);
}

#[tokio::test]
async fn the_heavier_a_state_the_rarer_its_snapshots() {
    let world = world().await;
    count_writes(&world.pool()).await;
    let (light, heavy) = (world.stocked(1_000).await, world.stocked(1_000).await);
    for _ in 0..400 {
        execute(&world.engine, light, receive(1)).await.unwrap();
        // Each stays in the state.
        let reserved = execute(&world.engine, heavy, reserve(new_id(), 1)).await;
        reserved.unwrap();
    }
    let (light, heavy) = (
        writes(&world.pool(), light).await,
        writes(&world.pool(), heavy).await,
    );
    assert!(light > 20, "{light} of a state that is as small as ever");
    // They are written in the background, so how many it are depends on the machine.
    assert!(heavy > 2 && heavy * 3 < light * 2, "{heavy}, not {light}");
}

async fn world() -> World {
    World::with(eager()).await
}

fn eager() -> EngineOptions {
    EngineOptions {
        events_per_snapshot: 10,
        ..EngineOptions::default()
    }
}

/// A variant of which 100 were received and 20 are reserved.
async fn busy(world: &World) -> VariantId {
    let mug = world.stocked(100).await;
    for _ in 0..20 {
        execute(&world.engine, mug, reserve(new_id(), 1))
            .await
            .unwrap();
    }
    mug
}

async fn snapshot(pool: &PgPool, variant_id: VariantId) -> (i64, i32) {
    let mut found = None;
    until("a snapshot is written", async || {
        let written = sqlx::query_as(
            "SELECT sequence, schema_version FROM snapshots \
             WHERE aggregate_type = 'stock' AND aggregate_id = $1",
        );
        let written = written.bind(variant_id.as_uuid());
        found = written.fetch_optional(pool).await.unwrap();
        found.is_some()
    })
    .await;
    found.unwrap()
}

async fn count_writes(pool: &PgPool) {
    let counting = "CREATE TABLE snapshot_writes (aggregate_id uuid);
        CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO snapshot_writes VALUES (NEW.aggregate_id); RETURN NULL; END $$;
        CREATE TRIGGER count_write AFTER INSERT OR UPDATE ON snapshots
        FOR EACH ROW EXECUTE FUNCTION count_write()";
    sqlx::raw_sql(counting).execute(pool).await.unwrap();
}

async fn writes(pool: &PgPool, variant_id: VariantId) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM snapshot_writes WHERE aggregate_id = $1")
        .bind(variant_id.as_uuid())
        .fetch_one(pool)
        .await
        .unwrap()
}
