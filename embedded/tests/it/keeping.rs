use std::time::Duration;

use soko_embedded::testing::scratch_folder;
use soko_embedded::{Kept, Nats, NatsOptions, Postgres};
use sqlx::{Connection, PgConnection};

use crate::another_process::{for_tests, kill_at_once, nothing_runs_in, until};

#[tokio::test]
async fn a_killed_postgres_is_back_by_itself_until_it_is_stopped() {
    let folder = scratch_folder();
    let server = Postgres::start(folder.path(), for_tests()).await.unwrap();
    let (url, pid) = (server.url(), server.pid());
    let kept = Kept::postgres(server);

    kill_at_once(pid);

    let mut attempts = 0;
    while let Err(cause) = PgConnection::connect(&url).await {
        attempts += 1;
        assert!(attempts < 300, "{cause}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    kept.stop().await.unwrap();
    nothing_runs_in(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_nats_is_back_by_itself_until_it_is_dropped() {
    let folder = scratch_folder();
    let server = Nats::start(folder.path(), NatsOptions::default())
        .await
        .unwrap();
    let (port, pid) = (server.port(), server.pid());
    let kept = Kept::nats(server);

    kill_at_once(pid);

    let is_there = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    until(|| !is_there()).await;
    until(is_there).await;
    drop(kept);
    nothing_runs_in(folder.path()).await;
}
