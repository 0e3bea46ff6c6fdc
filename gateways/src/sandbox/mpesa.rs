//! M-Pesa Daraja (Safaricom, Kenya): tokens, prompts on the phone, payments to a short code,
//! reversals, pay-outs, and questions about them.

mod bill;
mod command;
mod credential;
mod express;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

pub(super) use self::bill::Bill;
use self::command::Command;
use self::token::Tokens;
use super::customer::Act;
use super::deal::{Deal, Payment};
use super::merchants::MpesaMerchant;
use super::wire::{Reply, Request};
use super::world::{ActError, Speaks, World, held};

#[derive(Debug, Default)]
pub(super) struct Mpesa {
    tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By `CheckoutRequestID`, or for what the customer began, by receipt.
    transactions: HashMap<String, Transaction>,
    /// From the receipt to the transaction.
    receipts: HashMap<String, String>,
    /// Whose phone shows a prompt.
    busy: HashMap<String, String>,
    urls: HashMap<String, Urls>,
    /// By the merchant's conversation id.
    commands: HashMap<String, Command>,
}

#[derive(Debug, Clone)]
struct Urls {
    validation: String,
    confirmation: String,
    /// What happens when nobody answers the validation.
    completes: bool,
    /// The first version hashes the phone number, the second masks it.
    masks: bool,
}

#[derive(Debug)]
struct Transaction {
    deal: Deal,
    phone: String,
    account_reference: String,
    merchant_request_id: String,
    /// Empty for what the customer began.
    callback_url: String,
    /// `None` while it is open.
    result: Option<&'static str>,
    receipt: Option<String>,
    finished_at: Option<DateTime<Utc>>,
    reversed: bool,
}

impl Transaction {
    fn status(&self) -> &'static str {
        self.result.unwrap_or("open")
    }
}

impl Speaks for Mpesa {
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply {
        self.routed(world, request)
            .unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, world: &World, status: u16) -> Reply {
        match status {
            429 => refusal(world, 500, "500.003.02", "Spike arrest violation"),
            503 => Reply::html(503, "503 Service Temporarily Unavailable"),
            _ => refusal(world, 500, "500.003.1001", "Internal Server Error"),
        }
    }

    fn act(&self, world: &Arc<World>, payment: &str, act: Act) -> Result<(), ActError> {
        let result = match act {
            Act::Pay => "0",
            Act::Cancel => "1032",
            Act::InsufficientFunds => "1",
            Act::WrongPin => "2001",
            Act::Unreachable => "1037",
            Act::Decline | Act::Open => return Err(ActError::NotHere),
        };
        self.settle(world, payment, result)
    }

    fn payments(&self) -> Vec<Payment> {
        let state = held(&self.state);
        state
            .transactions
            .values()
            .map(|one| one.deal.seen(one.status()))
            .collect()
    }
}

impl Mpesa {
    fn routed(&self, world: &Arc<World>, request: &Request<'_>) -> Result<Reply, Reply> {
        if request.path == "/oauth/v1/generate" {
            return self.tokens.generate(world, request);
        }
        let wrong = |status, code, text| Err(refusal(world, status, code, text));
        let known = matches!(
            request.path,
            "/mpesa/stkpush/v1/processrequest"
                | "/mpesa/stkpushquery/v1/query"
                | "/mpesa/c2b/v1/registerurl"
                | "/mpesa/c2b/v2/registerurl"
                | "/mpesa/c2b/v1/simulate"
                | "/mpesa/c2b/v2/simulate"
                | "/mpesa/reversal/v1/request"
                | "/mpesa/b2c/v3/paymentrequest"
                | "/mpesa/transactionstatus/v1/query"
        );
        if !known {
            return wrong(404, "404.001.01", "Resource not found");
        }
        if !request.is_post() {
            return wrong(405, "405.001", "Method Not Allowed");
        }
        if !self.tokens.accepts(request) {
            return wrong(404, "404.001.03", "Invalid Access Token");
        }
        if !request
            .header("content-type")
            .starts_with("application/json")
        {
            return wrong(400, "400.002.02", "Bad Request - Invalid Content-Type");
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(request.body) else {
            return wrong(400, "400.002.02", "Bad Request - Invalid Request Payload");
        };
        let fields = Fields { world, fields };
        match request.path {
            "/mpesa/stkpush/v1/processrequest" => self.push(world, request, &fields),
            "/mpesa/stkpushquery/v1/query" => self.query(world, &fields),
            "/mpesa/c2b/v1/registerurl" => self.register(world, &fields, false),
            "/mpesa/c2b/v2/registerurl" => self.register(world, &fields, true),
            "/mpesa/c2b/v1/simulate" | "/mpesa/c2b/v2/simulate" => self.simulate(world, &fields),
            "/mpesa/reversal/v1/request" => self.reverse(world, &fields),
            "/mpesa/b2c/v3/paymentrequest" => self.pay_out(world, &fields),
            _ => self.ask_status(world, &fields),
        }
    }
}

/// Members of a request; numbers and texts are taken for each other.
struct Fields<'a> {
    world: &'a World,
    fields: serde_json::Map<String, Value>,
}

impl Fields<'_> {
    /// Empty if it is missing.
    fn text(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn valid(&self, name: &str, rule: impl Fn(&str) -> bool) -> Result<String, Reply> {
        let value = self.text(name);
        if rule(&value) {
            return Ok(value);
        }
        let message = format!("Bad Request - Invalid {name}");
        Err(refusal(self.world, 400, "400.002.02", &message))
    }

    /// Whole shillings.
    fn shillings(&self, name: &str, least: i64) -> Result<i64, Reply> {
        let text = self.valid(name, |text| {
            digits(text)
                && text
                    .parse::<i64>()
                    .is_ok_and(|amount| (least..=250_000).contains(&amount))
        })?;
        Ok(text.parse().unwrap_or(0))
    }

    fn url(&self, name: &str) -> Result<String, Reply> {
        self.valid(name, is_url)
    }
}

fn refusal(world: &World, status: u16, code: &str, message: &str) -> Reply {
    let request_id = format!("{}-{}-1", world.dice.number(), world.dice.number());
    let body = json!({ "requestId": request_id, "errorCode": code, "errorMessage": message });
    Reply::json(status, body)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_phone(text: &str) -> bool {
    text.len() == 12 && digits(text) && (text.starts_with("2547") || text.starts_with("2541"))
}

fn merchant<'a>(merchants: &'a [MpesaMerchant], short_code: &str) -> Option<&'a MpesaMerchant> {
    merchants
        .iter()
        .find(|merchant| merchant.short_code == short_code)
}

/// `YYYYMMDDHHmmss` in Nairobi.
fn nairobi(at: DateTime<Utc>) -> String {
    in_nairobi(at, "%Y%m%d%H%M%S")
}

fn in_nairobi(at: DateTime<Utc>, format: &str) -> String {
    let Some(zone) = FixedOffset::east_opt(3 * 3600) else {
        return String::new();
    };
    at.with_timezone(&zone).format(format).to_string()
}

const fn described(result: &str) -> &'static str {
    match result.as_bytes() {
        b"0" => "The service request is processed successfully.",
        b"1" => "The balance is insufficient for the transaction.",
        b"1019" => "Transaction has expired",
        b"1032" => "Request cancelled by user",
        b"1037" => "DS timeout user cannot be reached",
        b"2001" => "The initiator information is invalid.",
        b"2028" => "The request is not permitted according to product assignment",
        b"R000001" => "The transaction has already been reversed.",
        b"R000002" => "The original transaction ID is invalid.",
        _ => "Declined",
    }
}
