//! Every event reaches the stream, once and in its order, whoever dies on the way.

use super::bus::{RunningRelay, Town, position_of};
use super::proxy::Proxy;
use super::rules::{PATIENCE, follow};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Config;
use futures::StreamExt;
use serde_json::Value;
use soko_embedded::testing::{nats_servers, until};
use soko_event_log::{Bus, Position, RelayOptions};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn every_event_is_published_once_and_in_order() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let head = town.writer.append(700).await;
        let _relay = town.relay();
        town.published(head).await;
        for _ in 0..30 {
            town.writer.append(10).await;
        }
        town.published(Position::new(1_000)).await;
        assert_eq!(town.positions().await, (1..=1_000).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_page_needs_few_acknowledgements() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let first = town.writer.append(1).await;
        town.published(first).await;
        let onlooker = Bus::connect(nats.url(), "onlooker").await.unwrap().client();
        let mut inboxes = onlooker.subscribe("_INBOX.>").await.unwrap();
        onlooker.flush().await.unwrap();

        let last = town.writer.append(900).await;
        let mut acknowledged = Vec::new();
        while acknowledged.last() != Some(&last.get()) {
            let message = timeout(PATIENCE, inboxes.next()).await.unwrap().unwrap();
            // The server is shared with other tests.
            let body: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
            if body["stream"] == town.bus.stream() && body["type"].is_null() {
                acknowledged.extend(body["seq"].as_i64());
            }
        }
        assert!(acknowledged.len() < 30, "{acknowledged:?}");
        assert_eq!(town.positions().await, (1..=901).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_message_says_all_that_the_log_knows() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let head = town.writer.append(1).await;
        town.published(head).await;
        let message = town.stream().await.get_raw_message(1).await.unwrap();

        let stored = town.reader.read_stored(Position::START, 1).await.unwrap();
        let stored = &stored[0];
        let body: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(body["position"], 1);
        assert_eq!(body["tenant_id"], stored.tenant_id.to_string());
        assert_eq!(body["stream_type"], "stock");
        assert_eq!(body["stream_id"], stored.stream_id);
        assert_eq!(body["sequence"], 1);
        assert_eq!(body["event_type"], "stock.ran_low");
        assert_eq!(body["event_version"], "1");
        assert_eq!(body["payload"]["ran_low"]["threshold"], 5);
        assert_eq!(body["metadata"]["actor"], "system:test");
        assert_eq!(position_of(&message.headers), Position::new(1));
        assert_eq!(message.headers.get("Nats-Msg-Id").unwrap().as_str(), "1");
        let subject = message.subject.strip_prefix(nats.prefix()).unwrap();
        let (partition, stream_type) = subject[1..].split_once('.').unwrap();
        assert_eq!((partition.len(), stream_type), (2, "stock"));
        assert!(partition.parse::<u8>().unwrap() < 16);
    }
}

/// What the relay relies on, of the server alone.
#[tokio::test]
async fn a_server_refuses_all_that_follows_a_wrong_sequence() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let head = town.writer.append(5).await;
        town.published(head).await;
        relay.kill().await;
        let jetstream = town.jetstream().await;
        let subject = format!("{}.00.stock", nats.prefix());
        let mut answers = Vec::new();
        // All are on their way before the first is answered. One of them is missing.
        for expected in (5..40).chain(41..60) {
            let message = PublishMessage::build().expected_last_sequence(expected);
            answers.push(
                jetstream
                    .send_publish(subject.clone(), message)
                    .await
                    .unwrap(),
            );
        }
        for (number, answer) in answers.into_iter().enumerate() {
            match answer.await {
                Ok(stored) => assert_eq!(stored.sequence, 6 + number as u64),
                Err(error) => {
                    assert!(number >= 35, "{number}: {error}");
                    assert_eq!(error.kind(), PublishErrorKind::WrongLastSequence);
                }
            }
        }
        let state = town.stream().await.info().await.unwrap().state.clone();
        assert_eq!(state.last_sequence, 40, "on {}", nats.version());
    }
}

