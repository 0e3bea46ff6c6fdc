//! Lanes come and go.

use crate::faulty::Fault;
use crate::world::{World, available, execute, new_id, receive, reserve};
use futures::future::join_all;
use soko_commands::{CommandError, EngineOptions, Lanes, UnitOfWork};
use soko_domain::stock::StockError;
use soko_domain::{Stock, VariantId};
use soko_event_log::AppendError;
use std::sync::atomic::{AtomicU32, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_aggregates_than_there_is_room_for() {
    let options = EngineOptions {
        lanes_max: 1,
        ..EngineOptions::default()
    };
    let world = World::with(options).await;
    let mut variants: Vec<VariantId> = Vec::new();
    for _ in 0..60 {
        variants.push(world.stocked(4).await);
    }
    let buyers = (0..3).flat_map(|_| variants.clone()).map(|variant_id| {
        let engine = world.engine.clone();
        tokio::spawn(async move { execute(&engine, variant_id, reserve(new_id(), 1)).await })
    });
    for answer in join_all(buyers).await {
        answer.unwrap().unwrap();
    }
    for variant_id in variants {
        assert_eq!(world.available(variant_id).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_that_want_the_same_lanes_in_any_order_do_not_block_each_other() {
    let world = World::new().await;
    let variants = [
        world.stocked(500).await,
        world.stocked(500).await,
        world.stocked(500).await,
    ];
    let orders = (0..200).map(|n| {
        let engine = world.engine.clone();
        let mut variants = variants;
        variants.rotate_left(n % 3);
        if n % 2 == 0 {
            variants.reverse();
        }
        tokio::spawn(async move {
            let lanes = Lanes::new().with_all::<Stock>(variants);
            let order_id = new_id();
            let decide = |unit: &mut UnitOfWork<'_>| {
                variants.iter().try_for_each(|variant_id| {
                    unit.execute::<Stock>(*variant_id, reserve(order_id, 1))
                })
            };
            engine
                .transact(&crate::world::context(), lanes, decide)
                .await
        })
    });
    for answer in join_all(orders).await {
        answer.unwrap().unwrap();
    }
    for variant_id in variants {
        assert_eq!(world.available(variant_id).await, 300);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stood_on_a_failed_append_is_decided_again() {
    let world = World::new().await;
    let mug = world.stocked(1_000).await;
    let count = AtomicU32::new(0);
    let node = world
        .faulty_node(move || {
            let every_fifth = count.fetch_add(1, Ordering::Relaxed) % 5 == 4;
            every_fifth.then_some(Fault::Fail(AppendError::VersionConflict))
        })
        .await;
    let buyers = (0..100).map(|_| {
        let engine = node.clone();
        tokio::spawn(async move { execute(&engine, mug, reserve(new_id(), 1)).await })
    });
    for answer in join_all(buyers).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(available(&node, mug).await, 900);
    assert_eq!(world.available(mug).await, 900);
}

#[tokio::test]
async fn who_always_loses_is_told_so() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let node = world
        .faulty_node(|| Some(Fault::Fail(AppendError::VersionConflict)))
        .await;
    let answer = execute(&node, mug, receive(1)).await;
    assert!(matches!(answer, Err(CommandError::Conflict)), "{answer:?}");
}

#[tokio::test]
async fn a_unit_touches_a_bounded_number_of_aggregates() {
    let world = World::new().await;
    let variants: Vec<VariantId> = (0..600).map(|_| new_id()).collect();
    let lanes = Lanes::new().with_all::<Stock>(variants);
    let decide = |_: &mut UnitOfWork<'_>| Ok::<(), StockError>(());
    let answer = world
        .engine
        .transact(&crate::world::context(), lanes, decide)
        .await;
    assert!(matches!(answer, Err(CommandError::Defect(_))), "{answer:?}");
}

#[tokio::test]
async fn who_reads_keeps_what_was_read() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let before = world.engine.read::<Stock>(mug).await.unwrap();
    execute(&world.engine, mug, reserve(new_id(), 2))
        .await
        .unwrap();
    assert_eq!(before.state.levels().unwrap().available(), 5);
    let after = world.engine.read::<Stock>(mug).await.unwrap();
    assert_eq!(after.state.levels().unwrap().available(), 3);
    assert_eq!(after.version, before.version + 1);
}

#[tokio::test]
async fn what_is_read_is_as_new_as_the_log() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let node = world.node().await;
    assert_eq!(available(&node, mug).await, 5);
    execute(&world.engine, mug, receive(4)).await.unwrap();
    assert_eq!(available(&node, mug).await, 9);
}
