//! Whatever happens, in whatever batches: the live table, a rebuilt one and a fold in memory are
//! the same.

use crate::log::{Log, here, id, note, order, tracked, units, variant};
use crate::models::{Tallies, make_tallies};
use crate::running::{Node, assert_equals_its_replay, digest_of};
use proptest::collection::vec;
use proptest::prelude::*;
use soko_domain::AnyEvent;
use soko_domain::stock::StockEvent;
use soko_projections::read_models::stock_ledger::StockLedger;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{Model, RebuildOptions};

/// What happens, and how much of it at once.
#[derive(Debug, Clone)]
struct History {
    batches: Vec<Vec<(u128, StockEvent)>>,
    /// After which of the batches the worker is killed and another one starts.
    kills: Vec<bool>,
    memory_bytes: usize,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_live_table_a_rebuilt_one_and_the_replay_are_the_same(history in history()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(check(history));
    }
}

async fn check(history: History) {
    let mut log = Log::empty().await;
    make_tallies(log.pool()).await;
    let mut node = node(&log);
    log.append((0..VARIANTS).map(tracked)).await;
    for (batch, is_kill) in history.batches.into_iter().zip(history.kills) {
        let events = batch
            .into_iter()
            .map(|(number, event)| AnyEvent::Stock(variant(number), event));
        log.append(events).await;
        if is_kill {
            node.kill().await;
            node = self::node(&log);
        }
    }
    node.has_folded::<StockLevels>(log.head()).await;
    node.has_folded::<StockLedger>(log.head()).await;
    node.has_folded::<Tallies<1>>(log.head()).await;
    node.shut_down().await;

    let pool = log.pool();
    assert_equals_its_replay::<StockLevels>(pool).await;
    assert_equals_its_replay::<StockLedger>(pool).await;
    assert_equals_its_replay::<Tallies<1>>(pool).await;
    let digests = async || {
        [
            digest_of::<StockLevels>(pool).await,
            digest_of::<StockLedger>(pool).await,
            digest_of::<Tallies<1>>(pool).await,
        ]
    };
    let live = digests().await;
    let options = RebuildOptions {
        memory_bytes: history.memory_bytes,
        ..RebuildOptions::default()
    };
    Model::<StockLevels>::boxed()
        .rebuild(pool, &options)
        .await
        .unwrap();
    Model::<StockLedger>::boxed()
        .rebuild(pool, &options)
        .await
        .unwrap();
    Model::<Tallies<1>>::boxed()
        .rebuild(pool, &options)
        .await
        .unwrap();
    assert_eq!(digests().await, live);
}

fn node(log: &Log) -> Node {
    Node::of(log)
        .working_on::<StockLevels>()
        .working_on::<StockLedger>()
        .working_on::<Tallies<1>>()
}

const VARIANTS: u128 = 4;

fn history() -> impl Strategy<Value = History> {
    let batches = vec(vec((0..VARIANTS, event()), 1..40), 1..8);
    (
        batches,
        vec(any::<bool>(), 8),
        prop_oneof![Just(0), Just(2_000), Just(usize::MAX)],
    )
        .prop_map(|(batches, kills, memory_bytes)| History {
            batches,
            kills,
            memory_bytes,
        })
}

/// Any event, whether the rules would allow it there or not: a fold takes what the log says.
fn event() -> impl Strategy<Value = StockEvent> {
    let location_id = || prop_oneof![Just(here()), Just(id(3))];
    let quantity = || (1_u32..4).prop_map(units);
    let order_id = || (0_u128..5).prop_map(order);
    prop_oneof![
        (location_id(), quantity()).prop_map(|(location_id, quantity)| StockEvent::Received {
            location_id,
            quantity,
            note: note(),
        }),
        (location_id(), -3_i64..3).prop_map(|(location_id, difference)| StockEvent::Adjusted {
            location_id,
            difference,
            note: note(),
        }),
        (location_id(), order_id(), quantity()).prop_map(|(location_id, order_id, quantity)| {
            StockEvent::Reserved {
                order_id,
                location_id,
                quantity,
            }
        }),
        (location_id(), order_id(), quantity()).prop_map(|(location_id, order_id, quantity)| {
            StockEvent::Committed {
                order_id,
                location_id,
                quantity,
            }
        }),
        (0_u32..3).prop_map(|threshold| StockEvent::LowStockThresholdSet { threshold }),
        Just(StockEvent::RanLow {
            available: 0,
            threshold: 0,
        }),
    ]
}
