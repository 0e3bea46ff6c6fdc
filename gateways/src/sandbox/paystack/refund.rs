//! Giving back, and having it taken back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Paystack, domain, done, refused, timestamp, webhook};
use crate::sandbox::fault::Fault;
use crate::sandbox::merchants::PaystackMerchant;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{ActError, World, held};

/// In Paystack's seconds.
const STEP: u64 = 5;

#[derive(Debug, Clone)]
pub(super) struct Refund {
    id: String,
    account: String,
    transaction: String,
    reference: String,
    amount: i64,
    currency: String,
    status: &'static str,
}

impl Refund {
    fn shown(&self, expected_at: &str) -> Value {
        let id: u64 = self.id.parse().unwrap_or_default();
        let transaction: u64 = self.transaction.parse().unwrap_or_default();
        json!({
            "id": id,
            "transaction": transaction,
            "amount": self.amount,
            "currency": self.currency,
            "status": self.status,
            "expected_at": expected_at,
            "fully_deducted": true,
        })
    }

    /// The amount comes as text or as a number.
    fn event(&self, world: &Arc<World>, merchant: &PaystackMerchant) {
        let amount = if world.dice.coin(&["amount as text", &self.id]) {
            Value::from(self.amount.to_string())
        } else {
            Value::from(self.amount)
        };
        let data = json!({
            "id": self.id,
            "status": self.status,
            "transaction_reference": self.reference,
            "refund_reference": if self.status == "processed" { Value::from(&*self.id) } else { Value::Null },
            "amount": amount,
            "currency": self.currency,
            "domain": domain(merchant),
        });
        let event = format!("refund.{}", self.status);
        world.send(webhook(
            world,
            merchant,
            &self.reference,
            &self.transaction,
            &event,
            &data,
        ));
    }
}

impl Paystack {
    pub(super) fn refund(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let named = call.required("transaction")?;
        let world = call.world;
        let mut guard = held(&self.0);
        let state = &mut *guard;
        let account = &call.merchant.account;
        let id = match state.references.get(&(account.clone(), named.clone())) {
            Some(id) => id.clone(),
            None => named,
        };
        let found = state
            .transactions
            .get_mut(&id)
            .filter(|found| found.deal.account == *account)
            .ok_or_else(|| refused(404, "transaction_not_found", "Transaction not found"))?;
        if found.deal.captured == 0 {
            return Err(refused(
                400,
                "invalid_status",
                "Transaction has not been paid",
            ));
        }
        let currency = call.text("currency");
        if !currency.is_empty() && currency != found.deal.currency {
            return Err(refused(
                400,
                "invalid_currency",
                "Refund currency does not match",
            ));
        }
        let amount = match call.fields.get("amount") {
            None | Some(Value::Null) => found.deal.left(),
            Some(_) => call.amount()?,
        };
        let refund_id = (3_018_284 + world.dice.number()).to_string();
        if found
            .deal
            .give_back(&world.book, call.now, amount, &refund_id)
            .is_err()
        {
            let message = "Refund amount cannot be more than the transaction amount";
            return Err(refused(400, "invalid_amount", message).about(&found.deal.reference));
        }
        if found.deal.left() == 0 {
            found.status = "reversed";
        }
        let refund = Refund {
            id: refund_id.clone(),
            account: account.clone(),
            transaction: id,
            reference: found.deal.reference.clone(),
            amount,
            currency: found.deal.currency.clone(),
            status: "pending",
        };
        refund.event(world, call.merchant);
        let data = refund.shown(&timestamp(call.now));
        let reply = done("Refund has been queued for processing", &data).about(&refund.reference);
        state.refunds.insert(refund_id.clone(), refund);
        drop(guard);
        world.after(world.scaled(STEP), move |world| {
            world.paystack.step(world, &refund_id);
        });
        Ok(reply)
    }

    pub(super) fn fetch_refund(&self, call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
        let state = held(&self.0);
        let found = state
            .refunds
            .get(id)
            .filter(|found| found.account == call.merchant.account);
        let found = found.ok_or_else(|| refused(404, "refund_not_found", "Refund not found"))?;
        Ok(done("Refund retrieved", &found.shown(&timestamp(call.now))).about(&found.reference))
    }

    fn step(&self, world: &Arc<World>, id: &str) {
        let merchants = world.merchants();
        let mut guard = held(&self.0);
        let state = &mut *guard;
        let Some(refund) = state.refunds.get_mut(id) else {
            return;
        };
        let merchant = merchants
            .paystack
            .iter()
            .find(|merchant| merchant.account == refund.account);
        let Some(merchant) = merchant else { return };
        let fails = refund.status == "processing"
            && world
                .hit(
                    Fault::RefundFails,
                    Provider::Paystack,
                    &refund.reference,
                    id,
                )
                .is_some();
        refund.status = match refund.status {
            "pending" => "processing",
            "processing" if fails => "failed",
            _ => "processed",
        };
        if fails && let Some(found) = state.transactions.get_mut(&refund.transaction) {
            found
                .deal
                .returned(&world.book, world.now(), refund.amount, id);
            found.status = "success";
        }
        refund.event(world, merchant);
        if refund.status == "processing" {
            let id = id.to_owned();
            world.after(world.scaled(STEP), move |world| {
                world.paystack.step(world, &id);
            });
        }
    }

    pub(super) fn disputed(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        let merchants = world.merchants();
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(payment)
            .ok_or(ActError::Unknown)?;
        let merchant = merchants
            .paystack
            .iter()
            .find(|merchant| merchant.account == found.deal.account)
            .ok_or(ActError::Unknown)?;
        let now = world.now();
        // What becomes of a dispute is told under its id.
        let id = format!(
            "{}",
            2_867 + world.dice.roll(&["dispute", payment]) % 1_000_000_000
        );
        let (event, amount) = if found.deal.charged_back > 0 && amount.is_none() {
            (
                "charge.dispute.resolve",
                found.deal.win(&world.book, now, &format!("{id}-won")),
            )
        } else {
            let amount = amount.unwrap_or_else(|| found.deal.left());
            found
                .deal
                .charge_back(&world.book, now, amount, &id)
                .map_err(|_| ActError::NotNow)?;
            ("charge.dispute.create", amount)
        };
        let (status, resolution) = if event.ends_with("resolve") {
            ("resolved", Some("declined"))
        } else {
            ("awaiting-merchant-feedback", None)
        };
        let data = json!({
            "id": id,
            "refund_amount": amount,
            "currency": found.deal.currency,
            "status": status,
            "resolution": resolution,
            "category": "chargeback",
            "dueAt": timestamp(now + chrono::TimeDelta::days(2)),
            "transaction": { "id": payment, "reference": found.deal.reference },
        });
        world.send(webhook(
            world,
            merchant,
            &found.deal.reference,
            payment,
            event,
            &data,
        ));
        Ok(())
    }
}
