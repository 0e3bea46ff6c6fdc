//! How this process hears of what is new in the log: over NATS where there is one, else from the log
//! itself.

use async_nats::ConnectOptions;
use soko_event_log::{
    Bus, BusError, Feed, FeedOptions, JetStream, JetStreamOptions, LogReader, Position, ReadError,
    Subscription, Tail,
};
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::Config;

/// What our subjects and our stream are called.
const PREFIX: &str = "soko";

/// Why there is no connection to NATS; a server that is not there yet is no reason.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("NATS_URL cannot be used")]
    Address(#[source] BusError),
    #[error("SOKO_NATS_CREDENTIALS cannot be read")]
    Credentials(#[source] std::io::Error),
}

/// # Errors
/// [`ConnectError`]
pub async fn connect(config: &Config, url: &str) -> Result<Bus, ConnectError> {
    let Some(file) = &config.nats_credentials else {
        return Bus::connect(url, PREFIX)
            .await
            .map_err(ConnectError::Address);
    };
    let options = ConnectOptions::new()
        .retry_on_initial_connect()
        .name(PREFIX);
    let options = options
        .credentials_file(file)
        .await
        .map_err(ConnectError::Credentials)?;
    let servers: Vec<_> = url.split(',').map(str::trim).collect();
    let client = options.connect(servers).await;
    let client = client.map_err(|cause| ConnectError::Address(Box::new(cause)))?;
    Ok(Bus::new(client, PREFIX))
}

/// What is new from now on, for all that follow the log in this process. `head` tells of what this
/// process appends itself.
///
/// # Errors
/// The log cannot be read.
pub async fn feed(
    bus: Option<&Bus>,
    pool: PgPool,
    head: Option<watch::Receiver<Position>>,
) -> Result<Feed, ReadError> {
    let reader = LogReader::new(pool);
    let from = reader.head().await?;
    let subscription: Box<dyn Subscription> = match (bus, head) {
        (Some(bus), _) => {
            // Another name for each process: it is forgotten soon after the process has ended.
            let name = format!("{PREFIX}-{}", Uuid::now_v7());
            let options = JetStreamOptions::new(bus.clone(), name);
            Box::new(JetStream::new(options, reader.clone(), from))
        }
        (None, Some(head)) => Box::new(Tail::new(reader.clone(), from).woken_by(head)),
        (None, None) => Box::new(Tail::new(reader.clone(), from)),
    };
    Ok(Feed::start(
        subscription,
        reader,
        from,
        FeedOptions::default(),
    ))
}
