//! What payment providers tell of their own accord. Nothing is read before it was found to be theirs;
//! what is, is written down before it is answered, and worked after.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use futures::future::LocalBoxFuture;
use serde_json::json;
use soko_commands::payments::{Came, Place, Received};
use soko_domain::payment::PaymentProvider;
use soko_domain::{PaymentId, StoreId};
use soko_gateways::payments::{CallbackRefusal, MPESA_ADDRESSES};
use uuid::Uuid;

use crate::app::App;
use crate::body;
use crate::gate::Client;
use crate::operation::{Answer, Input, Operation};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;

/// What signatures stand in; no other header is of any use.
const HEADERS: [&str; 3] = ["stripe-signature", "x-paystack-signature", "content-type"];

/// The bytes of a request, whatever they are.
pub(crate) struct Raw {
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    address: Option<IpAddr>,
}

impl FromRequest for Raw {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| HEADERS.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let address = request.extensions().get::<Client>().map(Client::address);
        let bytes = body::raw_bytes(request, payload);
        Box::pin(async move {
            Ok(Self {
                headers,
                body: bytes.await?,
                address,
            })
        })
    }
}

impl Input for Raw {
    fn describe(operation: &mut Operation<'_>) {
        operation.body = Some(json!({
            "required": true,
            "description": "As the provider sends it.",
            "content": { "*/*": { "schema": { "type": "string", "format": "binary" } } },
        }));
        operation.refuses(&[
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::RequestTimeout,
        ]);
    }
}

/// Our answer, as the provider reads it.
pub(crate) struct Told(Option<&'static str>);

impl Answer for Told {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer = (
            StatusCode::OK,
            json!({ "description": "It is written down, and will be worked." }),
        );
        operation.refuses(&[Code::BadSignature, Code::NotFound, Code::Unavailable]);
    }
}

impl actix_web::Responder for Told {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self.0 {
            Some(text) => HttpResponse::Ok()
                .content_type("application/json")
                .body(text),
            None => HttpResponse::Ok().finish(),
        }
    }
}

pub(crate) async fn mpesa(app: Data<App>, token: Path<String>, raw: Raw) -> Result<Told> {
    if app.payments().checks_mpesa_addresses && !raw.address.is_some_and(is_of_mpesa) {
        tracing::warn!(
            address = ?raw.address,
            "something that calls itself M-Pesa came from elsewhere"
        );
        return Err(Problem::new(Code::NotFound));
    }
    let place = Place::Token(token.0);
    receive(&app, PaymentProvider::Mpesa, place, raw).await
}

pub(crate) async fn ecocash(app: Data<App>, token: Path<String>, raw: Raw) -> Result<Told> {
    let place = Place::Token(token.0);
    receive(&app, PaymentProvider::Ecocash, place, raw).await
}

pub(crate) async fn paynow(app: Data<App>, payment_id: Path<PaymentId>, raw: Raw) -> Result<Told> {
    let place = Place::Payment(*payment_id);
    receive(&app, PaymentProvider::Paynow, place, raw).await
}

pub(crate) async fn paystack(app: Data<App>, raw: Raw) -> Result<Told> {
    receive(&app, PaymentProvider::Paystack, Place::Anywhere, raw).await
}

pub(crate) async fn paystack_of_store(
    app: Data<App>,
    store_id: Path<StoreId>,
    raw: Raw,
) -> Result<Told> {
    let place = Place::Store(*store_id);
    receive(&app, PaymentProvider::Paystack, place, raw).await
}

pub(crate) async fn stripe(app: Data<App>, raw: Raw) -> Result<Told> {
    receive(&app, PaymentProvider::Stripe, Place::Anywhere, raw).await
}

pub(crate) async fn stripe_of_store(
    app: Data<App>,
    store_id: Path<StoreId>,
    raw: Raw,
) -> Result<Told> {
    let place = Place::Store(*store_id);
    receive(&app, PaymentProvider::Stripe, place, raw).await
}

async fn receive(app: &App, provider: PaymentProvider, place: Place, raw: Raw) -> Result<Told> {
    let came = Came {
        provider,
        place,
        headers: raw.headers,
        body: raw.body.to_vec(),
        callback_id: Uuid::now_v7(),
        received_at: chrono::Utc::now(),
    };
    match app.payments().callbacks.receive(came).await {
        Received::Accepted(text) => Ok(Told(text)),
        // Whether there is such a payment is nobody's business who cannot sign.
        Received::Refused(CallbackRefusal::NotForUs | CallbackRefusal::Malformed)
        | Received::Unknown => Err(Problem::new(Code::NotFound)),
        Received::Refused(CallbackRefusal::BadSignature | CallbackRefusal::TooOld) => {
            Err(Problem::new(Code::BadSignature))
        }
        Received::Later => Err(Problem::new(Code::Unavailable)),
    }
}

fn is_of_mpesa(address: IpAddr) -> bool {
    MPESA_ADDRESSES.contains(&address.to_canonical().to_string().as_str())
}
