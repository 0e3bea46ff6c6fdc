//! A connection outside of a pool, in bounded time.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::timeout;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects, or says that the database cannot be reached: a server whose machine hangs takes a
/// connection and never says a word, and sqlx would wait for it for ever.
///
/// # Errors
/// As sqlx has them; [`sqlx::Error::Io`] with [`ErrorKind::TimedOut`] when nobody answers.
pub async fn connect_in_time(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    connect_within(options, CONNECT_TIMEOUT).await
}

pub(crate) async fn connect_within(
    options: &PgConnectOptions,
    limit: Duration,
) -> Result<PgConnection, sqlx::Error> {
    timeout(limit, options.connect())
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_never_answers_is_one_that_cannot_be_reached() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port);
        let refused = connect_within(&options, Duration::from_millis(100)).await;
        assert!(
            matches!(&refused, Err(sqlx::Error::Io(cause)) if cause.kind() == ErrorKind::TimedOut),
            "{refused:?}"
        );
    }
}
