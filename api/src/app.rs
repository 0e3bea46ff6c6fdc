//! All the wiring, shared by the program and the tests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::middleware::Condition;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpServer, http};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use crate::config::{Config, CorsOrigins};
use crate::database;
use crate::gate::{Gate, RateLimits};
use crate::problem::{Code, Problem};
use crate::resources::health::Check;
use crate::route::{self, Limits};
use crate::routes;
use crate::telemetry::Metrics;

/// What handlers work with.
pub struct App {
    config: Config,
    pool: PgPool,
    metrics: Metrics,
    rate_limits: Option<Arc<RateLimits>>,
}

impl App {
    pub fn build(config: Config, database: &PgConnectOptions) -> Arc<Self> {
        let pool = database::query_pool(&config, database);
        let rate_limits = RateLimits::new(&config).map(Arc::new);
        Arc::new(Self {
            pool,
            metrics: Metrics::installed(),
            rate_limits,
            config,
        })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Each thing that answering depends on, and whether it is there.
    pub(crate) async fn readiness(&self) -> Vec<Check> {
        let database = sqlx::query("SELECT 1").execute(&self.pool).await;
        vec![Check {
            name: "database".to_owned(),
            is_ok: database.is_ok(),
            detail: database.err().map(|_| "no answer".to_owned()),
        }]
    }

    /// Serves HTTP from here on; the server's handle stops it.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub fn serve(self: &Arc<Self>) -> std::io::Result<(Server, SocketAddr)> {
        let listener = TcpListener::bind(self.config.address())?;
        let address = listener.local_addr()?;
        let app = Arc::clone(self);
        let gate = Gate::new(&self.config, self.rate_limits.clone());
        let mut server = HttpServer::new(move || {
            let origins = app.config.cors_origins.clone();
            actix_web::App::new()
                .configure(|services| app.register(services))
                .wrap(Condition::new(origins.is_some(), cors(origins.as_ref())))
                .wrap(gate.clone())
        })
        .disable_signals()
        .shutdown_timeout(self.config.shutdown_deadline.duration().as_secs())
        .keep_alive(http::KeepAlive::Timeout(KEEP_ALIVE));
        if let Some(threads) = self.config.http_threads {
            server = server.workers(threads.get());
        }
        Ok((server.listen(listener)?.run(), address))
    }

    /// Tidies what grows while it serves; never ends.
    pub async fn upkeep(&self) {
        let mut tick = tokio::time::interval(Metrics::UPKEEP_INTERVAL);
        loop {
            tick.tick().await;
            self.metrics.upkeep();
            if let Some(limits) = &self.rate_limits {
                limits.forget_idle();
            }
        }
    }

    fn register(self: &Arc<Self>, services: &mut ServiceConfig) {
        let limits = Limits {
            body_bytes_max: self.config.body_bytes_max.get(),
            body_deadline: self.config.body_deadline.duration(),
        };
        services
            .app_data(Data::from(Arc::clone(self)))
            .app_data(limits);
        route::register(routes::all(), limits, services);
        services.default_service(web::to(no_such_route));
    }
}

/// Longer than the pauses of a person who browses.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(60);

async fn no_such_route() -> Result<actix_web::HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound))
}

/// What pages of other origins may send and see.
fn cors(origins: Option<&CorsOrigins>) -> Cors {
    let own_headers = [
        "idempotency-key",
        "if-match",
        "if-none-match",
        "soko-min-position",
        "x-cart-token",
        "x-order-token",
        "x-request-id",
    ];
    let seen = [
        "etag",
        "soko-position",
        "idempotency-replayed",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
    ];
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(own_headers)
        .allowed_headers([
            http::header::AUTHORIZATION,
            http::header::CONTENT_TYPE,
            http::header::ACCEPT,
        ])
        .expose_headers(seen)
        .block_on_origin_mismatch(false)
        .max_age(3600);
    match origins {
        Some(CorsOrigins::All) => cors.send_wildcard().allow_any_origin(),
        Some(CorsOrigins::Only(origins)) => origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin)),
        None => cors,
    }
}
