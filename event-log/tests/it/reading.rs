//! What reading the whole log promises.

use crate::units::{Log, unit};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use soko_domain::cart::{Cart, CartEvent, CartOwner};
use soko_domain::{CartId, StoreId};
use soko_event_log::{Entry, LogReader, NewEvent, Position, ReadError, Scan};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

#[tokio::test]
async fn a_scan_gives_what_reading_gives() {
    let (log, reader) = log_of(1_500).await;
    let read = reader.read(Position::START, 5_000).await.unwrap();
    assert_eq!(read.len(), 1_500);
    for (after, until) in [(0, 1_500), (0, 1), (511, 1_025), (1_499, 1_500), (700, 700)] {
        let scanned = all(scan(&reader, after, until, &[]).await).await.unwrap();
        let expected = &read[usize::try_from(after).unwrap()..usize::try_from(until).unwrap()];
        assert_same(&scanned, expected);
    }
    drop(log);
}

#[tokio::test]
async fn a_scan_of_some_types_leaves_the_others_out() {
    let (_log, reader) = log_of(1_500).await;
    let read = reader.read(Position::START, 5_000).await.unwrap();
    for types in [
        &["cart"][..],
        &["stock"],
        &["stock", "cart"],
        &["order"],
        &["o'clock"],
    ] {
        let scanned = all(scan(&reader, 3, 1_400, types).await).await.unwrap();
        let is_meant = |entry: &&Entry| {
            let stream_type = entry.event.as_ref().unwrap().event.stream_type();
            (4..=1_400).contains(&entry.position.get()) && types.contains(&stream_type)
        };
        let expected: Vec<_> = read.iter().filter(is_meant).cloned().collect();
        assert_same(&scanned, &expected);
    }
}

#[tokio::test]
async fn reading_stops_where_an_event_is_missing() {
    let (log, reader) = log_of(1_500).await;
    tamper(&log, "DELETE FROM events WHERE position = 1200").await;
    let read = reader.read(Position::new(1_000), 1_000).await;
    assert!(matches!(
        read,
        Err(ReadError::Gap { expected, found: Some(found) })
            if (expected.get(), found.get()) == (1_200, 1_201)
    ));
    assert_eq!(
        reader.read(Position::new(1_000), 199).await.unwrap().len(),
        199
    );
    assert!(matches!(
        all(scan(&reader, 0, 1_500, &[]).await).await,
        Err(ReadError::Gap { .. })
    ));
    // Also when none of the types asked for is missing.
    for types in [&["order"][..], &["stock", "cart"]] {
        let scan = reader
            .scan(Position::START, Position::new(1_500), types)
            .await;
        assert!(matches!(scan, Err(ReadError::Missing { found: 1_499, .. })));
    }
}

