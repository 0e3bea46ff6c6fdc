//! One route: what it is called, who may use it, and what handles it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{HttpServiceFactory, ServiceRequest};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder, Scope};

use crate::access::Access;
use crate::gate::Due;
use crate::operation::{Answer, Input, Operation};
use crate::problem::{Code, Problem};

/// Where every resource of the trade stands; health and the like stand beside it.
pub const API: &str = "/api/v1";

/// A route with all that is known of it: the table of routes, the OpenAPI document and the tests
/// of permissions come from the same values.
pub struct Route {
    pub method: Method,
    /// The whole path, with its parameters in braces.
    pub path: String,
    pub summary: &'static str,
    pub access: Access,
    pub is_key_required: bool,
    pub body: BodySize,
    /// How long it may take, if not as long as the operator allows most.
    pub deadline: Option<Duration>,
    /// What a command may have in its query besides `dry_run`.
    pub parameters: &'static [&'static str],
    /// Whether `{id}` may also be a name.
    pub takes_slug: bool,
    /// Whether who has a second factor must have shown it a moment ago. A key has none to show.
    pub needs_step_up: bool,
    /// What it may say no with, besides what its inputs do.
    pub refusals: &'static [Code],
    describe: fn(&mut Operation<'_>),
    mount: Box<dyn Fn(Method) -> actix_web::Route + Send + Sync>,
}

impl Route {
    pub fn new<F, Args>(
        method: Method,
        path: impl Into<String>,
        summary: &'static str,
        access: Access,
        handler: F,
    ) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Input + 'static,
        F::Output: Responder + Answer + 'static,
    {
        Self {
            method,
            path: path.into(),
            summary,
            access,
            is_key_required: false,
            body: BodySize::Small,
            deadline: None,
            parameters: &[],
            takes_slug: false,
            needs_step_up: false,
            refusals: &[],
            describe: |operation| {
                Args::describe(operation);
                F::Output::describe(operation);
            },
            mount: Box::new(move |method| web::method(method).to(handler.clone())),
        }
    }

    /// Money or stock moves: without an `Idempotency-Key` it is refused.
    #[must_use]
    pub fn with_key_required(mut self) -> Self {
        self.is_key_required = true;
        self
    }

    /// The thing is found by its id or by its slug.
    #[must_use]
    pub fn by_slug_too(mut self) -> Self {
        self.takes_slug = true;
        self
    }

    /// Whoever has a second factor must have shown it a moment ago: what is done here is what a thief
    /// of a session would do first.
    #[must_use]
    pub fn with_step_up(mut self) -> Self {
        self.needs_step_up = true;
        self
    }

    /// What it may say no with, besides what its inputs do.
    #[must_use]
    pub fn refusing(mut self, refusals: &'static [Code]) -> Self {
        self.refusals = refusals;
        self
    }

    /// What the command has in its query besides `dry_run`.
    #[must_use]
    pub fn with_parameters(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    /// What is described at length, or a list that somebody filled.
    #[must_use]
    pub fn with_large_body(mut self) -> Self {
        self.body = BodySize::Large;
        self
    }

    /// A whole file.
    #[must_use]
    pub fn with_file(mut self) -> Self {
        self.body = BodySize::File;
        self
    }

    /// It takes long by nature, or who asks does not wait as long as others.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    pub fn describe(&self, operation: &mut Operation<'_>) {
        (self.describe)(operation);
    }

    fn mounted(&self, method: Method) -> actix_web::Route {
        let mounted = (self.mount)(method);
        let Some(deadline) = self.deadline else {
            return mounted;
        };
        mounted.wrap(from_fn(
            move |request: ServiceRequest, next: Next<BoxBody>| {
                if let Some(due) = request.extensions().get::<Due>() {
                    due.change_to(deadline);
                }
                next.call(request)
            },
        ))
    }

    /// The route that a request was matched with; `None` if no route has its method.
    pub fn of(request: &HttpRequest) -> Option<&'static Self> {
        let here = request.app_data::<RoutesHere>()?;
        // What GET may do, HEAD may do.
        let method = match request.method() {
            &Method::HEAD => &Method::GET,
            method => method,
        };
        here.0.iter().copied().find(|route| route.method == *method)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// How much a route reads. Most take a few words and numbers, and no more is read for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodySize {
    /// At most [`SMALL_BODY_BYTES_MAX`].
    Small,
    /// What the operator allows.
    Large,
    /// At most [`FILE_BYTES_MAX`], whatever the operator allows in a request.
    File,
}

