//! The appender's own connection, and what became of a call when it was lost.

use super::AppenderOptions;
use super::blame::blame;
use super::call::{Call, Committed};
use super::queued::Queued;
use crate::connecting::connect_within;
use crate::{AppendError, Position};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _, PgConnection, Row};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What is allowed for the way, on top of what the database may take.
const NETWORK_TIME: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ENDING_POLL: Duration = Duration::from_millis(20);

/// Why a call was not committed, as far as that is known.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A unit stands against what is in the log.
    Conflict(sqlx::Error),
    /// The database cannot store what a unit says.
    BadData(sqlx::Error),
    /// The next try may succeed.
    Busy(sqlx::Error),
    /// Rolled back, and a repetition would be too.
    Failed(sqlx::Error),
    /// It may have been committed.
    Unknown(sqlx::Error),
}

/// A connection that comes back.
#[derive(Debug)]
pub(super) struct Connection {
    options: PgConnectOptions,
    call_timeout: Duration,
    live: Option<PgConnection>,
    /// Of the last connection; it may still be at work when we have lost sight of it.
    backend: Option<Backend>,
}

#[derive(Debug, Clone, Copy)]
struct Backend {
    pid: i32,
    /// Numbers of processes are used again.
    started: Option<DateTime<Utc>>,
}

impl Connection {
    pub(super) async fn open(
        options: PgConnectOptions,
        limits: &AppenderOptions,
    ) -> Result<Self, sqlx::Error> {
        let milliseconds = |limit: Duration| format!("{}ms", limit.as_millis());
        let options = options
            .application_name("soko appender")
            .options([
                ("lock_timeout", milliseconds(limits.lock_timeout)),
                ("statement_timeout", milliseconds(limits.statement_timeout)),
                (
                    "idle_in_transaction_session_timeout",
                    milliseconds(limits.statement_timeout),
                ),
            ])
            .disable_statement_logging();
        let mut connection = Self {
            options,
            call_timeout: limits.statement_timeout + NETWORK_TIME,
            live: None,
            backend: None,
        };
        connection.connect().await?;
        Ok(connection)
    }

    pub(super) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    pub(super) async fn head(&mut self) -> Result<Position, sqlx::Error> {
        let head = sqlx::query_scalar("SELECT position FROM log_head")
            .fetch_one(self.live()?)
            .await?;
        Ok(Position::new(head))
    }

