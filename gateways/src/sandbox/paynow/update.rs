//! How a payment goes on, and how the merchant hears of it: told, or asking.

use std::sync::Arc;

use super::{PROVIDER, Paynow, Transaction, error, hashed, merchant, signed, signed_in};
use crate::sandbox::courier::{Callback, Signature, Told};
use crate::sandbox::customer::Act;
use crate::sandbox::fault::Fault;
use crate::sandbox::form::Form;
use crate::sandbox::major::major;
use crate::sandbox::merchants::{Fee, PaynowMerchant};
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::{ActError, World, held};

/// In Paynow's seconds: until the merchant's goods are said to be delivered, and until the time to
/// complain is over.
const DELIVERED_AFTER: u64 = 60;
const RELEASED_AFTER: u64 = 24 * 60 * 60;

impl Transaction {
    /// What stands in an update, in its order.
    fn fields(&self, world: &World, status: &str, amount: i64) -> [(&'static str, String); 5] {
        let number = &self.deal.payment;
        let grouped = match number.len().checked_sub(3).filter(|at| *at > 0) {
            Some(at) if world.dice.coin(&["thousands", number]) => {
                let (thousands, rest) = number.split_at(at);
                format!("{thousands},{rest}")
            }
            _ => number.clone(),
        };
        [
            ("reference", self.deal.reference.clone()),
            ("paynowreference", grouped),
            ("amount", major(amount)),
            ("status", status.to_owned()),
            ("pollurl", self.poll_url(world)),
        ]
    }

    pub(super) fn update(
        &self,
        world: &World,
        merchant: &PaynowMerchant,
        status: &str,
        amount: i64,
    ) -> Callback {
        let fields = self.fields(world, status, amount);
        let pairs = fields.each_ref().map(|(name, value)| (*name, &**value));
        Callback {
            provider: PROVIDER,
            url: self.result_url.clone(),
            reference: self.deal.reference.clone(),
            payment: self.deal.payment.clone(),
            about: status.to_owned(),
            content_type: "application/x-www-form-urlencoded",
            body: hashed(merchant, &pairs),
            signature: Signature::None,
        }
    }

    fn told(&mut self, world: &Arc<World>, status: &'static str) {
        self.status = status;
        if !self.is_open() {
            world.prompts.remove(PROVIDER, &self.deal.payment);
        }
        let merchants = world.merchants();
        let Some(merchant) = merchant(&merchants.paynow, &self.deal.account) else {
            return;
        };
        let truth = Told {
            amount: self.deal.asked,
            currency: String::new(),
        };
        world.tell(truth, |told| {
            self.update(world, merchant, status, told.amount)
        });
    }
}

impl Paynow {
    pub(super) fn sent(&self, world: &Arc<World>, number: &str) {
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(number)
            .filter(|found| found.status == "Created");
        if let Some(found) = found {
            found.told(world, "Sent");
        }
    }

    pub(super) fn customer_acts(
        &self,
        world: &Arc<World>,
        number: &str,
        act: Act,
    ) -> Result<(), ActError> {
        if act == Act::Open {
            self.sent(world, number);
            return Ok(());
        }
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(number)
            .ok_or(ActError::Unknown)?;
        if !found.is_open() || found.otp.is_some() && act == Act::Pay {
            return Err(ActError::NotNow);
        }
        let merchants = world.merchants();
        let merchant = merchant(&merchants.paynow, &found.deal.account).ok_or(ActError::Unknown)?;
        match act {
            Act::Pay => {
                let asked = found.deal.asked;
                found
                    .deal
                    .take(&world.book, world.now(), asked, Fee::default(), number);
                if merchant.holds_until_delivery {
                    found.told(world, "Awaiting Delivery");
                    Self::release_later(world, number);
                } else {
                    found.told(world, "Paid");
                }
            }
            Act::Cancel => found.told(world, "Cancelled"),
            Act::InsufficientFunds | Act::WrongPin | Act::Unreachable | Act::Decline => {
                found.told(world, "Failed");
            }
            Act::Open => (),
        }
        Ok(())
    }

    fn release_later(world: &Arc<World>, number: &str) {
        let number = number.to_owned();
        world.after(world.scaled(DELIVERED_AFTER), move |world| {
            world
                .paynow
                .go_on(world, &number, "Awaiting Delivery", "Delivered");
            world.after(world.scaled(RELEASED_AFTER), move |world| {
                world.paynow.go_on(world, &number, "Delivered", "Paid");
            });
        });
    }

    fn go_on(&self, world: &Arc<World>, number: &str, from: &str, to: &'static str) {
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(number)
            .filter(|found| found.status == from);
        if let Some(found) = found {
            found.told(world, to);
        }
    }

    /// Money goes, and perhaps comes again, without the merchant's program having asked for it.
    pub(super) fn moved_back(
        &self,
        world: &Arc<World>,
        number: &str,
        moved: impl FnOnce(&mut Transaction) -> Option<&'static str>,
    ) -> Result<(), ActError> {
        let mut state = held(&self.0);
        let found = state
            .transactions
            .get_mut(number)
            .ok_or(ActError::Unknown)?;
        let status = moved(found).ok_or(ActError::NotNow)?;
        found.told(world, status);
        Ok(())
    }

    pub(super) fn poll(&self, world: &Arc<World>, request: &Request<'_>) -> Result<Reply, Reply> {
        let query = Form::parse(request.query);
        let state = held(&self.0);
        let found = state.guids.get(query.text("guid"));
        let found = found.and_then(|number| state.transactions.get(number));
        let found = found.ok_or_else(|| error("Invalid guid"))?;
        answered(world, found)
    }

    pub(super) fn trace(&self, world: &Arc<World>, form: &Form) -> Result<Reply, Reply> {
        let merchants = world.merchants();
        let merchant = signed_in(&merchants.paynow, form)?;
        let state = held(&self.0);
        let key = (merchant.id.clone(), form.text("merchanttrace").to_owned());
        let found = state
            .traces
            .get(&key)
            .and_then(|number| state.transactions.get(number));
        let Some(found) = found else {
            return Ok(signed(merchant, &[("status", "NotFound")]));
        };
        let reference = &found.deal.reference;
        if world
            .hit(Fault::QueryLags, PROVIDER, reference, "trace")
            .is_some()
        {
            return Ok(
                signed(merchant, &[("status", "Error"), ("error", "Trace failed")])
                    .about(reference),
            );
        }
        answered(world, found)
    }
}

fn answered(world: &World, found: &Transaction) -> Result<Reply, Reply> {
    let merchants = world.merchants();
    let merchant = merchant(&merchants.paynow, &found.deal.account);
    let merchant = merchant.ok_or_else(|| error("Invalid Id."))?;
    let reference = &found.deal.reference;
    let hit = |fault| {
        world
            .hit(fault, PROVIDER, reference, &found.deal.payment)
            .is_some()
    };
    let paid = matches!(found.status, "Paid" | "Awaiting Delivery" | "Delivered");
    let status = if paid && hit(Fault::QueryDenies) {
        "Cancelled"
    } else if !found.is_open() && hit(Fault::QueryLags) {
        "Sent"
    } else if !paid && hit(Fault::QueryClaims) {
        "Paid"
    } else {
        found.status
    };
    let fields = found.fields(world, status, found.deal.asked);
    let pairs = fields.each_ref().map(|(name, value)| (*name, &**value));
    Ok(signed(merchant, &pairs).about(reference))
}
