//! Starts the parts that a process consists of, and stops them in order.

use std::net::SocketAddr;
use std::sync::Arc;

use soko_event_log::ReadError;
use soko_projections::Freshness;
use sqlx::{ConnectOptions, Connection};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinError;

use crate::app::{App, AppError};
use crate::config::Config;
use crate::database::Database;
use crate::embedded::{Servers, ServersError};
use crate::http;
use crate::seed::{self, SeedError};
use crate::workers::{self, UnknownModel, Workers};

/// What a process is for.
#[derive(Debug, Clone)]
pub enum Part {
    /// All parts, and private servers for those that are not set.
    Everything,
    Api,
    /// The read models with these names; all of them if there are none.
    Workers(Vec<String>),
    Migrations,
    /// A demo market.
    Seed,
}

/// Why the process ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Servers(#[from] ServersError),
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be brought to its newest form")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the parts could not be put together")]
    App(#[from] AppError),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    #[error("HTTP cannot be served at {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the HTTP server ended")]
    Server(#[source] std::io::Error),
}

/// Runs until the part is done, or the process is asked to stop.
///
/// # Errors
/// Why the part could not be started, or ended by itself.
pub fn run(config: Config, part: Part) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    runtime.block_on(async {
        let mut stop = StopSignals::new().map_err(RunError::Runtime)?;
        let servers = async {
            match part {
                Part::Everything | Part::Migrations => Servers::start(&config).await,
                Part::Seed => Servers::join_or_start(&config).await,
                Part::Api | Part::Workers(_) => Servers::join(&config),
            }
        };
        let servers = tokio::select! {
            servers = servers => servers?,
            () = stop.received() => return Ok(()),
        };
        let ended = with_servers(config, part, &servers, &mut stop).await;
        servers.stop().await;
        ended
    })
}

async fn with_servers(
    config: Config,
    part: Part,
    servers: &Servers,
    stop: &mut StopSignals,
) -> Result<(), RunError> {
    migrate(servers).await?;
    match part {
        Part::Migrations => Ok(()),
        Part::Everything => serve(config, servers, Some(&[]), stop).await,
        Part::Api => serve(config, servers, None, stop).await,
        Part::Seed => fill(config, servers).await,
        Part::Workers(names) => work(servers, &names, stop).await,
    }
}

/// The demo market; the log-ins are what this prints.
async fn fill(config: Config, servers: &Servers) -> Result<(), RunError> {
    let database = Database::new(servers.database.clone()).await?;
    let freshness = Freshness::new(database.part_pool("seed"));
    let app = App::build(config, &database, freshness).await?;
    let made = seed::run(&app).await;
    app.close().await;
    print(&made?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the command was asked for")]
fn print(text: &str) {
    println!("{text}");
}

/// Several processes may start at once: the migrator has them take turns.
async fn migrate(servers: &Servers) -> Result<(), RunError> {
    let mut connection = servers.database.connect().await?;
    soko_event_log::MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// HTTP, with the workers of these models beside it, if any are to be.
async fn serve(
    config: Config,
    servers: &Servers,
    models: Option<&[String]>,
    stop: &mut StopSignals,
) -> Result<(), RunError> {
    let database = Database::new(servers.database.clone()).await?;
    let pool = database.part_pool("workers");
    let freshness = Freshness::new(pool.clone());
    let listen_at = config.address();
    let app = App::build(config, &database, freshness.clone()).await?;
    let workers = match models {
        Some(names) => {
            let models = workers::named(names)?;
            Some(Workers::start(models, pool, freshness, Some(app.head())).await?)
        }
        None => None,
    };
    let ended = serve_http(&app, listen_at, stop).await;
    if let Some(workers) = workers {
        workers.stop().await;
    }
    app.close().await;
    ended
}

async fn serve_http(
    app: &Arc<App>,
    listen_at: SocketAddr,
    stop: &mut StopSignals,
) -> Result<(), RunError> {
    let listen = |cause| RunError::Listen {
        address: listen_at,
        cause,
    };
    let (server, address) = http::serve(app).map_err(listen)?;
    let handle = server.handle();
    let upkeep = tokio::spawn({
        let app = Arc::clone(app);
        async move { app.upkeep().await }
    });
    let mut serving = tokio::spawn(server);
    tracing::info!(%address, "serving");
    let ended = tokio::select! {
        ended = &mut serving => flatten(ended),
        () = stop.received() => {
            tracing::info!("stopping: requests in progress may end");
            handle.stop(true).await;
            flatten(serving.await)
        }
    };
    upkeep.abort();
    ended
}

/// Workers alone.
async fn work(servers: &Servers, names: &[String], stop: &mut StopSignals) -> Result<(), RunError> {
    let models = workers::named(names)?;
    let database = Database::new(servers.database.clone()).await?;
    let pool = database.part_pool("workers");
    let freshness = Freshness::new(pool.clone());
    let mut workers = Workers::start(models, pool, freshness, None).await?;
    tracing::info!("working");
    tokio::select! {
        () = stop.received() => (),
        () = workers.ended() => (),
    }
    workers.stop().await;
    Ok(())
}

fn flatten(ended: Result<std::io::Result<()>, JoinError>) -> Result<(), RunError> {
    match ended {
        Ok(ended) => ended.map_err(RunError::Server),
        Err(cause) => Err(RunError::Server(std::io::Error::other(cause))),
    }
}

/// The ways in which a process is asked to stop.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}
