//! Paying others out of the balance.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Paystack, domain, done, refused, webhook};
use crate::sandbox::book::{Entry, Kind};
use crate::sandbox::fault::Fault;
use crate::sandbox::merchants::PaystackMerchant;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{World, held};

/// In Paystack's seconds.
const ARRIVES_AFTER: u64 = 5;
const COMES_BACK_AFTER: u64 = 60;
const CODE: &str = "123456";

#[derive(Debug, Clone)]
pub(super) struct Recipient {
    account: String,
    name: String,
    currency: String,
}

#[derive(Debug, Clone)]
pub(super) struct Transfer {
    code: String,
    account: String,
    reference: String,
    recipient: String,
    recipient_name: String,
    amount: i64,
    currency: String,
    reason: String,
    status: &'static str,
}

impl Transfer {
    fn shown(&self, merchant: &PaystackMerchant) -> Value {
        json!({
            "transfer_code": self.code,
            "reference": self.reference,
            "amount": self.amount,
            "currency": self.currency,
            "status": self.status,
            "reason": self.reason,
            "domain": domain(merchant),
            "source": "balance",
            "recipient": { "recipient_code": self.recipient, "name": self.recipient_name },
        })
    }

    fn entry<'a>(&'a self, world: &World, kind: Kind, amount: i64) -> Entry<'a> {
        Entry {
            at: world.now(),
            provider: Provider::Paystack,
            account: &self.account,
            kind,
            payment: &self.code,
            provider_reference: &self.code,
            reference: &self.reference,
            amount,
            currency: &self.currency,
        }
    }

    /// The balance has it no more.
    fn leave(&mut self, world: &World) -> Result<(), Reply> {
        let entry = self.entry(world, Kind::Payout, -self.amount);
        if world.book.spend(&entry).is_err() {
            let message = "Your balance is not enough to fulfil this request";
            return Err(refused(400, "insufficient_balance", message).about(&self.reference));
        }
        self.status = "pending";
        Ok(())
    }
}

impl Paystack {
    pub(super) fn create_recipient(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let kind = call.required("type")?;
        if !matches!(
            &*kind,
            "nuban" | "ghipss" | "mobile_money" | "basa" | "kepss" | "mobile_money_business"
        ) {
            return Err(refused(400, "invalid_params", "Invalid recipient type"));
        }
        let name = call.required("name")?;
        let number = call.required("account_number")?;
        let bank = call.required("bank_code")?;
        let currency = call.currency()?;
        let code = format!("RCP_{}", call.world.dice.id(15).to_lowercase());
        let data = json!({
            "recipient_code": code,
            "type": kind,
            "name": name,
            "currency": currency,
            "active": true,
            "domain": call.domain(),
            "details": { "account_number": number, "bank_code": bank },
        });
        let recipient = Recipient {
            account: call.merchant.account.clone(),
            name,
            currency,
        };
        held(&self.0).recipients.insert(code, recipient);
        Ok(Reply {
            status: 201,
            ..done("Transfer recipient created successfully", &data)
        })
    }