/// Room for the longest password and name, with every character of them escaped.
pub const SMALL_BODY_BYTES_MAX: usize = 8 * 1024;

/// As many as what reads them takes.
pub const FILE_BYTES_MAX: usize = soko_gateways::statements::FILE_BYTES_MAX;

/// Time for the largest file over a slow line.
const FILE_BODY_DEADLINE: Duration = Duration::from_secs(4 * 60);

/// What bounds the reading of a request's body.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub body_deadline: Duration,
}

impl Limits {
    pub fn of(request: &HttpRequest) -> Self {
        let mut limits = request.app_data::<Self>().copied().unwrap_or(Self {
            body_bytes_max: SMALL_BODY_BYTES_MAX,
            body_deadline: Duration::from_secs(10),
        });
        match Route::of(request).map(|route| route.body) {
            Some(BodySize::Large) => (),
            Some(BodySize::File) => {
                limits.body_bytes_max = FILE_BYTES_MAX;
                limits.body_deadline = limits.body_deadline.max(FILE_BODY_DEADLINE);
            }
            Some(BodySize::Small) | None => {
                limits.body_bytes_max = limits.body_bytes_max.min(SMALL_BODY_BYTES_MAX);
            }
        }
        limits
    }
}

/// The routes of one path, one for each method.
#[derive(Clone)]
struct RoutesHere(Vec<&'static Route>);

/// Makes a service of each path. Paths that begin alike share a scope, so that a request is not
/// compared with every path there is.
pub fn register(routes: &'static [Route], services: &mut ServiceConfig) {
    let mut api: BTreeMap<&str, BTreeMap<&str, Vec<&'static Route>>> = BTreeMap::new();
    let mut beside: BTreeMap<&str, Vec<&'static Route>> = BTreeMap::new();
    for route in routes {
        match route.path.strip_prefix(API) {
            Some(path) => {
                let end = path[1..].find('/').map_or(path.len(), |end| end + 1);
                let (first, rest) = path.split_at(end);
                api.entry(first)
                    .or_default()
                    .entry(rest)
                    .or_default()
                    .push(route);
            }
            None => beside.entry(&route.path).or_default().push(route),
        }
    }
    let mut all = Scope::new(API);
    for (first, resources) in api {
        let mut scope = Scope::new(first);
        for (rest, routes) in by_precision(resources) {
            scope = scope.service(resource(rest, routes));
        }
        all = all.service(scope);
    }
    services.service(all);
    for (path, routes) in by_precision(beside) {
        services.service(resource(path, routes));
    }
}

/// Fixed names before parameters, which would take them for values.
fn by_precision<'a>(
    resources: BTreeMap<&'a str, Vec<&'static Route>>,
) -> Vec<(&'a str, Vec<&'static Route>)> {
    let mut resources: Vec<_> = resources.into_iter().collect();
    resources.sort_by_key(|(path, _)| path.matches('{').count());
    resources
}

fn resource(path: &str, routes: Vec<&'static Route>) -> impl HttpServiceFactory + 'static {
    let mut resource = web::resource(path);
    for route in &routes {
        resource = resource.route(route.mounted(route.method.clone()));
        if route.method == Method::GET {
            resource = resource.route(route.mounted(Method::HEAD));
        }
    }
    resource
        .app_data(RoutesHere(routes))
        .default_service(web::to(no_such_method))
}

async fn no_such_method(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let methods = allowed(&request);
    if *request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent()
            .insert_header(("allow", methods))
            .finish());
    }
    Err(Problem::new(Code::MethodNotAllowed).with_allow(methods))
}

fn allowed(request: &HttpRequest) -> String {
    let mut methods = vec!["OPTIONS"];
    if let Some(here) = request.app_data::<RoutesHere>() {
        for route in &here.0 {
            methods.push(route.method.as_str());
            if route.method == Method::GET {
                methods.push("HEAD");
            }
        }
    }
    methods.join(", ")
}
