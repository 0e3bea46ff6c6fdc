//! The next table, beside the one in use.

use crate::log::{Log, adjusted, other, received, reserved, tracked};
use crate::models::{Tallies, make_tallies};
use crate::running::{Node, assert_equals_its_replay, digest_of, generation_of};
use soko_domain::AnyEvent;
use soko_embedded::testing::until;
use soko_projections::read_models::stock_ledger::StockLedger;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{Model, ReadModel, RebuildError, RebuildOptions, Rebuilt, status};
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_rebuild_may_follow_the_last_one_at_once() {
    let log = Log::empty().await;
    for _ in 0..20 {
        rebuild::<StockLevels>(log.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_rebuilt_table_equals_the_live_one() {
    let mut log = Log::empty().await;
    let node = Node::of(&log)
        .working_on::<StockLevels>()
        .working_on::<StockLedger>();
    let position = some_trade(&mut log, 300).await;
    node.has_folded::<StockLevels>(position).await;
    node.has_folded::<StockLedger>(position).await;
    let levels = digest_of::<StockLevels>(log.pool()).await;
    let ledger = digest_of::<StockLedger>(log.pool()).await;
    assert!(levels.0 == 10 && ledger.0 > 200);

    let rebuilt = rebuild::<StockLevels>(log.pool()).await.unwrap();
    rebuild::<StockLedger>(log.pool()).await.unwrap();
    assert_eq!(rebuilt.position, position);
    assert_eq!(digest_of::<StockLevels>(log.pool()).await, levels);
    assert_eq!(digest_of::<StockLedger>(log.pool()).await, ledger);
    node.shut_down().await;
}

#[tokio::test]
async fn what_does_not_fit_in_memory_comes_out_the_same() {
    let mut log = Log::empty().await;
    some_trade(&mut log, 2_000).await;
    make_tallies(log.pool()).await;
    let digests = async |memory_bytes: usize| {
        let options = RebuildOptions {
            memory_bytes,
            ..RebuildOptions::default()
        };
        for model in [
            Model::<StockLevels>::boxed(),
            Model::<StockLedger>::boxed(),
            Model::<Tallies<1>>::boxed(),
        ] {
            model.rebuild(log.pool(), &options).await.unwrap();
        }
        let pool = log.pool();
        [
            digest_of::<StockLevels>(pool).await,
            digest_of::<StockLedger>(pool).await,
            digest_of::<Tallies<1>>(pool).await,
        ]
    };
    let in_memory = digests(usize::MAX).await;
    assert_eq!(digests(2_000).await, in_memory);
    assert_eq!(digests(0).await, in_memory);
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
    assert_equals_its_replay::<Tallies<1>>(log.pool()).await;
}

#[tokio::test]
async fn a_worker_goes_on_in_the_new_table() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    some_trade(&mut log, 50).await;
    node.has_folded::<StockLevels>(log.head()).await;
    rebuild::<StockLevels>(log.pool()).await.unwrap();
    assert_eq!(generation_of::<StockLevels>(log.pool()).await, 2);
    for _ in 0..5 {
        let position = log.append([received(1, 1)]).await;
        node.has_folded::<StockLevels>(position).await;
    }
    node.shut_down().await;
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
}

#[tokio::test]
async fn queries_see_whole_tables_while_they_are_switched_under_load() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    log.append((0..10).map(tracked)).await;
    node.has_folded::<StockLevels>(log.head()).await;

    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(read_until(log.pool().clone(), Arc::clone(&is_over))))
        .collect();
    let rebuilds = {
        let (pool, is_over) = (log.pool().clone(), Arc::clone(&is_over));
        tokio::spawn(async move {
            for _ in 0..10 {
                rebuild::<StockLevels>(&pool).await.unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        })
    };
    while !is_over.load(Ordering::Relaxed) {
        log.append((0..10).map(|number| received(number, 1))).await;
    }
    rebuilds.await.unwrap();
    for reader in readers {
        assert!(reader.await.unwrap() > 100);
    }
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
    assert_eq!(generation_of::<StockLevels>(log.pool()).await, 11);
}

/// Reads until it is over; each time every variant must be there.
async fn read_until(pool: PgPool, is_over: Arc<AtomicBool>) -> u64 {
    let mut reads = 0;
    while !is_over.load(Ordering::Relaxed) {
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM read_models.stock_levels")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(rows, 10);
        reads += 1;
    }
    reads
}

#[tokio::test]
async fn views_on_a_table_read_the_new_one() {
    let mut log = Log::empty().await;
    for statement in [
        "CREATE VIEW public.what_is_there WITH (security_barrier = true) AS \
         SELECT sku, on_hand FROM read_models.stock_levels WHERE on_hand > 0",
        "CREATE VIEW public.how_much AS SELECT sum(on_hand)::bigint AS units FROM what_is_there",
    ] {
        sqlx::query(statement).execute(log.pool()).await.unwrap();
    }
    log.append([tracked(1), received(1, 5)]).await;
    rebuild::<StockLevels>(log.pool()).await.unwrap();
    let units: i64 = sqlx::query_scalar("SELECT units FROM how_much")
        .fetch_one(log.pool())
        .await
        .unwrap();
    assert_eq!(units, 5);
    let options: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(reloptions) FROM pg_class WHERE relname = 'what_is_there'",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(options, ["security_barrier=true"]);
}

#[tokio::test]
async fn the_new_table_is_like_the_old_one() {
    let mut log = Log::empty().await;
    log.append([tracked(1), received(1, 5)]).await;
    for statement in [
        "CREATE ROLE tester_of_grants",
        "ALTER TABLE read_models.stock_levels ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON read_models.stock_levels FOR SELECT TO tester_of_grants \
         USING (tenant_id IS NOT NULL)",
        "GRANT SELECT ON read_models.stock_levels TO tester_of_grants",
    ] {
        // Roles belong to the whole server, so another run may have left this one.
        let made = sqlx::query(statement).execute(log.pool()).await;
        assert!(made.is_ok() || statement.starts_with("CREATE ROLE"));
    }
    let before = description(log.pool()).await;
    rebuild::<StockLevels>(log.pool()).await.unwrap();
    assert_eq!(description(log.pool()).await, before);
    assert!(before.iter().any(|line| line.contains("own")), "{before:?}");
    assert!(before.iter().any(|line| line.contains("stock_levels_low")));
}

async fn description(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'read_models' \
             AND tablename = 'stock_levels'
         UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE conrelid = 'read_models.stock_levels'::regclass
         UNION ALL SELECT policyname || qual FROM pg_policies WHERE tablename = 'stock_levels'
         UNION ALL SELECT concat(relacl, reloptions, relrowsecurity) FROM pg_class \
             WHERE oid = 'read_models.stock_levels'::regclass
         UNION ALL SELECT concat(attname, atttypid, attnotnull, attnum) FROM pg_attribute \
             WHERE attrelid = 'read_models.stock_levels'::regclass
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_new_version_is_built_when_its_worker_starts() {
    let mut log = Log::empty().await;
    make_tallies(log.pool()).await;
    let old = Node::of(&log).working_on::<Tallies<1>>();
    let position = log.append([received(1, 5), received(1, 5)]).await;
    old.has_folded::<Tallies<1>>(position).await;
    assert_eq!(events(log.pool()).await, 2);

    // Both programs run for a while: the old one steps back.
    let new = Node::of(&log).working_on::<Tallies<2>>();
    until("the new version is there", async || {
        events(log.pool()).await == 4
    })
    .await;
    let position = log.append([received(1, 5), other()]).await;
    new.has_folded::<Tallies<2>>(position).await;
    assert_eq!(events(log.pool()).await, 6);
    old.shut_down().await;
    new.shut_down().await;
    assert_equals_its_replay::<Tallies<2>>(log.pool()).await;
    let error = rebuild::<Tallies<1>>(log.pool()).await.unwrap_err();
    assert!(matches!(error, RebuildError::Outdated(2)));
}

/// The pool that requests are served from bounds its statements.
#[tokio::test]
async fn a_build_outlasts_the_statements_of_the_pool_it_was_asked_for_on() {
    let mut log = Log::empty().await;
    some_trade(&mut log, 100).await;
    let options = (*log.pool().connect_options()).clone();
    let impatient = options.options([("statement_timeout", "100ms")]);
    let impatient = PgPool::connect_with(impatient).await.unwrap();

    let mut reading = log.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM read_models.stock_levels")
        .execute(&mut *reading)
        .await
        .unwrap();
    let end_reading = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        reading.commit().await.unwrap();
    };
    let (rebuilt, ()) = tokio::join!(rebuild::<StockLevels>(&impatient), end_reading);
    rebuilt.unwrap();
}

#[tokio::test]
async fn one_build_of_a_model_runs_at_a_time() {
    let mut log = Log::empty().await;
    some_trade(&mut log, 500).await;
    let pool = log.pool();
    let (first, second) = tokio::join!(rebuild::<StockLevels>(pool), rebuild::<StockLevels>(pool));
    let under_way = [&first, &second]
        .into_iter()
        .filter(|built| matches!(built, Err(RebuildError::UnderWay)));
    assert_eq!(under_way.count(), 1);
    assert!(first.is_ok() || second.is_ok());
}

#[tokio::test]
async fn a_build_shows_for_as_long_as_somebody_builds() {
    let mut log = Log::empty().await;
    log.append([tracked(1)]).await;
    rebuild::<StockLevels>(log.pool()).await.unwrap();
    let is_building = async || status(log.pool()).await.unwrap()[0].build.is_some();
    assert!(!is_building().await);
    let left_behind = "INSERT INTO projection_builds (name, version, target) \
                       VALUES ('stock_levels', 1, 10)";
    sqlx::query(left_behind).execute(log.pool()).await.unwrap();
    assert!(!is_building().await);
    let mut builder = log.pool().acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(1936681730, hashtext('stock_levels'))")
        .execute(&mut *builder)
        .await
        .unwrap();
    assert!(is_building().await);
}

#[tokio::test]
async fn a_model_that_is_new_to_a_long_log_is_built_beside() {
    let mut log = Log::empty().await;
    log.append([tracked(1)]).await;
    for _ in 0..6 {
        log.append((0..10_000).map(|_| received(1, 1))).await;
    }
    let node = Node::of(&log).working_on::<StockLevels>();
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    assert_eq!(generation_of::<StockLevels>(log.pool()).await, 2);
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
}

/// Events of ten variants, so many rounds of them.
async fn some_trade(log: &mut Log, rounds: u32) -> soko_event_log::Position {
    log.append((0..10).map(tracked)).await;
    let round = |n: u32| -> AnyEvent {
        let number = u128::from(n % 10);
        match n % 7 {
            0 => received(number, 1 + n % 3),
            1 => reserved(number, n.into(), 1),
            2 => other(),
            3 => adjusted(number, -1),
            _ => received(number, 1),
        }
    };
    log.append((0..rounds).map(round)).await
}

async fn rebuild<M: ReadModel>(pool: &PgPool) -> Result<Rebuilt, RebuildError> {
    let options = RebuildOptions::default();
    Model::<M>::boxed().rebuild(pool, &options).await
}

async fn events(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT coalesce(sum(events), 0)::bigint FROM read_models.tallies")
        .fetch_one(pool)
        .await
        .unwrap()
}
