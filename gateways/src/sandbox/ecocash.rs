//! EcoCash's Open API: a prompt on the phone, a look-up, a refund, and an unsigned nudge.

mod charge;
mod refund;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Map, Value, json};

use super::courier::{Callback, Signature};
use super::customer::Act;
use super::deal::{Deal, Payment};
use super::fault::Fault;
use super::merchants::{EcocashMerchant, Fee};
use super::provider::Provider;
use super::wire::{Reply, Request};
use super::world::{ActError, Speaks, World, held};

const PROVIDER: Provider = Provider::Ecocash;

#[derive(Debug, Default)]
pub(super) struct Ecocash(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the merchant's UUID.
    charges: HashMap<String, Charge>,
    /// From EcoCash's reference to the merchant's.
    references: HashMap<String, String>,
    refund_correlators: HashSet<(String, String)>,
}

#[derive(Debug)]
struct Charge {
    deal: Deal,
    phone: String,
    /// In EcoCash's word for the currency.
    currency: String,
    status: &'static str,
    ecocash_reference: Option<String>,
    at: DateTime<Utc>,
}

impl Charge {
    const fn is_open(&self) -> bool {
        matches!(self.status.as_bytes(), b"PENDING")
    }
}

impl Speaks for Ecocash {
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply {
        self.routed(world, request)
            .unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, _world: &World, status: u16) -> Reply {
        if status == 503 {
            Reply::html(503, "Service Unavailable")
        } else {
            refused(status, "")
        }
    }

    fn act(&self, world: &Arc<World>, payment: &str, act: Act) -> Result<(), ActError> {
        let status = match act {
            Act::Pay => "SUCCESS",
            Act::Cancel => "USER_CANCELLED",
            Act::InsufficientFunds | Act::WrongPin | Act::Unreachable => "FAILED",
            Act::Decline | Act::Open => return Err(ActError::NotHere),
        };
        self.settle(world, payment, status)
    }

    fn payments(&self) -> Vec<Payment> {
        let state = held(&self.0);
        state
            .charges
            .values()
            .map(|charge| charge.deal.seen(charge.status))
            .collect()
    }
}

impl Ecocash {
    fn routed(&self, world: &Arc<World>, request: &Request<'_>) -> Result<Reply, Reply> {
        let (path, mode) = request.path.rsplit_once('/').unwrap_or_default();
        if !request.is_post() || !matches!(mode, "sandbox" | "live") {
            return Err(refused(404, "Not found"));
        }
        let merchants = world.merchants();
        let key = request.header("x-api-key");
        let merchant = merchants
            .ecocash
            .iter()
            .find(|merchant| merchant.api_key == key);
        let merchant = merchant.ok_or_else(|| refused(401, "Invalid API key"))?;
        match path {
            "/api/v2/payment/instant/c2b" => self.charge(world, merchant, request),
            "/api/v1/transaction/c2b/status" => self.look_up(world, merchant, request),
            "/api/v2/refund/instant/c2b" => self.refund(world, merchant, request),
            _ => Err(refused(404, "Not found")),
        }
    }

    fn settle(
        &self,
        world: &Arc<World>,
        payment: &str,
        status: &'static str,
    ) -> Result<(), ActError> {
        let mut guard = held(&self.0);
        let state = &mut *guard;
        let found = state.charges.get_mut(payment).ok_or(ActError::Unknown)?;
        let late = found.status == "EXPIRED" && status == "SUCCESS";
        if !found.is_open() && !late {
            return Err(ActError::NotNow);
        }
        let now = world.now();
        found.status = status;
        found.at = now;
        if status == "SUCCESS" {
            let number = world.dice.number();
            let reference = format!("MP{}.A{:05}", harare(now, "%y%m%d.%H%M"), number % 100_000);
            // Its last part is short: the day has more payments than it has numbers.
            let reference = if number < 100_000 {
                reference
            } else {
                format!("{reference}{number}")
            };
            found.deal.take(
                &world.book,
                now,
                found.deal.asked,
                Fee::default(),
                &reference,
            );
            state
                .references
                .insert(reference.clone(), payment.to_owned());
            found.ecocash_reference = Some(reference);
        }
        world.prompts.remove(PROVIDER, payment);
        let merchants = world.merchants();
        let account = &found.deal.account;
        if let Some(merchant) = merchants.ecocash.iter().find(|one| one.account == *account) {
            world.send(callback(merchant, found, status == "SUCCESS"));
        }
        Ok(())
    }
}

fn callback(merchant: &EcocashMerchant, charge: &Charge, success: bool) -> Callback {
    let reference = &charge.deal.payment;
    Callback {
        provider: PROVIDER,
        url: merchant.callback_url.clone().unwrap_or_default(),
        reference: reference.clone(),
        payment: reference.clone(),
        about: if success { "COMPLETED" } else { "FAILED" }.to_owned(),
        content_type: "application/json",
        body: json!({
            "transactionOperationStatus": if success { "COMPLETED" } else { "FAILED" },
            "clientReference": reference,
            "ecocashReference": charge.ecocash_reference.as_deref().unwrap_or_default(),
        })
        .to_string(),
        signature: Signature::None,
    }
}

fn refused(status: u16, message: &str) -> Reply {
    match message {
        "" => Reply::empty(status),
        message => Reply::json(status, json!({ "message": message })),
    }
}

fn is_phone(text: &str) -> bool {
    text.len() == 12
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.starts_with("26377") || text.starts_with("26378"))
}

/// The ISO code behind EcoCash's word.
fn iso(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" => Some("USD"),
        "ZWL" => Some("ZWL"),
        "ZiG" => Some("ZWG"),
        _ => None,
    }
}

fn harare(at: DateTime<Utc>, format: &str) -> String {
    let Some(zone) = FixedOffset::east_opt(2 * 3600) else {
        return String::new();
    };
    at.with_timezone(&zone).format(format).to_string()
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, Reply> {
    let value = fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    value
        .map(str::to_owned)
        .ok_or_else(|| refused(400, &format!("{name} is required")))
}
