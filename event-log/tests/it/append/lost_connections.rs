use crate::proxy::{Fault, Proxy};
use crate::units::{Log, With, unit};
use futures::future::join_all;
use soko_embedded::testing::until;
use soko_event_log::{AppendError, Appended, Appender, AppenderOptions, ClaimKind};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const WRITERS: u128 = 16;
const KILLS: usize = 12;

/// Backends are killed at random moments, so some are killed before and some after their commit.
#[tokio::test(flavor = "multi_thread")]
async fn killed_backends_neither_lose_nor_double() {
    let log = Log::start().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS)
        .map(|writer| tokio::spawn(write(log.appender.clone(), writer, Arc::clone(&is_over))));
    let writing = tokio::spawn(join_all(writers.collect::<Vec<_>>()));
    kill(log.pool()).await;
    is_over.store(true, Ordering::Relaxed);
    let answers: Vec<_> = writing
        .await
        .unwrap()
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();

    let stored: Vec<(i64, String)> =
        sqlx::query_as("SELECT position, metadata ->> 'command_id' FROM events ORDER BY position")
            .fetch_all(log.pool())
            .await
            .unwrap();
    let answered: BTreeMap<i64, String> = answers
        .iter()
        .flat_map(|(command_id, answer)| {
            let positions = answer.first.get()..=answer.last.get();
            positions.map(|position| (position, command_id.to_string()))
        })
        .collect();
    assert_eq!(stored, answered.into_iter().collect::<Vec<_>>());
    assert_eq!(stored.len(), answers.len() * 2);
    let claims = log.count("SELECT count(*) FROM claims").await;
    assert_eq!(usize::try_from(claims).unwrap(), answers.len());
}

/// Each unit until it is in; a second try is only made when the first is known to have failed.
async fn write(
    appender: Appender,
    writer: u128,
    is_over: Arc<AtomicBool>,
) -> Vec<(Uuid, Appended)> {
    let mut answers = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let sequence = answers.len() as u64 + 1;
        let unit = unit([(writer * 2, sequence), (writer * 2 + 1, sequence)])
            .claiming(ClaimKind::IdempotencyKey, &format!("{writer}-{sequence}"));
        let command_id = unit.metadata.command_id;
        let answer = match appender.enqueue(unit) {
            Ok(ticket) => ticket.await,
            Err(refused) => Err(refused),
        };
        match answer {
            Ok(answer) => answers.push((command_id, answer)),
            Err(AppendError::Database(_)) => (),
            Err(AppendError::Overloaded { .. }) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}: the unit had been appended, or another one"),
        }
    }
    answers
}

async fn kill(pool: &PgPool) {
    let (mut kills, mut pause) = (0, 1);
    while kills < KILLS {
        // Never the same distance, so that it falls into every phase of a call.
        pause = pause * 7 % 101;
        tokio::time::sleep(Duration::from_millis(20 + pause)).await;
        let killed = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'soko appender' AND datname = current_database()",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        kills += killed.len();
    }
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_in_the_log() {
    let log = Log::start().await;
    let (proxy, appender) = behind_a_proxy(&log).await;
    log.append(unit([(1, 1)])).await.unwrap();
    for (streams, warm) in [(vec![(2, 1), (1, 2)], 8), (vec![], 9)] {
        // The first call of a connection is prepared, which takes a question of its own.
        appender.enqueue(unit([(warm, 1)])).unwrap().await.unwrap();
        let before = log.count("SELECT position FROM log_head").await;
        proxy.fail_next(Fault::LoseAnswer);
        let claiming =
            unit(streams.clone()).claiming(ClaimKind::IdempotencyKey, &streams.len().to_string());
        let tickets = [
            appender.enqueue(claiming).unwrap(),
            appender.enqueue(unit([])).unwrap(),
            appender
                .enqueue(unit([(3 + streams.len() as u128, 1)]))
                .unwrap(),
        ];
        let answers = join_all(tickets).await;
        let [Ok(first), Ok(nothing), Ok(last)] = answers[..] else {
            panic!("{answers:?}");
        };
        assert_eq!(proxy.faults(), 1, "the answer was not lost");
        let events = i64::try_from(streams.len()).unwrap();
        assert_eq!(first.first.get(), before + 1);
        assert_eq!(first.last.get(), before + events);
        assert_eq!(nothing.last, first.last);
        assert_eq!(last.last.get(), before + events + 1);
        let recorded_at = format!(
            "SELECT count(*) FROM events WHERE position = {} AND recorded_at = '{}'",
            last.last, last.recorded_at
        );
        assert_eq!(log.count(&recorded_at).await, 1);
    }
    assert_eq!(log.count("SELECT count(*) FROM events").await, 7);
    assert_eq!(log.count("SELECT count(*) FROM claims").await, 2);
}

#[tokio::test]
async fn an_append_that_never_arrived_is_sent_again() {
    let log = Log::start().await;
    let (proxy, appender) = behind_a_proxy(&log).await;
    appender.enqueue(unit([(9, 1)])).unwrap().await.unwrap();
    proxy.fail_next(Fault::LoseQuestion);
    let claiming = unit([(1, 1)]).claiming(ClaimKind::Sku, "MUG");
    appender.enqueue(claiming).unwrap().await.unwrap();
    assert_eq!(proxy.faults(), 1, "nothing was lost");
    assert_eq!(log.count("SELECT count(*) FROM events").await, 2);
}

#[tokio::test]
async fn a_backend_that_was_lost_sight_of_does_nothing_later() {
    let log = Log::start().await;
    let (proxy, appender) = behind_a_proxy(&log).await;
    appender.enqueue(unit([(9, 1)])).unwrap().await.unwrap();
    let turn = log.hold_turn().await;
    // The question arrives and waits for its turn; for us the connection is broken.
    proxy.fail_next(Fault::BreakOurEnd);
    let ticket = appender.enqueue(unit([(1, 1)])).unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'soko appender' \
                   AND datname = current_database() AND wait_event_type = 'Lock'";
    let first = backend_of(&log, waiting, None).await;
    let second = backend_of(&log, waiting, Some(first)).await;
    assert_eq!(proxy.faults(), 1);
    let still_there = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {first}");
    assert_eq!(
        log.count(&still_there).await,
        0,
        "two backends would append: {first}, {second}"
    );
    turn.rollback().await.unwrap();
    ticket.await.unwrap();
    assert_eq!(log.count("SELECT count(*) FROM events").await, 2);
}

/// The backend that waits for its turn, once it is another one.
async fn backend_of(log: &Log, waiting: &str, other_than: Option<i64>) -> i64 {
    let pid = waiting.replace("count(*)", "coalesce(max(pid), 0)::bigint");
    let mut found = 0;
    until("a backend waits", async || {
        found = log.count(&pid).await;
        found != 0 && Some(found) != other_than
    })
    .await;
    found
}

async fn behind_a_proxy(log: &Log) -> (Proxy, Appender) {
    let connect: PgConnectOptions = log.database.url_by_tcp().parse().unwrap();
    let proxy = Proxy::start(connect.get_host().to_owned(), connect.get_port()).await;
    let appender = Appender::start(
        connect.host("127.0.0.1").port(proxy.port()),
        AppenderOptions::default(),
    )
    .await
    .unwrap();
    (proxy, appender)
}