    /// Sends a call. After [`Refusal::Unknown`] the connection is gone.
    pub(super) async fn send(&mut self, call: &Call) -> Result<Committed, Refusal> {
        let call_timeout = self.call_timeout;
        let live = self.live().map_err(Refusal::Busy)?;
        let result = match timeout(call_timeout, call.send(live)).await {
            Ok(result) => result,
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        result.map_err(|error| {
            let refusal = Refusal::of(error);
            if refusal.ends_connection() {
                self.live = None;
            }
            refusal
        })
    }

    pub(super) async fn blame(
        &mut self,
        units: &[Queued],
    ) -> Result<HashMap<usize, AppendError>, sqlx::Error> {
        let blamed = blame(units, self.live()?).await;
        if blamed.is_err() {
            self.live = None;
        }
        blamed
    }

    /// A new connection, once it is certain that the old one does nothing any more: a call that
    /// we have lost sight of is committed by then, or will never be.
    pub(super) async fn reconnect(&mut self) -> Result<(), sqlx::Error> {
        let old = self.backend.take();
        let connected = self.connect_after(old).await;
        if connected.is_err() {
            self.live = None;
            // Whoever was found at work last has still to be waited for.
            self.backend = old.or(self.backend);
        }
        connected
    }

    /// Whether a call is in the log whose outcome is not known; it is there whole or not at all,
    /// so one event, or one claim, tells.
    pub(super) async fn outcome(
        &mut self,
        units: &[Queued],
    ) -> Result<Option<Committed>, sqlx::Error> {
        let outcome = find(units, self.live()?).await;
        if outcome.is_err() {
            self.live = None;
        }
        outcome
    }

    async fn connect_after(&mut self, old: Option<Backend>) -> Result<(), sqlx::Error> {
        self.connect().await?;
        if let Some(old) = old {
            end(old, self.live()?).await?;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = connect_within(&self.options, CONNECT_TIMEOUT).await?;
        // An answer means that the unit is durable, whatever the server's own setting says.
        sqlx::query(
            "SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') IN ('off', 'local')",
        )
        .execute(&mut connection)
        .await?;
        let backend = sqlx::query(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        )
        .fetch_one(&mut connection)
        .await?;
        self.backend = Some(Backend {
            pid: backend.try_get(0)?,
            started: backend.try_get(1)?,
        });
        self.live = Some(connection);
        Ok(())
    }

    fn live(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let gone = || sqlx::Error::Io(std::io::ErrorKind::NotConnected.into());
        self.live.as_mut().ok_or_else(gone)
    }

    pub(super) async fn close(&mut self) {
        if let Some(live) = self.live.take() {
            // The server notices the end of the connection either way.
            let _ = live.close().await;
        }
    }
}

impl Refusal {
    fn of(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Encode(_) => Self::BadData(error),
                error => Self::Unknown(error),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        match (&*code, code.get(..2).unwrap_or_default()) {
            ("SK001", _) => Self::Conflict(error),
            ("23505", _) if is_of_a_unit(database.constraint()) => Self::Conflict(error),
            // Serialization, deadlock, lock and statement timeouts.
            ("40001" | "40P01" | "55P03" | "57014", _) => Self::Busy(error),
            (_, "22" | "54") | ("23514" | "23502", _) => Self::BadData(error),
            // The server goes down, or was never quite up.
            (_, "57" | "08") => Self::Unknown(error),
            _ => Self::Failed(error),
        }
    }

    /// After a failure that we have no explanation for (a server that has become read-only) a new
    /// connection may find a better one.
    const fn ends_connection(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Failed(_) => true,
            Self::Conflict(_) | Self::BadData(_) | Self::Busy(_) => false,
        }
    }
}

fn is_of_a_unit(constraint: Option<&str>) -> bool {
    matches!(
        constraint,
        Some("events_stream" | "claims_unique" | "personal_keys_pkey")
    )
}

/// Ends a backend and waits until it is gone. What it had begun is committed or rolled back by
/// the time it leaves the list.
async fn end(backend: Backend, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    loop {
        let found: Option<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid = $1 AND backend_start IS NOT DISTINCT FROM $2",
        )
        .bind(backend.pid)
        .bind(backend.started)
        .fetch_optional(&mut *connection)
        .await?;
        if found.is_none() {
            return Ok(());
        }
        sleep(ENDING_POLL).await;
    }
}

async fn find(
    units: &[Queued],
    connection: &mut PgConnection,
) -> Result<Option<Committed>, sqlx::Error> {
    for Queued { unit, .. } in units {
        let row = if let Some(event) = unit.events.first() {
            sqlx::query(
                "SELECT position - 1, recorded_at FROM events WHERE aggregate_type = $1 \
                 AND aggregate_id = $2 AND sequence = $3 \
                 AND coalesce(metadata ->> 'command_id', metadata ->> 'correlation') = $4",
            )
            .bind(event.stream_type)
            .bind(event.stream_id.to_string())
            .bind(i64::try_from(event.sequence).unwrap_or(i64::MAX))
            .bind(unit.metadata.command_id.to_string())
            .fetch_optional(&mut *connection)
            .await?
        } else if let Some(claim) = unit.claims.first() {
            sqlx::query(
                "SELECT position, claimed_at FROM claims \
                 WHERE kind = $1 AND value = $2 AND command_id = $3",
            )
            .bind(claim.kind.as_str())
            .bind(&claim.value)
            .bind(unit.metadata.command_id)
            .fetch_optional(&mut *connection)
            .await?
        } else {
            // It leaves no trace, and may be sent twice.
            continue;
        };
        // No unit before this one has events, so this is where the call began.
        if let Some(row) = row {
            return Ok(Some(Committed {
                base: Position::new(row.try_get(0)?),
                recorded_at: row.try_get(1)?,
            }));
        }
        // A claim may have been released again since; an event stays.
        if !unit.events.is_empty() {
            break;
        }
    }
    Ok(None)
}
