use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use soko_embedded::testing::scratch_folder;
use soko_embedded::{EmbeddedError, Postgres, PostgresOptions};
use sqlx::{Connection, PgConnection};

use crate::another_process::{
    Holder, for_tests, kill_at_once, nothing_runs_in, run_as_nobody, until,
};

#[tokio::test]
async fn data_is_there_after_a_restart() {
    let folder = scratch_folder();
    let server = start(folder.path()).await;
    let port = server.port();
    write(&server).await;
    server.stop().await.unwrap();

    let server = start(folder.path()).await;

    assert_eq!(read(&server).await, 1);
    assert_eq!(server.port(), port, "clients find it where it was");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_user_other_than_root_can_do_the_same() {
    if nix::unistd::Uid::effective().is_root() {
        assert!(run_as_nobody("postgres::data_is_there_after_a_restart").success());
    }
}

#[tokio::test]
async fn what_is_on_disk_is_ready_within_two_seconds() {
    let folder = scratch_folder();
    start(folder.path()).await.stop().await.unwrap();

    // The best of three: other tests run at the same time.
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let started_at = Instant::now();
        let server = start(folder.path()).await;
        fastest = fastest.min(started_at.elapsed());
        server.stop().await.unwrap();
    }

    assert!(fastest < Duration::from_secs(2), "took {fastest:?}");
}

#[tokio::test]
async fn commits_are_on_disk_unless_asked_otherwise() {
    let folder = scratch_folder();
    let server = Postgres::start(folder.path(), PostgresOptions::default())
        .await
        .unwrap();
    let mut client = PgConnection::connect(&server.url()).await.unwrap();
    for setting in [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "data_checksums",
    ] {
        let value: String = sqlx::query_scalar(&format!("SHOW {setting}"))
            .fetch_one(&mut client)
            .await
            .unwrap();
        assert_eq!(value, "on", "{setting}");
    }
}

