//! A bad event stops the one read model that needs it, in sight, until a person skips it.

use crate::log::{Log, adjusted, order, received, reserved, tracked, variant};
use crate::models::{TOO_ODD, Tallies, make_tallies};
use crate::running::{Node, assert_equals_its_replay, digest_of};
use soko_domain::AnyEvent;
use soko_domain::stock::StockEvent;
use soko_embedded::testing::until;
use soko_event_log::Position;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{
    Model, ReadModel, RebuildError, RebuildOptions, SkipError, Stopped, status,
};
use sqlx::PgPool;

#[tokio::test]
async fn an_unreadable_event_stops_the_model_until_it_is_skipped() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let before = log.append([tracked(1), received(1, 5)]).await;
    let bad = log.append_unreadable(variant(1)).await;
    let after = log.append([received(1, 2)]).await;

    let stopped = stopped::<StockLevels>(log.pool()).await;
    assert_eq!(stopped.position, bad);
    assert!(stopped.reason.contains("received"), "{stopped:?}");
    node.has_folded::<StockLevels>(before).await;
    assert_eq!(on_hand(log.pool()).await, 5);

    skip::<StockLevels>(log.pool(), bad).await.unwrap();
    node.has_folded::<StockLevels>(after).await;
    assert_eq!(on_hand(log.pool()).await, 7);
    node.shut_down().await;
    assert_eq!(find_stopped::<StockLevels>(log.pool()).await, None);
}

#[tokio::test]
async fn a_replay_leaves_out_what_was_skipped() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    log.append([tracked(1), received(1, 5)]).await;
    let bad = log.append_unreadable(variant(1)).await;
    let after = log.append([received(1, 2)]).await;
    let rebuild = async || {
        let options = RebuildOptions::default();
        Model::<StockLevels>::boxed()
            .rebuild(log.pool(), &options)
            .await
    };
    assert_eq!(stopped::<StockLevels>(log.pool()).await.position, bad);
    let error = rebuild().await.unwrap_err();
    assert!(matches!(error, RebuildError::Poisoned { position, .. } if position == bad));

    skip::<StockLevels>(log.pool(), bad).await.unwrap();
    node.has_folded::<StockLevels>(after).await;
    let live = digest_of::<StockLevels>(log.pool()).await;
    rebuild().await.unwrap();
    assert_eq!(digest_of::<StockLevels>(log.pool()).await, live);
    assert_equals_its_replay::<StockLevels>(log.pool()).await;
    node.shut_down().await;
}

#[tokio::test]
async fn only_the_event_that_stopped_a_model_can_be_skipped() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    let position = log.append([tracked(1)]).await;
    node.has_folded::<StockLevels>(position).await;
    let error = skip::<StockLevels>(log.pool(), position).await.unwrap_err();
    assert!(matches!(error, SkipError::NotStoppedThere { .. }));
    node.shut_down().await;
}

#[tokio::test]
async fn an_event_that_panics_the_fold_is_found_in_its_batch() {
    let mut log = Log::empty().await;
    make_tallies(log.pool()).await;
    let events = (0..40).map(|n| {
        if n == 23 {
            adjusted(1, TOO_ODD)
        } else {
            received(1, 1)
        }
    });
    log.append(events).await;
    let node = Node::of(&log).working_on::<Tallies<1>>();

    let stopped = stopped::<Tallies<1>>(log.pool()).await;
    assert_eq!(stopped.position, Position::new(24));
    assert!(stopped.reason.contains("too odd"), "{stopped:?}");
    assert_eq!(units(log.pool()).await, 23);
    skip::<Tallies<1>>(log.pool(), stopped.position)
        .await
        .unwrap();
    node.has_folded::<Tallies<1>>(log.head()).await;
    assert_eq!(units(log.pool()).await, 39);
    node.shut_down().await;
}

#[tokio::test]
async fn an_event_whose_row_the_database_refuses_is_found_in_its_batch() {
    let mut log = Log::empty().await;
    make_tallies(log.pool()).await;
    let too_many = log
        .append([received(1, 900), received(2, 1), received(1, 101)])
        .await;
    log.append([received(2, 1)]).await;
    let node = Node::of(&log).working_on::<Tallies<1>>();
    let stopped = stopped::<Tallies<1>>(log.pool()).await;
    assert_eq!(stopped.position, too_many);
    skip::<Tallies<1>>(log.pool(), too_many).await.unwrap();
    node.has_folded::<Tallies<1>>(log.head()).await;
    assert_eq!(units(log.pool()).await, 902);
    node.shut_down().await;
    assert_equals_its_replay::<Tallies<1>>(log.pool()).await;
}

#[tokio::test]
async fn a_stopped_model_tries_again_when_a_worker_starts() {
    let mut log = Log::empty().await;
    make_tallies(log.pool()).await;
    let full = log.append([received(1, 900), received(1, 101)]).await;
    let node = Node::of(&log).working_on::<Tallies<1>>();
    assert_eq!(stopped::<Tallies<1>>(log.pool()).await.position, full);
    node.shut_down().await;
    // What stood in the way is put right; nothing needs to be left out.
    sqlx::query("ALTER TABLE read_models.tallies DROP CONSTRAINT tallies_units_check")
        .execute(log.pool())
        .await
        .unwrap();
    let node = Node::of(&log).working_on::<Tallies<1>>();
    node.has_folded::<Tallies<1>>(full).await;
    assert_eq!(find_stopped::<Tallies<1>>(log.pool()).await, None);
    node.shut_down().await;
}

#[tokio::test]
async fn a_bad_event_of_another_stream_stops_nobody() {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    log.append([tracked(1)]).await;
    // Readable, of a stock that was never tracked: folds to nothing.
    let stray = StockEvent::Released {
        order_id: order(1),
        location_id: crate::log::here(),
        quantity: crate::log::units(1),
    };
    log.append([AnyEvent::Stock(variant(9), stray)]).await;
    let position = log.append([reserved(1, 1, 1)]).await;
    node.has_folded::<StockLevels>(position).await;
    node.shut_down().await;
}

async fn stopped<M: ReadModel>(pool: &PgPool) -> Stopped {
    until("the model has stopped", async || {
        find_stopped::<M>(pool).await.is_some()
    })
    .await;
    find_stopped::<M>(pool).await.unwrap()
}

async fn find_stopped<M: ReadModel>(pool: &PgPool) -> Option<Stopped> {
    let models = status(pool).await.unwrap();
    let model = models.into_iter().find(|model| model.name == M::NAME)?;
    model.stopped
}

async fn skip<M: ReadModel>(pool: &PgPool, position: Position) -> Result<(), SkipError> {
    let model = Model::<M>::boxed();
    model
        .skip(pool, position, "account:somebody", "it is broken")
        .await
}

async fn on_hand(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT sum(on_hand)::bigint FROM read_models.stock_levels")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn units(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT sum(units)::bigint FROM read_models.tallies")
        .fetch_one(pool)
        .await
        .unwrap()
}
