//! What tests, benches and people do with the sandbox itself: read the book, misbehave, play the
//! customer.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;

use super::book::Movement;
use super::customer::{Act, Customer};
use super::fault::FaultRule;
use super::merchants::Merchants;
use super::mpesa::Bill;
use super::provider::Provider;
use super::statement::{statement, table};
use super::world::{ActError, World, reading, writing};

const PROMPTS_LISTED_MAX: usize = 10_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/book", web::get().to(book))
        .route("/faults", web::get().to(faults))
        .route("/control/faults", web::get().to(fault_rules))
        .route("/control/faults", web::put().to(set_fault_rules))
        .route("/control/customer", web::get().to(customer))
        .route("/control/customer", web::put().to(set_customer))
        .route("/control/merchants", web::get().to(merchants))
        .route("/control/merchants", web::put().to(set_merchants))
        .route("/control/prompts", web::get().to(prompts))
        .route("/control/payments", web::get().to(payments))
        .route(
            "/control/payments/{provider}/{payment}/act",
            web::post().to(act),
        )
        .route(
            "/control/payments/{provider}/{payment}/dispute",
            web::post().to(dispute),
        )
        .route(
            "/control/payments/{provider}/{payment}/refund",
            web::post().to(refund),
        )
        .route("/control/deliveries", web::get().to(deliveries))
        .route("/control/quiet", web::get().to(quiet))
        .route("/control/top-ups", web::post().to(top_up))
        .route("/control/mpesa/bills", web::post().to(pay_bill))
        .route(
            "/control/statements/{provider}/{account}",
            web::get().to(print_statement),
        );
}

#[derive(Deserialize)]
struct Wanted {
    provider: Option<Provider>,
    account: Option<String>,
    payment: Option<String>,
    #[serde(default)]
    after: u64,
    format: Option<String>,
}

impl Wanted {
    fn fits(&self, movement: &Movement) -> bool {
        movement.number > self.after
            && self
                .provider
                .is_none_or(|provider| provider == movement.provider)
            && self
                .account
                .as_ref()
                .is_none_or(|account| *account == movement.account)
            && self
                .payment
                .as_ref()
                .is_none_or(|payment| *payment == movement.payment)
    }
}

async fn book(
    world: Data<World>,
    wanted: Query<Wanted>,
    request: actix_web::HttpRequest,
) -> HttpResponse {
    let movements = world.book.movements(|movement| wanted.fits(movement));
    let accept = request
        .headers()
        .get("accept")
        .and_then(|value| value.to_str().ok());
    let as_table = wanted.format.as_deref() == Some("csv")
        || wanted.format.is_none() && accept.is_some_and(|accept| accept.starts_with("text/csv"));
    if !as_table {
        return HttpResponse::Ok().json(json!({ "movements": movements }));
    }
    let header = [
        "number",
        "at",
        "provider",
        "account",
        "kind",
        "payment",
        "provider_reference",
        "reference",
        "amount",
        "currency",
    ];
    let rows = movements.into_iter().map(|movement| {
        vec![
            movement.number.to_string(),
            movement.at.to_rfc3339(),
            movement.provider.to_string(),
            movement.account,
            movement.kind.as_str().to_owned(),
            movement.payment,
            movement.provider_reference,
            movement.reference,
            movement.amount.to_string(),
            movement.currency,
        ]
    });
    printed(table(&header, rows))
}

fn printed(text: Option<String>) -> HttpResponse {
    match text {
        Some(text) => HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .body(text),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn faults(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "faults": world.faults.log() }))
}

async fn fault_rules(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(world.faults.rules())
}

async fn set_fault_rules(world: Data<World>, rules: Json<Vec<FaultRule>>) -> HttpResponse {
    world.faults.set(rules.into_inner());
    HttpResponse::NoContent().finish()
}

async fn customer(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(&*reading(&world.customer))
}

async fn set_customer(world: Data<World>, customer: Json<Customer>) -> HttpResponse {
    *writing(&world.customer) = customer.into_inner();
    HttpResponse::NoContent().finish()
}

async fn merchants(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(&*world.merchants())
}

async fn set_merchants(world: Data<World>, merchants: Json<Merchants>) -> HttpResponse {
    *writing(&world.merchants) = Arc::new(merchants.into_inner());
    HttpResponse::NoContent().finish()
}

async fn prompts(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "prompts": world.prompts.list(PROMPTS_LISTED_MAX) }))
}

async fn payments(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "payments": world.payments() }))
}

async fn deliveries(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "deliveries": world.courier.deliveries() }))
}

async fn quiet(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "prompts": world.prompts.len(),
        "callbacks_under_way": world.courier.under_way(),
    }))
}

#[derive(Deserialize)]
struct Acting {
    act: Act,
}

async fn act(
    world: Data<World>,
    path: Path<(Provider, String)>,
    acting: Json<Acting>,
) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    outcome(world.into_inner().act(provider, &payment, acting.act))
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    amount: Option<i64>,
}

async fn dispute(
    world: Data<World>,
    path: Path<(Provider, String)>,
    part: Json<Part>,
) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    let world = world.into_inner();
    outcome(
        world
            .provider(provider)
            .dispute(&world, &payment, part.amount),
    )
}

async fn refund(
    world: Data<World>,
    path: Path<(Provider, String)>,
    part: Json<Part>,
) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    let world = world.into_inner();
    outcome(
        world
            .provider(provider)
            .refund_by_hand(&world, &payment, part.amount),
    )
}

fn outcome(result: Result<(), ActError>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error @ ActError::Unknown) => {
            HttpResponse::NotFound().json(json!({ "message": error.to_string() }))
        }
        Err(error @ (ActError::NotNow | ActError::NotHere)) => {
            HttpResponse::Conflict().json(json!({ "message": error.to_string() }))
        }
    }
}

#[derive(Deserialize)]
struct TopUp {
    provider: Provider,
    account: String,
    currency: String,
    amount: i64,
}

async fn top_up(world: Data<World>, asked: Json<TopUp>) -> HttpResponse {
    let TopUp {
        provider,
        account,
        currency,
        amount,
    } = asked.into_inner();
    if amount <= 0 {
        return HttpResponse::BadRequest().json(json!({ "message": "the amount is not positive" }));
    }
    world.top_up(provider, &account, &currency, amount);
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Paying {
    short_code: String,
    phone: String,
    amount: i64,
    #[serde(default)]
    account: String,
}

async fn pay_bill(world: Data<World>, paying: Json<Paying>) -> HttpResponse {
    let Paying {
        short_code,
        phone,
        amount,
        account,
    } = paying.into_inner();
    if amount <= 0 {
        return HttpResponse::BadRequest().json(json!({ "message": "the amount is not positive" }));
    }
    let world = world.into_inner();
    let bill = Bill {
        short_code,
        phone,
        amount,
        account,
    };
    outcome(world.mpesa.pay_bill(&world, &bill))
}

async fn print_statement(world: Data<World>, path: Path<(Provider, String)>) -> HttpResponse {
    let (provider, account) = path.into_inner();
    let movements = world
        .book
        .movements(|movement| movement.provider == provider && movement.account == account);
    printed(statement(provider, &movements, |payment| {
        world.stripe.charge_of(payment)
    }))
}
