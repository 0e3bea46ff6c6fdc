//! The HTTP server.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, HttpServer};

use crate::app::App;
use crate::connections;
use crate::gate::Gate;
use crate::problem::{Code, Problem};
use crate::route::{self, Limits};
use crate::routes;

/// Longer than the pauses of a person who browses.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Connections of one thread; who comes on top waits to be let in.
const CONNECTIONS_MAX: usize = 8_192;

/// Serves from here on; the server's handle stops it.
///
/// # Errors
/// The address cannot be listened at.
pub fn serve(app: &Arc<App>) -> std::io::Result<(Server, SocketAddr)> {
    let config = app.config();
    let listener = TcpListener::bind(config.address())?;
    let address = listener.local_addr()?;
    cut_off_who_stalls(&listener, config.stall_deadline.duration())?;
    let gate = Gate::new(config, app.rate_limits(), app.web_origins());
    let services = Arc::clone(app);
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .configure(|config| register(&services, config))
            .wrap(gate.clone())
    })
    .disable_signals()
    .shutdown_timeout(config.shutdown_deadline.duration().as_secs())
    .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
    .max_connections(CONNECTIONS_MAX)
    .on_connect(connections::watch(config.idle_deadline.duration()));
    if let Some(threads) = config.http_threads {
        server = server.workers(threads.get());
    }
    Ok((server.listen(listener)?.run(), address))
}

/// The framework waits for ever for a client to take its answer; the system need not. What is set on
/// the listener each of its connections gets.
fn cut_off_who_stalls(listener: &TcpListener, deadline: Duration) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(deadline))?;
    #[cfg(not(target_os = "linux"))]
    let _ = (listener, deadline);
    Ok(())
}

fn register(app: &Arc<App>, services: &mut ServiceConfig) {
    let config = app.config();
    let limits = Limits {
        body_bytes_max: config.body_bytes_max.get(),
        body_deadline: config.body_deadline.duration(),
    };
    services
        .app_data(Data::from(Arc::clone(app)))
        .app_data(limits);
    route::register(routes::all(), services);
    services.default_service(web::to(no_such_route));
}

async fn no_such_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound))
}
