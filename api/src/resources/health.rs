//! Whether the process lives, whether it can serve, and how it is doing.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web::Data};

use crate::app::App;
use crate::found::Found;
use crate::problem::{Code, Problem, Result};
use crate::schema::answer;

answer! {
    pub(crate) struct Health {
        pub status: String,
    }

    pub(crate) struct Readiness {
        pub status: String,
        pub checks: Vec<Check>,
    }

    pub(crate) struct Check {
        /// `database`, `bus`, `ledger`, or the name of a read model.
        pub name: String,
        pub is_ok: bool,
        pub detail: Option<String>,
    }
}

/// The process answers; nothing else is asked.
pub(crate) async fn live() -> Found<Health> {
    Found::new(Health {
        status: "ok".to_owned(),
    })
}

pub(crate) async fn ready(app: Data<App>) -> Result<Found<Readiness>> {
    let checks = app.readiness().await;
    if checks.iter().all(|check| check.is_ok) {
        return Ok(Found::new(Readiness {
            status: "ok".to_owned(),
            checks,
        }));
    }
    Err(Problem::new(Code::Unavailable).with_member("checks", checks))
}

/// In the text format of Prometheus.
pub(crate) async fn metrics(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(app.metrics().render())
}
