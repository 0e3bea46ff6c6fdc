//! Connections to Postgres: who they are, and how long they may wait.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use crate::config::Config;

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Connections of the parts that project and follow.
const PART_CONNECTIONS_MAX: u32 = 40;

/// The role with no more rights than serving needs: it cannot change the log but by appending.
const ROLE: &str = "soko_app";

/// How the parts of this process connect.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    has_role: bool,
}

impl Database {
    /// Looks whether the role of the application is there: whoever migrated may not have been
    /// allowed to make it. Without it the parts have the rights of the login.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn new(options: PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = options.connect().await?;
        let has_role: bool = sqlx::query_scalar(
            "SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $1), false)",
        )
        .bind(ROLE)
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        if !has_role {
            tracing::warn!("the login is not a member of {ROLE}: it serves with all rights it has");
        }
        Ok(Self { options, has_role })
    }

    /// For one connection of a part that appends or relays. It waits for nobody's lock for long,
    /// and holds none when its process hangs.
    pub fn part(&self, part: &str) -> PgConnectOptions {
        let limits = [
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ];
        self.connecting_as(part).options(limits)
    }

    /// For the parts that project and follow: each takes what it needs and keeps it.
    pub fn part_pool(&self, part: &str) -> PgPool {
        PgPoolOptions::new()
            .max_connections(PART_CONNECTIONS_MAX)
            .idle_timeout(IDLE_TIMEOUT)
            .connect_lazy_with(self.part(part))
    }

    /// The pool that requests are answered from.
    pub fn query_pool(&self, config: &Config) -> PgPool {
        let options = self.connecting_as("api").options([
            ("lock_timeout", "2s"),
            ("statement_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "5s"),
        ]);
        PgPoolOptions::new()
            .max_connections(config.database_connections.get())
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            // A round trip for every query otherwise; a broken connection shows itself soon enough.
            .test_before_acquire(false)
            .connect_lazy_with(options)
    }

    fn connecting_as(&self, part: &str) -> PgConnectOptions {
        let options = self
            .options
            .clone()
            .application_name(&format!("soko {part}"));
        if self.has_role {
            options.options([("role", ROLE)])
        } else {
            options
        }
    }
}
