//! The same key, the same answer.

use crate::world::{World, execute, execute_as, keyed, keyed_with, new_id, receive, reserve};
use futures::future::join_all;
use soko_commands::{CommandError, Lanes, UnitOfWork};
use soko_domain::Stock;
use soko_domain::stock::StockError;
use soko_event_log::{Claim, ClaimKind};

#[tokio::test]
async fn a_repeat_is_given_the_first_answer_and_does_nothing() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let first = execute_as(&world.engine, mug, receive(3), keyed("k"));
    let first = first.await.unwrap();
    assert!(!first.replayed);
    // This node remembers the key, the other one finds it on append.
    for engine in [&world.engine, &world.node().await] {
        let again = execute_as(engine, mug, receive(3), keyed("k"));
        let again = again.await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.position, first.position);
        assert_eq!(again.recorded_at, first.recorded_at);
    }
    assert_eq!(world.available(mug).await, 8);
}

#[tokio::test]
async fn a_repeat_that_would_now_be_refused_is_given_its_success() {
    let world = World::new().await;
    let mug = world.stocked(1).await;
    let buy = reserve(new_id(), 1);
    let first = execute_as(&world.engine, mug, buy, keyed("k"));
    first.await.unwrap();
    for engine in [&world.engine, &world.node().await] {
        // Another order, as a handler that makes its ids would ask for.
        let again = execute_as(engine, mug, reserve(new_id(), 1), keyed("k"));
        assert!(again.await.unwrap().replayed);
    }
}

#[tokio::test]
async fn a_refusal_is_kept_as_well() {
    let world = World::new().await;
    let mug = world.stocked(1).await;
    let buy = reserve(new_id(), 2);
    let first = execute_as(&world.engine, mug, buy.clone(), keyed("k"));
    let Err(CommandError::Rejected {
        rejection,
        replayed: false,
    }) = first.await
    else {
        panic!("there is only one");
    };
    world.receive(mug, 5).await;
    for engine in [&world.engine, &world.node().await] {
        let again = execute_as(engine, mug, buy.clone(), keyed("k")).await;
        let Err(CommandError::Rejected {
            rejection: repeated,
            replayed: true,
        }) = again
        else {
            panic!("{again:?}");
        };
        assert_eq!(repeated, rejection);
    }
}

#[tokio::test]
async fn the_answer_is_kept_with_its_value() {
    let world = World::new().await;
    let mug = world.stocked(4).await;
    let decide = |unit: &mut UnitOfWork<'_>| {
        let available = unit.state::<Stock>(mug).levels()?.available();
        unit.execute::<Stock>(mug, receive(1))?;
        Ok::<_, StockError>(available)
    };
    for (replayed, engine) in [(false, &world.engine), (true, &world.node().await)] {
        let lanes = Lanes::new().with::<Stock>(mug);
        let answer = engine.transact(&keyed("k"), lanes, decide).await.unwrap();
        assert_eq!((answer.value, answer.replayed), (4, replayed));
    }
    let stored = world.engine.outcome_of("test", "k").await.unwrap().unwrap();
    assert_eq!(stored.outcome, Ok(4.into()));
    assert_eq!(world.engine.outcome_of("test", "l").await.unwrap(), None);
    assert_eq!(world.engine.outcome_of("other", "k").await.unwrap(), None);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_a_mistake() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let first = execute_as(&world.engine, mug, receive(3), keyed("k"));
    first.await.unwrap();
    for engine in [&world.engine, &world.node().await] {
        let other = execute_as(engine, mug, receive(4), keyed_with("k", [1; 32])).await;
        assert!(
            matches!(other, Err(CommandError::IdempotencyMismatch)),
            "{other:?}"
        );
    }
    assert_eq!(world.available(mug).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_with_one_key_at_once_act_once() {
    let world = World::new().await;
    let mug = world.stocked(0).await;
    let node = world.node().await;
    let engines = [&world.engine, &node];
    let requests = (0..20).map(|n| {
        let engine = engines[n % 2].clone();
        tokio::spawn(async move { execute_as(&engine, mug, receive(3), keyed("k")).await })
    });
    let mut first = 0;
    for answer in join_all(requests).await {
        match answer.unwrap() {
            Ok(committed) if committed.replayed => (),
            Ok(_) => first += 1,
            Err(CommandError::InProgress) => (),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(first, 1);
    assert_eq!(world.available(mug).await, 3);
}

#[tokio::test]
async fn a_repeat_is_known_even_where_its_own_claims_are_taken() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let decide = |unit: &mut UnitOfWork<'_>| {
        unit.claim(claim("0001"));
        unit.execute::<Stock>(mug, receive(1))
    };
    for (replayed, engine) in [(false, &world.engine), (true, &world.node().await)] {
        let lanes = Lanes::new().with::<Stock>(mug);
        let answer = engine.transact(&keyed("k"), lanes, decide).await.unwrap();
        assert_eq!(answer.replayed, replayed);
    }
    let lanes = Lanes::new().with::<Stock>(mug);
    let other = world.engine.transact(&keyed("l"), lanes, decide).await;
    let Err(CommandError::ClaimTaken { kind, value }) = other else {
        panic!("{other:?}");
    };
    assert_eq!((kind, value.as_str()), (ClaimKind::OrderNumber, "0001"));
    assert_eq!(world.available(mug).await, 6);
}

#[tokio::test]
async fn what_a_claim_gives_back_can_be_claimed_again() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let claiming = |unit: &mut UnitOfWork<'_>| {
        unit.claim(claim("0001"));
        unit.execute::<Stock>(mug, receive(1))
    };
    let releasing = |unit: &mut UnitOfWork<'_>| {
        let Claim { kind, value, .. } = claim("0001");
        unit.release(soko_event_log::Release { kind, value });
        unit.execute::<Stock>(mug, receive(1))
    };
    let lanes = || Lanes::new().with::<Stock>(mug);
    let engine = &world.engine;
    let context = crate::world::context;
    engine
        .transact(&context(), lanes(), claiming)
        .await
        .unwrap();
    engine
        .transact(&context(), lanes(), releasing)
        .await
        .unwrap();
    engine
        .transact(&context(), lanes(), claiming)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_repeated_no_op_is_the_same_no_op() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let order_id = new_id();
    execute(&world.engine, mug, reserve(order_id, 1))
        .await
        .unwrap();
    let head = world.head().await;
    for (replayed, engine) in [(false, &world.engine), (true, &world.node().await)] {
        let again = execute_as(engine, mug, reserve(order_id, 1), keyed("k"));
        assert_eq!(again.await.unwrap().replayed, replayed);
    }
    assert_eq!(world.head().await, head);
}

fn claim(value: &str) -> Claim {
    Claim {
        kind: ClaimKind::OrderNumber,
        value: value.into(),
        owner: None,
        digest: None,
        outcome: None,
    }
}
