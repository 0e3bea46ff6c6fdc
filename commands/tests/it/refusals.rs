//! A refusal is true, whatever it was decided on.

use crate::faulty::Fault;
use crate::world::{World, available, execute, execute_as, keyed, new_id, receive, reserve};
use soko_commands::{CommandError, Lanes, UnitOfWork};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::{OrderId, Stock};
use soko_event_log::AppendError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn what_another_node_received_can_be_sold_here() {
    let world = World::new().await;
    let mug = world.stocked(0).await;
    let refused = execute(&world.engine, mug, reserve(new_id(), 1)).await;
    assert!(matches!(refused, Err(CommandError::Rejected { .. })));

    execute(&world.node().await, mug, receive(1)).await.unwrap();
    execute(&world.engine, mug, reserve(new_id(), 1))
        .await
        .unwrap();
}

#[tokio::test]
async fn with_a_key_it_is_just_as_true() {
    let world = World::new().await;
    let mug = world.stocked(0).await;
    world.engine.read::<Stock>(mug).await.unwrap();
    execute(&world.node().await, mug, receive(1)).await.unwrap();

    let reserve = reserve(new_id(), 1);
    let answer = execute_as(&world.engine, mug, reserve, keyed("buy"));
    answer.await.unwrap();
}

#[tokio::test]
async fn what_another_node_did_already_is_not_done_again() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let order_id: OrderId = new_id();
    execute(&world.engine, mug, reserve(order_id, 2))
        .await
        .unwrap();
    let release = StockCommand::Release { order_id };
    execute(&world.node().await, mug, release.clone())
        .await
        .unwrap();

    // In this node's memory the order still holds two, so reserving the same would do nothing.
    let again = execute(&world.engine, mug, reserve(order_id, 2))
        .await
        .unwrap();
    assert!(again.position.is_some());
    assert_eq!(world.available(mug).await, 3);
}

#[tokio::test]
async fn a_refusal_does_not_rest_on_a_sale_that_failed() {
    let world = World::new().await;
    let mug = world.stocked(1).await;
    let lost = AppendError::Database(sqlx::Error::WorkerCrashed.into());
    let mut faults = vec![Fault::Fail(lost)];
    let node = world.faulty_node(move || faults.pop()).await;
    available(&node, mug).await;
    let (first, second) = tokio::join!(
        execute(&node, mug, reserve(new_id(), 1)),
        execute(&node, mug, reserve(new_id(), 1)),
    );
    assert!(
        matches!(first, Err(CommandError::Unavailable(_))),
        "{first:?}"
    );
    second.unwrap();
    assert_eq!(world.available(mug).await, 0);
}

#[tokio::test]
async fn what_others_did_is_not_taken_for_what_is_still_on_its_way_from_here() {
    let world = World::new().await;
    let mug = world.stocked(2).await;
    let mut delays = vec![Fault::Delay(Duration::from_millis(100))];
    let node = world.faulty_node(move || delays.pop()).await;
    available(&node, mug).await;
    execute(&world.node().await, mug, receive(3)).await.unwrap();
    // Decided without what was received. While it is looked at, another sale takes the place of
    // that in this node's memory, but never in the log.
    let (first, second) = tokio::join!(
        execute(&node, mug, reserve(new_id(), 3)),
        execute(&node, mug, reserve(new_id(), 1)),
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(world.available(mug).await, 1);
}

#[tokio::test]
async fn a_refusal_waits_for_what_it_rests_on() {
    let world = World::new().await;
    let mug = world.stocked(1).await;
    let mut delays = vec![Fault::Delay(Duration::from_millis(200))];
    let node = world.faulty_node(move || delays.pop()).await;
    available(&node, mug).await;

    let seller = node.clone();
    let sale = tokio::spawn(async move { execute(&seller, mug, reserve(new_id(), 1)).await });
    sleep(Duration::from_millis(50)).await;
    let version = world.version(mug).await;
    let refused = execute(&node, mug, reserve(new_id(), 1)).await;
    assert!(matches!(refused, Err(CommandError::Rejected { .. })));
    assert!(world.version(mug).await > version, "the sale is durable");
    sale.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_by_a_busy_aggregate_disturbs_nobody() {
    let world = World::new().await;
    let mug = world.stocked(5_000).await;
    let (engine, loads) = world.counting_node().await;
    let seller = engine.clone();
    let sales = tokio::spawn(async move {
        loop {
            let sales = (0..16).map(|_| execute(&seller, mug, reserve(new_id(), 1)));
            futures::future::join_all(sales).await;
        }
    });
    for _ in 0..20 {
        let release = StockCommand::Release { order_id: new_id() };
        let answer = execute(&engine, mug, release).await;
        let Err(CommandError::Rejected { rejection, .. }) = answer else {
            panic!("{answer:?}");
        };
        assert!(matches!(rejection, StockError::NotReserved { .. }));
    }
    sales.abort();
    let loads = loads.load(Ordering::Relaxed);
    assert_eq!(loads, 1, "what moved was moved by this node itself");
}

#[tokio::test]
async fn a_decision_that_read_what_another_node_moved_is_made_again() {
    let world = World::new().await;
    let (mug, pot) = (world.stocked(1).await, world.stocked(0).await);
    let node = world.node().await;
    available(&node, mug).await;
    available(&node, pot).await;
    execute(&world.engine, mug, receive(6)).await.unwrap();

    let lanes = Lanes::new().with::<Stock>(mug).with::<Stock>(pot);
    let as_many = |unit: &mut UnitOfWork<'_>| {
        let mugs = unit.state::<Stock>(mug).levels()?.available();
        unit.execute::<Stock>(pot, receive(mugs.try_into().unwrap()))?;
        Ok::<_, StockError>(mugs)
    };
    let committed = node
        .transact(&crate::world::context(), lanes, as_many)
        .await;
    assert_eq!(committed.unwrap().value, 7);
    assert_eq!(world.available(pot).await, 7);
}
