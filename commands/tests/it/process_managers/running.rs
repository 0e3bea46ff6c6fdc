//! What holds for every process manager.

use super::office::Office;
use crate::world::{execute, new_id, receive, reserve};
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;
use soko_commands::Timer;
use soko_commands::process_managers::{
    Desk, Effect, FireError, Fired, ProcessManager, SkipError, lags, skip_event, statuses,
};
use soko_domain::stock::{StockCommand, StockEvent};
use soko_domain::{AnyEvent, Stock, VariantId};
use soko_embedded::testing::until;
use soko_event_log::{Position, RecordedEvent};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn what_follows_at_once_is_done_once_for_each_event() {
    let office = Office::new().await;
    let mug = office.world.stocked(10).await;
    let helper = Helper::default();
    let at_work = office.start(helper.clone()).await;
    for _ in 0..3 {
        execute(office.engine(), mug, reserve(new_id(), 1))
            .await
            .unwrap();
    }
    all_fired(&office, mug, 3).await;
    at_work.stop().await;

    // It goes on where it was.
    let _at_work = office.start(helper.clone()).await;
    execute(office.engine(), mug, reserve(new_id(), 1))
        .await
        .unwrap();
    all_fired(&office, mug, 4).await;
    helper.has_fired(mug, 4).await;
}

