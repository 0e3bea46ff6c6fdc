//! What it costs the processor to know who asks and whether they may: the same work behind a token
//! and a permission and behind neither, in turns, by the time of the one thread that does both.
//!
//! The system's own gate, router, extractor and standings are passed, without a socket. Limits of
//! how often somebody may ask are off.

use crate::report::{Case, Goal, median};
use crate::servers::Server;
use actix_http::Request;
use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::Data;
use actix_web::{App as Services, HttpResponse};
use chrono::Utc;
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use soko_api::access::Access;
use soko_api::app::App;
use soko_api::caller::{Caller, Place};
use soko_api::config::Config;
use soko_api::database::Database;
use soko_api::gate::Gate;
use soko_api::problem::Problem;
use soko_api::query::Path;
use soko_api::route::{Limits, Route, register};
use soko_api::routes;
use soko_api::tokens::Bearer;
use soko_domain::StoreId;
use soko_domain::permission::{Permission, Scope};
use soko_projections::Freshness;
use sqlx::postgres::PgConnectOptions;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use uuid::Uuid;

/// What a request may cost more than one that asks nobody anything.
const COST_MICROS_MAX: f64 = 50.0;
const TURN: usize = 500;
const TURNS: usize = 20;

/// How somebody shows who they are.
#[derive(Debug, Clone, Copy)]
enum Shown {
    SeenToken,
    NewToken,
    ApiKey,
}

const SHOWN: [(Shown, &str); 3] = [
    (Shown::SeenToken, "an access token that was seen before"),
    (Shown::NewToken, "an access token that was not"),
    (Shown::ApiKey, "an API key"),
];

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let needs = Access::Needs(Permission::ViewStore, Scope::Store);
    vec![
        Route::new(
            Method::GET,
            "/bench/open/{store}",
            "The work alone",
            Access::Public,
            open,
        ),
        Route::new(
            Method::GET,
            "/bench/guarded/{store}",
            "The work, for those who may",
            needs,
            guarded,
        ),
    ]
});

async fn open(store_id: Path<StoreId>) -> Result<HttpResponse, Problem> {
    let _ = *store_id;
    Ok(HttpResponse::NoContent().finish())
}

