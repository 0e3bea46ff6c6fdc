use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use soko_embedded::testing::{TestNats, fresh_database, nats_servers, scratch_folder};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::another_process::{kill_at_once, nothing_runs_in, until};

static MIGRATIONS: Migrator = sqlx::migrate!("tests/it/migrations");

#[tokio::test]
async fn every_test_has_a_migrated_database_of_its_own() {
    let first = fresh_database(&MIGRATIONS).await;
    let second = fresh_database(&MIGRATIONS).await;

    sqlx::query("INSERT INTO things VALUES (1, 'mug')")
        .execute(first.pool())
        .await
        .unwrap();

    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM things")
        .fetch_one(second.pool())
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn a_database_is_gone_when_its_test_is() {
    let database = fresh_database(&MIGRATIONS).await;
    let other = fresh_database(&MIGRATIONS).await;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(database.pool())
        .await
        .unwrap();

    drop(database);

    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(other.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

/// Dropping a database waits for every backend of the server to take notice, and one that waits for
/// its client in the middle of the log-in does not.
#[tokio::test]
async fn who_stands_still_while_connecting_holds_nobody_up() {
    let database = fresh_database(&MIGRATIONS).await;
    let other = fresh_database(&MIGRATIONS).await;
    let _still = connecting_to(other.url()).await;

    let began = Instant::now();
    drop(database);

    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn each_installed_nats_version_serves_once() {
    let servers = nats_servers().await;
    let again = nats_servers().await;

    let versions: HashSet<_> = servers.iter().map(TestNats::version).collect();
    assert!(!servers.is_empty());
    assert_eq!(versions.len(), servers.len());
    for (server, same) in servers.iter().zip(&again) {
        assert_eq!(server.url(), same.url());
        assert_ne!(server.prefix(), same.prefix());
    }
}

#[tokio::test]
#[ignore = "what a test that is killed does in its own process"]
async fn hang_with_servers() {
    let _database = fresh_database(&MIGRATIONS).await;
    let _servers = nats_servers().await;
    std::future::pending::<()>().await;
}

/// Several test processes at once, the first of which is killed.
#[tokio::test]
async fn the_servers_go_when_the_last_test_has_ended_however_it_ended() {
    let meeting = scratch_folder();
    let mut killed = run(meeting.path(), &["--ignored", "sharing::hang_with_servers"]);
    let notices = ["postgres/notice", "nats/notice"].map(|notice| meeting.path().join(notice));
    until(|| notices.iter().all(|notice| notice.exists())).await;
    let servers = notices
        .each_ref()
        .map(|notice| fs::read_to_string(notice).unwrap());

    let ended = [
        "every_test_has_a_migrated_database_of_its_own",
        "each_installed",
    ]
    .map(|test| run(meeting.path(), &[&format!("sharing::{test}")]));
    killed.kill().unwrap();
    killed.wait().unwrap();
    for mut process in ended {
        assert!(process.wait().unwrap().success());
    }
    let same = notices
        .each_ref()
        .map(|notice| fs::read_to_string(notice).unwrap());
    assert_eq!(servers, same, "all met at the same servers");

    until(|| notices.iter().all(|notice| !notice.exists())).await;
    nothing_runs_in(meeting.path()).await;
    for pid in servers
        .iter()
        .flat_map(|notice| notice.lines().nth(1).unwrap().split(' '))
    {
        until(|| !Path::new("/proc").join(pid).exists()).await;
    }
}

/// The data may lie in memory, where nothing else ever takes it away.
#[tokio::test]
async fn what_a_killed_guard_left_goes_with_the_next_start() {
    let meeting = scratch_folder();
    let guarded = meeting.path().join("postgres/guarded");
    let mut killed = run(meeting.path(), &["--ignored", "sharing::hang_with_servers"]);
    until(|| meeting.path().join("nats/notice").exists()).await;
    let named = fs::read_to_string(&guarded).unwrap();
    let (guard, left) = named.split_once('\n').unwrap();
    kill_at_once(guard.parse().unwrap());
    killed.kill().unwrap();
    killed.wait().unwrap();
    nothing_runs_in(Path::new(left)).await;
    assert!(Path::new(left).exists(), "nobody cleared up");

    let test = "sharing::every_test_has_a_migrated_database_of_its_own";
    let mut next = run(meeting.path(), &[test]);
    assert!(next.wait().unwrap().success());

    assert!(!Path::new(left).exists(), "{left}");
    let named = fs::read_to_string(&guarded).unwrap();
    let (_, new) = named.split_once('\n').unwrap();
    until(|| !Path::new(new).exists()).await;
}

fn run(meeting: &Path, arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .env("SOKO_TEST_SERVERS_DIR", meeting)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A client that says who it is and then nothing more.
async fn connecting_to(url: &str) -> UnixStream {
    let options: PgConnectOptions = url.parse().unwrap();
    let folder = options.get_socket().expect("a server with a socket");
    let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
    let mut client = UnixStream::connect(socket).await.unwrap();
    let database = options.get_database().unwrap();
    let who = format!("user\0soko\0database\0{database}\0\0");
    let length = u32::try_from(8 + who.len()).unwrap();
    let version = 3_u32 << 16;
    for part in [
        &length.to_be_bytes()[..],
        &version.to_be_bytes(),
        who.as_bytes(),
    ] {
        client.write_all(part).await.unwrap();
    }
    // The server has begun to answer, so it has come as far as the log-in.
    let mut kind = [0];
    client.read_exact(&mut kind).await.unwrap();
    assert_eq!(&kind, b"R");
    client
}
