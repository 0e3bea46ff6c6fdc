//! Following the log over JetStream, on every server that is installed.

use super::bus::{Town, position_of};
use super::feed;
use super::rules::{self, PATIENCE, check, follow};
use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use soko_embedded::testing::{nats_servers, until};
use soko_event_log::{
    Feed, FeedOptions, JetStream, JetStreamOptions, LogReader, POSITION_HEADER, Position,
    Subscription,
};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn jetstream_keeps_the_rules() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        rules::all(&town).await;
    }
}

#[tokio::test]
async fn the_log_is_followed_though_nobody_relays() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        rules::all(&town).await;
    }
}

#[tokio::test]
async fn the_log_is_followed_though_there_is_no_bus() {
    let town = Town::new("nats://127.0.0.1:1", "nowhere").await;
    let _relay = town.relay();
    rules::all(&town).await;
}

#[tokio::test]
async fn what_comes_over_the_bus_needs_no_database() {
    for nats in nats_servers().await {
        let mut town = Town::new(nats.url(), nats.prefix()).await;
        let pool = PgPool::connect(town.database.url()).await.unwrap();
        town.reader = LogReader::new(pool.clone());
        let _relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("alone").await;
        let head = town.writer.append(1).await;
        follow(&mut subscription, start, head, 10).await;

        pool.close().await;
        let end = town.writer.append(100).await;
        follow(&mut subscription, head, end, 10).await;
    }
}

#[tokio::test]
async fn what_the_bus_loses_is_read_from_the_log() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("holes").await;
        relay.kill().await;
        let forger = Forger::new(&town, &format!("{}_copy", nats.prefix()), 30).await;

        forger.publish(&town, [1, 2, 5, 6, 7, 30]).await;
        follow(&mut subscription, start, forger.position(30), 4).await;
    }
}

#[tokio::test]
async fn what_the_bus_repeats_or_brings_late_is_given_once() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("repeated").await;
        relay.kill().await;
        let forger = Forger::new(&town, &format!("{}_copy", nats.prefix()), 8).await;

        let confused = [1, 1, 2, 1, 4, 3, 2, 4, 5, 1, 6, 6, 8, 7, 8];
        forger.publish(&town, confused).await;
        follow(&mut subscription, start, forger.position(8), 3).await;
        let nothing = timeout(Duration::from_millis(200), subscription.next(10)).await;
        assert!(nothing.is_err(), "{nothing:?}");
    }
}

#[tokio::test]
async fn what_is_no_event_is_passed_over() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("noise").await;
        relay.kill().await;
        let forger = Forger::new(&town, &format!("{}_copy", nats.prefix()), 4).await;

        let noise = town.jetstream().await;
        let subject = format!("{}.00.stock", nats.prefix());
        let mut headers = HeaderMap::new();
        headers.insert(POSITION_HEADER, forger.position(2).to_string());
        for published in [
            noise.publish(subject.clone(), "noise".into()).await,
            // The place of the second event, and not its body.
            noise
                .publish_with_headers(subject, headers, "{\"position\":1}".into())
                .await,
        ] {
            published.unwrap().await.unwrap();
        }
        forger.publish(&town, [1, 2, 3, 4]).await;
        follow(&mut subscription, start, forger.position(4), 10).await;
    }
}

#[tokio::test]
async fn what_a_stream_says_wrongly_as_soon_as_it_is_opened_is_read_from_the_log() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("opened").await;
        relay.kill().await;
        let stream = town.stream().await;
        assert!(stream.delete_consumer("opened").await.unwrap().success);
        until("the consumer is opened again", async || {
            stream.consumer_info("opened").await.is_ok()
        })
        .await;
        let head = town.writer.append(1).await;
        let mut headers = HeaderMap::new();
        headers.insert(POSITION_HEADER, head.to_string());
        let subject = format!("{}.00.stock", nats.prefix());
        let lie = town.jetstream().await;
        let published = lie
            .publish_with_headers(subject, headers, "{}".into())
            .await;
        published.unwrap().await.unwrap();
        follow(&mut subscription, start, head, 10).await;
    }
}

#[tokio::test]
async fn a_consumer_that_is_deleted_comes_back() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("deleted").await;
        let mut last = start;
        for _ in 0..2 {
            let deleted = town.stream().await.delete_consumer("deleted").await;
            assert!(deleted.unwrap().success);
            let head = town.writer.append(20).await;
            follow(&mut subscription, last, head, 7).await;
            last = head;
        }
    }
}

#[tokio::test]
async fn a_stream_may_be_wiped_at_any_time() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("wiped").await;
        let writer = town.writer.clone();
        let writing = tokio::spawn(async move {
            for _ in 0..300 {
                writer.append(1).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let jetstream = town.jetstream().await;
        let stream = town.bus.stream().to_owned();
        let wiping = tokio::spawn(async move {
            for round in 0..4 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if round % 2 == 0 {
                    jetstream.delete_stream(&stream).await.unwrap();
                } else if let Ok(stream) = jetstream.get_stream(&stream).await {
                    stream.purge().await.unwrap();
                }
            }
        });
        let end = Position::new(start.get() + 300);
        follow(&mut subscription, start, end, 20).await;
        writing.await.unwrap();
        wiping.await.unwrap();
    }
}