    pub(super) fn transfer(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        if call.required("source")? != "balance" {
            return Err(refused(
                400,
                "invalid_params",
                "Transfer source must be balance",
            ));
        }
        let amount = call.amount()?;
        let recipient = call.required("recipient")?;
        let reference = match call.text("reference") {
            named if named.is_empty() => call.world.dice.id(20).to_lowercase(),
            named => named,
        };
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(16..=50).contains(&reference.len()) || !reference.bytes().all(allowed) {
            return Err(refused(
                400,
                "invalid_reference",
                "Invalid transfer reference",
            ));
        }
        let account = call.merchant.account.clone();
        let mut state = held(&self.0);
        let key = (account.clone(), reference.clone());
        if state.transfers.contains_key(&key) {
            let message =
                "Please provide a unique reference. Reference already exists on a transfer";
            return Err(refused(400, "duplicate_reference", message).about(&reference));
        }
        let to = state
            .recipients
            .get(&recipient)
            .filter(|to| to.account == account);
        let to = to
            .ok_or_else(|| refused(404, "recipient_not_found", "Recipient specified is invalid"))?;
        let currency = call.text("currency");
        if !currency.is_empty() && currency != to.currency {
            return Err(refused(
                400,
                "invalid_currency",
                "Currency does not match the recipient's",
            ));
        }
        let mut transfer = Transfer {
            code: format!("TRF_{}", call.world.dice.id(15).to_lowercase()),
            account,
            reference: reference.clone(),
            recipient,
            recipient_name: to.name.clone(),
            amount,
            currency: to.currency.clone(),
            reason: call.text("reason"),
            status: "otp",
        };
        if !call.merchant.transfers_need_otp {
            transfer.leave(call.world)?;
            Self::arrive_later(call.world, key.clone());
        }
        let reply =
            done("Transfer has been queued", &transfer.shown(call.merchant)).about(&reference);
        state.transfers.insert(key, transfer);
        Ok(reply)
    }

    pub(super) fn finalize_transfer(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let code = call.required("transfer_code")?;
        if call.required("otp")? != CODE {
            return Err(refused(400, "invalid_otp", "OTP is not valid"));
        }
        let mut state = held(&self.0);
        let found = state
            .transfers
            .values_mut()
            .find(|transfer| transfer.code == code && transfer.account == call.merchant.account);
        let found =
            found.ok_or_else(|| refused(404, "transfer_not_found", "Transfer not found"))?;
        if found.status != "otp" {
            return Err(refused(
                400,
                "invalid_status",
                "Transfer is not currently awaiting OTP",
            ));
        }
        found.leave(call.world)?;
        Self::arrive_later(call.world, (found.account.clone(), found.reference.clone()));
        let data = found.shown(call.merchant);
        Ok(done("Transfer has been queued", &data).about(&found.reference))
    }

    pub(super) fn verify_transfer(&self, call: &Call<'_>, reference: &str) -> Result<Reply, Reply> {
        let state = held(&self.0);
        let key = (call.merchant.account.clone(), reference.to_owned());
        let found = state.transfers.get(&key);
        let found =
            found.ok_or_else(|| refused(404, "transfer_not_found", "Transfer not found"))?;
        Ok(done("Transfer retrieved", &found.shown(call.merchant)).about(reference))
    }

    fn arrive_later(world: &Arc<World>, key: (String, String)) {
        world.after(world.scaled(ARRIVES_AFTER), move |world| {
            world
                .paystack
                .end(world, &key, Fault::PayoutFails, "failed", "success");
            let reversed = world.scaled(COMES_BACK_AFTER);
            world.after(reversed, move |world| {
                world
                    .paystack
                    .end(world, &key, Fault::PayoutReversed, "reversed", "");
            });
        });
    }

    /// Ends in one word or the other; with an empty one it stays as it is.
    fn end(
        &self,
        world: &Arc<World>,
        key: &(String, String),
        fault: Fault,
        bad: &'static str,
        good: &'static str,
    ) {
        let merchants = world.merchants();
        let mut state = held(&self.0);
        let Some(found) = state.transfers.get_mut(key) else {
            return;
        };
        let merchant = merchants
            .paystack
            .iter()
            .find(|merchant| merchant.account == found.account);
        let Some(merchant) = merchant else { return };
        let expected = if good.is_empty() {
            "success"
        } else {
            "pending"
        };
        if found.status != expected {
            return;
        }
        let failed = world
            .hit(fault, Provider::Paystack, &found.reference, &found.code)
            .is_some();
        if !failed && good.is_empty() {
            return;
        }
        found.status = if failed { bad } else { good };
        if failed {
            world
                .book
                .write(&found.entry(world, Kind::PayoutReturned, found.amount));
        }
        let event = format!("transfer.{}", found.status);
        let data = found.shown(merchant);
        world.send(webhook(
            world,
            merchant,
            &found.reference,
            &found.code,
            &event,
            &data,
        ));
    }
}
