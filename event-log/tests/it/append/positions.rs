use crate::units::{Log, appender, unit};
use futures::future::join_all;
use soko_event_log::{LogReader, Position};
use sqlx::{Connection, PgConnection};

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_contiguous_whoever_writes() {
    let log = Log::start().await;
    let nodes = [
        log.appender.clone(),
        appender(&log.database).await,
        appender(&log.database).await,
    ];
    let writers = (0..24_u128).map(|writer| {
        let node = nodes[writer as usize % nodes.len()].clone();
        tokio::spawn(async move {
            let mut appended = Vec::new();
            for sequence in 1..=20 {
                // Of the odd ones, every second unit is refused.
                let streams = if writer % 2 == 0 || sequence % 2 == 1 {
                    vec![
                        (writer * 1_000 + u128::from(sequence), 1),
                        (writer * 1_000 + 500, sequence),
                    ]
                } else {
                    vec![(writer * 1_000 + u128::from(sequence) - 1, 1)]
                };
                let answer = node.enqueue(unit(streams.clone())).unwrap().await;
                if let Ok(answer) = answer {
                    appended.push((answer, streams.len()));
                }
                if writer % 2 == 1 {
                    break;
                }
            }
            appended
        })
    });
    let appended: Vec<_> = join_all(writers)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();

    let mut positions: Vec<i64> = appended
        .iter()
        .flat_map(|(answer, _)| answer.first.get()..=answer.last.get())
        .collect();
    positions.sort_unstable();
    let head = LogReader::new(log.pool().clone()).head().await.unwrap();
    assert_eq!(positions, (1..=head.get()).collect::<Vec<_>>());
    assert_eq!(log.count("SELECT count(*) FROM events").await, head.get());
    for (answer, events) in appended {
        assert_eq!(answer.last.distance_from(answer.first) + 1, events as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_behind_a_checkpoint_never_misses_an_event_of_overlapping_writers() {
    let log = Log::start().await;
    let nodes = [log.appender.clone(), appender(&log.database).await];
    let writers = (0..16_u128).map(|writer| {
        let node = nodes[writer as usize % nodes.len()].clone();
        tokio::spawn(async move {
            for sequence in 1..=40 {
                node.enqueue(unit([(writer, sequence)]))
                    .unwrap()
                    .await
                    .unwrap();
            }
        })
    });
    let writing = tokio::spawn(join_all(writers.collect::<Vec<_>>()));
    let reader = LogReader::new(log.pool().clone());
    let (mut checkpoint, mut read) = (Position::START, 0);
    while checkpoint < Position::new(16 * 40) {
        // It fails if what it finds is not what follows.
        let entries = reader.read(checkpoint, 50).await.unwrap();
        read += entries.len();
        checkpoint = entries.last().map_or(checkpoint, |entry| entry.position);
    }
    writing.await.unwrap();
    assert_eq!(read, 16 * 40);
}

/// Why positions are not simply numbered by the database: this is what happens then.
#[tokio::test]
async fn numbers_of_a_sequence_become_visible_out_of_order() {
    let log = Log::start().await;
    let mut early = PgConnection::connect(log.database.url()).await.unwrap();
    let mut late = PgConnection::connect(log.database.url()).await.unwrap();
    run(
        &mut early,
        "CREATE TABLE numbered (position bigint GENERATED ALWAYS AS IDENTITY)",
    )
    .await;
    run(&mut early, "BEGIN; INSERT INTO numbered DEFAULT VALUES").await;
    run(&mut late, "INSERT INTO numbered DEFAULT VALUES").await;
    let seen = log.count("SELECT max(position) FROM numbered").await;
    run(&mut early, "COMMIT").await;

    let behind = format!("SELECT count(*) FROM numbered WHERE position <= {seen}");
    assert_eq!((seen, log.count(&behind).await), (2, 2));
    let lost = format!("SELECT count(*) FROM numbered WHERE position > {seen}");
    assert_eq!(
        log.count(&lost).await,
        0,
        "the first event is behind the checkpoint already"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_recording_never_falls_along_the_positions() {
    let log = Log::start().await;
    let other = appender(&log.database).await;
    let tickets = (0..400_u128).map(|n| {
        let node = if n % 2 == 0 { &log.appender } else { &other };
        node.enqueue(unit([(n, 1)])).unwrap()
    });
    for answer in join_all(tickets.collect::<Vec<_>>()).await {
        answer.unwrap();
    }
    let falls = "SELECT count(*) FROM events a JOIN events b ON b.position = a.position + 1 \
                 WHERE b.recorded_at < a.recorded_at";
    assert_eq!(log.count(falls).await, 0);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_set_the_log_back() {
    let log = Log::start().await;
    let first = log.append(unit([(1, 1)])).await.unwrap();
    // As if the server's clock had been a day ahead until now.
    run(
        &mut PgConnection::connect(log.database.url()).await.unwrap(),
        "ALTER TABLE events DISABLE TRIGGER ALL; \
         UPDATE events SET recorded_at = recorded_at + interval '1 day'; \
         ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only",
    )
    .await;
    let second = log.append(unit([(1, 2)])).await.unwrap();
    assert_eq!(
        second.recorded_at - first.recorded_at,
        chrono::TimeDelta::days(1)
    );
}

#[tokio::test]
async fn a_head_that_moves_wakes_readers_in_the_process() {
    let log = Log::start().await;
    let mut head = log.appender.head();
    assert_eq!(*head.borrow_and_update(), Position::START);
    log.append(unit([(1, 1), (1, 2)])).await.unwrap();
    head.changed().await.unwrap();
    assert_eq!(*head.borrow_and_update(), Position::new(2));
}

#[tokio::test]
async fn a_node_starts_where_the_log_is() {
    let log = Log::start().await;
    log.append(unit([(1, 1), (1, 2)])).await.unwrap();
    let other = appender(&log.database).await;
    assert_eq!(*other.head().borrow(), Position::new(2));
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}
