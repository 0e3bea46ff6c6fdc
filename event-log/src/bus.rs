//! What the relay and its readers share: the connection, the names, and the shape of a message.
//!
//! The bus is a cache of the end of the log. Whatever it forgets, repeats or invents, the log is
//! asked.

mod message;

pub(crate) use message::{Message, subject_of};

use crate::Position;
use async_nats::connection::State;
use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event, HeaderMap, ServerAddr};
use std::sync::Arc;
use std::time::Duration;

/// An error of the NATS client, of whatever kind: they are all met in the same way.
pub type BusError = async_nats::Error;

/// The header that says where in the log a message stands. It is the one by which the server itself
/// tells a message from its repetition.
pub const POSITION_HEADER: &str = "Nats-Msg-Id";

/// A connection to NATS, and what our stream and subjects are called there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    context: jetstream::Context,
    prefix: Arc<str>,
    stream: Arc<str>,
}

impl Bus {
    /// How long the server may take for an answer before it counts as lost.
    pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
    /// How soon we notice that the connection is gone.
    pub(crate) const CONNECTION_POLL: Duration = Duration::from_millis(50);

    const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(1);
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
    const PING_INTERVAL: Duration = Duration::from_secs(10);

    /// Connects, and connects again whenever that is necessary: a server that is not there yet is
    /// no error. `urls` are those of one server or, with commas between them, of a cluster's;
    /// `prefix` starts the names of all subjects, and is the stream's.
    ///
    /// # Errors
    /// What is given is no address of a NATS server.
    pub async fn connect(urls: &str, prefix: &str) -> Result<Self, BusError> {
        let servers = urls
            .split(',')
            .map(|url| url.trim().parse())
            .collect::<Result<Vec<ServerAddr>, _>>()?;
        let options = ConnectOptions::new()
            .name(prefix)
            .retry_on_initial_connect()
            .connection_timeout(Self::CONNECT_TIMEOUT)
            .request_timeout(Some(Self::ANSWER_TIMEOUT))
            .ping_interval(Self::PING_INTERVAL)
            .event_callback(async |event| record(&event))
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.min(6)).unwrap_or(6);
                Duration::from_millis(25 << doublings).min(Self::RECONNECT_DELAY_MAX)
            });
        let client = with_credentials(options, &servers).connect(servers).await?;
        Ok(Self::new(client, prefix))
    }

    /// As [`Self::connect`], over a connection that is already there.
    pub fn new(client: Client, prefix: &str) -> Self {
        Self {
            context: ContextBuilder::new()
                .timeout(Self::ANSWER_TIMEOUT)
                .build(client),
            prefix: prefix.into(),
            stream: prefix.replace('.', "_").into(),
        }
    }

    /// The name of the stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// What every subject of the stream matches.
    pub fn subjects(&self) -> String {
        format!("{}.>", self.prefix)
    }

    pub fn is_connected(&self) -> bool {
        self.client().connection_state() == State::Connected
    }

    pub fn client(&self) -> Client {
        self.context.client()
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) const fn context(&self) -> &jetstream::Context {
        &self.context
    }

    pub(crate) async fn connected(&self) {
        while !self.is_connected() {
            tokio::time::sleep(Self::CONNECTION_POLL).await;
        }
    }

    /// The last message of the stream, if it holds any.
    pub(crate) async fn last(
        &self,
        stream: &jetstream::stream::Stream,
    ) -> Result<Option<Last>, BusError> {
        use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
        match stream
            .get_last_raw_message_by_subject(&self.subjects())
            .await
        {
            Ok(message) => Ok(Some(Last {
                sequence: message.sequence,
                position: position_in(&message.headers),
                body: message.payload,
            })),
            Err(error) if error.kind() == NoMessageFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Connecting goes on whatever is the matter, so a wrong password would show nowhere else.
fn record(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to the bus"),
        Event::Disconnected | Event::LameDuckMode => {
            tracing::warn!(%event, "the connection to the bus is lost");
        }
        Event::ServerError(_) | Event::ClientError(_) | Event::SlowConsumer(_) => {
            tracing::warn!(%event, "the bus complains");
        }
        Event::Draining | Event::Closed => tracing::debug!(%event, "the bus is left"),
    }
}

/// The client itself does not look at the user and the password of a URL.
fn with_credentials(options: ConnectOptions, servers: &[ServerAddr]) -> ConnectOptions {
    let named = servers.iter().find_map(|server| {
        let user = percent_decoded(server.username()?);
        Some((user, server.password().map(percent_decoded)))
    });
    match named {
        Some((user, Some(password))) => options.user_and_password(user, password),
        // Without a password it is a token, as for other clients.
        Some((token, None)) => options.token(token),
        None => options,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = text_of(after).and_then(|code| u8::from_str_radix(code, 16).ok());
        if let (b'%', Some(byte)) = (first, code) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.get(..2)?).ok()
}

/// The last message of the stream.
#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) sequence: u64,
    /// None if it is not one of ours.
    pub(crate) position: Option<Position>,
    pub(crate) body: bytes::Bytes,
}

pub(crate) fn position_in(headers: &HeaderMap) -> Option<Position> {
    headers.get(POSITION_HEADER)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_decoded() {
        assert_eq!(percent_decoded("p%40ss%2Fw%C3%B6rd"), "p@ss/wörd");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz%4"), "%zz%4");
        assert_eq!(percent_decoded(""), "");
    }
}
