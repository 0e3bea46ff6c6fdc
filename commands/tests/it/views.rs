//! Several aggregates are seen as they all stood at one moment.

use crate::faulty::Fault;
use crate::world::{World, context, execute, new_id, receive, reserve};
use futures::future::join_all;
use soko_commands::{CommandError, Engine, Lanes, UnitOfWork};
use soko_domain::{Stock, VariantId};
use soko_event_log::AppendError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test]
async fn what_is_seen_is_as_new_as_the_log() {
    let world = World::new().await;
    let shelf = [world.stocked(5).await, world.stocked(7).await];
    let node = world.node().await;
    assert_eq!(seen(&node, shelf).await, [5, 7]);
    // The other node has both in memory, and hears of nothing.
    execute(&world.engine, shelf[1], receive(4)).await.unwrap();
    assert_eq!(seen(&node, shelf).await, [5, 11]);
    assert_eq!(seen(&world.engine, shelf).await, [5, 11]);
}

#[tokio::test]
async fn what_is_not_named_is_taken_when_it_is_needed() {
    let world = World::new().await;
    let [mug, bowl] = [world.stocked(5).await, world.stocked(7).await];
    let node = world.node().await;
    let looks = AtomicU32::new(0);
    let look = |unit: &UnitOfWork<'_>| {
        looks.fetch_add(1, Ordering::Relaxed);
        (of(unit, mug), of(unit, bowl))
    };
    let found = node.view(Lanes::new().with::<Stock>(mug), look).await;
    assert_eq!(found.unwrap(), (Some(5), Some(7)));
    assert_eq!(looks.load(Ordering::Relaxed), 2);
    let nothing: VariantId = new_id();
    let found = node.view(Lanes::new(), |unit| of(unit, nothing)).await;
    assert_eq!(found.unwrap(), None);
}

/// Each unit takes one of both, so whoever saw one unit in part would see them differ.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_half_of_what_was_decided() {
    let world = World::new().await;
    let shelf = [world.stocked(400).await, world.stocked(400).await];
    let other = world.node().await;
    let buyers = (0..200).map(|n| {
        let engine = [&world.engine, &other][n % 2].clone();
        tokio::spawn(async move {
            let order_id = new_id();
            let decide = |unit: &mut UnitOfWork<'_>| {
                let mut shelf = shelf.iter();
                shelf.try_for_each(|mug| unit.execute::<Stock>(*mug, reserve(order_id, 1)))
            };
            let lanes = Lanes::new().with_all::<Stock>(shelf);
            engine.transact(&context(), lanes, decide).await
        })
    });
    let lookers = (0..200).map(|n| {
        let engine = [&world.engine, &other][n % 2].clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(n as u64 % 20)).await;
            let look = |unit: &UnitOfWork<'_>| shelf.map(|mug| of(unit, mug));
            engine
                .view(Lanes::new().with_all::<Stock>(shelf), look)
                .await
        })
    });
    let (bought, looked) = tokio::join!(join_all(buyers), join_all(lookers));
    let mut sold = 0;
    for answer in bought {
        match answer.unwrap() {
            Ok(_) => sold += 1,
            // Two nodes on the same two streams: some lose each time.
            Err(CommandError::Conflict) => (),
            Err(error) => panic!("{error:?}"),
        }
    }
    let mut views = 0;
    for answer in looked {
        match answer.unwrap() {
            Ok([mugs, bowls]) => {
                assert_eq!(mugs, bowls);
                views += 1;
            }
            Err(CommandError::Conflict) => (),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(sold > 0 && views > 0, "{sold} sold, {views} views");
    assert_eq!(seen(&world.engine, shelf).await, [400 - sold; 2]);
}

#[tokio::test]
async fn what_failed_to_be_written_is_not_seen() {
    let world = World::new().await;
    let shelf = [world.stocked(5).await, world.stocked(7).await];
    let lost = AppendError::Database(sqlx::Error::WorkerCrashed.into());
    let mut faults = vec![Fault::Fail(lost)];
    let node = world.faulty_node(move || faults.pop()).await;
    assert_eq!(seen(&node, shelf).await, [5, 7]);
    let (sold, found) = tokio::join!(
        execute(&node, shelf[0], reserve(new_id(), 1)),
        seen(&node, shelf),
    );
    assert!(
        matches!(sold, Err(CommandError::Unavailable(_))),
        "{sold:?}"
    );
    assert_eq!(found, [5, 7]);
}

async fn seen(engine: &Engine, shelf: [VariantId; 2]) -> [i64; 2] {
    let look = |unit: &UnitOfWork<'_>| shelf.map(|mug| of(unit, mug));
    let lanes = Lanes::new().with_all::<Stock>(shelf);
    engine.view(lanes, look).await.unwrap().map(Option::unwrap)
}

fn of(unit: &UnitOfWork<'_>, variant_id: VariantId) -> Option<i64> {
    let levels = unit.state::<Stock>(variant_id).levels();
    levels.ok().map(soko_domain::stock::Levels::available)
}
