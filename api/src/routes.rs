//! Every route there is: its method and path, what it does, who may use it, and what handles it.

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder};

use crate::access::Access;
use crate::operation::{Answer, Input};
use crate::resources::{documentation, health};
use crate::route::Route;

/// The table, made once.
pub fn all() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> =
        LazyLock::new(|| [service()].into_iter().flatten().collect());
    &ROUTES
}

/// Beside the API: for those who run it, and those who write clients.
fn service() -> Vec<Route> {
    use Access::Public;
    vec![
        get(
            "/health/live",
            "Whether the process lives",
            Public,
            health::live,
        ),
        get(
            "/health/ready",
            "Whether it can serve",
            Public,
            health::ready,
        ),
        get(
            "/metrics",
            "Metrics for Prometheus",
            Public,
            health::metrics,
        ),
        get(
            "/openapi.json",
            "This document",
            Public,
            documentation::openapi,
        ),
        get(
            "/docs",
            "Leads to the documentation page",
            Public,
            documentation::index,
        ),
        get(
            "/docs/{file:.*}",
            "The documentation page",
            Public,
            documentation::file,
        ),
    ]
}

fn get<F, Args>(path: &str, summary: &'static str, access: Access, handler: F) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + Input + 'static,
    F::Output: Responder + Answer + 'static,
{
    Route::new(Method::GET, path, summary, access, handler)
}
