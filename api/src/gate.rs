//! What every request passes: one middleware that names it, bounds it, times it and makes sure of
//! its answer. One and not six, for each would cost every request an allocation and a call.

mod client;
mod compress;
mod cors;
mod due;
mod even_time;
mod rate_limits;
mod refused;
mod request_id;
mod security_headers;

use std::any::Any;
use std::cell::Cell;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{Error, HttpMessage};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use tracing::Instrument;

pub use self::client::Client;
use self::cors::Cors;
pub(crate) use self::due::Due;
pub(crate) use self::even_time::until_next_step;
pub use self::rate_limits::{Budget, RateLimits};
use self::refused::RefusalLog;
pub use self::refused::ShownAs;
pub use self::request_id::RequestId;
use self::security_headers::SecurityHeaders;
use crate::access::Access;
use crate::access_log;
use crate::config::{Config, PublicUrl};
use crate::connections::Connection;
use crate::problem::{self, Code, Problem};
use crate::route::Route;
use crate::telemetry::RequestMetrics;
use crate::web_origins::WebOrigins;

/// Requests that one thread works on at once; what comes on top is told to try again.
const IN_FLIGHT_MAX: usize = 2048;

/// The gate of one server, shared by its threads.
#[derive(Clone)]
pub struct Gate(Arc<Settings>);

struct Settings {
    rate_limits: Option<Arc<RateLimits>>,
    security_headers: SecurityHeaders,
    cors: Cors,
    proxies: u8,
    deadline: Duration,
}

impl Gate {
    /// `rate_limits` is `None` where there are none.
    pub fn new(
        config: &Config,
        rate_limits: Option<Arc<RateLimits>>,
        web_origins: Arc<WebOrigins>,
    ) -> Self {
        let is_https = config.public_url.as_ref().is_some_and(PublicUrl::is_https);
        Self(Arc::new(Settings {
            rate_limits,
            security_headers: SecurityHeaders { is_https },
            cors: Cors::new(web_origins),
            proxies: config.proxies,
            deadline: config.request_deadline.duration(),
        }))
    }
}

impl<S, B> Transform<S, ServiceRequest> for Gate
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = GateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let inner = Rc::new(Inner {
            service,
            settings: Arc::clone(&self.0),
            metrics: RequestMetrics::default(),
            refusals: RefusalLog::default(),
            in_flight: Cell::new(0),
        });
        ready(Ok(GateService { inner }))
    }
}

/// The gate of one thread.
pub struct GateService<S> {
    inner: Rc<Inner<S>>,
}

struct Inner<S> {
    service: S,
    settings: Arc<Settings>,
    metrics: RequestMetrics,
    refusals: RefusalLog,
    in_flight: Cell<usize>,
}

impl<S, B> Service<ServiceRequest> for GateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let request_id = RequestId::of(request.headers());
        let method = request.method().clone();
        let span = tracing::info_span!("request", request.id = request_id.as_str(), %method);
        let inner = Rc::clone(&self.inner);
        Box::pin(async move { inner.pass(request, request_id).await }.instrument(span))
    }
}

