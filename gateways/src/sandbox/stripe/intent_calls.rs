//! What a merchant does with payment intents.

use serde_json::{Value, json};

use super::event::forge;
use super::intent::{Intent, card_error};
use super::{Answer, Call, No, Stripe, impossible, invalid, iso_minor, reference, unknown};
use crate::sandbox::deal::Deal;
use crate::sandbox::fault::Fault;
use crate::sandbox::prompt::Prompt;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::held;

impl Stripe {
    pub(super) fn create_intent(&self, call: &Call<'_>) -> Answer {
        let amount = call.required_amount("amount")?;
        let currency = call.currency("currency")?;
        if currency == "usd" && amount < 50 {
            return Err(invalid(
                "amount_too_small",
                "amount",
                "Amount must be at least $0.50 usd",
            ));
        }
        let form = &call.form;
        let manual = match form.text("capture_method") {
            "" | "automatic" | "automatic_async" => false,
            "manual" => true,
            other => {
                let message = format!("Invalid capture_method: {other}");
                return Err(invalid("", "capture_method", &message));
            }
        };
        call.refuse_connected("")?;
        let metadata = call.metadata("metadata")?;
        let intent = new_intent(call, amount, currency, metadata, manual);
        let intent = Intent {
            description: form.text("description").to_owned(),
            ..intent
        };
        let id = intent.deal.payment.clone();
        let prompt = prompt(call, &intent, form.text("return_url"));
        forge(call.cause(), &intent);
        {
            let mut state = held(&self.state);
            state.intents.insert(id.clone(), intent);
            state.tell_intent(call.cause(), &id, "payment_intent.created");
        }
        if form.get("payment_method").is_some() || form.text("confirm") == "true" {
            let confirmed = self.try_card(call, &id, form.text("confirm") == "true");
            if confirmed.is_err() || self.is_settled(&id) {
                return confirmed;
            }
        }
        call.world.ask(prompt);
        self.changed_intent(call, &id)
    }

    fn is_settled(&self, id: &str) -> bool {
        held(&self.state)
            .intents
            .get(id)
            .is_none_or(|intent| !intent.is_open())
    }

    /// A question about an intent. Its answer may lie.
    pub(super) fn read_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        let intent = owned(call, state.intents.get(id), id)?;
        let reference = &intent.deal.reference;
        let hit = |fault| {
            call.world
                .hit(fault, Provider::Stripe, reference, id)
                .is_some()
        };
        let (status, received) = match intent.status {
            "succeeded" if hit(Fault::QueryDenies) => ("requires_payment_method", 0),
            "succeeded" if hit(Fault::QueryLags) => ("processing", 0),
            other if other != "succeeded" && hit(Fault::QueryClaims) => {
                ("succeeded", intent.amount)
            }
            same => (same, intent.amount_received),
        };
        let mut shown = intent.shown(call.merchant, None);
        shown["status"] = Value::from(status);
        shown["amount_received"] = Value::from(received);
        Ok(expanded(call, intent, shown))
    }

    /// What a change has made of it.
    fn changed_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        let intent = owned(call, state.intents.get(id), id)?;
        Ok(expanded(call, intent, intent.shown(call.merchant, None)))
    }

    pub(super) fn change_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        let amount = call.amount("amount")?;
        let metadata = call.metadata("metadata")?;
        {
            let mut state = held(&self.state);
            owned(call, state.intents.get(id), id)?;
            let Some(intent) = state.intents.get_mut(id) else {
                return Err(unknown("payment_intent", id));
            };
            if let Some(amount) = amount {
                if !intent.is_open() {
                    return Err(unexpected_state(call, intent, "update"));
                }
                intent.amount = amount;
                intent.deal.asked = iso_minor(&intent.currency, amount);
            }
            for (key, value) in metadata {
                if value == "" {
                    intent.metadata.remove(&key);
                } else {
                    intent.metadata.insert(key, value);
                }
            }
            if let Some(description) = call.form.get("description") {
                description.clone_into(&mut intent.description);
            }
        }
        self.changed_intent(call, id)
    }

    pub(super) fn confirm_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        owned(call, held(&self.state).intents.get(id), id)?;
        self.try_card(call, id, true)
    }

    /// The test cards do what their names say.
    fn try_card(&self, call: &Call<'_>, id: &str, confirm: bool) -> Answer {
        let method = call.form.get("payment_method").map(str::to_owned);
        let cause = call.cause();
        let mut state = held(&self.state);
        let Some(intent) = state.intents.get_mut(id) else {
            return Err(unknown("payment_intent", id));
        };
        if !intent.is_open() {
            return Err(unexpected_state(call, intent, "confirm"));
        }
        if let Some(method) = method {
            intent.payment_method = Some(method);
            intent.status = "requires_confirmation";
        }
        let reference = intent.deal.reference.clone();
        let Some(method) = intent.payment_method.clone().filter(|_| confirm) else {
            if confirm {
                return Err(impossible(
                    "payment_intent_unexpected_state",
                    "You cannot confirm this PaymentIntent because it's missing a payment method.",
                ));
            }
            return Ok(Reply::json(200, intent.shown(call.merchant, None)).about(&reference));
        };
        let declined = match &*method {
            "pm_card_chargeDeclined" => Some("generic_decline"),
            "pm_card_chargeDeclinedInsufficientFunds" => Some("insufficient_funds"),
            _ => None,
        };
        if let Some(why) = declined {
            state.decline(cause, id, why);
            let mut error = card_error(why);
            if let Some(intent) = state.intents.get(id) {
                error["payment_intent"] = intent.shown(call.merchant, None);
                error["charge"] = json!(intent.latest_charge);
            }
            let reply = Reply::json(402, json!({ "error": error }));
            return Err(No::Failed(reply.about(&reference)));
        }
        if method == "pm_card_authenticationRequired" {
            intent.status = "requires_action";
            state.tell_intent(cause, id, "payment_intent.requires_action");
        } else {
            state.approve(cause, id);
        }
        let shown = state
            .intents
            .get(id)
            .map(|intent| intent.shown(call.merchant, None));
        Ok(Reply::json(200, shown.unwrap_or_default()).about(&reference))
    }

    pub(super) fn capture_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        let wanted = call.amount("amount_to_capture")?;
        {
            let mut state = held(&self.state);
            let intent = owned(call, state.intents.get(id), id)?;
            if intent.status != "requires_capture" {
                return Err(unexpected_state(call, intent, "capture"));
            }
            let amount = wanted.unwrap_or(intent.amount_capturable);
            if amount > intent.amount_capturable {
                return Err(impossible(
                    "amount_too_large",
                    "The amount to capture is more than the amount that can be captured.",
                ));
            }
            state.capture(call.cause(), id, amount);
        }
        self.changed_intent(call, id)
    }

    pub(super) fn cancel_intent(&self, call: &Call<'_>, id: &str) -> Answer {
        let reason = call.form.text("cancellation_reason");
        if !matches!(
            reason,
            "" | "abandoned" | "duplicate" | "fraudulent" | "requested_by_customer"
        ) {
            return Err(invalid(
                "",
                "cancellation_reason",
                "Invalid cancellation_reason",
            ));
        }
        {
            let mut state = held(&self.state);
            let intent = owned(call, state.intents.get(id), id)?;
            if matches!(intent.status, "succeeded" | "canceled")
                || intent.session.is_some() && intent.is_open()
            {
                return Err(unexpected_state(call, intent, "cancel"));
            }
            if let Some(intent) = state.intents.get_mut(id) {
                intent.status = "canceled";
                intent.amount_capturable = 0;
                intent.canceled_at = Some(call.now.timestamp());
                intent.cancellation_reason =
                    Some(reason.to_owned()).filter(|text| !text.is_empty());
            }
            call.world.prompts.remove(Provider::Stripe, id);
            state.tell_intent(call.cause(), id, "payment_intent.canceled");
        }
        self.changed_intent(call, id)
    }

    /// As the merchant's statement names it.
    pub(in crate::sandbox) fn charge_of(&self, id: &str) -> Option<String> {
        let state = held(&self.state);
        state
            .intents
            .get(id)
            .and_then(|intent| intent.latest_charge.clone())
    }

    pub(super) fn read_charge(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        let intent = state
            .charges
            .get(id)
            .and_then(|intent| state.intents.get(intent));
        let intent = intent
            .filter(|intent| intent.deal.account == call.merchant.account)
            .ok_or_else(|| unknown("charge", id))?;
        Ok(Reply::json(200, intent.charge_shown(id)).about(&intent.deal.reference))
    }
}

