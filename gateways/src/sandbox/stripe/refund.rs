//! Refunds, some of which fail days after they succeeded, and disputes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::event::Cause;
use super::{Answer, Call, State, Stripe, impossible, invalid, iso_minor, missing, unknown};
use crate::sandbox::courier::Told;
use crate::sandbox::fault::Fault;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{ActError, World, held};

/// In Stripe's seconds.
const SETTLES_AFTER: u64 = 10;

#[derive(Debug)]
pub(super) struct Refund {
    id: String,
    account: String,
    intent: String,
    charge: String,
    amount: i64,
    currency: String,
    status: &'static str,
    reason: Option<String>,
    metadata: Value,
    created: i64,
}

impl Refund {
    fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "currency": self.currency,
            "charge": self.charge,
            "payment_intent": self.intent,
            "status": self.status,
            "failure_reason": (self.status == "failed").then_some("lost_or_stolen_card"),
            "reason": self.reason,
            "metadata": self.metadata,
            "created": self.created,
        })
    }
}

impl Stripe {
    pub(super) fn create_refund(&self, call: &Call<'_>) -> Answer {
        let form = &call.form;
        let wanted = call.amount("amount")?;
        let metadata = Value::Object(call.metadata("metadata")?);
        let reason = form
            .get("reason")
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        if !matches!(
            reason.as_deref(),
            None | Some("duplicate" | "fraudulent" | "requested_by_customer")
        ) {
            return Err(invalid("", "reason", "Invalid reason"));
        }
        let mut guard = held(&self.state);
        let state = &mut *guard;
        let (kind, named) = match (form.get("payment_intent"), form.get("charge")) {
            (Some(intent), _) => ("payment_intent", intent.to_owned()),
            (None, Some(charge)) => ("charge", charge.to_owned()),
            (None, None) => return Err(missing("payment_intent")),
        };
        let id = match kind {
            "charge" => state.charges.get(&named).cloned().unwrap_or_default(),
            _ => named.clone(),
        };
        let intent = state
            .intents
            .get_mut(&id)
            .filter(|intent| intent.deal.account == call.merchant.account)
            .ok_or_else(|| unknown(kind, &named))?;
        let charge = match intent.latest_charge.clone() {
            Some(charge) if intent.amount_received > 0 => charge,
            _ => {
                let message = "This PaymentIntent does not have a successful charge to refund.";
                return Err(impossible("payment_intent_unexpected_state", message));
            }
        };
        let scale = if matches!(&*intent.currency, "ugx" | "isk") {
            100
        } else {
            1
        };
        let left = intent.deal.left() * scale;
        if intent.deal.charged_back > 0 {
            return Err(impossible(
                "charge_disputed",
                "This charge has been charged back",
            ));
        }
        if left == 0 {
            let message = format!("Charge {charge} has already been refunded.");
            return Err(impossible("charge_already_refunded", &message));
        }
        let amount = wanted.unwrap_or(left);
        let refund_id = format!("re_{}", call.world.dice.id(24));
        let taken = iso_minor(&intent.currency, amount);
        if intent
            .deal
            .give_back(&call.world.book, call.now, taken, &refund_id)
            .is_err()
        {
            let message = format!(
                "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            );
            return Err(impossible("", &message));
        }
        let (method, reference) = (intent.payment_method.clone(), intent.deal.reference.clone());
        let pending = method.as_deref() == Some("pm_card_pendingRefund");
        let fails = method.as_deref() == Some("pm_card_refundFail")
            || call
                .world
                .hit(Fault::RefundFails, Provider::Stripe, &reference, &refund_id)
                .is_some();
        let refund = Refund {
            id: refund_id.clone(),
            account: call.merchant.account.clone(),
            intent: id.clone(),
            charge: charge.clone(),
            amount,
            currency: intent.currency.clone(),
            status: if pending { "pending" } else { "succeeded" },
            reason,
            metadata,
            created: call.now.timestamp(),
        };
        let shown = refund.shown();
        state.refunds.insert(refund_id.clone(), refund);
        state.tell_refund(call.cause(), &refund_id, "refund.created");
        state.tell_charge(call.cause(), &id, &charge, "charge.refunded");
        drop(guard);
        if pending || fails {
            call.world
                .after(call.world.scaled(SETTLES_AFTER), move |world| {
                    world.stripe.settle_refund(world, &refund_id, fails);
                });
        }
        Ok(Reply::json(200, shown).about(&reference))
    }

    pub(super) fn read_refund(&self, call: &Call<'_>, id: &str) -> Answer {
        let state = held(&self.state);
        let refund = state
            .refunds
            .get(id)
            .filter(|refund| refund.account == call.merchant.account)
            .ok_or_else(|| unknown("refund", id))?;
        Ok(Reply::json(200, refund.shown()))
    }

    fn settle_refund(&self, world: &Arc<World>, id: &str, fails: bool) {
        let merchants = world.merchants();
        let mut guard = held(&self.state);
        let state = &mut *guard;
        let Some(refund) = state.refunds.get_mut(id) else {
            return;
        };
        let merchant = merchants
            .stripe
            .iter()
            .find(|one| one.account == refund.account);
        let Some(merchant) = merchant else { return };
        refund.status = if fails { "failed" } else { "succeeded" };
        if fails && let Some(intent) = state.intents.get_mut(&refund.intent) {
            let amount = iso_minor(&refund.currency, refund.amount);
            intent.deal.returned(&world.book, world.now(), amount, id);
        }
        let cause = Cause {
            world,
            merchant,
            now: world.now(),
            request: None,
        };
        state.tell_refund(cause, id, "refund.updated");
        // Its older twin.
        state.tell_refund(cause, id, "charge.refund.updated");
        if fails {
            state.tell_refund(cause, id, "refund.failed");
        }
    }

    /// With `None`, a dispute that is open is won; if there is none, all is disputed.
    pub(super) fn disputed(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        let merchants = world.merchants();
        let mut state = held(&self.state);
        let intent = state.intents.get(payment).ok_or(ActError::Unknown)?;
        let account = &intent.deal.account;
        let merchant = merchants.stripe.iter().find(|one| one.account == *account);
        let merchant = merchant.ok_or(ActError::Unknown)?;
        let cause = Cause {
            world,
            merchant,
            now: world.now(),
            request: None,
        };
        state.charge_back(cause, payment, amount)
    }
}

impl State {
    fn tell_refund(&mut self, cause: Cause<'_>, id: &str, kind: &str) {
        let Some(refund) = self.refunds.get(id) else {
            return;
        };
        let (intent, shown) = (refund.intent.clone(), refund.shown());
        let truth = Told {
            amount: refund.amount,
            currency: refund.currency.clone(),
        };
        let reference = self
            .intents
            .get(&intent)
            .map(|intent| intent.deal.reference.clone());
        let object = |told: &Told| {
            let mut shown = shown.clone();
            shown["amount"] = Value::from(told.amount);
            shown["currency"] = Value::from(&*told.currency);
            shown
        };
        self.emit(
            cause,
            kind,
            (&intent, &reference.unwrap_or_default()),
            truth,
            object,
        );
    }

