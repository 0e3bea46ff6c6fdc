//! Clients that go away.

use crate::world::{World, context, execute, new_id, reserve};
use soko_commands::{CommandContext, Lanes, UnitOfWork};
use soko_domain::Stock;
use soko_domain::stock::StockError;
use sqlx::Row;
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_request_leaves_the_lane_as_the_log_has_it() {
    let world = World::new().await;
    let mug = world.stocked(10_000).await;
    let (mut answered, mut asked) = (HashSet::new(), 0);
    // On a busy machine it takes longer until anything is answered.
    for round in 0..400_u64 {
        if round >= 60 && !answered.is_empty() {
            break;
        }
        let requests: Vec<_> = (0..8)
            .map(|_| {
                let (engine, context) = (world.engine.clone(), context());
                tokio::spawn(async move {
                    let reserve = reserve(new_id(), 1);
                    engine
                        .execute::<Stock>(mug, reserve, &context)
                        .await
                        .unwrap();
                    context.command_id
                })
            })
            .collect();
        asked += requests.len();
        let patience = Duration::from_micros(round * 37 + round.saturating_sub(60) * 1_000);
        tokio::time::sleep(patience).await;
        for request in requests {
            request.abort();
            if let Ok(command_id) = request.await {
                answered.insert(command_id);
            }
        }
    }
    // Decided on the lane as it is now: would it be wrong, this could not be appended.
    execute(&world.engine, mug, reserve(new_id(), 1))
        .await
        .unwrap();
    let rows = sqlx::query(
        "SELECT (metadata->>'correlation')::uuid FROM events WHERE event_type = 'stock.reserved'",
    );
    let rows = rows.fetch_all(&world.pool()).await.unwrap();
    let appended: HashSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(appended.len(), rows.len());
    assert!(appended.is_superset(&answered));
    assert!(
        !answered.is_empty() && answered.len() < asked,
        "{}",
        answered.len()
    );
    let sold = i64::try_from(appended.len()).unwrap();
    assert_eq!(world.available(mug).await, 10_000 - sold);
}

#[tokio::test]
async fn a_decision_that_panics_leaves_the_lane_as_it_was() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let (engine, context): (_, CommandContext) = (world.engine.clone(), context());
    let panicking = tokio::spawn(async move {
        let lanes = Lanes::new().with::<Stock>(mug);
        let decide = |unit: &mut UnitOfWork<'_>| -> Result<(), StockError> {
            unit.execute::<Stock>(mug, reserve(new_id(), 5))?;
            panic!("a mistake in a handler");
        };
        engine.transact(&context, lanes, decide).await.map(drop)
    });
    assert!(panicking.await.unwrap_err().is_panic());
    execute(&world.engine, mug, reserve(new_id(), 5))
        .await
        .unwrap();
}
