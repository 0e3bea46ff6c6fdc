//! A Postgres and a NATS of our own when none is given.

use std::path::Path;

use soko_embedded::{EmbeddedError, Kept, Nats, NatsOptions, Postgres, PostgresOptions};
use sqlx::postgres::PgConnectOptions;

use crate::config::{Config, NatsServer};

/// Where the data and the events are, and the private servers that are there for it.
pub struct Servers {
    pub database: PgConnectOptions,
    /// `None` if workers read the log itself.
    pub nats_url: Option<String>,
    postgres: Option<Kept>,
    nats: Option<Kept>,
}

/// Why there is no server to use.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    #[error("no private server could be started")]
    Embedded(#[from] EmbeddedError),
    #[error("the private PostgreSQL gave an address that is none")]
    Address(#[source] sqlx::Error),
    #[error(
        "no DATABASE_URL is set, and no private PostgreSQL is running in {0}: start `soko serve`"
    )]
    NotRunning(String),
}

impl Servers {
    /// The servers of the settings; for those that are not set private ones, which are started again
    /// if they crash, and stop with this process.
    ///
    /// # Errors
    /// A private server could not be started.
    pub async fn start(config: &Config) -> Result<Self, ServersError> {
        // Both take a moment, so both at once.
        let (postgres, nats) = tokio::join!(postgres(config), nats(config));
        let (postgres, nats) = (postgres?, nats?);
        let database = match (&config.database_url, &postgres) {
            (Some(database), _) => database.clone(),
            (None, Some(postgres)) => address(&postgres.socket_url())?,
            (None, None) => return Err(ServersError::NotRunning(folder(config))),
        };
        let nats_url = match &config.nats {
            Some(NatsServer::Url(url)) => Some(url.clone()),
            Some(NatsServer::Off) => None,
            None => nats.as_ref().map(Nats::url),
        };
        Ok(Self {
            database,
            nats_url,
            postgres: postgres.map(Kept::postgres),
            nats: nats.map(Kept::nats),
        })
    }

    /// The servers of the settings, or the private ones that `soko serve` runs on the same folder.
    ///
    /// # Errors
    /// There is no database.
    pub fn join(config: &Config) -> Result<Self, ServersError> {
        let database = if let Some(database) = &config.database_url {
            database.clone()
        } else {
            let url = Postgres::url_in(&config.data_dir.join("postgres"));
            address(&url.ok_or_else(|| ServersError::NotRunning(folder(config)))?)?
        };
        let nats_url = match &config.nats {
            Some(NatsServer::Url(url)) => Some(url.clone()),
            Some(NatsServer::Off) => None,
            None => Nats::url_in(&config.data_dir.join("nats")),
        };
        Ok(Self {
            database,
            nats_url,
            postgres: None,
            nats: None,
        })
    }

    /// Joins servers that run, and starts private ones otherwise.
    ///
    /// # Errors
    /// A private server could not be started.
    pub async fn join_or_start(config: &Config) -> Result<Self, ServersError> {
        match Self::join(config) {
            Ok(servers) => Ok(servers),
            Err(_) => Self::start(config).await,
        }
    }

    /// Stops the private servers and waits for their end.
    pub async fn stop(self) {
        if let Some(nats) = self.nats
            && let Err(cause) = nats.stop().await
        {
            tracing::warn!(%cause, "the private NATS did not stop cleanly");
        }
        if let Some(postgres) = self.postgres
            && let Err(cause) = postgres.stop().await
        {
            tracing::warn!(%cause, "the private PostgreSQL did not stop cleanly");
        }
    }
}

async fn postgres(config: &Config) -> Result<Option<Postgres>, EmbeddedError> {
    if config.database_url.is_some() {
        return Ok(None);
    }
    let folder = config.data_dir.join("postgres");
    let postgres = Postgres::start(&folder, PostgresOptions::default()).await?;
    tracing::info!(port = postgres.port(), folder = %folder.display(), "a private PostgreSQL runs");
    Ok(Some(postgres))
}

async fn nats(config: &Config) -> Result<Option<Nats>, EmbeddedError> {
    if config.nats.is_some() {
        return Ok(None);
    }
    if Nats::find().is_none() {
        tracing::info!("no nats-server is installed: workers read the log itself");
        return Ok(None);
    }
    let folder = config.data_dir.join("nats");
    let nats = Nats::start(&folder, NatsOptions::default()).await?;
    tracing::info!(port = nats.port(), folder = %folder.display(), "a private NATS runs");
    Ok(Some(nats))
}

fn address(url: &str) -> Result<PgConnectOptions, ServersError> {
    url.parse().map_err(ServersError::Address)
}

fn folder(config: &Config) -> String {
    let folder: &Path = &config.data_dir;
    folder.display().to_string()
}
