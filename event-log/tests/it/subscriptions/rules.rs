//! The rules, for a subscription of any kind: each takes a way to subscribe and a way to write.

use crate::writer::Writer;
use futures::future::BoxFuture;
use soko_event_log::{Delivery, Position, Subscription};
use std::time::Duration;
use tokio::time::timeout;

/// Far more than any healing may take, so that a slow machine fails no test.
pub(crate) use soko_embedded::testing::PATIENCE;

/// How to follow a log after a position. The name is the follower's: under the same name it goes
/// on where it was.
pub(crate) trait Source: Sync {
    fn writer(&self) -> &Writer;

    fn subscribe<'a>(
        &'a self,
        name: &'a str,
        after: Position,
    ) -> BoxFuture<'a, Box<dyn Subscription>>;
}

/// All rules that hold for every kind, one after the other on one log that grows.
pub(crate) async fn all(source: &impl Source) {
    gives_what_was_there(source).await;
    waits_for_what_comes(source).await;
    goes_on_after_a_restart(source).await;
    loses_nothing_when_a_wait_is_given_up(source).await;
    a_bad_event_is_poison_and_the_next_goes_on(source).await;
    a_heavy_event_comes_like_any_other(source).await;
    overlapping_writers_lose_and_double_nothing(source).await;
}

async fn gives_what_was_there(source: &impl Source) {
    let head = source.writer().append(250).await;
    for after in [0, 1, head.get() / 2, head.get() - 1] {
        let after = Position::new(after);
        let mut subscription = source.subscribe(&format!("from_{after}"), after).await;
        follow(&mut *subscription, after, head, 40).await;
    }
}

async fn waits_for_what_comes(source: &impl Source) {
    let after = source.writer().append(1).await;
    let mut subscription = source.subscribe("waits", after).await;
    let nothing = timeout(Duration::from_millis(200), subscription.next(10)).await;
    assert!(nothing.is_err(), "there is nothing to give: {nothing:?}");

    let head = source.writer().append(3).await;
    follow(&mut *subscription, after, head, 10).await;
}

async fn goes_on_after_a_restart(source: &impl Source) {
    let start = source.writer().append(1).await;
    let middle = source.writer().append(60).await;
    let mut subscription = source.subscribe("restarts", start).await;
    follow(&mut *subscription, start, middle, 7).await;
    subscription.confirm(middle).await.unwrap();
    drop(subscription);

    let head = source.writer().append(60).await;
    // From where it was, and from where it was some time before: what was confirmed may be asked
    // for again.
    for after in [middle, Position::new(middle.get() - 30)] {
        let mut subscription = source.subscribe("restarts", after).await;
        follow(&mut *subscription, after, head, 7).await;
    }
}

async fn loses_nothing_when_a_wait_is_given_up(source: &impl Source) {
    let start = source.writer().append(1).await;
    let mut subscription = source.subscribe("gives_up", start).await;
    let writer = source.writer().clone();
    let writing = tokio::spawn(async move {
        for _ in 0..40 {
            writer.append(1).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let (mut last, end) = (start, Position::new(start.get() + 40));
    while last < end {
        // Most of these are given up in the middle of something.
        if let Ok(found) = timeout(Duration::from_millis(3), subscription.next(5)).await {
            last = check(last, &found.unwrap(), 5);
        }
    }
    writing.await.unwrap();
}

async fn a_bad_event_is_poison_and_the_next_goes_on(source: &impl Source) {
    let start = source.writer().append(1).await;
    let bad = source.writer().append_bad().await;
    let head = source.writer().append(2).await;
    let mut subscription = source.subscribe("poison", start).await;

    let given = follow(&mut *subscription, start, head, 10).await;
    let poisoned = given[0].entry.event.as_ref().unwrap_err();
    assert_eq!(poisoned.position, bad);
    assert_eq!(poisoned.event_type, "stock.ran_low");
    assert!(given[1..].iter().all(|next| next.entry.event.is_ok()));
}

async fn a_heavy_event_comes_like_any_other(source: &impl Source) {
    let start = source.writer().append(1).await;
    let mut subscription = source.subscribe("heavy", start).await;
    source.writer().append_heavy(2_000_000).await;
    let head = source.writer().append(1).await;

    let given = follow(&mut *subscription, start, head, 10).await;
    assert!(given[0].text_bytes > 2_000_000);
    assert!(given.iter().all(|next| next.entry.event.is_ok()));
}

async fn overlapping_writers_lose_and_double_nothing(source: &impl Source) {
    const WRITERS: i64 = 8;
    const UNITS: i64 = 25;
    let start = source.writer().append(1).await;
    let mut subscription = source.subscribe("overlap", start).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = source.writer().clone();
            tokio::spawn(async move {
                for unit in 0..UNITS {
                    let pause = Duration::from_millis(u64::try_from((writer + unit) % 4).unwrap());
                    log.append_slowly(1 + unit % 3, pause).await;
                }
            })
        })
        .collect();
    let written: i64 = (0..UNITS).map(|unit| (1 + unit % 3) * WRITERS).sum();
    let head = Position::new(start.get() + written);
    follow(&mut *subscription, start, head, 50).await;
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Takes everything up to `head` and checks that it is whole.
pub(crate) async fn follow(
    subscription: &mut dyn Subscription,
    after: Position,
    head: Position,
    max: usize,
) -> Vec<Delivery> {
    let mut given = Vec::new();
    let mut last = after;
    while last < head {
        let found = timeout(PATIENCE, subscription.next(max))
            .await
            .unwrap_or_else(|_| panic!("nothing came after {last}, though the head is {head}"))
            .unwrap();
        last = check(last, &found, max);
        given.extend(found);
    }
    given
}

/// That a batch is what a subscription may give next; returns its last position.
pub(crate) fn check(mut last: Position, found: &[Delivery], max: usize) -> Position {
    assert!(!found.is_empty() && found.len() <= max);
    for delivery in found {
        let entry = &delivery.entry;
        assert_eq!(entry.position, last.next(), "after {last}");
        match &entry.event {
            Ok(recorded) => assert_eq!(recorded.position, entry.position),
            Err(poisoned) => assert_eq!(poisoned.position, entry.position),
        }
        last = entry.position;
    }
    last
}
