//! If-Match, and dry runs.

use crate::world::{World, context, execute, keyed, new_id, receive, reserve};
use soko_commands::{CommandContext, CommandError};
use soko_domain::Stock;
use soko_domain::stock::StockError;

#[tokio::test]
async fn the_expected_version_is_taken() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let context = expecting(world.version(mug).await);
    let committed = world.engine.execute::<Stock>(mug, receive(1), &context);
    let version = world.version(mug).await;
    assert_eq!(committed.await.unwrap().versions[0].2, version + 1);
}

#[tokio::test]
async fn another_version_is_refused_with_the_version_it_has() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let version = world.version(mug).await;
    let answer = world
        .engine
        .execute::<Stock>(mug, receive(1), &expecting(version - 1))
        .await;
    let Err(CommandError::PreconditionFailed {
        expected, actual, ..
    }) = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!((expected, actual), (version - 1, version));
    assert_eq!(world.version(mug).await, version);
}

#[tokio::test]
async fn the_version_is_that_of_the_log_not_of_this_nodes_memory() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let node = world.node().await;
    execute(&node, mug, receive(1)).await.unwrap();
    let version = world.version(mug).await;
    let context = expecting(version);
    let committed = world.engine.execute::<Stock>(mug, receive(1), &context);
    assert_eq!(committed.await.unwrap().versions[0].2, version + 1);
}

#[tokio::test]
async fn a_repeated_conditional_command_is_given_its_first_answer() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let context = CommandContext {
        expected_version: Some(world.version(mug).await),
        ..keyed("once")
    };
    let first = world.engine.execute::<Stock>(mug, receive(1), &context);
    let first = first.await.unwrap();
    for engine in [&world.engine, &world.node().await] {
        let again = engine.execute::<Stock>(mug, receive(1), &context);
        let again = again.await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.position, first.position);
    }
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let head = world.head().await;
    let context = dry("dry");
    let order_id = new_id();
    let answer = world
        .engine
        .execute::<Stock>(mug, reserve(order_id, 5), &context)
        .await
        .unwrap();
    let names: Vec<_> = answer
        .dry_run_events
        .iter()
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["stock.reserved", "stock.ran_low"]);
    assert_eq!(
        answer.dry_run_events[0]["payload"]["reserved"]["order_id"],
        order_id.to_string()
    );
    assert_eq!(answer.position, None);
    assert_eq!(world.head().await, head);
    assert_eq!(world.available(mug).await, 5);

    let context = keyed("dry");
    let real = world
        .engine
        .execute::<Stock>(mug, reserve(order_id, 5), &context);
    assert!(!real.await.unwrap().replayed);
}

#[tokio::test]
async fn a_dry_run_is_refused_by_the_rules() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let answer = world
        .engine
        .execute::<Stock>(mug, reserve(new_id(), 6), &dry("dry"))
        .await;
    let Err(CommandError::Rejected { rejection, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert!(matches!(rejection, StockError::OutOfStock { .. }));
}

fn expecting(version: u64) -> CommandContext {
    CommandContext {
        expected_version: Some(version),
        ..context()
    }
}

fn dry(key: &str) -> CommandContext {
    CommandContext {
        dry_run: true,
        ..keyed(key)
    }
}