async fn guarded(caller: Caller, store_id: Path<StoreId>) -> Result<HttpResponse, Problem> {
    caller.permit(Place::store(*store_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) async fn costs(server: &Server, runs: usize) -> Result<Vec<Case>, Box<dyn Error>> {
    let database = server.database().await?;
    let options = database.options.clone();
    // Everything of it on one thread, whose time is taken.
    let measuring = tokio::task::spawn_blocking(move || {
        let measured = actix_web::rt::System::new().block_on(measure(options, runs));
        measured.map_err(|cause| cause.to_string())
    });
    Ok(measuring.await??)
}

async fn measure(options: PgConnectOptions, runs: usize) -> Result<Vec<Case>, Box<dyn Error>> {
    let app = app(options).await?;
    let limits = Limits {
        body_bytes_max: 64 * 1024,
        body_deadline: Duration::from_secs(10),
    };
    let services = Services::new()
        .app_data(Data::from(Arc::clone(&app)))
        .app_data(limits)
        .configure(|services| {
            register(routes::all(), services);
            register(&ROUTES, services);
        })
        .wrap(Gate::new(app.config(), None, app.web_origins()));
    let service = init_service(services).await;
    let owner = Owner::register(&service).await?;
    let mut cases = Vec::new();
    for (shown, name) in SHOWN {
        let (mut figures, mut notes) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (without, with) = owner.in_turns(&app, &service, shown).await?;
            figures.push(with - without);
            notes.push(format!("{without:.1} and {with:.1} µs"));
        }
        cases.push(Case {
            name: format!("authorization: {name}, processor time it adds"),
            unit: "µs",
            figures,
            goal: Goal::AtMost(COST_MICROS_MAX),
            latency: None,
            notes,
        });
    }
    app.close().await;
    Ok(cases)
}

async fn app(options: PgConnectOptions) -> Result<Arc<App>, Box<dyn Error>> {
    let config = Config::from_variables(&|name| {
        let value = match name {
            "SOKO_RATE_LIMITS" => "off",
            "SOKO_MASTER_KEY" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            _ => return None,
        };
        Some(value.to_owned())
    })?;
    let database = Database::new(options).await?;
    let freshness = Freshness::new(database.part_pool("bench"));
    Ok(App::build(config, &database, freshness, None).await?)
}

/// Somebody with a store, and all that shows it.
struct Owner {
    store_id: String,
    bearer: Bearer,
    token: String,
    api_key: String,
}

impl Owner {
    async fn register<S>(service: &S) -> Result<Self, Box<dyn Error>>
    where
        S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
    {
        let person = json!({
            "email": "owner@bench.example", "password": "a long enough password", "name": "Owner",
        });
        let registered = post(service, "/auth/register", None, person.clone()).await?;
        let mut person = person;
        person.as_object_mut().ok_or("no object")?.remove("name");
        let logged_in = post(service, "/auth/login", None, person).await?;
        let token = field(&logged_in, "access_token")?;
        let tenant = json!({ "name": "Bench" });
        let tenant = post(service, "/tenants", Some(&token), tenant).await?;
        let store = json!({
            "tenant_id": field(&tenant, "tenant_id")?, "slug": "bench", "name": "Bench",
            "currency": "KES", "country": "KE", "time_zone": "Africa/Nairobi",
            "prices_include_tax": true, "tax_rate_bps": 1600,
            "payment_methods": ["cash_on_delivery"], "commission_bps": 1000,
        });
        let store = post(service, "/stores", Some(&token), store).await?;
        let wanted = json!({ "name": "bench", "permissions": ["view_store"] });
        let key = post(service, "/api-keys", Some(&token), wanted).await?;
        Ok(Self {
            store_id: field(&store, "store_id")?,
            bearer: Bearer {
                account_id: field(&registered, "account_id")?.parse()?,
                // Any will do: it has not ended.
                session_id: Uuid::now_v7(),
                second_factor_at: None,
            },
            token,
            api_key: field(&key, "key")?,
        })
    }

    /// Medians over the turns, in microseconds a request, without and with the token.
    async fn in_turns<S>(
        &self,
        app: &App,
        service: &S,
        shown: Shown,
    ) -> Result<(f64, f64), Box<dyn Error>>
    where
        S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
    {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for turn in 0..=TURNS {
            let open = self.requests("open", |_| Ok(None))?;
            let guarded = self.requests("guarded", |_| self.show(app, shown).map(Some))?;
            for (requests, times) in [(open, &mut without), (guarded, &mut with)] {
                let time = time_of(service, requests).await?;
                // The first turn warms up.
                if turn > 0 {
                    times.push(time);
                }
            }
        }
        Ok((median(&without), median(&with)))
    }

    fn requests(
        &self,
        route: &str,
        token: impl Fn(usize) -> Result<Option<String>, Box<dyn Error>>,
    ) -> Result<Vec<Request>, Box<dyn Error>> {
        let path = format!("/bench/{route}/{}", self.store_id);
        (0..TURN)
            .map(|number| {
                let token = token(number)?;
                Ok(request(TestRequest::get().uri(&path), token.as_deref()))
            })
            .collect()
    }

    fn show(&self, app: &App, shown: Shown) -> Result<String, Box<dyn Error>> {
        match shown {
            Shown::SeenToken => Ok(self.token.clone()),
            Shown::NewToken => {
                let signed = app.tokens().sign(self.bearer, Utc::now());
                signed.map_err(|problem| problem.to_string().into())
            }
            Shown::ApiKey => Ok(self.api_key.clone()),
        }
    }
}

/// Microseconds of this thread for each request.
async fn time_of<S>(service: &S, requests: Vec<Request>) -> Result<f64, Box<dyn Error>>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
{
    let count = f64::from(u32::try_from(requests.len())?);
    let mut responses = Vec::with_capacity(requests.len());
    let started = processor_time()?;
    for request in requests {
        responses.push(service.call(request).await?.status());
    }
    let took = processor_time()?.saturating_sub(started);
    match responses.iter().find(|status| status.as_u16() != 204) {
        Some(status) => Err(format!("not all were let in: {status}").into()),
        None => Ok(took.as_secs_f64() * 1e6 / count),
    }
}

fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from(time))
}

fn request(request: TestRequest, token: Option<&str>) -> Request {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    let request = request.peer_addr(peer);
    match token {
        Some(token) => request
            .insert_header((AUTHORIZATION, format!("Bearer {token}")))
            .to_request(),
        None => request.to_request(),
    }
}

async fn post<S>(
    service: &S,
    path: &str,
    token: Option<&str>,
    body: Value,
) -> Result<Value, Box<dyn Error>>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
{
    let uri = format!("/api/v1{path}");
    let posted = TestRequest::post()
        .uri(&uri)
        .insert_header(("idempotency-key", Uuid::new_v4().to_string()))
        .set_json(body);
    let response = service.call(request(posted, token)).await?;
    let status = response.status();
    let body = read_body(response).await;
    if status.is_success() {
        Ok(serde_json::from_slice(&body)?)
    } else {
        Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into())
    }
}

fn field(body: &Value, name: &str) -> Result<String, Box<dyn Error>> {
    crate::soko::field(body, name)
}
