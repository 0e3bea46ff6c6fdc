//! The HTTP server in front of it all, and the faults of requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures::stream;
use tokio::runtime::Handle;

use super::book::Movement;
use super::courier::{Courier, Delivery};
use super::customer::{Act, Customer};
use super::deal::Payment;
use super::fault::{Fault, FaultRule, Injected};
use super::merchants::Merchants;
use super::mpesa::Bill;
use super::options::Options;
use super::prompt::Prompt;
use super::provider::Provider;
use super::wire::{Reply, Request};
use super::world::{ActError, World, writing};
use super::{control, pages};
use crate::http::{self, ClientError};

const BODY_BYTES_MAX: usize = 1024 * 1024;
const SILENCE: Duration = Duration::from_secs(30);
const LATE: Duration = Duration::from_secs(2);
const LISTED_MAX: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the sandbox cannot listen")]
    Listen(#[from] std::io::Error),
    #[error("the sandbox cannot call back")]
    Client(#[from] ClientError),
}

#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts on the runtime that it is called on.
    ///
    /// # Errors
    /// The address is taken.
    pub fn start(options: &Options) -> Result<Running, StartError> {
        let listener = TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let origin = options
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let courier = Courier::new(http::client()?, options.callback_deadline);
        let world = Arc::new(World::new(options, origin, courier, Handle::current()));
        let data = Data::from(Arc::clone(&world));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(BODY_BYTES_MAX))
                .configure(control::routes)
                .configure(pages::routes)
                .route("/{provider}/{path:.*}", web::to(merchant_call))
        })
        .workers(options.http_threads.max(1))
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Running {
            address,
            world,
            handle,
        })
    }
}

/// A running sandbox. It stops when it is told to, or with the runtime.
pub struct Running {
    address: SocketAddr,
    world: Arc<World>,
    handle: ServerHandle,
}

impl Running {
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where control and pages are.
    pub fn origin(&self) -> &str {
        &self.world.origin
    }

    /// What stands in place of the provider's host.
    pub fn base(&self, provider: Provider) -> String {
        format!("{}/{provider}", self.world.origin)
    }

    pub fn book(&self) -> Vec<Movement> {
        self.world.book.movements(|_| true)
    }

    pub fn payments(&self) -> Vec<Payment> {
        self.world.payments()
    }

    pub fn faults(&self) -> Vec<Injected> {
        self.world.faults.log()
    }

    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.world.faults.set(rules);
    }

    pub fn set_customer(&self, customer: Customer) {
        *writing(&self.world.customer) = customer;
    }

    pub fn set_merchants(&self, merchants: Merchants) {
        *writing(&self.world.merchants) = Arc::new(merchants);
    }

    pub fn prompts(&self) -> Vec<Prompt> {
        self.world.prompts.list(LISTED_MAX)
    }

    /// # Errors
    /// The payment is unknown, or past that.
    pub fn act(&self, provider: Provider, payment: &str, act: Act) -> Result<(), ActError> {
        self.world.act(provider, payment, act)
    }

    /// Somebody pays to an M-Pesa pay bill of their own accord; `amount` is minor units, `account`
    /// what they typed.
    ///
    /// # Errors
    /// There is no such short code.
    pub fn pay_bill(
        &self,
        short_code: &str,
        phone: &str,
        amount: i64,
        account: &str,
    ) -> Result<(), ActError> {
        let bill = Bill {
            short_code: short_code.to_owned(),
            phone: phone.to_owned(),
            amount,
            account: account.to_owned(),
        };
        self.world.mpesa.pay_bill(&self.world, &bill)
    }

    pub fn top_up(&self, provider: Provider, account: &str, currency: &str, amount: i64) {
        self.world.top_up(provider, account, currency, amount);
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.courier.deliveries()
    }

    /// Callbacks that are on their way, or will be tried again.
    pub fn callbacks_under_way(&self) -> usize {
        self.world.courier.under_way()
    }

    pub async fn stop(self) {
        self.world.stopping.cancel();
        self.handle.stop(true).await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn merchant_call(
    world: Data<World>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: Bytes,
) -> HttpResponse {
    let (name, path) = path.into_inner();
    let Ok(provider) = name.parse::<Provider>() else {
        return HttpResponse::NotFound().finish();
    };
    let world = world.into_inner();
    let about = format!("{} /{path}", request.method());
    if let Some(instead) = before(&world, provider, &about).await {
        return instead;
    }
    let path = format!("/{path}");
    let heard = Request {
        method: request.method(),
        path: &path,
        query: request.query_string(),
        headers: request.headers(),
        body: &body,
        now: world.now(),
    };
    let reply = world.provider(provider).answer(&world, &heard);
    after(&world, provider, &about, reply).await
}

/// What keeps the request from being heard.
async fn before(world: &Arc<World>, provider: Provider, about: &str) -> Option<HttpResponse> {
    let hit = |fault| world.hit(fault, provider, "", about);
    let speaker = world.provider(provider);
    if hit(Fault::UnavailableBefore).is_some() {
        return Some(sent(speaker.failure(world, 503)));
    }
    if hit(Fault::RateLimited).is_some() {
        return Some(sent(speaker.failure(world, 429)));
    }
    if hit(Fault::HtmlBefore).is_some() {
        return Some(sent(Reply::html(200, "Checking your browser")));
    }
    if let Some(hit) = hit(Fault::SilenceBefore) {
        tokio::time::sleep(hit.delay(SILENCE)).await;
        return Some(cut(&Reply::empty(200)));
    }
    hit(Fault::CutBefore).map(|_| cut(&Reply::empty(200)))
}

/// What keeps the answer from being heard.
async fn after(
    world: &Arc<World>,
    provider: Provider,
    about: &str,
    mut reply: Reply,
) -> HttpResponse {
    let reference = std::mem::take(&mut reply.reference);
    let key = reply.remembered_as.take();
    let hit = |fault| world.hit(fault, provider, &reference, about);
    let speaker = world.provider(provider);
    if hit(Fault::ErrorAfter).is_some() {
        reply = speaker.failure(world, 500);
    }
    let remembered = key.map(|key| Remembered {
        world,
        provider,
        key,
        reply: reply.clone(),
    });
    if let Some(hit) = hit(Fault::AnswerLate) {
        tokio::time::sleep(hit.delay(LATE)).await;
    }
    let silence = hit(Fault::SilenceAfter);
    if let Some(hit) = silence {
        tokio::time::sleep(hit.delay(SILENCE)).await;
    }
    drop(remembered);
    if silence.is_some() || hit(Fault::CutAfter).is_some() {
        return cut(&reply);
    }
    sent(reply)
}

/// Keeps an answer once it is given, or once nobody waits for it any more.
struct Remembered<'a> {
    world: &'a World,
    provider: Provider,
    key: String,
    reply: Reply,
}

impl Drop for Remembered<'_> {
    fn drop(&mut self) {
        self.world
            .provider(self.provider)
            .answered(&self.key, &self.reply);
    }
}

fn sent(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    for (name, value) in reply.headers {
        response.insert_header((name, value));
    }
    response.body(reply.body)
}

/// Half of the answer, and no more.
fn cut(reply: &Reply) -> HttpResponse {
    let whole = reply.body.as_bytes();
    let half = Bytes::copy_from_slice(whole.get(..whole.len() / 2).unwrap_or_default());
    let promised = u64::try_from(whole.len().max(2)).unwrap_or(u64::MAX);
    let parts = [Ok(half), Err(std::io::Error::other("cut, as told"))];
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .content_type(reply.content_type)
        .body(SizedStream::new(promised, stream::iter(parts)))
}
