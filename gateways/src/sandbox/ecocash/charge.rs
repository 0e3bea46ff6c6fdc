//! Asking for money, and asking what became of it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Charge, Ecocash, EcocashMerchant, Fault, PROVIDER, callback, harare, is_phone, iso, refused,
    text,
};
use crate::sandbox::deal::Deal;
use crate::sandbox::major::{major, minor};
use crate::sandbox::prompt::Prompt;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::{World, held};

/// In EcoCash's seconds.
const PROMPT_OPEN_FOR: u64 = 60;
const LATE_BY: u64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    customer_msisdn: String,
    /// A number, digit by digit as it was sent.
    #[serde(borrow)]
    amount: &'a RawValue,
    reason: String,
    currency: String,
    source_reference: String,
}

impl Ecocash {
    pub(super) fn charge(
        &self,
        world: &Arc<World>,
        merchant: &EcocashMerchant,
        request: &Request<'_>,
    ) -> Result<Reply, Reply> {
        let asked: Asked<'_> = serde_json::from_slice(request.body)
            .map_err(|_| refused(400, "Missing or invalid parameters"))?;
        let amount = minor(asked.amount.get()).filter(|amount| *amount > 0);
        let amount = amount.ok_or_else(|| refused(400, "Invalid amount"))?;
        let reference = asked.source_reference;
        if Uuid::parse_str(&reference).is_err() {
            return Err(refused(400, "sourceReference must be a UUID"));
        }
        if !is_phone(&asked.customer_msisdn) {
            return Err(refused(400, "Invalid customerMsisdn"));
        }
        let iso = iso(&asked.currency).ok_or_else(|| refused(400, "Invalid currency"))?;
        let deal = Deal {
            provider: PROVIDER,
            account: merchant.account.clone(),
            payment: reference.clone(),
            reference: reference.clone(),
            currency: iso.to_owned(),
            asked: amount,
            captured: 0,
            refunded: 0,
            charged_back: 0,
        };
        let charge = Charge {
            deal,
            phone: asked.customer_msisdn.clone(),
            currency: asked.currency,
            status: "PENDING",
            ecocash_reference: None,
            at: request.now,
        };
        {
            let mut state = held(&self.0);
            if state.charges.contains_key(&reference) {
                return Err(refused(409, "Conflict").about(&reference));
            }
            if world
                .hit(Fault::CallbackForged, PROVIDER, &reference, &reference)
                .is_some()
            {
                let mut forged = callback(merchant, &charge, true);
                "forged".clone_into(&mut forged.about);
                world.send(forged);
            }
            state.charges.insert(reference.clone(), charge);
        }
        world.ask(Prompt {
            provider: PROVIDER,
            payment: reference.clone(),
            reference: reference.clone(),
            phone: Some(asked.customer_msisdn),
            amount,
            currency: iso.to_owned(),
            text: format!("Confirm payment to {}: {}", merchant.account, asked.reason),
            code: None,
            return_url: None,
            at: request.now,
        });
        let expires = reference.clone();
        world.after(world.scaled(PROMPT_OPEN_FOR), move |world| {
            world.ecocash.expire(world, &expires);
        });
        let body = match world.dice.roll(&["charge body", &reference]) % 3 {
            0 => "",
            1 => "{}",
            _ => r#"{"status":"PENDING"}"#,
        };
        Ok(Reply::json(200, body).about(&reference))
    }

    fn expire(&self, world: &Arc<World>, reference: &str) {
        if self.settle(world, reference, "EXPIRED").is_err() {
            return;
        }
        if let Some(hit) = world.hit(Fault::CustomerPaysLate, PROVIDER, reference, reference) {
            let reference = reference.to_owned();
            world.after(hit.delay(world.scaled(LATE_BY)), move |world| {
                let _ = world.ecocash.settle(world, &reference, "SUCCESS");
            });
        }
    }

    pub(super) fn look_up(
        &self,
        world: &Arc<World>,
        merchant: &EcocashMerchant,
        request: &Request<'_>,
    ) -> Result<Reply, Reply> {
        let fields: Map<String, Value> = serde_json::from_slice(request.body)
            .map_err(|_| refused(400, "Missing or invalid parameters"))?;
        let reference = text(&fields, "sourceReference")?;
        let phone = text(&fields, "sourceMobileNumber")?;
        let state = held(&self.0);
        let found = state
            .charges
            .get(&reference)
            .filter(|found| found.deal.account == merchant.account && found.phone == phone)
            .ok_or_else(|| refused(404, "Transaction not found").about(&reference))?;
        let hit = |fault| world.hit(fault, PROVIDER, &reference, "look-up").is_some();
        if hit(Fault::QueryLags) && !world.dice.coin(&["lags as pending", &reference]) {
            return Err(refused(404, "Transaction not found").about(&reference));
        }
        let pending = if world.dice.coin(&["pending word", &reference]) {
            "PENDING"
        } else {
            "AWAITING_USER_VALIDATION"
        };
        let status = match found.status {
            "SUCCESS" if hit(Fault::QueryDenies) => "FAILED",
            "PENDING" => pending,
            "EXPIRED" => "FAILED",
            other => other,
        };
        let status = if status != "SUCCESS" && found.status != "SUCCESS" && hit(Fault::QueryClaims)
        {
            "SUCCESS"
        } else {
            status
        };
        let written = major(found.deal.asked);
        let amount = match world.dice.roll(&["amount", &reference]) % 3 {
            0 => written.trim_end_matches("00").trim_end_matches('.'),
            1 => written.strip_suffix('0').unwrap_or(&written),
            _ => &written,
        };
        // Composed by hand: a number with its decimals.
        let body = format!(
            r#"{{"amount":{{"amount":{amount},"currency":"{}"}},"customerMsisdn":"{}","reference":"{reference}","ecocashReference":"{}","status":"{status}","transactionDateTime":"{}"}}"#,
            found.currency,
            found.phone,
            found.ecocash_reference.as_deref().unwrap_or_default(),
            harare(found.at, "%Y-%m-%d %H:%M:%S"),
        );
        Ok(Reply::json(200, body).about(&reference))
    }
}
