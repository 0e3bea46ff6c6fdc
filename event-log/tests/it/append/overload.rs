use crate::units::{Log, unit};
use futures::future::join_all;
use soko_event_log::{AppendError, Appender, AppenderOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::time::Duration;

#[tokio::test]
async fn more_than_can_wait_is_refused() {
    let log = Log::start().await;
    let options = AppenderOptions {
        queue_max: 5,
        ..AppenderOptions::default()
    };
    let appender = start(&log, options).await;
    let tickets: Vec<_> = (0..5)
        .map(|n| appender.enqueue(unit([(n, 1)])).unwrap())
        .collect();
    assert!(matches!(
        appender.enqueue(unit([(5, 1)])),
        Err(AppendError::Overloaded { retry_after }) if retry_after > Duration::ZERO
    ));
    assert!(join_all(tickets).await.iter().all(Result::is_ok));
    appender.enqueue(unit([(5, 1)])).unwrap().await.unwrap();
}

#[tokio::test]
async fn nobody_is_taken_in_while_the_turn_does_not_come() {
    let log = Log::start().await;
    let options = AppenderOptions {
        latency_budget: Duration::from_millis(200),
        ..AppenderOptions::default()
    };
    let appender = start(&log, options).await;
    let turn = log.hold_turn().await;
    let stuck = appender.enqueue(unit([(1, 1)])).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = appender.enqueue(unit([(2, 1)]));
    assert!(
        matches!(refused, Err(AppendError::Overloaded { .. })),
        "{refused:?}"
    );
    turn.rollback().await.unwrap();
    stuck.await.unwrap();
    appender.enqueue(unit([(2, 1)])).unwrap().await.unwrap();
}

#[tokio::test]
async fn nobody_is_taken_in_while_the_log_is_out_of_reach() {
    let log = Log::start().await;
    let options = AppenderOptions {
        latency_budget: Duration::from_millis(200),
        ..AppenderOptions::default()
    };
    let appender = start(&log, options).await;
    let connect: PgConnectOptions = log.database.url().parse().unwrap();
    let name = connect.get_database().unwrap();
    let mut admin = PgConnection::connect(log.database.admin_url())
        .await
        .unwrap();
    let close = format!(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS false; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    sqlx::raw_sql(&close).execute(&mut admin).await.unwrap();
    let stuck = appender.enqueue(unit([(1, 1)])).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let refused = appender.enqueue(unit([(2, 1)]));
    assert!(
        matches!(refused, Err(AppendError::Overloaded { .. })),
        "{refused:?}"
    );
    let open = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
    sqlx::raw_sql(&open).execute(&mut admin).await.unwrap();
    stuck.await.unwrap();
    appender.enqueue(unit([(2, 1)])).unwrap().await.unwrap();
}

#[tokio::test]
async fn who_holds_the_turn_for_ever_does_not_hold_the_node_for_ever() {
    let log = Log::start().await;
    let options = AppenderOptions {
        lock_timeout: Duration::from_millis(50),
        ..AppenderOptions::default()
    };
    let appender = start(&log, options).await;
    let turn = log.hold_turn().await;
    let answer = appender.enqueue(unit([(1, 1)])).unwrap().await;
    let Err(AppendError::Database(cause)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(cause.as_database_error().unwrap().code().unwrap(), "55P03");
    turn.rollback().await.unwrap();
    appender.enqueue(unit([(1, 1)])).unwrap().await.unwrap();
}

#[tokio::test]
async fn closing_appends_what_was_taken_and_takes_nothing_more() {
    let log = Log::start().await;
    let tickets: Vec<_> = (0..300)
        .map(|n| log.appender.enqueue(unit([(n, 1)])).unwrap())
        .collect();
    log.appender.close().await;
    assert!(matches!(
        log.appender.enqueue(unit([(999, 1)])),
        Err(AppendError::Closed)
    ));
    for ticket in tickets {
        ticket.await.unwrap();
    }
    assert_eq!(log.count("SELECT count(*) FROM events").await, 300);
}

#[tokio::test]
async fn the_last_clone_that_goes_leaves_nothing_behind() {
    let log = Log::start().await;
    let appender = start(&log, AppenderOptions::default()).await;
    let clone = appender.clone();
    drop(appender);
    let ticket = clone.enqueue(unit([(1, 1)])).unwrap();
    drop(clone);
    ticket.await.unwrap();
}

async fn start(log: &Log, options: AppenderOptions) -> Appender {
    Appender::start(log.database.url().parse().unwrap(), options)
        .await
        .unwrap()
}