#[tokio::test]
async fn a_scan_beyond_the_end_is_not_complete() {
    let (_log, reader) = log_of(10).await;
    let beyond = all(scan(&reader, 0, 11, &[]).await).await;
    assert!(
        matches!(beyond, Err(ReadError::Gap { found: None, .. })),
        "{beyond:?}"
    );
    assert!(
        reader
            .scan(Position::START, Position::new(11), &["stock"])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_nobody_else() {
    let (log, reader) = log_of(3).await;
    let mut bad = unit([(9, 1)]);
    bad.events[0].payload = r#"{"ran_low":{"available":"many"}}"#.to_owned();
    log.append(bad).await.unwrap();
    log.append(unit([(9, 2)])).await.unwrap();
    let read = reader.read(Position::START, 10).await.unwrap();
    let scanned = all(scan(&reader, 0, 5, &[]).await).await.unwrap();
    assert_same(&scanned, &read);
    let poisoned = read[3].event.as_ref().unwrap_err();
    assert_eq!(
        (poisoned.position.get(), &*poisoned.event_type),
        (4, "stock.ran_low")
    );
    assert!(read[4].event.is_ok());
    let history = reader.stream("stock", Uuid::from_u128(9)).await.unwrap();
    assert_eq!(
        history
            .iter()
            .map(|entry| entry.event.is_ok())
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[tokio::test]
async fn the_history_of_a_stream_is_whole_or_an_error() {
    let log = Log::start().await;
    let reader = LogReader::new(log.pool().clone());
    for sequence in 1..=4 {
        log.append(unit([(1, sequence), (2, sequence)]))
            .await
            .unwrap();
    }
    let history = reader.stream("stock", Uuid::from_u128(2)).await.unwrap();
    let positions: Vec<i64> = history.iter().map(|entry| entry.position.get()).collect();
    assert_eq!(positions, [2, 4, 6, 8]);
    assert!(
        reader
            .stream("cart", Uuid::from_u128(2))
            .await
            .unwrap()
            .is_empty()
    );
    tamper(&log, "DELETE FROM events WHERE position = 4").await;
    let broken = reader.stream("stock", Uuid::from_u128(2)).await;
    assert!(
        matches!(broken, Err(ReadError::SequenceGap { expected: 2, .. })),
        "{broken:?}"
    );
}

#[tokio::test]
async fn a_moment_has_a_position() {
    let log = Log::start().await;
    let reader = LogReader::new(log.pool().clone());
    assert_eq!(
        reader.position_at(Utc::now()).await.unwrap(),
        Position::START
    );
    let mut moments: Vec<(i64, DateTime<Utc>)> = Vec::new();
    for n in 0..40 {
        let appended = log
            .append(unit((0..=n % 3).map(|m| (n * 10 + m, 1))))
            .await
            .unwrap();
        moments.push((appended.last.get(), appended.recorded_at));
    }
    let tick = TimeDelta::microseconds(1);
    let mut before = 0;
    for (last, time) in moments {
        assert_eq!(reader.position_at(time - tick).await.unwrap().get(), before);
        assert_eq!(reader.position_at(time).await.unwrap().get(), last);
        before = last;
    }
    let later = Utc::now() + TimeDelta::days(1);
    assert_eq!(reader.position_at(later).await.unwrap().get(), before);
}

#[tokio::test]
async fn what_is_stored_can_be_read_undecoded() {
    let (_log, reader) = log_of(5).await;
    let stored = reader.read_stored(Position::new(2), 2).await.unwrap();
    assert_eq!(
        stored
            .iter()
            .map(|event| event.position.get())
            .collect::<Vec<_>>(),
        [3, 4]
    );
    for event in stored {
        let entry = event.decode();
        let read = reader
            .read(Position::new(event.position.get() - 1), 1)
            .await
            .unwrap();
        assert_same(&[entry], &read);
    }
}

async fn scan(reader: &LogReader, after: i64, until: i64, types: &[&str]) -> Scan {
    reader
        .scan(Position::new(after), Position::new(until), types)
        .await
        .unwrap()
}

async fn all(mut scan: Scan) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    while let Some(chunk) = scan.next().await? {
        assert!(!chunk.is_empty());
        entries.extend(chunk);
    }
    Ok(entries)
}

fn assert_same(left: &[Entry], right: &[Entry]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left.position, right.position);
        assert_eq!(left.event, right.event);
    }
}

/// A log of so many events, every third of a cart, the others of stock.
async fn log_of(events: u128) -> (Log, LogReader) {
    let log = Log::start().await;
    let tickets = (0..events).map(|n| {
        let mut unit = unit([(n, 1)]);
        if n % 3 == 0 {
            unit.events = vec![started(n)];
        }
        log.appender.enqueue(unit).unwrap()
    });
    for answer in join_all(tickets.collect::<Vec<_>>()).await {
        answer.unwrap();
    }
    let reader = LogReader::new(log.pool().clone());
    (log, reader)
}

fn started(number: u128) -> NewEvent {
    let event = CartEvent::Started {
        store_id: StoreId::from_uuid(Uuid::from_u128(1)),
        owner: CartOwner::Guest,
    };
    NewEvent::of::<Cart>(CartId::from_uuid(Uuid::from_u128(number)), 1, &event).unwrap()
}

/// As only an owner can who switches the guard off.
async fn tamper(log: &Log, statement: &str) {
    let mut owner = PgConnection::connect(log.database.url()).await.unwrap();
    let tampering = format!(
        "ALTER TABLE events DISABLE TRIGGER ALL; {statement}; \
         ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only"
    );
    sqlx::raw_sql(&tampering).execute(&mut owner).await.unwrap();
}
