//! A payment intent: what it is, how it is shown, and what the customer makes of it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::event::Cause;
use super::session;
use super::{State, Stripe, iso_minor, livemode};
use crate::sandbox::courier::Told;
use crate::sandbox::customer::Act;
use crate::sandbox::deal::Deal;
use crate::sandbox::merchants::StripeMerchant;
use crate::sandbox::provider::Provider;
use crate::sandbox::world::{ActError, World, held};

#[derive(Debug)]
pub(super) struct Intent {
    pub(super) deal: Deal,
    pub(super) amount: i64,
    pub(super) amount_capturable: i64,
    pub(super) amount_received: i64,
    /// In lower case, as Stripe has it.
    pub(super) currency: String,
    pub(super) status: &'static str,
    pub(super) manual: bool,
    pub(super) client_secret: String,
    pub(super) metadata: Map<String, Value>,
    pub(super) description: String,
    pub(super) payment_method: Option<String>,
    pub(super) latest_charge: Option<String>,
    /// The decline code of the last attempt.
    pub(super) declined: Option<&'static str>,
    pub(super) cancellation_reason: Option<String>,
    pub(super) canceled_at: Option<i64>,
    pub(super) created: i64,
    /// If it belongs to a page.
    pub(super) session: Option<String>,
}

impl Intent {
    /// With other money than is true, if a lie is told.
    pub(super) fn shown(&self, merchant: &StripeMerchant, told: Option<&Told>) -> Value {
        let amount = told.map_or(self.amount, |told| told.amount);
        let received = if self.amount_received == 0 {
            0
        } else {
            self.amount_received + amount - self.amount
        };
        let next_action = (self.status == "requires_action")
            .then(|| json!({ "type": "redirect_to_url", "redirect_to_url": { "url": null } }));
        json!({
            "id": self.deal.payment,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": self.amount_capturable,
            "amount_received": received,
            "currency": told.map_or(&*self.currency, |told| &*told.currency),
            "status": self.status,
            "client_secret": self.client_secret,
            "latest_charge": self.latest_charge,
            "last_payment_error": self.declined.map(card_error),
            "next_action": next_action,
            "metadata": self.metadata,
            "description": Some(&self.description).filter(|text| !text.is_empty()),
            "capture_method": if self.manual { "manual" } else { "automatic_async" },
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "payment_method": self.payment_method,
            "livemode": livemode(merchant),
            "created": self.created,
        })
    }

    pub(super) fn charge_shown(&self, id: &str) -> Value {
        let latest = self.latest_charge.as_deref() == Some(id);
        let paid = latest && self.declined.is_none();
        let back = match self.currency.as_str() {
            "ugx" | "isk" => self.deal.refunded * 100,
            _ => self.deal.refunded,
        };
        let mut charge = json!({
            "id": id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if paid { self.amount_received } else { 0 },
            "amount_refunded": if paid { back } else { 0 },
            "refunded": paid && back > 0 && back == self.amount_received,
            "captured": paid && self.amount_received > 0,
            "paid": paid,
            "currency": self.currency,
            "payment_intent": self.deal.payment,
            "payment_method": self.payment_method,
            "status": if paid { "succeeded" } else { "failed" },
            "metadata": self.metadata,
            "created": self.created,
        });
        if let (false, Some(decline)) = (paid, self.declined) {
            charge["failure_code"] = Value::from("card_declined");
            charge["failure_message"] = Value::from("Your card was declined.");
            charge["outcome"] = json!({ "type": "issuer_declined", "reason": decline });
        }
        charge
    }

    pub(super) fn truth(&self) -> Told {
        Told {
            amount: self.amount,
            currency: self.currency.clone(),
        }
    }

    /// Whether the customer may still pay.
    pub(super) fn is_open(&self) -> bool {
        matches!(
            self.status,
            "requires_payment_method" | "requires_confirmation" | "requires_action"
        )
    }
}

pub(super) fn card_error(decline: &str) -> Value {
    json!({
        "type": "card_error",
        "code": "card_declined",
        "decline_code": decline,
        "message": "Your card was declined.",
    })
}

impl State {
    /// An event about an intent.
    pub(super) fn tell_intent(&mut self, cause: Cause<'_>, id: &str, kind: &str) {
        let Some(intent) = self.intents.get(id) else {
            return;
        };
        let (truth, reference) = (intent.truth(), intent.deal.reference.clone());
        let shown = intent.shown(cause.merchant, None);
        let honest = truth.clone();
        let object = |told: &Told| {
            let mut shown = shown.clone();
            if told.amount != honest.amount {
                shown["amount"] = Value::from(told.amount);
                if shown["amount_received"] != 0 {
                    shown["amount_received"] = Value::from(told.amount);
                }
            }
            shown["currency"] = Value::from(&*told.currency);
            shown
        };
        self.emit(cause, kind, (id, &reference), truth, object);
    }

