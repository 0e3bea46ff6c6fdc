//! Stripe: payment intents, checkout with a hosted page, refunds, disputes, and signed events.

mod event;
mod idempotency;
mod intent;
mod intent_calls;
mod refund;
mod session;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::event::Event;
use self::idempotency::Keys;
use self::intent::Intent;
use self::refund::Refund;
use self::session::Session;
use super::customer::Act;
use super::deal::Payment;
use super::form::Form;
use super::merchants::StripeMerchant;
use super::wire::{Reply, Request};
use super::world::{ActError, Speaks, World, held};

const API_VERSION: &str = "2025-10-29.clover";

#[derive(Debug, Default)]
pub(super) struct Stripe {
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    intents: HashMap<String, Intent>,
    sessions: HashMap<String, Session>,
    /// From the charge to the intent.
    charges: HashMap<String, String>,
    refunds: HashMap<String, Refund>,
    events: VecDeque<Event>,
}

/// A refusal. What was refused because of its parameters is not remembered under its key.
enum No {
    Invalid(Reply),
    Failed(Reply),
}

type Answer = Result<Reply, No>;

struct Call<'a> {
    world: &'a Arc<World>,
    merchant: &'a StripeMerchant,
    form: Form,
    now: DateTime<Utc>,
    request_id: String,
    idempotency_key: String,
}

impl Speaks for Stripe {
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply {
        let request_id = format!("req_{}", world.dice.id(14));
        let reply = self.authenticated(world, request, &request_id);
        reply.header("Request-Id", request_id)
    }

    fn failure(&self, _world: &World, status: u16) -> Reply {
        match status {
            429 => error(
                429,
                "invalid_request_error",
                "rate_limit",
                "Too many requests",
                None,
            ),
            _ => error(status, "api_error", "", "An unknown error occurred", None),
        }
    }

    fn act(&self, world: &Arc<World>, payment: &str, act: Act) -> Result<(), ActError> {
        self.customer_acts(world, payment, act)
    }

    fn dispute(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        self.disputed(world, payment, amount)
    }

    fn payments(&self) -> Vec<Payment> {
        let state = held(&self.state);
        state
            .intents
            .values()
            .map(|intent| intent.deal.seen(intent.status))
            .collect()
    }

    fn answered(&self, key: &str, reply: &Reply) {
        self.keys.answered(key, reply);
    }
}

impl Stripe {
    fn authenticated(&self, world: &Arc<World>, request: &Request<'_>, id: &str) -> Reply {
        let merchants = world.merchants();
        let basic = request
            .header("authorization")
            .strip_prefix("Basic ")
            .and_then(|text| {
                let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
                text.split(':').next().map(str::to_owned)
            });
        let key = basic.as_deref().or(request.bearer()).unwrap_or_default();
        let merchant = merchants
            .stripe
            .iter()
            .find(|merchant| merchant.secret_key == key);
        let Some(merchant) = merchant else {
            return error(
                401,
                "invalid_request_error",
                "",
                "Invalid API Key provided",
                None,
            );
        };
        let post = request.is_post();
        let form = if post {
            Form::of_bytes(request.body)
        } else {
            Form::parse(request.query)
        };
        let idempotency_key = request.header("idempotency-key").to_owned();
        let call = Call {
            world,
            merchant,
            form,
            now: request.now,
            request_id: id.to_owned(),
            idempotency_key,
        };
        if !post || call.idempotency_key.is_empty() {
            return match self.routed(&call, request.method, request.path) {
                Ok(reply) | Err(No::Invalid(reply) | No::Failed(reply)) => reply,
            };
        }
        let kept_as = format!("{}/{}", merchant.account, call.idempotency_key);
        if let Some(reply) = self.keys.begin(&kept_as, request) {
            return reply;
        }
        match self.routed(&call, request.method, request.path) {
            Ok(reply) | Err(No::Failed(reply)) => Reply {
                remembered_as: Some(kept_as),
                ..reply
            },
            Err(No::Invalid(reply)) => {
                self.keys.forget(&kept_as);
                reply
            }
        }
    }

