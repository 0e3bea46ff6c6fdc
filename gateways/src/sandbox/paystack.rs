//! Paystack: a page for cards, prompts for mobile money, refunds, and transfers to vendors.

mod charge;
mod refund;
mod transaction;
mod transfer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::http::Method;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use self::refund::Refund;
use self::transaction::Transaction;
use self::transfer::{Recipient, Transfer};
use super::courier::{Callback, Signature};
use super::customer::Act;
use super::deal::Payment;
use super::merchants::PaystackMerchant;
use super::provider::Provider;
use super::wire::{Reply, Request};
use super::world::{ActError, Speaks, World, held};

#[derive(Debug, Default)]
pub(super) struct Paystack(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By Paystack's number.
    transactions: HashMap<String, Transaction>,
    /// From account and the merchant's reference.
    references: HashMap<(String, String), String>,
    refunds: HashMap<String, Refund>,
    recipients: HashMap<String, Recipient>,
    /// By account and the merchant's reference.
    transfers: HashMap<(String, String), Transfer>,
}

impl Speaks for Paystack {
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply {
        self.routed(world, request)
            .unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, _world: &World, status: u16) -> Reply {
        match status {
            503 => Reply::html(503, "503 Service Temporarily Unavailable"),
            429 => refused(
                429,
                "rate_limited",
                "You have exceeded the number of requests allowed",
            ),
            _ => refused(status, "unknown", "An error occurred"),
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
        let state = held(&self.0);
        state
            .transactions
            .values()
            .map(|one| one.deal.seen(one.status))
            .collect()
    }
}

impl Paystack {
    fn routed(&self, world: &Arc<World>, request: &Request<'_>) -> Result<Reply, Reply> {
        let merchants = world.merchants();
        let key = request.bearer().unwrap_or_default();
        let merchant = merchants
            .paystack
            .iter()
            .find(|merchant| merchant.secret_key == key);
        let Some(merchant) = merchant else {
            return Err(refused(401, "invalid_Key", "Invalid key"));
        };
        let fields = match request.method.as_str() {
            "GET" => Map::new(),
            _ => match serde_json::from_slice(request.body) {
                Ok(Value::Object(fields)) => fields,
                _ => return Err(refused(400, "invalid_params", "Invalid request body")),
            },
        };
        let call = Call {
            world,
            merchant,
            fields,
            now: request.now,
        };
        let post = *request.method == Method::POST;
        let get = *request.method == Method::GET;
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match segments.as_slice() {
            ["transaction", "initialize"] if post => self.initialize(&call),
            ["transaction", "verify", reference] if get => self.verify(&call, reference),
            ["charge"] if post => self.charge(&call),
            ["charge", "submit_otp"] if post => self.submit_otp(&call),
            ["charge", reference] if get => self.pending_charge(&call, reference),
            ["refund"] if post => self.refund(&call),
            ["refund", id] if get => self.fetch_refund(&call, id),
            ["transferrecipient"] if post => self.create_recipient(&call),
            ["transfer"] if post => self.transfer(&call),
            ["transfer", "finalize_transfer"] if post => self.finalize_transfer(&call),
            ["transfer", "verify", reference] if get => self.verify_transfer(&call, reference),
            ["balance"] if get => Ok(balance(&call)),
            ["bank"] if get => Ok(banks()),
            _ => Err(refused(404, "not_found", "Resource not found")),
        }
    }
}

/// A request of a merchant that is known by its key.
struct Call<'a> {
    world: &'a Arc<World>,
    merchant: &'a PaystackMerchant,
    fields: Map<String, Value>,
    now: DateTime<Utc>,
}

impl Call<'_> {
    /// Empty if it is missing.
    fn text(&self, name: &str) -> String {
        text(self.fields.get(name))
    }

    fn amount(&self) -> Result<i64, Reply> {
        let amount = self
            .text("amount")
            .parse::<i64>()
            .ok()
            .filter(|amount| *amount > 0);
        amount.ok_or_else(|| refused(400, "invalid_amount", "Invalid Amount Sent"))
    }

    fn currency(&self) -> Result<String, Reply> {
        let currency = match self.text("currency") {
            named if named.is_empty() => "NGN".to_owned(),
            named => named,
        };
        if matches!(&*currency, "NGN" | "GHS" | "KES" | "ZAR" | "USD") {
            return Ok(currency);
        }
        Err(refused(
            403,
            "unsupported_currency",
            "Currency not supported by merchant",
        ))
    }

    fn required(&self, name: &str) -> Result<String, Reply> {
        let value = self.text(name);
        if value.is_empty() {
            return Err(refused(
                400,
                "missing_params",
                &format!("{name} is required"),
            ));
        }
        Ok(value)
    }

    fn domain(&self) -> &'static str {
        domain(self.merchant)
    }
}

fn domain(merchant: &PaystackMerchant) -> &'static str {
    if merchant.secret_key.starts_with("sk_live_") {
        "live"
    } else {
        "test"
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn done(message: &str, data: &Value) -> Reply {
    Reply::json(
        200,
        json!({ "status": true, "message": message, "data": data }),
    )
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    let next = "Ensure that the value(s) you're passing are valid";
    let body = json!({
        "status": false,
        "message": message,
        "meta": { "nextStep": next },
        "type": "validation_error",
        "code": code,
    });
    Reply::json(status, body)
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An event on its way. Their serializer sometimes escapes slashes, and the signature is over that.
fn webhook(
    world: &World,
    merchant: &PaystackMerchant,
    reference: &str,
    payment: &str,
    event: &str,
    data: &Value,
) -> Callback {
    let mut body = json!({ "event": event, "data": data }).to_string();
    if world.dice.coin(&["slashes", payment]) {
        body = body.replace('/', "\\/");
    }
    Callback {
        provider: Provider::Paystack,
        url: merchant.webhook_url.clone().unwrap_or_default(),
        reference: reference.to_owned(),
        payment: payment.to_owned(),
        about: event.to_owned(),
        content_type: "application/json",
        body,
        signature: Signature::Paystack(merchant.secret_key.clone()),
    }
}

fn balance(call: &Call<'_>) -> Reply {
    let balances: Vec<_> = call
        .world
        .book
        .balances(Provider::Paystack, &call.merchant.account)
        .into_iter()
        .map(|(currency, balance)| json!({ "currency": currency, "balance": balance }))
        .collect();
    done("Balances retrieved", &Value::from(balances))
}

fn banks() -> Reply {
    let bank = |name, code, currency, kind| json!({ "name": name, "code": code, "currency": currency, "type": kind });
    let banks = [
        bank("MTN", "MTN", "GHS", "mobile_money"),
        bank("Telecel", "VOD", "GHS", "mobile_money"),
        bank("AirtelTigo", "ATL", "GHS", "mobile_money"),
        bank("M-PESA", "MPESA", "KES", "mobile_money"),
        bank("M-PESA Till", "MPTILL", "KES", "mobile_money_business"),
        bank("Test Bank", "001", "NGN", "nuban"),
        bank("Standard Bank", "051", "ZAR", "basa"),
    ];
    done("Banks retrieved", &Value::from(banks.to_vec()))
}
