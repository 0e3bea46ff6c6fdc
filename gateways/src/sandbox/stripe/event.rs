//! Events: each kept for who comes to ask, and sent, signed, to the merchant's address.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::intent::Intent;
use super::{API_VERSION, Answer, Call, State, Stripe, livemode, unknown};
use crate::sandbox::courier::{Callback, Signature, Told};
use crate::sandbox::fault::Fault;
use crate::sandbox::merchants::StripeMerchant;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{World, held};

const KEPT_MAX: usize = 50_000;
const LISTED_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Event {
    id: String,
    account: String,
    kind: String,
    created: i64,
    body: Arc<str>,
}

/// On whose account and at whose request something happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause<'a> {
    pub(super) world: &'a Arc<World>,
    pub(super) merchant: &'a StripeMerchant,
    pub(super) now: DateTime<Utc>,
    /// `None` for what the customer did.
    pub(super) request: Option<(&'a str, &'a str)>,
}

impl<'a> Call<'a> {
    pub(super) fn cause(&'a self) -> Cause<'a> {
        Cause {
            world: self.world,
            merchant: self.merchant,
            now: self.now,
            request: Some((&self.request_id, &self.idempotency_key)),
        }
    }
}

impl State {
    /// Tells what became of a payment; what is told of the money may be a lie.
    pub(super) fn emit(
        &mut self,
        cause: Cause<'_>,
        kind: &str,
        about: (&str, &str),
        truth: Told,
        object: impl Fn(&Told) -> Value,
    ) {
        let (payment, reference) = about;
        let Cause {
            world,
            merchant,
            now,
            request,
        } = cause;
        let id = format!("evt_{}", world.dice.id(24));
        let written = |told: &Told| {
            json!({
                "id": id,
                "object": "event",
                "type": kind,
                "created": now.timestamp(),
                "api_version": API_VERSION,
                "livemode": livemode(merchant),
                "pending_webhooks": 1,
                "request": {
                    "id": request.map(|(id, _)| id),
                    "idempotency_key": request.map(|(_, key)| key).filter(|key| !key.is_empty()),
                },
                "data": { "object": object(told) },
            })
            .to_string()
        };
        if self.events.len() >= KEPT_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            id: id.clone(),
            account: merchant.account.clone(),
            kind: kind.to_owned(),
            created: now.timestamp(),
            body: written(&truth).into(),
        });
        world.tell(truth, |told| {
            callback(merchant, payment, reference, kind, written(told))
        });
    }
}

fn callback(
    merchant: &StripeMerchant,
    payment: &str,
    reference: &str,
    kind: &str,
    body: String,
) -> Callback {
    Callback {
        provider: Provider::Stripe,
        url: merchant.webhook_url.clone().unwrap_or_default(),
        reference: reference.to_owned(),
        payment: payment.to_owned(),
        about: kind.to_owned(),
        content_type: "application/json; charset=utf-8",
        body,
        signature: Signature::Stripe(merchant.webhook_secrets.clone()),
    }
}

/// A success that never was: unsigned, signed by somebody else, or long ago.
pub(super) fn forge(cause: Cause<'_>, intent: &Intent) {
    let Cause {
        world,
        merchant,
        now,
        ..
    } = cause;
    let (payment, reference) = (&intent.deal.payment, &intent.deal.reference);
    if world
        .hit(Fault::CallbackForged, Provider::Stripe, reference, payment)
        .is_none()
    {
        return;
    }
    let mut object = intent.shown(merchant, None);
    object["status"] = Value::from("succeeded");
    object["amount_received"] = Value::from(intent.amount);
    let body = json!({
        "id": format!("evt_{}", world.dice.id(24)),
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": now.timestamp(),
        "api_version": API_VERSION,
        "livemode": livemode(merchant),
        "data": { "object": object },
    });
    let mut forged = callback(merchant, payment, reference, "forged", body.to_string());
    forged.signature = match world.dice.roll(&["forged", payment]) % 3 {
        0 => Signature::None,
        1 => Signature::Stripe(vec!["whsec_somebody_else".to_owned()]),
        _ => Signature::StripeOld(merchant.webhook_secrets.clone()),
    };
    world.send(forged);
}

impl Stripe {
    /// Newest first, as Stripe lists everything.
    pub(super) fn list_events(&self, call: &Call<'_>) -> Reply {
        let form = &call.form;
        let limit = form
            .text("limit")
            .parse()
            .unwrap_or(10)
            .clamp(1, LISTED_MAX);
        let least: i64 = form.text("created[gte]").parse().unwrap_or(i64::MIN);
        let after: i64 = form.text("created[gt]").parse().unwrap_or(i64::MIN);
        let most: i64 = form.text("created[lte]").parse().unwrap_or(i64::MAX);
        let kind = form.text("type");
        let family = kind.strip_suffix('*');
        let fits = |event: &&Event| {
            event.account == call.merchant.account
                && event.created >= least
                && event.created > after
                && event.created <= most
                && match family {
                    Some(family) => event.kind.starts_with(family),
                    None => kind.is_empty() || event.kind == kind,
                }
        };
        let state = held(&self.state);
        let newest_first = state.events.iter().rev().filter(fits);
        let (starting, ending) = (form.get("starting_after"), form.get("ending_before"));
        let mut found: Vec<&Event> = match (starting, ending) {
            (Some(id), _) => newest_first
                .skip_while(|event| event.id != id)
                .skip(1)
                .collect(),
            (None, Some(id)) => {
                // The page right before the cursor, not the newest of all.
                let newer: Vec<_> = newest_first.take_while(|event| event.id != id).collect();
                newer
                    .get(newer.len().saturating_sub(limit + 1)..)
                    .unwrap_or_default()
                    .to_vec()
            }
            (None, None) => newest_first.take(limit + 1).collect(),
        };
        let more = found.len() > limit;
        if ending.is_some() && starting.is_none() && more {
            found.remove(0);
        }
        found.truncate(limit);
        let data: Vec<&str> = found.iter().map(|event| &*event.body).collect();
        let body = format!(
            r#"{{"object":"list","url":"/v1/events","has_more":{more},"data":[{}]}}"#,
            data.join(",")
        );
        Reply::json(200, body)
    }

    pub(super) fn read_event(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        let mut events = state.events.iter();
        let found = events.find(|event| event.id == id && event.account == call.merchant.account);
        found
            .map(|event| Reply::json(200, &event.body))
            .ok_or_else(|| unknown("event", id))
    }
}
