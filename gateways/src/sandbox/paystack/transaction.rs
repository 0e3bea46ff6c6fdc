//! One transaction: how it stands, how it is shown, and what the customer makes of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Call, Paystack, State, domain, done, refused, timestamp, webhook};
use crate::sandbox::courier::{Callback, Told};
use crate::sandbox::customer::Act;
use crate::sandbox::deal::Deal;
use crate::sandbox::fault::Fault;
use crate::sandbox::merchants::{Fee, PaystackMerchant};
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{ActError, World, held};

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) deal: Deal,
    /// What the customer is asked for; more than the merchant's amount if the payer bears the fee.
    pub(super) charged: i64,
    pub(super) fee: i64,
    pub(super) status: &'static str,
    pub(super) channel: &'static str,
    pub(super) gateway_response: &'static str,
    pub(super) email: String,
    pub(super) metadata: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) paid_at: Option<DateTime<Utc>>,
    /// What the customer has to pass on, and how often it was told wrongly.
    pub(super) otp: Option<(String, u8)>,
}

impl Transaction {
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.status, "success" | "failed" | "reversed")
    }

    /// How a question about it is answered.
    pub(super) fn status_told(&self) -> &'static str {
        match self.status {
            "pay_offline" | "send_otp" => "pending",
            other => other,
        }
    }

    pub(super) fn shown(&self, merchant: &PaystackMerchant, status: &str) -> Value {
        self.shown_as(merchant, status, self.charged, &self.deal.currency)
    }

    fn shown_as(
        &self,
        merchant: &PaystackMerchant,
        status: &str,
        amount: i64,
        currency: &str,
    ) -> Value {
        let id: u64 = self.deal.payment.parse().unwrap_or_default();
        json!({
            "id": id,
            "domain": domain(merchant),
            "status": status,
            "reference": self.deal.reference,
            "amount": amount,
            "requested_amount": self.deal.asked - self.charged + amount,
            "currency": currency,
            "channel": self.channel,
            "gateway_response": self.gateway_response,
            "paid_at": self.paid_at.map(timestamp),
            "created_at": timestamp(self.created_at),
            "createdAt": timestamp(self.created_at),
            "fees": self.paid_at.map(|_| self.fee),
            "metadata": self.metadata,
            "customer": { "email": self.email, "customer_code": format!("CUS_{id}") },
            "authorization": {
                "authorization_code": format!("AUTH_{id}"),
                "reusable": self.channel == "card",
                "last4": "4081",
            },
            "subaccount": {},
            "split": {},
            "fees_split": null,
        })
    }

    fn success(&self, world: &World, merchant: &PaystackMerchant, told: &Told) -> Callback {
        let data = self.shown_as(merchant, "success", told.amount, &told.currency);
        let Deal {
            reference, payment, ..
        } = &self.deal;
        webhook(world, merchant, reference, payment, "charge.success", &data)
    }

    /// With no signature, or one by a key that is not the merchant's.
    pub(super) fn forge(&self, world: &Arc<World>, merchant: &PaystackMerchant) {
        let Deal {
            reference,
            payment,
            currency,
            ..
        } = &self.deal;
        if world
            .hit(
                Fault::CallbackForged,
                Provider::Paystack,
                reference,
                payment,
            )
            .is_none()
        {
            return;
        }
        let told = Told {
            amount: self.charged,
            currency: currency.clone(),
        };
        let mut forged = self.success(world, merchant, &told);
        "forged".clone_into(&mut forged.about);
        forged.signature = if world.dice.coin(&["unsigned", payment]) {
            crate::sandbox::courier::Signature::None
        } else {
            crate::sandbox::courier::Signature::Paystack("sk_test_somebody_else".to_owned())
        };
        world.send(forged);
    }

    /// The money comes in.
    pub(super) fn succeed(&mut self, world: &Arc<World>, merchant: &PaystackMerchant) {
        let now = world.now();
        self.status = "success";
        self.gateway_response = "Successful";
        self.paid_at = Some(now);
        let fee = Fee {
            basis_points: 0,
            fixed: u32::try_from(self.fee).unwrap_or_default(),
        };
        let id = self.deal.payment.clone();
        self.deal.take(&world.book, now, self.charged, fee, &id);
        world.prompts.remove(Provider::Paystack, &id);
        let truth = Told {
            amount: self.charged,
            currency: self.deal.currency.clone(),
        };
        world.tell(truth, |told| self.success(world, merchant, told));
    }

    pub(super) fn fail(&mut self, world: &World, why: &'static str) {
        self.status = "failed";
        self.gateway_response = why;
        world.prompts.remove(Provider::Paystack, &self.deal.payment);
    }
}

impl State {
    pub(super) fn by_reference(
        &mut self,
        account: &str,
        reference: &str,
    ) -> Option<&mut Transaction> {
        let id = self
            .references
            .get(&(account.to_owned(), reference.to_owned()))?;
        self.transactions.get_mut(id)
    }
}

impl Paystack {
    pub(super) fn verify(&self, call: &Call<'_>, reference: &str) -> Result<Reply, Reply> {
        let mut state = held(&self.0);
        let found = state
            .by_reference(&call.merchant.account, reference)
            .ok_or_else(|| {
                refused(
                    400,
                    "transaction_not_found",
                    "Transaction reference not found.",
                )
            })?;
        let id = &found.deal.payment;
        let hit = |fault| {
            call.world
                .hit(fault, Provider::Paystack, reference, id)
                .is_some()
        };
        let status = match found.status_told() {
            "success" if hit(Fault::QueryDenies) => "failed",
            "success" | "failed" if hit(Fault::QueryLags) => "pending",
            status if status != "success" && hit(Fault::QueryClaims) => "success",
            status => status,
        };
        Ok(done(
            "Verification successful",
            &found.shown(call.merchant, status),
        )
        .about(reference))
    }

    pub(super) fn customer_acts(
        &self,
        world: &Arc<World>,
        payment: &str,
        act: Act,
    ) -> Result<(), ActError> {
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(payment)
            .ok_or(ActError::Unknown)?;
        if !found.is_open() || found.otp.is_some() && act == Act::Pay {
            return Err(ActError::NotNow);
        }
        let merchants = world.merchants();
        let merchant = merchants
            .paystack
            .iter()
            .find(|merchant| merchant.account == found.deal.account)
            .ok_or(ActError::Unknown)?;
        match act {
            Act::Pay => found.succeed(world, merchant),
            Act::Open if found.channel == "card" => found.status = "ongoing",
            Act::Open => return Err(ActError::NotHere),
            // Who leaves the page has abandoned it, and may come back.
            Act::Cancel if found.channel == "card" => found.status = "abandoned",
            Act::Cancel => found.fail(world, "Cancelled by customer"),
            Act::InsufficientFunds => found.fail(world, "Insufficient Funds"),
            Act::WrongPin => found.fail(world, "Incorrect PIN"),
            Act::Unreachable => found.fail(world, "Customer could not be reached"),
            Act::Decline => found.fail(world, "Declined"),
        }
        Ok(())
    }
}