impl<S, B> Inner<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    async fn pass(
        &self,
        request: ServiceRequest,
        request_id: RequestId,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let started = Instant::now();
        let at_work = Connection::begin(request.request());
        let client = Client::of(&request, self.settings.proxies);
        let budget = self
            .settings
            .rate_limits
            .as_ref()
            .and_then(|limits| limits.spend(request.method(), request.path(), &client));
        request.extensions_mut().insert(request_id.clone());
        request.extensions_mut().insert(client);
        let encoding = compress::Encoding::accepted(request.headers());
        let allowed = self.settings.cors.of(&request);

        let answered = match (&budget, self.enter()) {
            (Some(Budget::Spent { retry_after, .. }), _) => Ok(refuse(
                request,
                &Problem::new(Code::RateLimited).with_retry_after(*retry_after),
                &request_id,
            )),
            (_, None) => Ok(refuse(
                request,
                &Problem::new(Code::Unavailable),
                &request_id,
            )),
            (_, Some(_entered)) => match allowed.preflight() {
                Some(answer) => Ok(request.into_response(answer)),
                None => self.serve(request, &request_id).await,
            },
        };
        let finish = |headers: &mut HeaderMap| {
            self.settings.security_headers.put(headers);
            allowed.put(headers);
            headers.insert(request_id::HEADER, request_id.header());
            if let Some(budget) = &budget {
                budget.put(headers);
            }
        };
        match answered {
            Ok(mut response) => {
                finish(response.headers_mut());
                let of_caller = response.request().extensions().get::<Budget>().cloned();
                if let Some(budget) = of_caller {
                    budget.put(response.headers_mut());
                }
                let route = Route::of(response.request());
                self.metrics
                    .note(route, response.status(), started.elapsed());
                self.refusals
                    .note(response.response(), route, &response.request().extensions());
                let is_open = route.is_none_or(|route| route.access == Access::Public);
                if response.status() == StatusCode::NOT_FOUND && !is_open {
                    until_next_step(started).await;
                }
                let response = compress::compressed(response, encoding);
                Ok(match at_work {
                    Some(at_work) => at_work.until_taken(response),
                    None => response,
                })
            }
            Err(problem) => {
                let mut response = problem.response(Some(request_id.as_str()));
                finish(response.headers_mut());
                self.metrics
                    .note(None, response.status(), started.elapsed());
                Err(InternalError::from_response(problem, response).into())
            }
        }
    }

    /// The answer of the services behind; a problem if there is none, by a panic or in time.
    async fn serve(
        &self,
        request: ServiceRequest,
        request_id: &RequestId,
    ) -> Result<ServiceResponse<BoxBody>, Problem> {
        let due = Due::within(self.settings.deadline);
        request.extensions_mut().insert(due.clone());
        let answer = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        match due.wait_for(answer).await {
            Some(Ok(Ok(response))) => {
                access_log::record(&response).await?;
                Ok(as_problem(response, request_id))
            }
            Some(Ok(Err(error))) => Err(Problem::of_error(&error)),
            Some(Err(panic)) => {
                tracing::error!(panic = message_of(&*panic), "a handler panicked");
                Err(Problem::new(Code::Internal))
            }
            None => {
                tracing::warn!("no answer within the deadline");
                Err(Problem::new(Code::Unavailable).with_detail("no answer in time"))
            }
        }
    }

    fn enter(&self) -> Option<Entered<'_>> {
        let in_flight = self.in_flight.get();
        (in_flight < IN_FLIGHT_MAX).then(|| {
            self.in_flight.set(in_flight + 1);
            Entered(&self.in_flight)
        })
    }
}

/// One request in flight, for as long as this lives.
struct Entered<'a>(&'a Cell<usize>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn refuse(
    request: ServiceRequest,
    problem: &Problem,
    request_id: &RequestId,
) -> ServiceResponse<BoxBody> {
    request.into_response(problem.response(Some(request_id.as_str())))
}

/// Errors get their final form here, where the request's id is known: those of handlers, and those
/// that the framework made by itself.
fn as_problem<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    request_id: &RequestId,
) -> ServiceResponse<BoxBody> {
    let response = response.map_into_boxed_body();
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let rendered = match response.response().error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => problem.response(Some(request_id.as_str())),
            None => Problem::of_error(error).response(Some(request_id.as_str())),
        },
        None if is_problem(response.headers()) => return response,
        None => Problem::new(Code::of_status(status)).response(Some(request_id.as_str())),
    };
    // What inner services added stays.
    let (request, old) = response.into_parts();
    let mut rendered = rendered;
    for (name, value) in old.headers() {
        if !rendered.headers().contains_key(name) {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, rendered)
}

fn is_problem(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes() == problem::MEDIA_TYPE.as_bytes())
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
