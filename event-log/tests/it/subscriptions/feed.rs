//! One subscription for many readers.

use super::rules::PATIENCE;
use crate::writer::Writer;
use async_trait::async_trait;
use soko_embedded::testing::{TestDatabase, fresh_database};
use soko_event_log::{
    Delivery, Entry, Feed, FeedError, FeedOptions, LogReader, MIGRATOR, Position, ReadError,
    Subscription, SubscriptionError, Tail,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn every_reader_gets_everything_from_where_it_stands() {
    let (database, writer, reader) = log().await;
    let from = writer.append(100).await;
    let feed = tail_feed(&reader, from, FeedOptions::default());
    let readers: Vec<_> = [0, 50, 100]
        .map(|after| tokio::spawn(follow(feed.clone(), Position::new(after), 1_100)))
        .into();
    for _ in 0..100 {
        writer.append(10).await;
    }
    for following in readers {
        following.await.unwrap();
    }
    drop(database);
}

#[tokio::test]
async fn what_has_left_the_memory_comes_from_the_log() {
    let (database, writer, reader) = log().await;
    let options = FeedOptions {
        entries_max: 10,
        ..FeedOptions::default()
    };
    let feed = tail_feed(&reader, Position::START, options);
    let head = writer.append(500).await;
    wait_for(&feed, head).await;
    // The ring is full and has moved on many times; a slow reader notices nothing.
    follow(feed.clone(), Position::START, 500).await;

    let slow = tokio::spawn(slow_reader(feed.clone(), head, 900));
    for _ in 0..400 {
        writer.append(1).await;
    }
    slow.await.unwrap();
    drop(database);
}

#[tokio::test]
async fn the_memory_is_bounded_by_weight() {
    let (database, writer, reader) = log().await;
    let options = FeedOptions {
        bytes_max: 1_000_000,
        ..FeedOptions::default()
    };
    let feed = tail_feed(&reader, Position::START, options);
    for _ in 0..8 {
        writer.append_heavy(300_000).await;
    }
    wait_for(&feed, Position::new(8)).await;
    // Were the eight still in memory, no database would be needed.
    database.pool().close().await;
    assert!(matches!(
        feed.next(Position::START, 10).await,
        Err(FeedError::Log(ReadError::Database(_)))
    ));
    assert_eq!(feed.next(Position::new(6), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_decoding_serves_all_readers() {
    let (database, writer, reader) = log().await;
    let feed = tail_feed(&reader, Position::START, FeedOptions::default());
    writer.append(1).await;
    let (first, second) = (one(&feed).await, one(&feed).await);
    assert!(Arc::ptr_eq(&first.event.unwrap(), &second.event.unwrap()));
    drop(database);
}

#[tokio::test]
async fn a_feed_outlives_the_failures_of_what_it_follows() {
    let (database, writer, reader) = log().await;
    let failures = Arc::new(AtomicUsize::new(3));
    let faulty = Faulty {
        tail: Tail::new(reader.clone(), Position::START),
        failures: Arc::clone(&failures),
    };
    let feed = Feed::start(
        Box::new(faulty),
        reader,
        Position::START,
        FeedOptions::default(),
    );
    writer.append(20).await;
    follow(feed, Position::START, 20).await;
    assert_eq!(failures.load(Ordering::Relaxed), 0);
    drop(database);
}

#[tokio::test]
async fn closing_ends_the_waiting_of_readers() {
    let (database, writer, reader) = log().await;
    let feed = tail_feed(&reader, Position::START, FeedOptions::default());
    let head = writer.append(3).await;
    wait_for(&feed, head).await;
    let waiting = tokio::spawn({
        let feed = feed.clone();
        async move { feed.next(head, 10).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    feed.close();
    let ended = timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert!(matches!(ended, Err(FeedError::Closed)));
    // What it has, it still gives.
    assert_eq!(feed.next(Position::START, 10).await.unwrap().len(), 3);
    drop(database);
}

#[tokio::test]
async fn a_feed_that_nobody_holds_stops() {
    let (database, _writer, reader) = log().await;
    let feed = tail_feed(&reader, Position::START, FeedOptions::default());
    let mut head = feed.head();
    drop(feed);
    // The sender of the head goes with the follower. Its last word may come before that.
    let ended = async { while head.changed().await.is_ok() {} };
    timeout(PATIENCE, ended).await.unwrap();
    drop(database);
}

/// Fails a few times before each success, as a database does that restarts.
struct Faulty {
    tail: Tail,
    failures: Arc<AtomicUsize>,
}

#[async_trait]
impl Subscription for Faulty {
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, SubscriptionError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(ReadError::Database(sqlx::Error::PoolTimedOut).into());
        }
        self.tail.next(max).await
    }

    async fn confirm(&mut self, position: Position) -> Result<(), SubscriptionError> {
        self.tail.confirm(position).await
    }
}

async fn log() -> (TestDatabase, Writer, LogReader) {
    let database = fresh_database(&MIGRATOR).await;
    let writer = Writer::new(database.pool().clone());
    let reader = LogReader::new(database.pool().clone());
    (database, writer, reader)
}

fn tail_feed(reader: &LogReader, from: Position, options: FeedOptions) -> Feed {
    let tail = Tail::new(reader.clone(), from);
    Feed::start(Box::new(tail), reader.clone(), from, options)
}

async fn wait_for(feed: &Feed, position: Position) {
    let mut head = feed.head();
    let there = head.wait_for(|head| *head >= position);
    timeout(PATIENCE, there).await.unwrap().unwrap();
}

async fn one(feed: &Feed) -> Entry {
    let next = feed.next(Position::START, 1);
    timeout(PATIENCE, next).await.unwrap().unwrap().remove(0)
}

pub(crate) async fn follow(feed: Feed, after: Position, head: i64) {
    let mut last = after;
    while last.get() < head {
        let next = timeout(PATIENCE, feed.next(last, 64)).await;
        last = check(last, &next.unwrap().unwrap(), 64);
    }
}

async fn slow_reader(feed: Feed, after: Position, head: i64) {
    let mut last = after;
    while last.get() < head {
        let next = timeout(PATIENCE, feed.next(last, 3)).await;
        last = check(last, &next.unwrap().unwrap(), 3);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn check(mut last: Position, found: &[Entry], max: usize) -> Position {
    assert!(!found.is_empty() && found.len() <= max);
    for entry in found {
        assert_eq!(entry.position, last.next());
        last = entry.position;
    }
    last
}