#[tokio::test]
async fn both_urls_lead_to_the_server_and_only_with_the_password() {
    let folder = scratch_folder();
    let server = start(folder.path()).await;
    write(&server).await;
    for url in [server.url(), server.socket_url()] {
        let mut client = PgConnection::connect(&url).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM kept")
            .fetch_one(&mut client)
            .await
            .unwrap();
        assert_eq!(rows, 1);
    }

    let password = fs::read_to_string(folder.path().join("password")).unwrap();
    for url in [server.url(), server.socket_url()] {
        assert!(
            PgConnection::connect(&url.replace(&password, "guess"))
                .await
                .is_err()
        );
    }
    for secret in ["password", "url"] {
        let mode = fs::metadata(folder.path().join(secret)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

#[tokio::test]
async fn a_folder_serves_one_at_a_time_and_says_who() {
    let folder = scratch_folder();
    assert_eq!(Postgres::url_in(folder.path()), None);
    let server = start(folder.path()).await;

    let refusal = Postgres::start(folder.path(), for_tests())
        .await
        .unwrap_err();

    assert!(matches!(refusal, EmbeddedError::InUse { .. }));
    assert!(
        refusal
            .to_string()
            .contains(&format!("process {}", std::process::id()))
    );
    assert_eq!(Postgres::url_in(folder.path()), Some(server.url()));
    server.stop().await.unwrap();
    assert_eq!(Postgres::url_in(folder.path()), None);
}

#[tokio::test]
async fn nothing_is_left_after_a_stop_or_a_drop() {
    let folder = scratch_folder();

    start(folder.path()).await.stop().await.unwrap();
    nothing_runs_in(folder.path()).await;

    drop(start(folder.path()).await);
    nothing_runs_in(folder.path()).await;
}

#[tokio::test]
async fn a_pid_file_that_names_another_process_does_not_matter() {
    let folder = scratch_folder();
    let server = start(folder.path()).await;
    write(&server).await;
    server.stop().await.unwrap();
    let stale = format!("{}\n{}/data\n", std::process::id(), folder.path().display());
    fs::write(folder.path().join("data/postmaster.pid"), stale).unwrap();

    let server = start(folder.path()).await;

    assert_eq!(read(&server).await, 1);
    server.stop().await.unwrap();
}

/// As where the first process of a container takes in orphans and leaves them
/// unburied.
#[tokio::test]
async fn a_killed_server_that_nobody_has_waited_for_does_not_matter() {
    let folder = scratch_folder();
    let mut server = start(folder.path()).await;
    write(&server).await;
    let pid_file = folder.path().join("data/postmaster.pid");
    let lock = format!("socket/.s.PGSQL.{}.lock", server.port());
    kill_at_once(server.pid());
    until(|| !server.is_running()).await;
    drop(server);
    let owner = fs::metadata(&pid_file).unwrap().uid();
    let mut dead = Command::new("true").uid(owner).spawn().unwrap();
    until(|| is_zombie(dead.id())).await;
    for file in [pid_file, folder.path().join(lock)] {
        let left_behind = fs::read_to_string(&file).unwrap();
        let (_, rest) = left_behind.split_once('\n').unwrap();
        fs::write(&file, format!("{}\n{rest}", dead.id())).unwrap();
    }

    let server = start(folder.path()).await;

    assert_eq!(read(&server).await, 1);
    server.stop().await.unwrap();
    dead.wait().unwrap();
}

#[tokio::test]
async fn the_server_ends_with_the_process_that_holds_it() {
    let folder = scratch_folder();
    let mut holder = Holder::start("hold_postgres", folder.path());

    holder.kill();

    nothing_runs_in(folder.path()).await;
    start(folder.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_taken_over() {
    let folder = scratch_folder();
    let mut holder = Holder::start("hold_postgres", folder.path());
    holder.kill_with_watcher(folder.path());

    let server = start(folder.path()).await;

    assert_ne!(server.pid(), holder.server_pid);
    write(&server).await;
    server.stop().await.unwrap();
    nothing_runs_in(folder.path()).await;
}

#[tokio::test]
async fn a_killed_server_comes_back_where_it_was() {
    let folder = scratch_folder();
    let mut server = start(folder.path()).await;
    let url = server.url();
    write(&server).await;

    kill_at_once(server.pid());
    until(|| !server.is_running()).await;
    server.restart().await.unwrap();

    assert_eq!(server.url(), url);
    assert_eq!(read(&server).await, 1);
    server.stop().await.unwrap();
    nothing_runs_in(folder.path()).await;
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let folder = scratch_folder();
    let unfinished = folder.path().join("data.new");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();

    let server = start(folder.path()).await;

    write(&server).await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused_and_left_alone() {
    let folder = scratch_folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();

    let refusal = Postgres::start(folder.path(), for_tests())
        .await
        .unwrap_err();

    assert!(
        refusal.to_string().contains("written by PostgreSQL 9"),
        "{refusal}"
    );
    assert_eq!(fs::read_to_string(data.join("PG_VERSION")).unwrap(), "9\n");
}

/// Only root runs the server as somebody else.
#[tokio::test]
async fn a_folder_closed_to_the_servers_user_links_to_one_that_is_not() {
    if !nix::unistd::Uid::effective().is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let folder = closed.path().join("postgres");
    let server = start(&folder).await;
    let place = Elsewhere(
        folder
            .join("data")
            .canonicalize()
            .unwrap()
            .parent()
            .unwrap()
            .into(),
    );
    assert!(!place.0.starts_with(closed.path()));
    write(&server).await;
    server.stop().await.unwrap();

    let server = start(&folder).await;

    assert_eq!(read(&server).await, 1);
    server.stop().await.unwrap();
}

/// A path that no socket can have.
#[tokio::test]
async fn a_folder_with_a_long_path_does_without_a_socket() {
    let folder = scratch_folder();
    let deep = folder.path().join("deep".repeat(30));
    fs::create_dir(&deep).unwrap();
    let link = folder.path().join("link");
    symlink(&deep, &link).unwrap();

    let server = start(&link).await;

    assert_eq!(server.socket_url(), server.url());
    write(&server).await;
    server.stop().await.unwrap();
}

/// Data that was put outside the test's folder.
struct Elsewhere(PathBuf);

impl Drop for Elsewhere {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn start(folder: &Path) -> Postgres {
    Postgres::start(folder, for_tests()).await.unwrap()
}

async fn write(server: &Postgres) {
    let mut client = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT 1")
        .execute(&mut client)
        .await
        .unwrap();
    client.close().await.unwrap();
}

async fn read(server: &Postgres) -> i64 {
    let mut client = PgConnection::connect(&server.url()).await.unwrap();
    let rows = sqlx::query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&mut client)
        .await;
    client.close().await.unwrap();
    rows.unwrap()
}

fn is_zombie(pid: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "state=", "-p", &pid.to_string()])
        .output();
    state.unwrap().stdout.starts_with(b"Z")
}
