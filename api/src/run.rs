//! Starts the parts that a process consists of, and stops them in order.

use std::net::SocketAddr;
use std::sync::Arc;

use soko_commands::{Clock, Engine, EngineOptions, process_managers};
use soko_event_log::{AppendError, Appender, AppenderOptions, Bus, ReadError, Relay, RelayOptions};
use soko_projections::{Freshness, Workplace};
use sqlx::Connection;
use tokio::task::JoinError;

use crate::app::{App, AppError};
use crate::bus::{self, ConnectError};
use crate::config::Config;
use crate::database::{Database, DatabaseError};
use crate::embedded::{Servers, ServersError};
use crate::followers::{self, Followers, UnknownModel};
use crate::http;
use crate::master_keys::{self, MasterKeysError};
use crate::payment_parts::{PaymentParts, PaymentPartsError};
use crate::seed::{self, SeedError};
use crate::stop_signals::StopSignals;

/// What a process is for.
#[derive(Debug, Clone)]
pub enum Part {
    /// All parts, and private servers for those that are not set.
    Everything,
    Api,
    /// Publishes the log to NATS.
    Relay,
    /// The read models with these names; all of them if there are none.
    Workers(Vec<String>),
    ProcessManagers,
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
    #[error(transparent)]
    Roles(#[from] DatabaseError),
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
    #[error("there is no connection to NATS")]
    Bus(#[from] ConnectError),
    #[error("a relay needs a NATS to publish to: set NATS_URL")]
    NoBus,
    #[error("personal data cannot be protected")]
    MasterKeys(#[from] MasterKeysError),
    #[error(transparent)]
    Payments(#[from] PaymentPartsError),
    #[error("the log cannot be appended to")]
    Append(#[from] AppendError),
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
                Part::Api | Part::Relay | Part::Workers(_) | Part::ProcessManagers => {
                    Servers::join(&config)
                }
            }
        };
        let servers = tokio::select! {
            servers = servers => servers?,
            () = stop.received() => return Ok(()),
        };
        // Large, and made once.
        let ended = Box::pin(with_servers(config, part, &servers, &mut stop)).await;
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
    if let Part::Migrations = part {
        return Ok(());
    }
    let database = Database::connect(servers.database.clone(), config.row_security).await?;
    let bus = match &servers.nats_url {
        Some(url) => Some(bus::connect(&config, url).await?),
        None => None,
    };
    let parts = Parts {
        config,
        database,
        bus,
    };
    match part {
        Part::Everything => parts.serve_everything(stop).await,
        Part::Api => parts.serve(stop).await,
        Part::Relay => parts.relay(stop).await,
        Part::Workers(names) => parts.work(&names, stop).await,
        Part::ProcessManagers => parts.manage_processes(stop).await,
        Part::Migrations => Ok(()),
        Part::Seed => parts.fill().await,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "this is what the command was asked for"
)]
fn print(text: &str) {
    println!("{text}");
}

/// Several processes may start at once: the migrator has them take turns.
async fn migrate(servers: &Servers) -> Result<(), RunError> {
    let mut connection = soko_event_log::connect_in_time(&servers.database).await?;
    soko_event_log::MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// What the parts of a process are made of.
struct Parts {
    config: Config,
    database: Database,
    bus: Option<Bus>,
}

impl Parts {
    async fn serve_everything(self, stop: &mut StopSignals) -> Result<(), RunError> {
        let pool = self.database.part_pool("followers");
        let freshness = Freshness::new(pool.clone());
        let app = self.app(freshness.clone()).await?;
        let feed = bus::feed(self.bus.as_ref(), pool.clone(), Some(app.head())).await?;
        let mut followers = Followers::default();
        if let Some(bus) = &self.bus {
            let mut options = RelayOptions::new(self.database.part("relay"), bus.clone());
            options.wake = Some(app.head());
            followers.start(Relay::run(options, followers.shutdown()));
        }
        let models = soko_projections::all();
        let workplace = process_managers::Workplace {
            engine: app.engine().clone(),
            pool: pool.clone(),
            feed: feed.clone(),
            clock: Clock::system(),
        };
        followers.start_process_managers(workplace, app.payments());
        followers.start_models(
            models,
            Workplace {
                pool,
                feed,
                freshness,
            },
        );
        let ended = serve_http(&app, stop).await;
        followers.stop().await;
        app.close().await;
        ended
    }

    async fn serve(self, stop: &mut StopSignals) -> Result<(), RunError> {
        let freshness = Freshness::new(self.database.query_pool(&self.config));
        let app = self.app(freshness).await?;
        let mut followers = Followers::default();
        followers.start_callbacks(app.payments());
        let ended = serve_http(&app, stop).await;
        followers.stop().await;
        app.close().await;
        ended
    }

    async fn relay(self, stop: &mut StopSignals) -> Result<(), RunError> {
        let bus = self.bus.ok_or(RunError::NoBus)?;
        let options = RelayOptions::new(self.database.part("relay"), bus);
        let mut followers = Followers::default();
        followers.start(Relay::run(options, followers.shutdown()));
        until_stopped(followers, stop).await;
        Ok(())
    }

    async fn work(self, names: &[String], stop: &mut StopSignals) -> Result<(), RunError> {
        let models = followers::models_named(names)?;
        let pool = self.database.part_pool("workers");
        let feed = bus::feed(self.bus.as_ref(), pool.clone(), None).await?;
        let freshness = Freshness::new(pool.clone());
        let mut followers = Followers::default();
        followers.start_models(
            models,
            Workplace {
                pool,
                feed,
                freshness,
            },
        );
        until_stopped(followers, stop).await;
        Ok(())
    }

    async fn manage_processes(self, stop: &mut StopSignals) -> Result<(), RunError> {
        let pool = self.database.part_pool("process managers");
        let connect = self.database.part("appender");
        let appender = Appender::start(connect, AppenderOptions::default()).await?;
        let vault = master_keys::vault(&self.config, &pool).await?;
        let options = EngineOptions::default();
        let engine = Engine::new(appender.clone(), pool.clone(), vault.clone(), options);
        let payments = PaymentParts::new(&self.config, engine.clone(), pool.clone(), &vault)?;
        let feed = bus::feed(self.bus.as_ref(), pool.clone(), Some(appender.head())).await?;
        let mut followers = Followers::default();
        let clock = Clock::system();
        let workplace = process_managers::Workplace {
            engine,
            pool,
            feed,
            clock,
        };
        followers.start_process_managers(workplace, &payments);
        until_stopped(followers, stop).await;
        appender.close().await;
        Ok(())
    }

    /// The demo market; the log-ins are what this prints.
    async fn fill(self) -> Result<(), RunError> {
        let freshness = Freshness::new(self.database.part_pool("seed"));
        let app = self.app(freshness).await?;
        let made = seed::run(&app).await;
        app.close().await;
        print(&made?);
        Ok(())
    }

    async fn app(&self, freshness: Freshness) -> Result<Arc<App>, RunError> {
        let bus = self.bus.clone();
        Ok(App::build(self.config.clone(), &self.database, freshness, bus).await?)
    }
}

async fn until_stopped(followers: Followers, stop: &mut StopSignals) {
    tracing::info!("working");
    stop.received().await;
    followers.stop().await;
}

async fn serve_http(app: &Arc<App>, stop: &mut StopSignals) -> Result<(), RunError> {
    let listen_at = app.config().address();
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

fn flatten(ended: Result<std::io::Result<()>, JoinError>) -> Result<(), RunError> {
    match ended {
        Ok(ended) => ended.map_err(RunError::Server),
        Err(cause) => Err(RunError::Server(std::io::Error::other(cause))),
    }
}
