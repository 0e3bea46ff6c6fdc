use std::fs;
use std::path::Path;

use async_nats::jetstream;
use soko_embedded::testing::scratch_folder;
use soko_embedded::{EmbeddedError, Nats, NatsOptions};

use crate::another_process::{Holder, kill_at_once, nothing_runs_in};

const STREAM: &str = "kept";

#[tokio::test]
async fn streams_are_there_after_a_restart_of_each_version() {
    for (version, program) in Nats::installed() {
        let folder = scratch_folder();
        let options = NatsOptions {
            program: Some(program),
        };
        let server = Nats::start(folder.path(), options.clone()).await.unwrap();
        assert_eq!(server.version(), version);
        let port = server.port();
        publish(&server).await;
        server.stop().await.unwrap();
        nothing_runs_in(folder.path()).await;

        let server = Nats::start(folder.path(), options).await.unwrap();

        assert_eq!(messages(&server).await, 1);
        assert_eq!(server.port(), port, "clients find it where it was");
    }
}

#[tokio::test]
async fn at_least_one_server_is_installed_and_the_newest_comes_first() {
    let installed = Nats::installed();
    assert!(!installed.is_empty());
    assert!(installed.windows(2).all(|pair| pair[0].0 > pair[1].0));
    assert_eq!(
        Nats::find().as_ref(),
        installed.first().map(|(_, program)| program)
    );
}

#[tokio::test]
async fn a_client_needs_the_password() {
    let folder = scratch_folder();
    let server = start(folder.path()).await;

    connect(&server).await;

    let bare = format!("nats://127.0.0.1:{}", server.port());
    assert!(async_nats::connect(bare).await.is_err());
}

#[tokio::test]
async fn a_folder_serves_one_at_a_time() {
    let folder = scratch_folder();
    let server = start(folder.path()).await;

    let refusal = Nats::start(folder.path(), NatsOptions::default())
        .await
        .unwrap_err();

    assert!(matches!(refusal, EmbeddedError::InUse { .. }));
    assert_eq!(Nats::url_in(folder.path()), Some(server.url()));
}

#[tokio::test]
async fn the_server_ends_with_the_process_that_holds_it() {
    let folder = scratch_folder();
    let mut holder = Holder::start("hold_nats", folder.path());

    holder.kill();

    nothing_runs_in(folder.path()).await;
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_taken_over() {
    let folder = scratch_folder();
    let mut holder = Holder::start("hold_nats", folder.path());
    holder.kill_with_watcher(folder.path());

    let server = start(folder.path()).await;

    assert_ne!(server.pid(), holder.server_pid);
    publish(&server).await;
    server.stop().await.unwrap();
    nothing_runs_in(folder.path()).await;
}

#[tokio::test]
async fn a_killed_server_comes_back_where_it_was_even_without_its_store() {
    let folder = scratch_folder();
    let mut server = start(folder.path()).await;
    let url = server.url();
    publish(&server).await;

    kill_at_once(server.pid());
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(messages(&server).await, 1);

    kill_at_once(server.pid());
    fs::remove_dir_all(server.store()).unwrap();
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    publish(&server).await;
    assert_eq!(messages(&server).await, 1);
}

async fn start(folder: &Path) -> Nats {
    Nats::start(folder, NatsOptions::default()).await.unwrap()
}

/// The client reads no password from the URL by itself.
async fn connect(server: &Nats) -> async_nats::Client {
    let url = server.url();
    let address: async_nats::ServerAddr = url.parse().unwrap();
    let (user, password) = (address.username().unwrap(), address.password().unwrap());
    async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        .connect(&url)
        .await
        .unwrap()
}

async fn publish(server: &Nats) {
    let client = jetstream::new(connect(server).await);
    let config = jetstream::stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![STREAM.to_owned()],
        ..jetstream::stream::Config::default()
    };
    client.create_stream(config).await.unwrap();
    client
        .publish(STREAM, "a mug".into())
        .await
        .unwrap()
        .await
        .unwrap();
}

async fn messages(server: &Nats) -> u64 {
    let client = jetstream::new(connect(server).await);
    client
        .get_stream(STREAM)
        .await
        .unwrap()
        .get_info()
        .await
        .unwrap()
        .state
        .messages
}
