//! Private servers for one run, with everything durable.

use soko_commands::{Engine, EngineOptions};
use soko_embedded::{Durability, Postgres, PostgresOptions};
use soko_event_log::{Appender, MasterKey, MasterKeys, Vault};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use std::error::Error;
use std::path::Path;
use uuid::Uuid;

/// A PostgreSQL with `fsync` on, the way `soko serve` runs its own.
pub(crate) struct Server {
    postgres: Postgres,
}

/// A database of its own, migrated.
pub(crate) struct Database {
    pub url: String,
    pub options: PgConnectOptions,
    pub pool: PgPool,
}

/// A table as large as the server's memory: one row fills one page.
const WARM_UP: [&str; 3] = [
    "CREATE TABLE filler (page text); ALTER TABLE filler ALTER page SET STORAGE PLAIN",
    "INSERT INTO filler SELECT repeat('x', 8000) FROM generate_series(1, (
        SELECT setting::int FROM pg_settings WHERE name = 'shared_buffers'))",
    "CHECKPOINT",
];

impl Database {
    pub(crate) fn engine(&self, appender: &Appender) -> Engine {
        let masters = MasterKeys::new(MasterKey::for_tests(), []);
        let vault = Vault::new(self.pool.clone(), masters);
        Engine::new(
            appender.clone(),
            self.pool.clone(),
            vault,
            EngineOptions::default(),
        )
    }
}

impl Server {
    pub(crate) async fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let options = PostgresOptions {
            durability: Durability::Full,
            ..Default::default()
        };
        let server = Self {
            postgres: Postgres::start(folder, options).await?,
        };
        server.warm_up().await?;
        Ok(server)
    }

    /// Brings a new server to where any other is after its first busy minutes: its memory has been
    /// touched, and there are files of the write-ahead log to use again. Until then each append
    /// and each insert of pgbench pays the kernel for both.
    async fn warm_up(&self) -> Result<(), Box<dyn Error>> {
        let url = self.empty_database().await?;
        let mut connection = PgConnection::connect(&url).await?;
        for statement in WARM_UP {
            sqlx::raw_sql(statement).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    pub(crate) fn programs(&self) -> &Path {
        self.postgres.programs()
    }

    /// A new database without tables, on a server as quiet as at its start: what earlier cases
    /// left behind would be vacuumed and written out at the cost of the next.
    pub(crate) async fn empty_database(&self) -> Result<String, Box<dyn Error>> {
        let name = format!("bench_{}", Uuid::now_v7().simple());
        let url = self.postgres.url();
        let mut connection = PgConnection::connect(&url).await?;
        let earlier: Vec<String> =
            sqlx::query_scalar("SELECT datname FROM pg_database WHERE datname LIKE 'bench\\_%'")
                .fetch_all(&mut connection)
                .await?;
        for earlier in earlier {
            sqlx::raw_sql(&format!("DROP DATABASE {earlier} WITH (FORCE)"))
                .execute(&mut connection)
                .await?;
        }
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
        sqlx::raw_sql(&format!("CREATE DATABASE {name}"))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        let (server, _) = url.rsplit_once('/').ok_or("a URL without a database")?;
        Ok(format!("{server}/{name}"))
    }

    pub(crate) async fn database(&self) -> Result<Database, Box<dyn Error>> {
        let url = self.empty_database().await?;
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        soko_event_log::MIGRATOR.run(&pool).await?;
        Ok(Database { url, options, pool })
    }

    pub(crate) async fn stop(self) -> Result<(), Box<dyn Error>> {
        Ok(self.postgres.stop().await?)
    }
}