fn expanded(call: &Call<'_>, intent: &Intent, mut shown: Value) -> Reply {
    if let Some(charge) = intent
        .latest_charge
        .as_ref()
        .filter(|_| call.expands("latest_charge"))
    {
        shown["latest_charge"] = intent.charge_shown(charge);
    }
    Reply::json(200, shown).about(&intent.deal.reference)
}

fn owned<'a>(call: &Call<'_>, found: Option<&'a Intent>, id: &str) -> Result<&'a Intent, No> {
    found
        .filter(|intent| intent.deal.account == call.merchant.account)
        .ok_or_else(|| unknown("payment_intent", id))
}

fn unexpected_state(call: &Call<'_>, intent: &Intent, what: &str) -> No {
    let message = format!(
        "You cannot {what} this PaymentIntent because it has a status of {}.",
        intent.status
    );
    let error = json!({
        "type": "invalid_request_error",
        "code": "payment_intent_unexpected_state",
        "message": message,
        "payment_intent": intent.shown(call.merchant, None),
    });
    No::Failed(Reply::json(400, json!({ "error": error })).about(&intent.deal.reference))
}

pub(super) fn new_intent(
    call: &Call<'_>,
    amount: i64,
    currency: String,
    metadata: serde_json::Map<String, Value>,
    manual: bool,
) -> Intent {
    let dice = &call.world.dice;
    let id = format!("pi_{}", dice.id(24));
    let client_secret = format!("{id}_secret_{}", dice.id(24));
    Intent {
        deal: Deal {
            provider: Provider::Stripe,
            account: call.merchant.account.clone(),
            payment: id,
            reference: reference(&metadata),
            currency: currency.to_uppercase(),
            asked: iso_minor(&currency, amount),
            captured: 0,
            refunded: 0,
            charged_back: 0,
        },
        amount,
        amount_capturable: 0,
        amount_received: 0,
        currency,
        status: "requires_payment_method",
        manual,
        client_secret,
        metadata,
        description: String::new(),
        payment_method: None,
        latest_charge: None,
        declined: None,
        cancellation_reason: None,
        canceled_at: None,
        created: call.now.timestamp(),
        session: None,
    }
}

/// What stands in for Stripe's form in the browser.
pub(super) fn prompt(call: &Call<'_>, intent: &Intent, return_url: &str) -> Prompt {
    let Deal {
        payment,
        reference,
        currency,
        asked,
        account,
        ..
    } = &intent.deal;
    Prompt {
        provider: Provider::Stripe,
        payment: payment.clone(),
        reference: reference.clone(),
        phone: None,
        amount: *asked,
        currency: currency.clone(),
        text: format!("Pay {account} by card"),
        code: None,
        return_url: Some(return_url.to_owned()).filter(|url| !url.is_empty()),
        at: call.now,
    }
}
