//! Checkout: a page of Stripe's, open for a while.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::event::{Cause, forge};
use super::intent_calls::{new_intent, prompt};
use super::{Answer, Call, No, State, Stripe, impossible, invalid, livemode, missing, unknown};
use crate::sandbox::courier::Told;
use crate::sandbox::fault::Fault;
use crate::sandbox::merchants::StripeMerchant;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{World, held};

const LINES_MAX: usize = 100;
const DAY: i64 = 24 * 60 * 60;
const HALF_AN_HOUR: i64 = 30 * 60;

#[derive(Debug)]
pub(super) struct Session {
    id: String,
    account: String,
    intent: String,
    url: String,
    status: &'static str,
    client_reference_id: Option<String>,
    customer_email: Option<String>,
    metadata: Map<String, Value>,
    lines: Vec<Line>,
    amount_total: i64,
    /// Not yet, while a card that said yes waits to be captured.
    pub(super) paid: bool,
    currency: String,
    created: i64,
    expires_at: i64,
}

#[derive(Debug)]
struct Line {
    name: String,
    unit_amount: i64,
    quantity: i64,
}

impl Session {
    fn shown(&self, merchant: &StripeMerchant, told: &Told) -> Value {
        let complete = self.status == "complete";
        json!({
            "id": self.id,
            "object": "checkout.session",
            "mode": "payment",
            "url": Some(&self.url).filter(|_| self.status == "open"),
            "status": self.status,
            "payment_status": if self.paid { "paid" } else { "unpaid" },
            "amount_subtotal": told.amount,
            "amount_total": told.amount,
            "currency": told.currency,
            "payment_intent": Some(&self.intent).filter(|_| complete),
            "client_reference_id": self.client_reference_id,
            "customer_email": self.customer_email,
            "customer_details": { "email": self.customer_email },
            "expires_at": self.expires_at,
            "metadata": self.metadata,
            "livemode": livemode(merchant),
            "created": self.created,
        })
    }

    fn truth(&self) -> Told {
        Told {
            amount: self.amount_total,
            currency: self.currency.clone(),
        }
    }

    fn lines_shown(&self) -> Value {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "object": "item",
                    "description": line.name,
                    "quantity": line.quantity,
                    "amount_total": line.unit_amount * line.quantity,
                    "currency": self.currency,
                })
            })
            .collect();
        json!({ "object": "list", "has_more": false, "data": lines })
    }
}