    pub(super) fn charge_back(
        &mut self,
        cause: Cause<'_>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        let id = format!("du_{}", cause.world.dice.id(24));
        let intent = self.intents.get_mut(payment).ok_or(ActError::Unknown)?;
        let book = &cause.world.book;
        let won = intent.deal.charged_back > 0 && amount.is_none();
        let moved = if won {
            intent.deal.win(book, cause.now, &id)
        } else {
            let amount = amount.unwrap_or_else(|| intent.deal.left());
            intent
                .deal
                .charge_back(book, cause.now, amount, &id)
                .map_err(|_| ActError::NotNow)?;
            amount
        };
        let scale = if matches!(&*intent.currency, "ugx" | "isk") {
            100
        } else {
            1
        };
        let due = cause.now.timestamp() + 7 * 24 * 60 * 60;
        let shown = json!({
            "id": id,
            "object": "dispute",
            "amount": moved * scale,
            "currency": intent.currency,
            "charge": intent.latest_charge,
            "payment_intent": payment,
            "reason": "fraudulent",
            "status": if won { "won" } else { "needs_response" },
            "evidence_details": { "due_by": due },
        });
        let reference = intent.deal.reference.clone();
        let kinds = if won {
            ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
        } else {
            ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
        };
        for kind in kinds {
            let nothing = Told {
                amount: 0,
                currency: String::new(),
            };
            self.emit(cause, kind, (payment, &reference), nothing, |_| {
                shown.clone()
            });
        }
        Ok(())
    }
}
