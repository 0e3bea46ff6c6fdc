//! The stream: made when it is missing, and asked up to where it has the log.

use super::leadership::Leadership;
use super::{RelayError, RelayOptions};
use crate::Position;
use crate::bus::{Bus, BusError, Last};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use std::time::Duration;

/// Where publishing goes on.
#[derive(Debug)]
pub(super) struct Start {
    /// The last position that need not be sent.
    pub(super) after: Position,
    /// The sequence of the stream's last message, whether it is still there or not.
    pub(super) sequence: u64,
    /// The stream was made just now.
    pub(super) is_new: bool,
}

/// Reads from the stream where publishing goes on; `known` is a position that it has in any case.
pub(super) async fn resume(
    options: &RelayOptions,
    leadership: &mut Leadership,
    known: Position,
) -> Result<Start, RelayError> {
    let bus = &options.bus;
    let config = config(options);
    let (mut stream, mut is_new) = open(bus, &config).await?;
    let mut last = bus.last(&stream).await?;
    if let Some(found) = &last
        && !is_ours(found, leadership, bus).await?
    {
        tracing::error!(
            stream = bus.stream(),
            sequence = found.sequence,
            "the stream holds what this log does not: it is deleted and made anew"
        );
        delete(bus).await?;
        (stream, is_new) = open(bus, &config).await?;
        last = None;
    }
    let head = leadership.head().await?;
    let known = if is_new {
        Position::START
    } else {
        known.min(head)
    };
    let last = last.and_then(|last| last.position).unwrap_or_default();
    // What is before the backlog is not sent at all.
    let backlog = i64::try_from(options.backlog).unwrap_or(i64::MAX);
    let horizon = Position::new(head.get().saturating_sub(backlog).max(0));
    Ok(Start {
        after: last.max(horizon).max(known),
        sequence: last_sequence(&mut stream).await?,
        is_new,
    })
}

/// Whether the log has the same at the message's position, byte for byte. A log that was restored,
/// or that of somebody else, has not.
async fn is_ours(last: &Last, leadership: &mut Leadership, bus: &Bus) -> Result<bool, RelayError> {
    let Some(position) = last.position.filter(|position| *position > Position::START) else {
        return Ok(false);
    };
    let before = Position::new(position.get() - 1);
    let found = leadership.page(before, 1, bus.prefix()).await?;
    // Without a body, it stands for whatever the log has there.
    Ok(found
        .first()
        .is_some_and(|event| last.body.is_empty() || event.body == last.body))
}

async fn open(bus: &Bus, config: &Config) -> Result<(Stream, bool), BusError> {
    match bus.context().get_stream(bus.stream()).await {
        Ok(stream) => {
            let found = &stream.cached_info().config;
            if found.subjects != config.subjects {
                return Err(format!("the stream {} is somebody else's", bus.stream()).into());
            }
            if differs(found, config) {
                bus.context().update_stream(config).await?;
            }
            Ok((stream, false))
        }
        Err(error) if is_not_found(&error.kind()) => {
            tracing::info!(stream = bus.stream(), "the stream is made");
            Ok((bus.context().create_stream(config).await?, true))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_not_found(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

async fn delete(bus: &Bus) -> Result<(), BusError> {
    bus.context().delete_stream(bus.stream()).await?;
    Ok(())
}

async fn last_sequence(stream: &mut Stream) -> Result<u64, BusError> {
    Ok(stream.info().await?.state.last_sequence)
}

/// In words that every server since 2.9 understands.
fn config(options: &RelayOptions) -> Config {
    Config {
        name: options.bus.stream().to_owned(),
        subjects: vec![options.bus.subjects()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: options.max_age,
        max_bytes: options.max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: options.replicas,
        // The expected sequence is what refuses repetitions. The server remembers each id in
        // memory for as long as this says, at tens of thousands a second.
        duplicate_window: Duration::from_secs(2),
        ..Config::default()
    }
}

fn differs(found: &Config, wanted: &Config) -> bool {
    found.max_age != wanted.max_age
        || found.max_bytes != wanted.max_bytes
        || found.num_replicas != wanted.num_replicas
        || found.duplicate_window != wanted.duplicate_window
}
