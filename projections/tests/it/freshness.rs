//! Reading one's own writes.

use crate::log::{Log, other, received, tracked};
use crate::running::Node;
use soko_embedded::testing::PATIENCE;
use soko_event_log::Position;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{Freshness, ProjectionBehind, ReadModel};
use std::time::{Duration, Instant};

#[tokio::test]
async fn who_waits_too_long_is_told_where_the_model_is() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([tracked(1)]).await;
    node.has_folded::<StockLevels>(position).await;
    let freshness = &node.workplace.freshness;
    let wanted = Position::new(1_000);
    let outcome = freshness.wait_for(StockLevels::NAME, wanted, Duration::from_millis(50));
    assert_eq!(
        outcome.await.unwrap_err(),
        ProjectionBehind {
            model: "stock_levels".into(),
            reached: position,
            wanted,
        }
    );
    node.shut_down().await;
}

#[tokio::test]
async fn another_process_learns_the_position_from_the_database() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let elsewhere = Freshness::new(log.pool().clone());
    for event in [tracked(1), received(1, 1), other()] {
        let position = log.append([event]).await;
        let waited = elsewhere.wait_for(StockLevels::NAME, position, PATIENCE);
        waited.await.unwrap();
        assert_eq!(elsewhere.reached(StockLevels::NAME), position);
    }
    node.shut_down().await;
}

#[tokio::test]
async fn many_who_wait_ask_the_database_once() {
    let mut log = Log::empty().await;
    let elsewhere = Freshness::new(log.pool().clone());
    let waiters: Vec<_> = (0..200)
        .map(|_| {
            let elsewhere = elsewhere.clone();
            tokio::spawn(async move {
                elsewhere
                    .wait_for(StockLevels::NAME, Position::new(1), PATIENCE)
                    .await
            })
        })
        .collect();
    let node = Node::of(&log).working_on::<StockLevels>();
    let began = Instant::now();
    log.append([tracked(1)]).await;
    for waiter in waiters {
        waiter.await.unwrap().unwrap();
    }
    assert!(began.elapsed() < PATIENCE);
    node.shut_down().await;
}
