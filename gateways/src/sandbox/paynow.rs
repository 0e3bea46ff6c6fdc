//! Paynow Zimbabwe: form text in and out, each message with a hash over its values.

mod hash;
mod initiate;
mod update;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

use self::hash::{hash, hashed};
use super::customer::Act;
use super::deal::{Deal, Payment};
use super::form::{Form, encoded};
use super::merchants::PaynowMerchant;
use super::provider::Provider;
use super::wire::{Reply, Request};
use super::world::{ActError, Speaks, World, held};

#[derive(Debug, Default)]
pub(super) struct Paynow(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By Paynow's own reference.
    transactions: HashMap<String, Transaction>,
    guids: HashMap<String, String>,
    /// From integration and the merchant's trace.
    traces: HashMap<(String, String), String>,
}

#[derive(Debug)]
struct Transaction {
    deal: Deal,
    guid: String,
    status: &'static str,
    result_url: String,
    /// What the customer has to pass on, and how often it was told wrongly.
    otp: Option<(String, u8)>,
    created_at: DateTime<Utc>,
}

impl Transaction {
    fn is_open(&self) -> bool {
        matches!(self.status, "Created" | "Sent")
    }

    fn poll_url(&self, world: &World) -> String {
        format!(
            "{}/paynow/Interface/CheckPayment/?guid={}",
            world.origin, self.guid
        )
    }
}

impl Speaks for Paynow {
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply {
        if !request.is_post() {
            return Reply::html(404, "Not Found");
        }
        let form = Form::of_bytes(request.body);
        let answer = match &*request.path.to_lowercase() {
            "/interface/initiatetransaction" => self.initiate(world, request, &form, false),
            "/interface/remotetransaction" => self.initiate(world, request, &form, true),
            "/interface/checkpayment" | "/interface/checkpayment/" => self.poll(world, request),
            "/interface/trace" => self.trace(world, &form),
            "/interface/remoteotp" | "/interface/remoteotp/" => {
                self.submit_otp(world, request, &form)
            }
            _ => Err(Reply::html(404, "Not Found")),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, _world: &World, status: u16) -> Reply {
        Reply::html(status, "Service unavailable")
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
        self.moved_back(world, payment, |found| {
            let now = world.now();
            let id = format!("D{}", world.dice.number());
            if found.deal.charged_back > 0 && amount.is_none() {
                found.deal.win(&world.book, now, &id);
                return Some("Paid");
            }
            let amount = amount.unwrap_or_else(|| found.deal.left());
            found
                .deal
                .charge_back(&world.book, now, amount, &id)
                .ok()
                .map(|()| "Disputed")
        })
    }

    fn refund_by_hand(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        self.moved_back(world, payment, |found| {
            let amount = amount.unwrap_or_else(|| found.deal.left());
            let id = format!("R{}", world.dice.number());
            found
                .deal
                .give_back(&world.book, world.now(), amount, &id)
                .ok()
                .map(|()| "Refunded")
        })
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

fn merchant<'a>(merchants: &'a [PaynowMerchant], id: &str) -> Option<&'a PaynowMerchant> {
    merchants.iter().find(|merchant| merchant.id == id)
}

/// An error has no hash.
fn error(message: &str) -> Reply {
    Reply::form(encoded(&[("Status", "Error"), ("Error", message)]))
}

/// Which integration this is from, if its hash is right.
fn signed_in<'a>(
    merchants: &'a [PaynowMerchant],
    form: &Form,
) -> Result<&'a PaynowMerchant, Reply> {
    let merchant = merchant(merchants, form.text("id"));
    let merchant = merchant.ok_or_else(|| error("Invalid Id."))?;
    let values = form
        .pairs()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("hash"));
    let right = hash(values.map(|(_, value)| value), &merchant.key);
    if !form.text("hash").eq_ignore_ascii_case(&right) {
        let hint = right.get(..6).unwrap_or_default();
        return Err(error(&format!(
            "Invalid Hash.  Hash should start with: {hint}"
        )));
    }
    if form.text("status") != "Message" {
        return Err(error("Invalid status field"));
    }
    Ok(merchant)
}

/// Answered with a hash, in the spelling that the merchant gets.
fn signed(merchant: &PaynowMerchant, pairs: &[(&str, &str)]) -> Reply {
    Reply::form(hashed(merchant, pairs))
}

const PROVIDER: Provider = Provider::Paynow;
