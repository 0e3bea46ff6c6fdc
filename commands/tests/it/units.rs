//! Units of work: whole, in order, and what they answer.

use crate::world::{World, context, execute, new_id, receive, reserve, track};
use soko_commands::{CommandError, Lanes, UnitOfWork};
use soko_domain::stock::{StockError, StockEvent};
use soko_domain::{AnyEvent, Stock, VariantId};
use soko_event_log::{LogReader, Position};

#[tokio::test]
async fn what_is_answered_is_in_the_log() {
    let world = World::new().await;
    let mug = new_id();
    let context = context();
    let committed = world.engine.execute::<Stock>(mug, track(), &context).await;
    let committed = committed.unwrap();
    assert_eq!(committed.position, Some(Position::new(1)));
    assert_eq!(committed.versions, [("stock", mug.as_uuid(), 1)]);

    let entries = LogReader::new(world.pool()).read(Position::START, 10).await;
    let recorded = entries.unwrap().remove(0).event.unwrap();
    assert_eq!(recorded.event.name(), "stock.tracked");
    assert_eq!(recorded.event.stream_id(), mug.as_uuid());
    assert_eq!(recorded.sequence, 1);
    assert_eq!(recorded.tenant_id, context.tenant_id);
    assert_eq!(recorded.metadata.command_id, context.command_id);
    assert_eq!(Some(recorded.recorded_at), committed.recorded_at);
}

#[tokio::test]
async fn a_command_without_effect_appends_nothing() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let order_id = new_id();
    execute(&world.engine, mug, reserve(order_id, 2))
        .await
        .unwrap();
    let head = world.head().await;

    let again = execute(&world.engine, mug, reserve(order_id, 2))
        .await
        .unwrap();
    assert_eq!(again.position, None);
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn a_unit_is_whole_or_absent() {
    let world = World::new().await;
    let (mug, pot) = (world.stocked(5).await, world.stocked(1).await);
    let head = world.head().await;

    let refused = order(&world, [(mug, 2), (pot, 2)]).await;
    assert!(matches!(
        refused,
        Err(CommandError::Rejected {
            rejection: StockError::OutOfStock { available: 1, .. },
            ..
        })
    ));
    assert_eq!(world.head().await, head);
    assert_eq!(world.available(mug).await, 5);

    order(&world, [(mug, 2), (pot, 1)]).await.unwrap();
    assert_eq!(world.available(mug).await, 3);
    assert_eq!(world.available(pot).await, 0);
}

#[tokio::test]
async fn events_stand_in_the_order_of_the_decisions() {
    let world = World::new().await;
    let (mug, pot) = (world.stocked(5).await, world.stocked(5).await);
    let head = world.head().await;
    let lanes = Lanes::new().with::<Stock>(mug).with::<Stock>(pot);
    let decide = |unit: &mut UnitOfWork<'_>| {
        unit.execute::<Stock>(pot, receive(1))?;
        unit.execute::<Stock>(mug, receive(2))?;
        unit.execute::<Stock>(pot, receive(3))
    };
    world
        .engine
        .transact(&context(), lanes, decide)
        .await
        .unwrap();

    let entries = LogReader::new(world.pool()).read(head, 10).await.unwrap();
    let received: Vec<(VariantId, i64)> = entries
        .into_iter()
        .map(|entry| match &entry.event.unwrap().event {
            AnyEvent::Stock(id, StockEvent::Received { quantity, .. }) => (*id, quantity.units()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(received, [(pot, 1), (mug, 2), (pot, 3)]);
}

#[tokio::test]
async fn a_second_command_sees_what_the_first_decided() {
    let world = World::new().await;
    let mug = world.stocked(3).await;
    let lanes = Lanes::new().with::<Stock>(mug);
    let decide = |unit: &mut UnitOfWork<'_>| {
        unit.execute::<Stock>(mug, reserve(new_id(), 2))?;
        let left = unit.state::<Stock>(mug).levels()?.available();
        unit.execute::<Stock>(mug, receive(4))?;
        unit.execute::<Stock>(mug, reserve(new_id(), 5))?;
        Ok::<_, StockError>(left)
    };
    let committed = world.engine.transact(&context(), lanes, decide).await;
    assert_eq!(committed.unwrap().value, 1);
    assert_eq!(world.available(mug).await, 0);
}

#[tokio::test]
async fn what_a_decision_needs_besides_is_taken_as_well() {
    let world = World::new().await;
    let (mug, pot) = (world.stocked(3).await, world.stocked(3).await);
    let decide = |unit: &mut UnitOfWork<'_>| {
        let mugs = unit.state::<Stock>(mug).levels()?.available();
        unit.execute::<Stock>(pot, receive(1))?;
        Ok::<_, StockError>(mugs)
    };
    let committed = world
        .engine
        .transact(&context(), Lanes::new(), decide)
        .await;
    let committed = committed.unwrap();
    assert_eq!(committed.value, 3);
    assert_eq!(committed.versions.len(), 2);
    assert_eq!(world.available(pot).await, 4);
}

#[tokio::test]
async fn what_is_said_to_be_new_and_is_not_is_found_out() {
    let world = World::new().await;
    let mug = world.stocked(3).await;
    let node = world.node().await;
    let lanes = Lanes::new().with_new::<Stock>(mug);
    let decide = |unit: &mut UnitOfWork<'_>| unit.execute::<Stock>(mug, track());
    let answer = node.transact(&context(), lanes, decide).await;
    let Err(CommandError::Rejected { rejection, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(rejection, StockError::AlreadyTracked);
}

/// Reserves all of it in one unit.
async fn order<const N: usize>(
    world: &World,
    wanted: [(VariantId, u32); N],
) -> Result<soko_commands::Committed<()>, CommandError<StockError>> {
    let order_id = new_id();
    let lanes = Lanes::new().with_all::<Stock>(wanted.map(|(variant_id, _)| variant_id));
    let decide = |unit: &mut UnitOfWork<'_>| {
        wanted.iter().try_for_each(|(variant_id, quantity)| {
            unit.execute::<Stock>(*variant_id, reserve(order_id, *quantity))
        })
    };
    world.engine.transact(&context(), lanes, decide).await
}
