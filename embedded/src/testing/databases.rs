use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;

use super::meeting::{Started, join};
use crate::process::Lifeline;
use crate::{Durability, Postgres, PostgresOptions, SocketLogin};

const POOL_CONNECTIONS_MAX: u32 = 20;

/// For all tests that run at once.
const SERVER_CONNECTIONS_MAX: u16 = 400;

/// Its log may lie in memory. Each new database makes a checkpoint, so it needs little.
const LOG_SIZES: [(&str, &str); 2] = [("min_wal_size", "128MB"), ("max_wal_size", "512MB")];

/// Migrations make roles, which all databases share: only one at a time.
const MIGRATION_LOCK: i64 = 0x736f_6b6f;

const DISCONNECT_LOOKS_MAX: u32 = 50;

const DISCONNECT_POLL: Duration = Duration::from_millis(2);

/// A database that cannot be dropped in this time is left behind: no test waits for it longer.
const DROP_STATEMENT_TIMEOUT: &str = "10s";

/// With what comes before the statement.
const DROP_TIMEOUT: Duration = Duration::from_secs(15);

/// Databases are kept for a look at them when this variable is set.
const KEEP: &str = "SOKO_TEST_KEEP_DATABASES";

/// A migrated database that nobody else uses; it is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: String,
    pool: PgPool,
}

impl TestDatabase {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// By TCP: for a test that puts something between itself and the server.
    pub fn url_by_tcp(&self) -> &str {
        self.url.split_once('?').map_or(&self.url, |(url, _)| url)
    }

    /// Where the whole server is administered.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if env::var_os(KEEP).is_some() {
            return;
        }
        let (name, admin_url) = (self.name.clone(), self.admin_url.clone());
        // The test's own runtime may be the one that is waiting for us.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let dropped = async {
                tokio::time::timeout(DROP_TIMEOUT, drop_database(&admin_url, &name)).await
            };
            runtime
                .block_on(dropped)
                .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
        });
        if let Ok(Err(cause)) = dropping.join() {
            tracing::warn!(database = self.name, %cause, "a test database was left behind");
        }
    }
}

/// `DROP DATABASE … WITH (FORCE)` alone looks only every 100 ms whether the
/// connections it ended are gone.
async fn drop_database(admin_url: &str, name: &str) -> Result<(), sqlx::Error> {
    let options: PgConnectOptions = admin_url.parse()?;
    let limit = [("statement_timeout", DROP_STATEMENT_TIMEOUT)];
    let mut admin = options.options(limit).connect().await?;
    for _ in 0..DISCONNECT_LOOKS_MAX {
        let ended = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
        );
        if ended.bind(name).fetch_all(&mut admin).await?.is_empty() {
            break;
        }
        tokio::time::sleep(DISCONNECT_POLL).await;
    }
    let drop_it = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::query(&drop_it).execute(&mut admin).await?;
    admin.close().await
}

/// A new database with these migrations applied, copied from a template that
/// the first test makes.
///
/// # Panics
///
/// When there is no PostgreSQL, or the migrations fail.
pub async fn fresh_database(migrations: &Migrator) -> TestDatabase {
    let admin_url = admin_url().await;
    match copy_of_template(&admin_url, migrations).await {
        Ok(database) => database,
        Err(cause) => panic!("no database for this test: {cause}"),
    }
}

pub(super) async fn admin_url() -> String {
    static ADMIN_URL: OnceCell<String> = OnceCell::const_new();
    let url = ADMIN_URL.get_or_init(async || match env::var("SOKO_TEST_DATABASE_URL") {
        Ok(url) => url,
        Err(_) => join("postgres", start)
            .await
            .unwrap_or_else(|cause| panic!("the test processes cannot meet: {cause}")),
    });
    url.await.clone()
}

async fn start(scratch: &Path, lifeline: Lifeline) -> Started {
    let options = PostgresOptions {
        durability: Durability::None,
        // A test that waits for its database to be dropped cannot answer for its connections.
        socket_login: SocketLogin::Trusted,
        max_connections: SERVER_CONNECTIONS_MAX,
        settings: LOG_SIZES
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        ..PostgresOptions::default()
    };
    let server = Postgres::start_with(&scratch.join("server"), options, lifeline)
        .await
        .unwrap_or_else(|cause| panic!("{cause}"));
    let started = Started {
        pids: vec![server.pid()],
        message: server.socket_url(),
    };
    server.leave();
    started
}

async fn copy_of_template(
    admin_url: &str,
    migrations: &Migrator,
) -> Result<TestDatabase, sqlx::Error> {
    let mut admin = connect(admin_url).await?;
    let template = template(&mut admin, admin_url, migrations).await?;
    let name = next_name();
    // Copying files takes half as long as copying through the server's log.
    let copy = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
    sqlx::query(&copy).execute(&mut admin).await?;
    admin.close().await?;

    let url = with_database(admin_url, &name);
    let pool = PgPoolOptions::new()
        .max_connections(POOL_CONNECTIONS_MAX)
        .connect_lazy(&url)?;
    Ok(TestDatabase {
        name,
        url,
        admin_url: admin_url.to_owned(),
        pool,
    })
}

/// The name of a database to copy, made under another name and renamed when it
/// is whole.
async fn template(
    admin: &mut PgConnection,
    admin_url: &str,
    migrations: &Migrator,
) -> Result<String, sqlx::Error> {
    let template = format!("soko_template_{:016x}", digest(migrations));
    if exists(admin, &template).await? {
        return Ok(template);
    }
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *admin)
        .await?;
    if !exists(admin, &template).await? {
        let unfinished = format!("{template}_unfinished");
        for statement in [
            format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
            format!("CREATE DATABASE {unfinished}"),
        ] {
            sqlx::query(&statement).execute(&mut *admin).await?;
        }
        let mut connection = connect(&with_database(admin_url, &unfinished)).await?;
        migrations.run(&mut connection).await?;
        connection.close().await?;
        for statement in [
            format!("ALTER DATABASE {unfinished} ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {unfinished} RENAME TO {template}"),
        ] {
            sqlx::query(&statement).execute(&mut *admin).await?;
        }
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *admin)
        .await?;
    Ok(template)
}

async fn exists(admin: &mut PgConnection, database: &str) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(database)
        .fetch_optional(admin)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    url.parse::<PgConnectOptions>()?.connect().await
}

fn digest(migrations: &Migrator) -> u64 {
    let mut hasher = DefaultHasher::new();
    for migration in migrations.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    hasher.finish()
}

fn with_database(url: &str, database: &str) -> String {
    let (server, parameters) = url.split_once('?').unwrap_or((url, ""));
    let server = match server.match_indices('/').nth(2) {
        Some((slash, _)) => &server[..slash],
        None => server,
    };
    let separator = if parameters.is_empty() { "" } else { "?" };
    format!("{server}/{database}{separator}{parameters}")
}

/// Process ids come again, on a server that outlives the run.
fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_micros();
    format!(
        "test_{}_{}_{now}",
        id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        let url = "postgres://soko:pw@127.0.0.1:5432/postgres?host=/tmp/a/b";
        assert_eq!(
            with_database(url, "x"),
            "postgres://soko:pw@127.0.0.1:5432/x?host=/tmp/a/b"
        );
        assert_eq!(
            with_database("postgres://soko@db", "x"),
            "postgres://soko@db/x"
        );
    }
}