    fn routed(&self, call: &Call<'_>, method: &Method, path: &str) -> Answer {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["v1", "payment_intents"]) => self.create_intent(call),
            ("GET", ["v1", "payment_intents", id]) => self.read_intent(call, id),
            ("POST", ["v1", "payment_intents", id]) => self.change_intent(call, id),
            ("POST", ["v1", "payment_intents", id, "confirm"]) => self.confirm_intent(call, id),
            ("POST", ["v1", "payment_intents", id, "capture"]) => self.capture_intent(call, id),
            ("POST", ["v1", "payment_intents", id, "cancel"]) => self.cancel_intent(call, id),
            ("GET", ["v1", "charges", id]) => self.read_charge(call, id),
            ("POST", ["v1", "checkout", "sessions"]) => self.create_session(call),
            ("GET", ["v1", "checkout", "sessions", id]) => self.read_session(call, id),
            ("GET", ["v1", "checkout", "sessions", id, "line_items"]) => self.line_items(call, id),
            ("POST", ["v1", "checkout", "sessions", id, "expire"]) => self.expire_session(call, id),
            ("POST", ["v1", "refunds"]) => self.create_refund(call),
            ("GET", ["v1", "refunds", id]) => self.read_refund(call, id),
            ("GET", ["v1", "events"]) => Ok(self.list_events(call)),
            ("GET", ["v1", "events", id]) => self.read_event(call, id),
            _ => Err(No::Invalid(error(
                404,
                "invalid_request_error",
                "",
                &format!("Unrecognized request URL ({method}: {path})."),
                None,
            ))),
        }
    }
}

impl Call<'_> {
    /// A positive number of the smallest units.
    fn amount(&self, name: &str) -> Result<Option<i64>, No> {
        let Some(text) = self.form.get(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match text.parse::<i64>() {
            Ok(amount) if amount > 0 && text.len() <= 8 => Ok(Some(amount)),
            Ok(amount) if amount > 0 => Err(invalid(
                "amount_too_large",
                name,
                "Amount must be no more than 99999999",
            )),
            _ => Err(invalid(
                "parameter_invalid_integer",
                name,
                &format!("Invalid integer: {text}"),
            )),
        }
    }

    fn required_amount(&self, name: &str) -> Result<i64, No> {
        self.amount(name)?.ok_or_else(|| missing(name))
    }

    fn currency(&self, name: &str) -> Result<String, No> {
        let currency = self.form.text(name);
        if currency.is_empty() {
            return Err(missing(name));
        }
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(invalid("", name, &format!("Invalid currency: {currency}")));
        }
        Ok(currency.to_lowercase())
    }

    fn metadata(&self, name: &str) -> Result<Map<String, Value>, No> {
        let mut metadata = Map::new();
        for (key, value) in self.form.under(name) {
            if key.chars().count() > 40 || value.chars().count() > 500 || metadata.len() >= 50 {
                return Err(invalid(
                    "",
                    name,
                    "Metadata is limited to 50 keys of 40 characters and 500 of value",
                ));
            }
            metadata.insert(key.to_owned(), Value::from(value));
        }
        Ok(metadata)
    }

    /// Money that would go to other accounts is not played here: better refused than kept.
    fn refuse_connected(&self, inside: &str) -> Result<(), No> {
        for name in ["application_fee_amount", "on_behalf_of", "transfer_data"] {
            let name = match inside {
                "" => name.to_owned(),
                inside => format!("{inside}[{name}]"),
            };
            if self.form.pairs().any(|(key, _)| key.starts_with(&name)) {
                let message = format!("The sandbox has no connected accounts: {name}");
                return Err(invalid("parameter_unknown", &name, &message));
            }
        }
        Ok(())
    }

    fn expands(&self, name: &str) -> bool {
        self.form.under("expand").any(|(_, value)| value == name)
    }
}

fn missing(name: &str) -> No {
    invalid(
        "parameter_missing",
        name,
        &format!("Missing required param: {name}."),
    )
}

fn invalid(code: &str, param: &str, message: &str) -> No {
    No::Invalid(error(
        400,
        "invalid_request_error",
        code,
        message,
        Some(param),
    ))
}

fn unknown(kind: &str, id: &str) -> No {
    let message = format!("No such {kind}: '{id}'");
    No::Invalid(error(
        404,
        "invalid_request_error",
        "resource_missing",
        &message,
        Some("id"),
    ))
}

/// Understood, and not possible as things stand.
fn impossible(code: &str, message: &str) -> No {
    No::Failed(error(400, "invalid_request_error", code, message, None))
}

fn error(status: u16, kind: &str, code: &str, message: &str, param: Option<&str>) -> Reply {
    let mut error = json!({ "type": kind, "message": message });
    if !code.is_empty() {
        error["code"] = Value::from(code);
    }
    if let Some(param) = param {
        error["param"] = Value::from(param);
    }
    Reply::json(status, json!({ "error": error }))
}

/// Stripe counts two currencies in hundredths that have no hundredths.
fn iso_minor(currency: &str, amount: i64) -> i64 {
    if matches!(currency, "ugx" | "isk") {
        amount / 100
    } else {
        amount
    }
}

fn livemode(merchant: &StripeMerchant) -> bool {
    merchant.secret_key.contains("_live_")
}

/// What the merchant calls a payment, as far as it says.
fn reference(metadata: &Map<String, Value>) -> String {
    ["reference", "payment_id", "order_id"]
        .into_iter()
        .find_map(|key| metadata.get(key)?.as_str())
        .unwrap_or_default()
        .to_owned()
}