    pub(super) fn tell_charge(&mut self, cause: Cause<'_>, id: &str, charge: &str, kind: &str) {
        let Some(intent) = self.intents.get(id) else {
            return;
        };
        let (shown, reference) = (intent.charge_shown(charge), intent.deal.reference.clone());
        let nothing = Told {
            amount: 0,
            currency: String::new(),
        };
        self.emit(cause, kind, (id, &reference), nothing, |_| shown.clone());
    }

    /// The card says yes: the money comes in, or is held until it is captured.
    pub(super) fn approve(&mut self, cause: Cause<'_>, id: &str) {
        let charge = format!("ch_{}", cause.world.dice.id(24));
        let Some(intent) = self.intents.get_mut(id) else {
            return;
        };
        intent.latest_charge = Some(charge.clone());
        intent.declined = None;
        intent
            .payment_method
            .get_or_insert_with(|| "pm_card_visa".to_owned());
        self.charges.insert(charge, id.to_owned());
        if intent.manual {
            intent.status = "requires_capture";
            intent.amount_capturable = intent.amount;
            cause.world.prompts.remove(Provider::Stripe, id);
            self.tell_intent(cause, id, "payment_intent.amount_capturable_updated");
        } else {
            let amount = intent.amount;
            self.capture(cause, id, amount);
        }
        if let Some(page) = self
            .intents
            .get(id)
            .and_then(|intent| intent.session.clone())
        {
            session::complete(self, cause, &page);
        }
        let disputed = self.intents.get(id).is_some_and(|intent| {
            intent.payment_method.as_deref() == Some("pm_card_createDispute")
                && intent.status == "succeeded"
        });
        if disputed {
            let _ = self.charge_back(cause, id, None);
        }
    }

    pub(super) fn capture(&mut self, cause: Cause<'_>, id: &str, amount: i64) {
        let Some(intent) = self.intents.get_mut(id) else {
            return;
        };
        intent.status = "succeeded";
        intent.amount_received = amount;
        intent.amount_capturable = 0;
        let charge = intent.latest_charge.clone().unwrap_or_default();
        let page = intent.session.clone();
        let taken = iso_minor(&intent.currency, amount);
        // An intent is captured once, so its id names the movement.
        intent
            .deal
            .take(&cause.world.book, cause.now, taken, cause.merchant.fee, id);
        if let Some(page) = page.and_then(|page| self.sessions.get_mut(&page)) {
            page.paid = true;
        }
        cause.world.prompts.remove(Provider::Stripe, id);
        self.tell_charge(cause, id, &charge, "charge.succeeded");
        self.tell_intent(cause, id, "payment_intent.succeeded");
    }

    /// The card says no. Another may say yes.
    pub(super) fn decline(&mut self, cause: Cause<'_>, id: &str, why: &'static str) {
        let charge = format!("ch_{}", cause.world.dice.id(24));
        let Some(intent) = self.intents.get_mut(id) else {
            return;
        };
        intent.status = "requires_payment_method";
        intent.declined = Some(why);
        intent.payment_method = None;
        intent.latest_charge = Some(charge.clone());
        self.charges.insert(charge.clone(), id.to_owned());
        self.tell_charge(cause, id, &charge, "charge.failed");
        self.tell_intent(cause, id, "payment_intent.payment_failed");
    }
}

impl Stripe {
    pub(super) fn customer_acts(
        &self,
        world: &Arc<World>,
        payment: &str,
        act: Act,
    ) -> Result<(), ActError> {
        let merchants = world.merchants();
        let mut state = held(&self.state);
        let intent = state.intents.get(payment).ok_or(ActError::Unknown)?;
        let merchant = merchants
            .stripe
            .iter()
            .find(|merchant| merchant.account == intent.deal.account)
            .ok_or(ActError::Unknown)?;
        let cause = Cause {
            world,
            merchant,
            now: world.now(),
            request: None,
        };
        if let Some(page) = intent.session.clone() {
            session::expire_if_due(&mut state, cause, &page);
        }
        let open = state.intents.get(payment).is_some_and(Intent::is_open);
        if !open {
            return Err(ActError::NotNow);
        }
        match act {
            Act::Pay => state.approve(cause, payment),
            Act::Decline => state.decline(cause, payment, "generic_decline"),
            Act::InsufficientFunds => state.decline(cause, payment, "insufficient_funds"),
            // Who leaves the page may come back.
            Act::Cancel | Act::Open => (),
            Act::WrongPin | Act::Unreachable => return Err(ActError::NotHere),
        }
        Ok(())
    }
}
