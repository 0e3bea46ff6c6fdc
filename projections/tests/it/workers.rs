//! Workers keep a table at the head of the log, whatever happens to them.

use crate::log::{Log, other, received, reserved, tracked, variant};
use crate::running::{Node, assert_equals_its_replay};
use soko_embedded::testing::until;
use soko_projections::read_models::stock_ledger::{StockLedger, ledger};
use soko_projections::read_models::stock_levels::{StockLevels, level};
use soko_projections::{Keyset, ReadModel, Within};
use sqlx::PgPool;
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_happened_is_in_the_tables() {
    let mut log = Log::empty().await;
    let node = Node::of(&log)
        .working_on::<StockLevels>()
        .working_on::<StockLedger>();
    let events = [tracked(1), received(1, 5), other(), reserved(1, 7, 2)];
    let position = log.append(events).await;
    node.has_folded::<StockLevels>(position).await;
    node.has_folded::<StockLedger>(position).await;

    let found = level(log.reader(), Within::Platform, variant(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.on_hand, found.reserved), (5, 2));
    assert_eq!(found.sku, "SKU-000001");
    let lines = ledger(
        log.reader(),
        Within::Platform,
        variant(1),
        Keyset::first(10),
    )
    .await
    .unwrap();
    let kinds: Vec<_> = lines
        .items
        .iter()
        .map(|line| (line.moved.kind.as_str(), line.on_hand, line.reserved))
        .collect();
    assert_eq!(kinds, [("reserved", 5, 2), ("received", 5, 0)]);
    node.shut_down().await;
}

#[tokio::test]
async fn events_that_touch_nothing_move_the_checkpoint_too() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([other(), other()]).await;
    node.has_folded::<StockLevels>(position).await;
    until("the checkpoint is recorded", async || {
        recorded_position::<StockLevels>(log.pool()).await == position.get()
    })
    .await;
    node.shut_down().await;
}

#[tokio::test]
async fn a_checkpoint_is_recorded_although_the_log_never_rests() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let first = log.append([other()]).await;
    node.has_folded::<StockLevels>(first).await;
    let mut was_recorded = false;
    for _ in 0..400 {
        log.append([other()]).await;
        was_recorded |= recorded_position::<StockLevels>(log.pool()).await > first.get();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(was_recorded);
    node.shut_down().await;
}

#[tokio::test]
async fn every_event_counts_once_although_workers_are_killed() {
    let mut log = Log::empty().await;
    log.append((0..5).map(tracked)).await;
    for round in 0..12_u64 {
        let node = Node::of(&log).working_on::<StockLevels>();
        for _ in 0..4 {
            log.append((0..5).map(|number| received(number, 1))).await;
            tokio::time::sleep(Duration::from_millis(3 * round % 17)).await;
        }
        node.kill().await;
    }
    let node = Node::of(&log).working_on::<StockLevels>();
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    assert_eq!(on_hand(log.pool()).await, [48; 5]);
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
}

#[tokio::test]
async fn every_event_counts_once_although_connections_break() {
    let mut log = Log::empty().await;
    log.append((0..5).map(tracked)).await;
    let node = Node::of(&log).working_on::<StockLevels>();
    for _ in 0..40 {
        log.append((0..5).map(|number| received(number, 1))).await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'soko stock_levels'",
        )
        .execute(log.pool())
        .await
        .unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    assert_eq!(on_hand(log.pool()).await, [40; 5]);
}

#[tokio::test]
async fn a_worker_that_got_on_is_soon_back_however_often_its_connection_broke() {
    let mut log = Log::empty().await;
    log.append([tracked(1)]).await;
    let node = Node::of(&log).working_on::<StockLevels>();
    for _ in 0..7 {
        let position = log.append([received(1, 1)]).await;
        let since = Instant::now();
        node.has_folded::<StockLevels>(position).await;
        assert!(since.elapsed() < Duration::from_secs(2));
        let broken = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'soko stock_levels'";
        sqlx::query(broken).execute(log.pool()).await.unwrap();
    }
    node.shut_down().await;
}

#[tokio::test]
async fn a_standby_takes_over_from_a_worker_that_dies() {
    let mut log = Log::empty().await;
    let first = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([tracked(1), received(1, 1)]).await;
    first.has_folded::<StockLevels>(position).await;
    let second = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([received(1, 1)]).await;
    // The second sees in the database what the first has done.
    second.has_folded::<StockLevels>(position).await;
    first.kill().await;
    let position = log.append([received(1, 1)]).await;
    second.has_folded::<StockLevels>(position).await;
    second.shut_down().await;
    assert_eq!(on_hand(log.pool()).await, [3]);
}

#[tokio::test]
async fn a_worker_writes_nothing_once_somebody_else_has_moved_the_checkpoint() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([tracked(1), received(1, 1)]).await;
    node.has_folded::<StockLevels>(position).await;
    // A rival has folded the next event already, or so it says.
    sqlx::query("UPDATE projections SET position = position + 1 WHERE name = 'stock_levels'")
        .execute(log.pool())
        .await
        .unwrap();
    log.append([received(1, 10)]).await;
    let position = log.append([received(1, 100)]).await;
    node.has_folded::<StockLevels>(position).await;
    assert_eq!(on_hand(log.pool()).await, [101]);
    node.shut_down().await;
}

#[tokio::test]
async fn two_nodes_share_the_work_without_doing_it_twice() {
    let mut log = Log::empty().await;
    let nodes = [
        Node::of(&log).working_on::<StockLevels>(),
        Node::of(&log).working_on::<StockLevels>(),
    ];
    log.append([tracked(1)]).await;
    for _ in 0..50 {
        log.append([received(1, 1), other()]).await;
    }
    for node in nodes {
        node.has_folded::<StockLevels>(log.head()).await;
        node.shut_down().await;
    }
    assert_eq!(on_hand(log.pool()).await, [50]);
}

#[tokio::test]
async fn a_worker_that_starts_late_reads_what_is_no_longer_new() {
    let mut log = Log::empty().await;
    log.append([tracked(1)]).await;
    for _ in 0..3 {
        log.append((0..3_000).map(|_| received(1, 1))).await;
    }
    let node = Node::of(&log).working_on::<StockLevels>();
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    assert_eq!(on_hand(log.pool()).await, [9_000]);
}

#[tokio::test]
async fn stock_of_others_is_not_there() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([tracked(1)]).await;
    node.has_folded::<StockLevels>(position).await;
    let stranger = Within::Tenant(crate::log::id(555));
    let found = level(log.reader(), stranger, variant(1)).await.unwrap();
    assert_eq!(found, None);
    node.shut_down().await;
}

async fn on_hand(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("SELECT on_hand FROM read_models.stock_levels ORDER BY variant_id")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn recorded_position<M: ReadModel>(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT position FROM projections WHERE name = $1")
        .bind(M::NAME)
        .fetch_one(pool)
        .await
        .unwrap()
}
