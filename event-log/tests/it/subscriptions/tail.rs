use super::rules::{self, PATIENCE, Source};
use crate::writer::Writer;
use futures::FutureExt;
use futures::future::BoxFuture;
use soko_embedded::testing::fresh_database;
use soko_event_log::{LogReader, MIGRATOR, Position, Subscription, Tail};
use std::time::Instant;
use tokio::sync::watch;
use tokio::time::timeout;

#[tokio::test]
async fn the_tail_of_the_log_keeps_the_rules() {
    let database = fresh_database(&MIGRATOR).await;
    let source = TailSource {
        writer: Writer::new(database.pool().clone()),
        reader: LogReader::new(database.pool().clone()),
    };
    rules::all(&source).await;
}

#[tokio::test]
async fn who_appends_in_the_same_process_wakes_the_tail() {
    let database = fresh_database(&MIGRATOR).await;
    let writer = Writer::new(database.pool().clone());
    let (appended, head) = watch::channel(Position::START);
    let reader = LogReader::new(database.pool().clone());
    let mut tail = Tail::new(reader, Position::START).woken_by(head);

    let mut prompt = 0;
    for _ in 0..20 {
        // Long enough to be in the longest pause.
        let idle = timeout(Tail::POLL_MAX * 3 / 2, tail.next(10)).await;
        assert!(idle.is_err());
        let position = writer.append(1).await;
        let start = Instant::now();
        appended.send_replace(position);
        let found = timeout(PATIENCE, tail.next(10)).await.unwrap().unwrap();
        assert_eq!(found.len(), 1);
        prompt += usize::from(start.elapsed() < Tail::POLL_MIN);
    }
    // By the clock alone, one in five would be as prompt as that.
    assert!(prompt >= 10, "{prompt} of 20");
}

#[tokio::test]
async fn a_tail_goes_on_by_the_clock_when_the_appender_is_gone() {
    let database = fresh_database(&MIGRATOR).await;
    let writer = Writer::new(database.pool().clone());
    let (appended, head) = watch::channel(Position::START);
    let reader = LogReader::new(database.pool().clone());
    let mut tail = Tail::new(reader, Position::START).woken_by(head);
    drop(appended);

    for expected in 1..=3 {
        let position = writer.append(1).await;
        assert_eq!(position.get(), expected);
        let found = timeout(PATIENCE, tail.next(10)).await.unwrap().unwrap();
        assert_eq!(found[0].entry.position, position);
    }
}

struct TailSource {
    writer: Writer,
    reader: LogReader,
}

impl Source for TailSource {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    fn subscribe<'a>(
        &'a self,
        _name: &'a str,
        after: Position,
    ) -> BoxFuture<'a, Box<dyn Subscription>> {
        let tail = Tail::new(self.reader.clone(), after);
        async move { Box::new(tail) as Box<dyn Subscription> }.boxed()
    }
}
