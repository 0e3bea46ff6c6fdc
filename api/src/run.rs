//! Starts the parts that a process consists of, and stops them in order.

use std::sync::Arc;

use sqlx::{ConnectOptions, Connection};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;
use crate::config::Config;
use crate::embedded::{Servers, ServersError};

/// What a process is for.
#[derive(Debug, Clone)]
pub enum Part {
    Everything,
    Migrations,
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
    #[error("HTTP cannot be served at {address}")]
    Listen {
        address: std::net::SocketAddr,
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
        let servers = tokio::select! {
            servers = Servers::start(&config) => servers?,
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
        Part::Everything => serve(config, servers, stop).await,
    }
}

async fn migrate(servers: &Servers) -> Result<(), RunError> {
    let mut connection = servers.database.connect().await?;
    soko_event_log::MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn serve(config: Config, servers: &Servers, stop: &mut StopSignals) -> Result<(), RunError> {
    let address = config.address();
    let app = App::build(config, &servers.database);
    let (server, address) = app
        .serve()
        .map_err(|cause| RunError::Listen { address, cause })?;
    let handle = server.handle();
    let upkeep = tokio::spawn({
        let app = Arc::clone(&app);
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

fn flatten(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), RunError> {
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
