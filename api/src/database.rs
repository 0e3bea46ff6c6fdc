//! Connections to Postgres: who they are, and how long they may wait.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::config::Config;

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

const IDLE_TIMEOUT: Duration = Duration::from_mins(5);

/// Connections of the parts that append, relay and project: they wait for nobody's lock for long,
/// and hold none when their process hangs.
pub fn part_options(database: &PgConnectOptions, part: &str) -> PgConnectOptions {
    database
        .clone()
        .application_name(&format!("soko {part}"))
        .options([
            ("role", "soko_app"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ])
}

/// The pool that requests are answered from.
pub fn query_pool(config: &Config, database: &PgConnectOptions) -> PgPool {
    let options = database.clone().application_name("soko api").options([
        ("role", "soko_app"),
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