#[tokio::test]
async fn the_stream_of_another_log_is_not_believed() {
    for nats in nats_servers().await {
        let other = Town::new(nats.url(), nats.prefix()).await;
        let relay = other.relay();
        let theirs = other.writer.append(50).await;
        other.published(theirs).await;
        relay.kill().await;

        // The same stream, and a log that is shorter: a backup has been restored, say.
        let town = Town::new(nats.url(), nats.prefix()).await;
        let head = town.writer.append(20).await;
        let mut subscription = town.follow("restored", Position::new(10));
        let mut last = Position::new(10);
        let ours = town.reader.read_stored(last, 1_000).await.unwrap();
        while last < head {
            let next = timeout(PATIENCE, subscription.next(3)).await;
            let found = next.unwrap().unwrap();
            for (delivery, ours) in found
                .iter()
                .zip(&ours[usize::try_from(last.get() - 10).unwrap()..])
            {
                let recorded = delivery.entry.event.as_ref().unwrap();
                assert_eq!(recorded.recorded_at, ours.recorded_at);
            }
            last = check(last, &found, 3);
        }
        let nothing = timeout(Duration::from_millis(600), subscription.next(10)).await;
        assert!(nothing.is_err(), "{nothing:?}");

        // Once our relay runs, the stream is ours.
        let _relay = town.relay();
        town.published(head).await;
        assert_eq!(town.positions().await, (1..=20).collect::<Vec<_>>());
        let head = town.writer.append(20).await;
        follow(&mut subscription, last, head, 7).await;
    }
}

#[tokio::test]
async fn the_consumer_of_a_dead_process_vanishes() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let options = JetStreamOptions {
            inactive_max: Duration::from_secs(1),
            ..JetStreamOptions::new(town.bus.clone(), "mortal")
        };
        let start = town.writer.append(1).await;
        let mut subscription = JetStream::new(options, town.reader.clone(), start);
        let head = town.writer.append(5).await;
        follow(&mut subscription, start, head, 10).await;
        // Or newer servers would wait for these first.
        subscription.confirm(head).await.unwrap();
        town.published(head).await;
        let stream = town.stream().await;
        until("the consumer is there", async || {
            stream.consumer_info("mortal").await.is_ok()
        })
        .await;
        // It lives as long as it is read, even if nothing comes.
        let idle = timeout(Duration::from_millis(2_500), subscription.next(10)).await;
        assert!(idle.is_err());
        assert!(stream.consumer_info("mortal").await.is_ok());

        drop(subscription);
        until(
            &format!("the consumer is gone on {}", nats.version()),
            async || stream.consumer_info("mortal").await.is_err(),
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_confirmed_is_acknowledged() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let (mut subscription, start) = town.follow_the_bus_alone("confirms").await;
        let head = town.writer.append(500).await;
        follow(&mut subscription, start, head, 50).await;
        let stream = town.stream().await;
        assert!(
            stream
                .consumer_info("confirms")
                .await
                .unwrap()
                .num_ack_pending
                >= 500
        );

        subscription.confirm(head).await.unwrap();
        until("all is acknowledged", async || {
            stream
                .consumer_info("confirms")
                .await
                .unwrap()
                .num_ack_pending
                == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_feed_shares_the_bus_among_many_readers() {
    for nats in nats_servers().await {
        let town = Town::new(nats.url(), nats.prefix()).await;
        let _relay = town.relay();
        let from = town.writer.append(1).await;
        let subscription = Box::new(town.follow("feed", from));
        let feed = Feed::start(
            subscription,
            town.reader.clone(),
            from,
            FeedOptions::default(),
        );
        let readers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(feed::follow(feed.clone(), Position::START, 601)))
            .collect();
        for round in 0..60 {
            town.writer.append(10).await;
            if round == 30 {
                let jetstream = town.jetstream().await;
                jetstream.delete_stream(town.bus.stream()).await.unwrap();
            }
        }
        for following in readers {
            following.await.unwrap();
        }
        // It has told the bus that all is safe.
        town.published(Position::new(601)).await;
        let stream = town.stream().await;
        until("all is acknowledged", async || {
            let consumer = stream.consumer_info("feed").await;
            consumer
                .is_ok_and(|consumer| consumer.num_pending == 0 && consumer.num_ack_pending == 0)
        })
        .await;
    }
}

/// Has the true messages for the next events of a log, and publishes those it is asked for.
struct Forger {
    start: Position,
    messages: Vec<StreamMessage>,
}

impl Forger {
    async fn new(town: &Town, prefix: &str, count: i64) -> Self {
        let start = town.reader.head().await.unwrap();
        let head = town.writer.append(count).await;
        let copy = town.beside(prefix).await;
        let relay = copy.relay();
        copy.published(head).await;
        relay.kill().await;
        let stream = copy.stream().await;
        let mut messages = Vec::new();
        for position in start.get() + 1..=head.get() {
            let sequence = u64::try_from(position).unwrap();
            let message = stream.get_raw_message(sequence).await.unwrap();
            assert_eq!(position_of(&message.headers).get(), position);
            messages.push(message);
        }
        Self { start, messages }
    }

    /// Of the event that is the `number`th after those there were.
    fn position(&self, number: i64) -> Position {
        Position::new(self.start.get() + number)
    }

    async fn publish(&self, town: &Town, numbers: impl IntoIterator<Item = usize>) {
        let jetstream = town.jetstream().await;
        for number in numbers {
            let message = &self.messages[number - 1];
            let mut headers = HeaderMap::new();
            headers.insert(
                POSITION_HEADER,
                message.headers.get(POSITION_HEADER).unwrap().as_str(),
            );
            let subject = format!("{}.00.stock", town.bus.stream());
            jetstream
                .publish_with_headers(subject, headers, message.payload.clone())
                .await
                .unwrap()
                .await
                .unwrap();
        }
    }
}