impl Stripe {
    pub(super) fn create_session(&self, call: &Call<'_>) -> Answer {
        let form = &call.form;
        match form.text("mode") {
            "payment" => (),
            "" => return Err(missing("mode")),
            other => return Err(invalid("", "mode", &format!("Invalid mode: {other}"))),
        }
        let success_url = form
            .get("success_url")
            .ok_or_else(|| missing("success_url"))?;
        let (lines, currency) = lines(call)?;
        let total: Option<i64> = lines.iter().try_fold(0_i64, |sum, line| {
            sum.checked_add(line.unit_amount.checked_mul(line.quantity)?)
        });
        let amount_total = total
            .filter(|total| *total <= 99_999_999)
            .ok_or_else(|| invalid("amount_too_large", "line_items", "The total is too large"))?;
        let created = call.now.timestamp();
        let expires_at = match form.text("expires_at") {
            "" => created + DAY,
            text => text.parse().unwrap_or(0),
        };
        if !(created + HALF_AN_HOUR..=created + DAY).contains(&expires_at) {
            let message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
            return Err(invalid("", "expires_at", message));
        }
        let mode = if livemode(call.merchant) {
            "live"
        } else {
            "test"
        };
        let id = format!("cs_{mode}_{}", call.world.dice.id(58));
        call.refuse_connected("payment_intent_data")?;
        let metadata = call.metadata("metadata")?;
        let manual = form.text("payment_intent_data[capture_method]") == "manual";
        let inside = call.metadata("payment_intent_data[metadata]")?;
        let mut intent = new_intent(call, amount_total, currency.clone(), inside, manual);
        if intent.deal.reference.is_empty() {
            intent.deal.reference = match form.text("client_reference_id") {
                "" => super::reference(&metadata),
                named => named.to_owned(),
            };
        }
        intent.session = Some(id.clone());
        let back = success_url.replace("{CHECKOUT_SESSION_ID}", &id);
        let prompt = prompt(call, &intent, &back);
        let kept = |name: &str| {
            form.get(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let session = Session {
            id: id.clone(),
            account: call.merchant.account.clone(),
            intent: intent.deal.payment.clone(),
            url: format!("{}/pay/stripe/{}", call.world.origin, intent.deal.payment),
            status: "open",
            client_reference_id: kept("client_reference_id"),
            customer_email: kept("customer_email"),
            metadata,
            lines,
            amount_total,
            paid: false,
            currency,
            created,
            expires_at,
        };
        forge(call.cause(), &intent);
        let mut shown = session.shown(call.merchant, &session.truth());
        if call.expands("line_items") {
            shown["line_items"] = session.lines_shown();
        }
        let reference = intent.deal.reference.clone();
        {
            let mut state = held(&self.state);
            state.intents.insert(intent.deal.payment.clone(), intent);
            state.sessions.insert(id.clone(), session);
        }
        call.world.ask(prompt);
        let open_for = u64::try_from(expires_at - created).unwrap_or_default();
        expire_later(call.world, id, open_for);
        Ok(Reply::json(200, shown).about(&reference))
    }

    pub(super) fn read_session(&self, call: &Call<'_>, id: &str) -> Answer {
        let mut state = held(&self.state);
        expire_if_due(&mut state, call.cause(), id);
        let session = owned(call, &state, id)?;
        let reference = state
            .intents
            .get(&session.intent)
            .map(|intent| intent.deal.reference.clone());
        let reference = reference.unwrap_or_default();
        let mut shown = session.shown(call.merchant, &session.truth());
        let paid = session.paid;
        let hit = |fault| {
            call.world
                .hit(fault, Provider::Stripe, &reference, id)
                .is_some()
        };
        if paid && (hit(Fault::QueryLags) || hit(Fault::QueryDenies)) {
            shown["payment_status"] = Value::from("unpaid");
            shown["status"] = Value::from("open");
        } else if !paid && hit(Fault::QueryClaims) {
            shown["payment_status"] = Value::from("paid");
            shown["status"] = Value::from("complete");
            shown["payment_intent"] = Value::from(&*session.intent);
        }
        if call.expands("line_items") {
            shown["line_items"] = session.lines_shown();
        }
        Ok(Reply::json(200, shown).about(&reference))
    }

    pub(super) fn line_items(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        Ok(Reply::json(200, owned(call, &state, id)?.lines_shown()))
    }

    pub(super) fn expire_session(&self, call: &Call<'_>, id: &str) -> Answer {
        let mut state = held(&self.state);
        if owned(call, &state, id)?.status != "open" {
            let message = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
            return Err(impossible("", message));
        }
        expire(&mut state, call.cause(), id);
        let session = owned(call, &state, id)?;
        Ok(Reply::json(
            200,
            session.shown(call.merchant, &session.truth()),
        ))
    }
}

fn expire_later(world: &Arc<World>, id: String, seconds: u64) {
    world.after(world.scaled(seconds), move |world| {
        let merchants = world.merchants();
        let mut state = held(&world.stripe.state);
        let owner = state
            .sessions
            .get(&id)
            .map(|session| session.account.clone());
        let merchant = merchants
            .stripe
            .iter()
            .find(|one| Some(&one.account) == owner.as_ref());
        if let Some(merchant) = merchant {
            let now = world.now();
            let cause = Cause {
                world,
                merchant,
                now,
                request: None,
            };
            expire(&mut state, cause, &id);
        }
    });
}

fn owned<'a>(call: &Call<'_>, state: &'a State, id: &str) -> Result<&'a Session, No> {
    state
        .sessions
        .get(id)
        .filter(|session| session.account == call.merchant.account)
        .ok_or_else(|| unknown("checkout.session", id))
}

fn lines(call: &Call<'_>) -> Result<(Vec<Line>, String), No> {
    let mut lines = Vec::new();
    let mut all_in = String::new();
    for index in 0..LINES_MAX {
        let at = format!("line_items[{index}]");
        if !call.form.pairs().any(|(key, _)| key.starts_with(&at)) {
            break;
        }
        let currency = call.currency(&format!("{at}[price_data][currency]"))?;
        if !all_in.is_empty() && all_in != currency {
            return Err(invalid("", &at, "All line items must be in one currency"));
        }
        all_in = currency;
        let name = format!("{at}[price_data][product_data][name]");
        lines.push(Line {
            name: call
                .form
                .get(&name)
                .ok_or_else(|| missing(&name))?
                .to_owned(),
            unit_amount: call.required_amount(&format!("{at}[price_data][unit_amount]"))?,
            quantity: call.required_amount(&format!("{at}[quantity]"))?,
        });
    }
    if lines.is_empty() {
        return Err(missing("line_items"));
    }
    Ok((lines, all_in))
}

pub(super) fn complete(state: &mut State, cause: Cause<'_>, id: &str) {
    if let Some(session) = state.sessions.get_mut(id) {
        session.status = "complete";
        tell(state, cause, id, "checkout.session.completed");
    }
}

pub(super) fn expire_if_due(state: &mut State, cause: Cause<'_>, id: &str) {
    let now = cause.now.timestamp();
    let due = state
        .sessions
        .get(id)
        .is_some_and(|session| now >= session.expires_at);
    if due {
        expire(state, cause, id);
    }
}

fn expire(state: &mut State, cause: Cause<'_>, id: &str) {
    let Some(session) = state
        .sessions
        .get_mut(id)
        .filter(|session| session.status == "open")
    else {
        return;
    };
    session.status = "expired";
    if let Some(intent) = state.intents.get_mut(&session.intent) {
        intent.status = "canceled";
    }
    cause
        .world
        .prompts
        .remove(Provider::Stripe, &session.intent);
    tell(state, cause, id, "checkout.session.expired");
}

fn tell(state: &mut State, cause: Cause<'_>, id: &str, kind: &str) {
    let Some(session) = state.sessions.get(id) else {
        return;
    };
    let (intent, truth) = (session.intent.clone(), session.truth());
    let reference = state
        .intents
        .get(&intent)
        .map(|intent| intent.deal.reference.clone());
    let shown = session.shown(cause.merchant, &truth);
    let object = |told: &Told| {
        let mut shown = shown.clone();
        shown["amount_total"] = Value::from(told.amount);
        shown["currency"] = Value::from(&*told.currency);
        shown
    };
    state.emit(
        cause,
        kind,
        (&intent, &reference.unwrap_or_default()),
        truth,
        object,
    );
}
