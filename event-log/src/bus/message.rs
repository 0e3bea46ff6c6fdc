//! An event as a message: everything the log knows of it, as JSON, so that whoever reads it needs
//! no database.

use crate::{Position, StoredEvent};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use soko_domain::TenantId;
use std::borrow::Cow;

/// Events that are longer stand in the stream without a body, and are read from the log. Servers
/// take up to a megabyte unless told otherwise.
const BODY_BYTES_MAX: usize = 512 * 1024;

/// About what a message takes beside its texts.
const HEAD_BYTES: usize = 320;

const PARTITIONS: u32 = 16;

/// A message as it is written: the texts are added as they are stored.
#[derive(Debug, Serialize)]
struct Head<'a> {
    position: Position,
    tenant_id: TenantId,
    stream_type: &'a str,
    stream_id: &'a str,
    sequence: u64,
    event_type: &'a str,
    event_version: &'a str,
    recorded_at: String,
}

/// A message as it is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    position: Position,
    tenant_id: TenantId,
    #[serde(borrow)]
    stream_type: Cow<'a, str>,
    #[serde(borrow)]
    stream_id: Cow<'a, str>,
    sequence: u64,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    event_version: Cow<'a, str>,
    recorded_at: Cow<'a, str>,
    /// The stored texts, as they are.
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl<'a> Message<'a> {
    /// The body of the message for an event: the same event gives the same bytes. Empty if they
    /// are too many.
    pub(crate) fn body<S: AsRef<str>>(stored: &StoredEvent<S>) -> Bytes {
        let (payload, metadata) = (stored.payload.as_ref(), stored.metadata.as_ref());
        if payload.len() + metadata.len() > BODY_BYTES_MAX {
            return Bytes::new();
        }
        let mut body = Vec::with_capacity(payload.len() + metadata.len() + HEAD_BYTES);
        if serde_json::to_writer(&mut body, &Head::of(stored)).is_err() {
            return Bytes::new();
        }
        // The object goes on. What the log stores as JSON need not be parsed once more.
        body.pop();
        for (name, text) in [("metadata", metadata), ("payload", payload)] {
            body.extend_from_slice(b",\"");
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(b"\":");
            body.extend_from_slice(text.as_bytes());
        }
        body.push(b'}');
        body.into()
    }

    /// What the log has, as far as the message says it; None if it is no message of ours or has
    /// no body.
    pub(crate) fn read(body: &'a [u8]) -> Option<StoredEvent<Cow<'a, str>>> {
        let message: Self = serde_json::from_slice(body).ok()?;
        let recorded_at = DateTime::parse_from_rfc3339(&message.recorded_at).ok()?;
        Some(StoredEvent {
            position: message.position,
            tenant_id: message.tenant_id,
            stream_type: message.stream_type,
            stream_id: message.stream_id,
            sequence: message.sequence,
            event_type: message.event_type,
            event_version: message.event_version,
            payload: message.payload.get().into(),
            metadata: message.metadata.get().into(),
            recorded_at: recorded_at.with_timezone(&Utc),
        })
    }
}

impl<'a> Head<'a> {
    fn of<S: AsRef<str>>(stored: &'a StoredEvent<S>) -> Self {
        Self {
            position: stored.position,
            tenant_id: stored.tenant_id,
            stream_type: stored.stream_type.as_ref(),
            stream_id: stored.stream_id.as_ref(),
            sequence: stored.sequence,
            event_type: stored.event_type.as_ref(),
            event_version: stored.event_version.as_ref(),
            recorded_at: stored
                .recorded_at
                .to_rfc3339_opts(SecondsFormat::Micros, true),
        }
    }
}

/// `<prefix>.<partition 00 to 15>.<stream type>`. All events of one stream share a partition, so
/// readers of different partitions never meet the same aggregate.
pub(crate) fn subject_of<S: AsRef<str>>(prefix: &str, stored: &StoredEvent<S>) -> String {
    let stream_type = stored.stream_type.as_ref();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    // A name with dots or stars would be another subject.
    let stream_type = if !stream_type.is_empty() && stream_type.bytes().all(is_token) {
        stream_type
    } else {
        "unknown"
    };
    let partition = fnv_1a(stored.stream_id.as_ref()) % PARTITIONS;
    format!("{prefix}.{partition:02}.{stream_type}")
}

/// FNV-1a with 32 bits: others can compute the partition too.
fn fnv_1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fnv_1a_is_the_published_function() {
        assert_eq!(fnv_1a(""), 0x811c_9dc5);
        assert_eq!(fnv_1a("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn a_subject_names_partition_and_stream_type() {
        let stored = stored("stock", "{}");
        assert_eq!(subject_of("soko.log", &stored), "soko.log.08.stock");
    }

    #[test]
    fn a_stream_type_that_is_no_token_stays_inside_the_prefix() {
        for name in ["", "a.b", ">", "*", "a b", "ä"] {
            let stored = stored(name, "{}");
            assert!(subject_of("soko", &stored).ends_with(".unknown"), "{name}");
        }
    }

    #[test]
    fn a_body_that_is_too_long_is_left_out() {
        let payload = format!("\"{}\"", "x".repeat(BODY_BYTES_MAX));
        let body = Message::body(&stored("stock", &payload));
        assert!(body.is_empty());
        assert_eq!(Message::read(&body), None);
    }

    #[test]
    fn what_is_no_message_reads_as_none() {
        assert_eq!(Message::read(b"null"), None);
        assert_eq!(Message::read(b"{\"position\":1}"), None);
        assert_eq!(Message::read(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn an_event_comes_back_as_it_was(
            stream_type in ".*",
            event_type in ".*",
            text in ".*",
            micros in -1_000_000_000_000_000_i64..4_000_000_000_000_000,
        ) {
            let payload = serde_json::to_string(&serde_json::json!({ "text": text })).unwrap();
            let stored = StoredEvent {
                event_type,
                recorded_at: DateTime::from_timestamp_micros(micros).unwrap(),
                ..stored(&stream_type, &payload)
            };
            let body = Message::body(&stored);
            let read = Message::read(&body).unwrap();
            prop_assert_eq!(read.position, stored.position);
            prop_assert_eq!(read.tenant_id, stored.tenant_id);
            prop_assert_eq!(read.stream_type, stored.stream_type);
            prop_assert_eq!(read.stream_id, stored.stream_id);
            prop_assert_eq!(read.sequence, stored.sequence);
            prop_assert_eq!(read.event_type, stored.event_type);
            prop_assert_eq!(read.event_version, stored.event_version);
            prop_assert_eq!(read.payload, stored.payload);
            prop_assert_eq!(read.metadata, stored.metadata);
            prop_assert_eq!(read.recorded_at, stored.recorded_at);
        }
    }

    fn stored(stream_type: &str, payload: &str) -> StoredEvent {
        StoredEvent {
            position: Position::new(7),
            tenant_id: TenantId::PLATFORM,
            stream_type: stream_type.into(),
            stream_id: "0192a000-0000-7000-8000-000000000001".into(),
            sequence: 3,
            event_type: "stock.ran_low".into(),
            event_version: "1".into(),
            payload: payload.into(),
            metadata: r#"{"actor":"guest"}"#.into(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }
}
