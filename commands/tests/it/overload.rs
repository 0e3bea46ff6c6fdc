//! Too much to do.

use crate::faulty::Fault;
use crate::world::{World, available, context, execute, new_id, receive};
use soko_commands::{CommandError, Engine, EngineOptions, Lanes, UnitOfWork};
use soko_domain::stock::StockError;
use soko_domain::{Stock, VariantId};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn what_the_log_does_not_take_is_not_remembered() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let mut faults = vec![Fault::Overloaded];
    let node = world.faulty_node(move || faults.pop()).await;
    let answer = execute(&node, mug, receive(1)).await;
    assert!(
        matches!(answer, Err(CommandError::Overloaded { .. })),
        "{answer:?}"
    );
    assert_eq!(available(&node, mug).await, 5);
    execute(&node, mug, receive(2)).await.unwrap();
    assert_eq!(world.available(mug).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_so_many_wait_for_one_aggregate() {
    let options = EngineOptions {
        waiting_per_lane_max: 1,
        ..EngineOptions::default()
    };
    let world = World::with(options).await;
    let mug = world.stocked(5).await;
    let slow = slowly(&world.engine, mug, Duration::from_millis(300));
    sleep(Duration::from_millis(50)).await;
    let engine = world.engine.clone();
    let waiting = tokio::spawn(async move { execute(&engine, mug, receive(1)).await });
    sleep(Duration::from_millis(50)).await;
    let third = execute(&world.engine, mug, receive(1)).await;
    assert!(
        matches!(third, Err(CommandError::Overloaded { .. })),
        "{third:?}"
    );
    slow.await.unwrap();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_a_turn_for_ever() {
    let options = EngineOptions {
        patience: Duration::from_millis(50),
        ..EngineOptions::default()
    };
    let world = World::with(options).await;
    let mug = world.stocked(5).await;
    let slow = slowly(&world.engine, mug, Duration::from_millis(500));
    sleep(Duration::from_millis(50)).await;
    let asked = Instant::now();
    let answer = execute(&world.engine, mug, receive(1)).await;
    assert!(
        matches!(answer, Err(CommandError::Overloaded { .. })),
        "{answer:?}"
    );
    assert!(asked.elapsed() < Duration::from_millis(400));
    slow.await.unwrap();
    let order_id: soko_domain::OrderId = new_id();
    execute(&world.engine, mug, crate::world::reserve(order_id, 5))
        .await
        .unwrap();
}

/// Holds the lane for a while.
fn slowly(engine: &Engine, variant_id: VariantId, pause: Duration) -> tokio::task::JoinHandle<()> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let lanes = Lanes::new().with::<Stock>(variant_id);
        let decide = move |_: &mut UnitOfWork<'_>| {
            std::thread::sleep(pause);
            Ok::<(), StockError>(())
        };
        engine.transact(&context(), lanes, decide).await.unwrap();
    })
}