#[tokio::test]
async fn a_standby_takes_over_from_a_relay_that_dies() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let mut leader = town.relay();
        town.writer.append(1).await;
        town.published(Position::new(1)).await;
        let writer = town.writer.clone();
        let writing = tokio::spawn(async move {
            for _ in 0..300 {
                writer.append(3).await;
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        });
        for _ in 0..3 {
            let standby = town.relay();
            tokio::time::sleep(Duration::from_millis(200)).await;
            leader.kill().await;
            leader = standby;
        }
        writing.await.unwrap();
        town.published(Position::new(901)).await;
        assert_eq!(town.positions().await, (1..=901).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_leader_that_loses_its_connection_stands_back() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let (_first, _second) = (town.relay(), town.relay());
        for round in 1..=3 {
            let head = town.writer.append(50).await;
            town.published(head).await;
            assert_eq!(terminate_leader(&town).await, 1, "in round {round}");
        }
        let head = town.writer.append(50).await;
        town.published(head).await;
        assert_eq!(town.positions().await, (1..=200).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_a_dethroned_leader_sent_is_refused() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let proxy = Proxy::start(nats.url()).await;
        let bus = Bus::connect(proxy.url(), nats.prefix()).await.unwrap();
        let old = RunningRelay::start(RelayOptions {
            bus,
            ..town.relay_options()
        });
        let head = town.writer.append(50).await;
        town.published(head).await;

        // What it sends from now on arrives when another leads, and has published more.
        proxy.close();
        town.writer.append(50).await;
        until("the old leader has sent it", async || proxy.held() > 10_000).await;
        assert_eq!(terminate_leader(&town).await, 1);
        let _new = town.relay();
        let head = town.writer.append(50).await;
        town.published(head).await;

        // Long enough for the server to forget the ids: the sequence alone can refuse them.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        proxy.open();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let head = town.writer.append(50).await;
        town.published(head).await;
        assert_eq!(town.positions().await, (1..=200).collect::<Vec<_>>());
        drop(old);
    }
}

#[tokio::test]
async fn an_empty_stream_is_given_the_end_of_the_log_alone() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let head = town.writer.append(300).await;
        let options = RelayOptions {
            backlog: 20,
            ..town.relay_options()
        };
        let relay = RunningRelay::start(options.clone());
        town.published(head).await;
        assert_eq!(town.positions().await, (281..=300).collect::<Vec<_>>());

        // The same for a stream that has fallen far behind.
        relay.kill().await;
        let head = town.writer.append(300).await;
        let _relay = RunningRelay::start(options);
        town.published(head).await;
        let expected: Vec<_> = (281..=300).chain(581..=600).collect();
        assert_eq!(town.positions().await, expected);
    }
}

#[tokio::test]
async fn a_stream_whose_end_is_lost_is_mended() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let head = town.writer.append(20).await;
        town.published(head).await;
        relay.kill().await;
        let stream = town.stream().await;
        for sequence in 16..=20 {
            stream.delete_message(sequence).await.unwrap();
        }
        // At once, while the server still knows the ids of the lost messages; and later.
        let relay = town.relay();
        let head = town.writer.append(5).await;
        town.published(head).await;
        let positions = town.positions().await;
        assert!(positions.is_sorted(), "{positions:?}");

        relay.kill().await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let subjects = town.bus.subjects();
        let last = stream.get_last_raw_message_by_subject(&subjects).await;
        let deleted = stream.delete_message(last.unwrap().sequence).await;
        assert!(deleted.unwrap());
        let _relay = town.relay();
        town.published(head).await;
        let head = town.writer.append(5).await;
        town.published(head).await;
        let positions = town.positions().await;
        assert!(
            positions.ends_with(&[25, 26, 27, 28, 29, 30]),
            "{positions:?}"
        );
    }
}

#[tokio::test]
async fn limits_that_change_are_passed_on_to_the_stream() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let head = town.writer.append(5).await;
        town.published(head).await;
        relay.kill().await;
        let _relay = RunningRelay::start(RelayOptions {
            max_bytes: 1_000_000,
            max_age: Duration::from_secs(600),
            ..town.relay_options()
        });
        let head = town.writer.append(5).await;
        town.published(head).await;
        let config = town.stream().await.cached_info().config.clone();
        assert_eq!(config.max_bytes, 1_000_000);
        assert_eq!(config.max_age, Duration::from_secs(600));
        assert_eq!(town.positions().await, (1..=10).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_stream_of_somebody_else_is_left_alone() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let jetstream = town.jetstream().await;
        let theirs = Config {
            name: town.bus.stream().to_owned(),
            subjects: vec![format!("{}_theirs.*", nats.prefix())],
            ..Config::default()
        };
        jetstream.create_stream(theirs).await.unwrap();
        let message = jetstream.publish(format!("{}_theirs.first", nats.prefix()), "theirs".into());
        message.await.unwrap().await.unwrap();

        let _relay = town.relay();
        let mut subscription = town.follow("neighbour", Position::START);
        let head = town.writer.append(20).await;
        follow(&mut subscription, Position::START, head, 50).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let message = town.stream().await.get_raw_message(1).await.unwrap();
        assert_eq!(message.payload, "theirs");
    }
}

#[tokio::test]
async fn a_stream_that_is_full_forgets_its_beginning() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = RunningRelay::start(RelayOptions {
            max_bytes: 20_000,
            ..town.relay_options()
        });
        let mut subscription = town.follow("full", Position::START);
        let head = town.writer.append(500).await;
        town.published(head).await;
        let positions = town.positions().await;
        assert!(positions.len() < 100);
        assert!(positions.ends_with(&[499, 500]));
        follow(&mut subscription, Position::START, head, 50).await;
    }
}

#[tokio::test]
async fn a_relay_stops_when_it_is_told_to() {
    let nats = nats_servers().await.remove(0);
    let town = Town::new(nats.url(), nats.prefix()).await;
    let (mut leader, mut standby) = (town.relay(), town.relay());
    let head = town.writer.append(5).await;
    town.published(head).await;
    for relay in [&mut leader, &mut standby] {
        relay.stop.cancel();
        let stopped = timeout(PATIENCE, &mut relay.task);
        stopped.await.unwrap().unwrap();
    }
}

/// Ends the database connection of whoever leads; returns how many there were.
async fn terminate_leader(town: &Town) -> usize {
    let terminated = sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    let rows = terminated.fetch_all(town.database.pool()).await.unwrap();
    rows.len()
}
