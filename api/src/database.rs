//! Connections to Postgres: who they are, and how long they may wait.

use std::time::Duration;

use soko_event_log::{ScopedReader, connect_in_time};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};

use crate::config::{Config, Switch};

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A connection that is in use rests no longer than this.
const RESTED: Duration = Duration::from_secs(1);

/// Connections of the parts that project and follow.
const PART_CONNECTIONS_MAX: u32 = 40;

/// Decides, appends and folds for all tenants: it cannot change the log but by appending.
const APPLICATION: &str = "soko_app";

/// Answers: it sees the rows of the scope that a query is asked in, and changes nothing.
const READER: &str = "soko_reader";

/// How the parts of this process connect.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    has_roles: bool,
}

/// Why the parts cannot connect as they should.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the database cannot be reached")]
    Unreachable(#[from] sqlx::Error),
    #[error(
        "the database login is not a member of {0}: grant it, or set SOKO_ROW_SECURITY=off to do \
         without the wall between tenants"
    )]
    NotAMember(&'static str),
    #[error("the role {0} passes by row-level security: take SUPERUSER and BYPASSRLS from it")]
    PassesBy(&'static str),
}

impl Database {
    /// # Errors
    /// [`DatabaseError`]: what keeps tenants apart is not there, or the database is not.
    pub async fn new(options: PgConnectOptions) -> Result<Self, DatabaseError> {
        Self::connect(options, Switch::On).await
    }

    /// Without row security a login that has none of the roles does: whoever migrated may not have
    /// been allowed to make them. The parts then have the rights of the login.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn connect(
        options: PgConnectOptions,
        row_security: Switch,
    ) -> Result<Self, DatabaseError> {
        let mut connection = connect_in_time(&options).await?;
        let mut missing = None;
        for role in [APPLICATION, READER] {
            let found: Option<(bool, bool)> = sqlx::query_as(
                "SELECT pg_has_role(oid, 'MEMBER'), rolsuper OR rolbypassrls \
                 FROM pg_roles WHERE rolname = $1",
            )
            .bind(role)
            .fetch_optional(&mut connection)
            .await?;
            match found {
                Some((true, true)) => return Err(DatabaseError::PassesBy(role)),
                Some((true, false)) => (),
                Some((false, _)) | None => missing = Some(role),
            }
        }
        connection.close().await?;
        match (missing, row_security) {
            (None, Switch::On | Switch::Off) => (),
            (Some(role), Switch::On) => return Err(DatabaseError::NotAMember(role)),
            (Some(role), Switch::Off) => tracing::error!(
                "row-level security is off, and the login is not a member of {role}: \
                 it serves with all rights it has, and nothing but the queries keeps tenants apart"
            ),
        }
        Ok(Self {
            options,
            has_roles: missing.is_none(),
        })
    }

    /// For one connection of a part that appends or relays. It waits for nobody's lock for long,
    /// and holds none when its process hangs.
    pub fn part(&self, part: &str) -> PgConnectOptions {
        let limits = [
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ];
        self.connecting_as(part, APPLICATION).options(limits)
    }

    /// For the parts that project and follow: each takes what it needs and keeps it.
    pub fn part_pool(&self, part: &str) -> PgPool {
        PgPoolOptions::new()
            .max_connections(PART_CONNECTIONS_MAX)
            .idle_timeout(IDLE_TIMEOUT)
            .connect_lazy_with(self.part(part))
    }

    /// What requests change and look up that belongs to no tenant, and what commands are decided
    /// on.
    pub fn query_pool(&self, config: &Config) -> PgPool {
        request_pool(config, self.connecting_as("api", APPLICATION))
    }

    /// What requests are answered from.
    pub fn reader(&self, config: &Config) -> ScopedReader {
        let options = self.connecting_as("api reader", READER);
        let options = options.options([("default_transaction_read_only", "on")]);
        let pool = request_pool(config, options);
        if self.has_roles {
            ScopedReader::new(pool)
        } else {
            ScopedReader::without_wall(pool)
        }
    }

    fn connecting_as(&self, part: &str, role: &str) -> PgConnectOptions {
        let options = self
            .options
            .clone()
            .application_name(&format!("soko {part}"));
        if self.has_roles {
            options.options([("role", role)])
        } else {
            options
        }
    }
}

fn request_pool(config: &Config, options: PgConnectOptions) -> PgPool {
    let options = options.options([
        ("lock_timeout", "2s"),
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ]);
    PgPoolOptions::new()
        .max_connections(config.database_connections.get())
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        // A round trip for every query otherwise. Only those that have rested are tried, so that
        // what was broken meanwhile is not first noticed by somebody's request.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < RESTED || connection.ping().await.is_ok()) })
        })
        .connect_lazy_with(options)
}
