//! A bus that dies, forgets and comes back, on every server that is installed.

use super::bus::Town;
use super::rules::follow;
use soko_embedded::testing::scratch_folder;
use soko_embedded::{Nats, NatsOptions};
use soko_event_log::{Position, Subscription};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A reader never waits longer for an event than this, whatever happens to the bus. By far, so that
/// a busy machine fails no test.
const STALL_MAX: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_server_that_is_killed_stalls_nobody_for_long() {
    for program in servers() {
        let folder = scratch_folder();
        let mut nats = start(folder.path(), &program).await;
        let town = Town::new(&nats.url(), "soko").await;
        let _relay = town.relay();
        let start = town.writer.append(1).await;
        let mut subscription = town.follow("survivor", start);
        let mut last = start;
        for round in 0..3 {
            last = exchange(&town, &mut subscription, last).await;
            kill(&nats);
            // Nobody is there.
            last = exchange(&town, &mut subscription, last).await;
            nats.restart().await.unwrap();
            last = exchange(&town, &mut subscription, last).await;
            town.published(last).await;
            let positions = town.positions().await;
            assert!(positions.is_sorted(), "in round {round}: {positions:?}");
        }
        nats.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_comes_back_without_memory_is_given_what_is_new() {
    for program in servers() {
        let folder = scratch_folder();
        let mut nats = start(folder.path(), &program).await;
        let town = Town::new(&nats.url(), "soko").await;
        let _relay = town.relay();
        let start = town.writer.append(1).await;
        let mut subscription = town.follow("survivor", start);
        let mut last = exchange(&town, &mut subscription, start).await;
        for _ in 0..2 {
            kill(&nats);
            std::fs::remove_dir_all(nats.store()).unwrap();
            nats.restart().await.unwrap();
            last = exchange(&town, &mut subscription, last).await;
            town.published(last).await;
            let positions = town.positions().await;
            let expected: Vec<_> = (1..=last.get()).collect();
            assert_eq!(positions, expected);
        }
        nats.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_may_come_last() {
    for program in servers() {
        let folder = scratch_folder();
        // So that its port is known.
        let mut nats = start(folder.path(), &program).await;
        kill(&nats);
        let town = Town::new(&nats.url(), "soko").await;
        let _relay = town.relay();
        let start = town.writer.append(1).await;
        let mut subscription = town.follow("early", start);
        let last = exchange(&town, &mut subscription, start).await;

        nats.restart().await.unwrap();
        let last = exchange(&town, &mut subscription, last).await;
        town.published(last).await;
        nats.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_takes_short_messages_alone_is_enough() {
    for program in servers() {
        let folder = scratch_folder();
        let port = free_port();
        let configuration = folder.path().join("nats.conf");
        let store = folder.path().display().to_string();
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: 1024\njetstream {{ store_dir: \"{store}\" }}\n"
        );
        std::fs::write(&configuration, text).unwrap();
        let mut server = Command::new(&program)
            .arg("-c")
            .arg(&configuration)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let town = Town::new(&format!("nats://127.0.0.1:{port}"), "soko").await;
        let _relay = town.relay();
        let (mut subscription, mut last) = town.follow_the_bus_alone("short").await;
        for _ in 0..3 {
            town.writer.append_heavy(2_000).await;
            let head = town.writer.append(1).await;
            follow(&mut subscription, last, head, 10).await;
            town.published(head).await;
            last = head;
        }
        assert_eq!(town.positions().await, (1..=last.get()).collect::<Vec<_>>());
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

/// Writes and reads for a while; returns the last position. Nothing may come late.
async fn exchange(
    town: &Town,
    subscription: &mut dyn Subscription,
    mut last: Position,
) -> Position {
    for _ in 0..20 {
        let written = Instant::now();
        let head = town.writer.append(5).await;
        let following = follow(subscription, last, head, 3);
        timeout(STALL_MAX, following).await.unwrap_or_else(|_| {
            panic!("{head} did not come within {:?}", written.elapsed());
        });
        subscription.confirm(head).await.unwrap();
        last = head;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    last
}

fn servers() -> Vec<PathBuf> {
    let servers: Vec<_> = Nats::installed()
        .into_iter()
        .map(|(_, program)| program)
        .collect();
    assert!(!servers.is_empty(), "no nats-server is installed");
    servers
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

async fn start(folder: &std::path::Path, program: &std::path::Path) -> Nats {
    let options = NatsOptions {
        program: Some(program.to_owned()),
    };
    Nats::start(folder, options).await.unwrap()
}

/// As a machine does that loses power, but for what the kernel still writes.
fn kill(nats: &Nats) {
    let pid = nats.pid().to_string();
    let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
    assert!(killed.success());
}
