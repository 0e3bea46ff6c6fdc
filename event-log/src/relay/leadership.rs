//! Being the one relay of a log: an advisory lock, held by the connection that reads the log.
//!
//! Whoever loses the connection loses the lock and can read no further, so two relays cannot both
//! go on. What the first had already sent is refused by the sequence it expects.

use super::RelayError;
use crate::bus::{Message, subject_of};
use crate::connecting::connect_in_time;
use crate::{Position, ReadError, StoredEvent, read};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

/// A database that takes longer for a page is as good as gone.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Leadership {
    connection: PgConnection,
}

/// An event, ready to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) position: Position,
    pub(super) subject: String,
    pub(super) body: Bytes,
}

impl Leadership {
    /// How often a standby asks whether the leader is gone. It does not wait in the database,
    /// because a statement that waits keeps old rows from being vacuumed.
    const STANDBY_POLL: Duration = Duration::from_millis(500);

    /// Waits until no other relay leads.
    pub(super) async fn win(
        database: &PgConnectOptions,
        stream: &str,
    ) -> Result<Self, sqlx::Error> {
        let options = database.clone().application_name("soko-relay");
        let mut connection = connect_in_time(&options.disable_statement_logging()).await?;
        // A leader whose machine vanishes must not stay the leader for hours.
        let keep_alive = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; \
                          SET tcp_keepalives_count = 3";
        connection.execute(keep_alive).await?;
        loop {
            let is_won: bool =
                sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
                    .bind(format!("soko.relay.{stream}"))
                    .fetch_one(&mut connection)
                    .await?;
            if is_won {
                return Ok(Self { connection });
            }
            tokio::time::sleep(Self::STANDBY_POLL).await;
        }
    }

    pub(super) async fn page(
        &mut self,
        after: Position,
        limit: usize,
        prefix: &str,
    ) -> Result<Vec<Outgoing>, RelayError> {
        let rows = in_time(read::page(&mut self.connection, after, limit).boxed()).await?;
        rows.iter()
            .map(|row| Ok(Outgoing::of(&read::stored(row).map_err(lost)?, prefix)))
            .collect()
    }

    pub(super) async fn head(&mut self) -> Result<Position, RelayError> {
        in_time(read::head(&mut self.connection).boxed()).await
    }
}

impl Outgoing {
    fn of(stored: &StoredEvent<&str>, prefix: &str) -> Self {
        Self {
            position: stored.position,
            subject: subject_of(prefix, stored),
            body: Message::body(stored),
        }
    }
}

/// Boxed, because the compiler cannot see that what sqlx does with a borrowed connection is `Send`.
async fn in_time<T>(reading: BoxFuture<'_, Result<T, ReadError>>) -> Result<T, RelayError> {
    let found = timeout(READ_TIMEOUT, reading).await;
    let too_slow = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    found
        .unwrap_or_else(|_| Err(too_slow().into()))
        .map_err(lost)
}

fn lost(error: ReadError) -> RelayError {
    match error {
        ReadError::Database(cause) => RelayError::LeadershipLost(cause),
        other => RelayError::Log(other),
    }
}
