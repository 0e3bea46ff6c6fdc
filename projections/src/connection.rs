//! Connections that fold: one each, set for writing sets of rows by their keys.

use soko_event_log::connect_in_time;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool};

/// Which advisory locks are ours: the first half of the key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LockKind {
    /// Held by the one active worker of a model.
    Fold = 0x736f_6b01,
    /// Held by whoever builds a model's next table.
    Build = 0x736f_6b02,
}

/// A connection outside the pool, for as long as a worker or a rebuild lives.
///
/// Commits need not wait for the disk: what a crash forgets is folded again, since the rows and the
/// checkpoint are forgotten together. The plans are the obvious ones, by key, whatever the
/// statistics of a young table say.
pub(crate) async fn connect(pool: &PgPool, purpose: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = (*pool.connect_options()).clone();
    let options = options
        .application_name(&format!("soko {purpose}"))
        .options([
            ("synchronous_commit", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
            ("maintenance_work_mem", "128MB"),
            // A build writes a table and its indexes, however the pool bounds what it is asked.
            ("statement_timeout", "0"),
        ]);
    connect_in_time(&options).await
}

/// Takes a lock that ends with the connection; false if somebody else has it.
pub(crate) async fn try_lock(
    connection: &mut PgConnection,
    kind: LockKind,
    model: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
        .bind(kind as i32)
        .bind(model)
        .fetch_one(connection)
        .await
}

/// Gives a lock back for the next at once: the database may take its time to notice that a
/// connection has ended.
pub(crate) async fn unlock(
    connection: &mut PgConnection,
    kind: LockKind,
    model: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock($1, hashtext($2))")
        .bind(kind as i32)
        .bind(model)
        .execute(connection)
        .await?;
    Ok(())
}