#[tokio::test]
async fn commands_of_a_timer_take_effect_once_however_often_it_is_tried() {
    let office = Office::new().await;
    let mug = office.world.stocked(10).await;
    // Every timer releases what was reserved, and then fails twice.
    let helper = Helper::failing(2);
    let _at_work = office.start(helper.clone()).await;
    execute(office.engine(), mug, reserve(new_id(), 1))
        .await
        .unwrap();

    let timer = office
        .timer(mug.as_uuid(), |timer| {
            timer.attempts == 1 && timer.reason.is_some()
        })
        .await;
    assert_eq!(timer.reason.as_deref(), Some("not yet: the line is busy"));
    assert_eq!(statuses(&office.pool()).await.unwrap()[0].failing, 1);
    let lag = lags(&office.pool()).await.unwrap().remove(0);
    assert_eq!(
        (lag.next_due_at, lag.is_stopped),
        (Some(timer.due_at), false)
    );
    office.set_clock(timer.due_at);
    let second = office
        // While it fires, it is counted already and has still the reason of the first try.
        .timer(mug.as_uuid(), |tried| {
            tried.attempts == 2 && tried.due_at != timer.due_at
        })
        .await;
    assert_eq!(
        second.due_at,
        timer.due_at + TimeDelta::seconds(2),
        "later and later"
    );
    office.set_clock(second.due_at);
    let fired = office
        .timer(mug.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    assert_eq!((fired.attempts, fired.reason), (3, None));
    assert_eq!(received_by_helper(&office, mug).await, 1);
}

#[tokio::test]
async fn a_timer_may_fire_round_after_round() {
    let office = Office::new().await;
    let mug = office.world.stocked(10).await;
    let helper = Helper::repeating(2);
    let _at_work = office.start(helper.clone()).await;
    execute(office.engine(), mug, reserve(new_id(), 1))
        .await
        .unwrap();
    for round in 1..=2 {
        let timer = office
            .timer(mug.as_uuid(), |timer| timer.round == round)
            .await;
        assert_eq!(timer.fired_at, None);
        office.advance_clock(Duration::from_secs(60));
    }
    office
        .timer(mug.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    assert_eq!(
        received_by_helper(&office, mug).await,
        3,
        "other rounds, other commands"
    );
}

#[tokio::test]
async fn a_timer_that_panics_or_hangs_is_tried_again() {
    let office = Office::new().await;
    for (trouble, reason) in [
        (Trouble::Panics, "it panicked"),
        (Trouble::Hangs, "it took too long"),
    ] {
        let mug = office.world.stocked(10).await;
        let helper = Helper {
            trouble: Some(trouble),
            ..Helper::failing(1)
        };
        let at_work = office.start(helper.clone()).await;
        execute(office.engine(), mug, reserve(new_id(), 1))
            .await
            .unwrap();
        let timer = office
            .timer(mug.as_uuid(), |timer| timer.reason.is_some())
            .await;
        assert_eq!(timer.reason.as_deref(), Some(reason));
        office.advance_clock(Duration::from_secs(5));
        office
            .timer(mug.as_uuid(), |timer| timer.fired_at.is_some())
            .await;
        at_work.stop().await;
    }
}

#[tokio::test]
async fn what_was_under_way_in_a_crash_is_done_again_at_once() {
    let office = Office::new().await;
    let mug = office.world.stocked(10).await;
    let helper = Helper {
        trouble: Some(Trouble::Hangs),
        ..Helper::failing(1)
    };
    let at_work = office.start(helper.clone()).await;
    execute(office.engine(), mug, reserve(new_id(), 1))
        .await
        .unwrap();
    office
        .timer(mug.as_uuid(), |timer| timer.attempts == 1)
        .await;
    helper.has_fired(mug, 1).await;
    at_work.crash().await;

    let _at_work = office.start(helper.clone()).await;
    let timer = office
        .timer(mug.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    assert_eq!(timer.attempts, 2);
    assert_eq!(received_by_helper(&office, mug).await, 1);
}

#[tokio::test]
async fn a_bad_event_stops_it_until_a_person_skips_it() {
    let office = Office::new().await;
    let mug = office.world.stocked(10).await;
    let helper = Helper::default();
    let _at_work = office.start(helper.clone()).await;
    office.caught_up("helper").await;
    // It cannot react to this one.
    execute(
        office.engine(),
        mug,
        StockCommand::SetLowStockThreshold { threshold: 666 },
    )
    .await
    .unwrap();
    let bad = office.world.head().await;
    execute(office.engine(), mug, reserve(new_id(), 1))
        .await
        .unwrap();

    let pool = office.pool();
    until("it has stopped", async || {
        statuses(&pool).await.unwrap()[0].stopped.is_some()
    })
    .await;
    let status = statuses(&pool).await.unwrap().remove(0);
    assert!(status.position < bad);
    assert_eq!(
        status.stopped,
        Some((Position::new(bad.get() - 1), "it panicked".into()))
    );
    assert!(office.timers(mug.as_uuid()).await.is_empty());
    let lag = lags(&pool).await.unwrap().remove(0);
    assert!(lag.is_stopped && lag.lag >= 2, "{lag:?}");

    let elsewhere = skip_event(&pool, "helper", Position::new(1), "account:1", "").await;
    assert!(matches!(elsewhere, Err(SkipError::NotStopped(_))));
    let (stopped_at, _) = status.stopped.unwrap();
    skip_event(&pool, "helper", stopped_at, "account:1", "a joke")
        .await
        .unwrap();
    helper.has_fired(mug, 1).await;
    office.caught_up("helper").await;
    assert_eq!(statuses(&pool).await.unwrap()[0].stopped, None);
    assert!(!lags(&pool).await.unwrap()[0].is_stopped);
}

/// Sets a timer for each reservation, and receives one more when it fires.
#[derive(Clone, Default)]
struct Helper {
    fired: Arc<Mutex<HashMap<Uuid, u32>>>,
    failures: u32,
    rounds: u32,
    trouble: Option<Trouble>,
}

#[derive(Clone, Copy)]
enum Trouble {
    Panics,
    Hangs,
}

impl Helper {
    fn failing(times: u32) -> Self {
        Self {
            failures: times,
            ..Self::default()
        }
    }

    fn repeating(rounds: u32) -> Self {
        Self {
            rounds,
            ..Self::default()
        }
    }

    async fn has_fired(&self, variant_id: VariantId, times: u32) {
        until("it has fired", async || {
            let fired = self.fired.lock().unwrap();
            fired.get(&variant_id.as_uuid()) == Some(&times)
        })
        .await;
    }
}

#[async_trait]
impl ProcessManager for Helper {
    const NAME: &'static str = "helper";
    const STREAMS: &'static [&'static str] = &["stock"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        let AnyEvent::Stock(variant_id, event) = &recorded.event else {
            panic!("{recorded:?}");
        };
        match event {
            StockEvent::Reserved { order_id, .. } => {
                let details = json!({ "order_id": order_id });
                vec![Effect::at_once("help", variant_id.as_uuid()).with_details(details)]
            }
            StockEvent::LowStockThresholdSet { threshold } => {
                assert_ne!(*threshold, 666);
                vec![]
            }
            _ => vec![],
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        *self
            .fired
            .lock()
            .unwrap()
            .entry(timer.stream_id)
            .or_default() += 1;
        let variant_id = VariantId::from_uuid(timer.stream_id);
        desk.engine
            .execute::<Stock>(variant_id, receive(1), &desk.context(timer, 0))
            .await?;
        if timer.attempts <= self.failures {
            match self.trouble {
                None => return Err(Busy(std::io::Error::other("the line is busy")).into()),
                Some(Trouble::Panics) => panic!("a mistake in a process manager"),
                Some(Trouble::Hangs) => std::future::pending().await,
            }
        }
        if timer.round < self.rounds {
            let at = desk.clock.now() + TimeDelta::seconds(60);
            return Ok(Fired::Again { at });
        }
        Ok(Fired::Done)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("not yet")]
struct Busy(#[source] std::io::Error);

async fn all_fired(office: &Office, variant_id: VariantId, count: usize) {
    until("all timers have fired", async || {
        let timers = office.timers(variant_id.as_uuid()).await;
        timers.len() == count && timers.iter().all(|timer| timer.fired_at.is_some())
    })
    .await;
}

async fn received_by_helper(office: &Office, variant_id: VariantId) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM events WHERE aggregate_id = $1 \
         AND event_type = 'stock.received' AND metadata->>'actor' = 'system:helper'",
    )
    .bind(variant_id.to_string())
    .fetch_one(&office.pool())
    .await
    .unwrap()
}
