//! A prompt on the customer's phone, what becomes of it, and the callback.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{
    Fields, Mpesa, Transaction, described, digits, in_nairobi, is_phone, merchant, nairobi, refusal,
};
use crate::sandbox::courier::{Callback, Signature, Told};
use crate::sandbox::deal::Deal;
use crate::sandbox::fault::Fault;
use crate::sandbox::major::major;
use crate::sandbox::merchants::{Fee, MpesaMerchant};
use crate::sandbox::prompt::Prompt;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::{ActError, World, held};

/// In Safaricom's seconds.
const PROMPT_OPEN_FOR: u64 = 60;
const LATE_BY: u64 = 10;
const REFUSED_AFTER: u64 = 1;

impl Mpesa {
    pub(super) fn push(
        &self,
        world: &Arc<World>,
        request: &Request<'_>,
        fields: &Fields<'_>,
    ) -> Result<Reply, Reply> {
        let short_code = fields.valid("BusinessShortCode", digits)?;
        let merchants = world.merchants();
        let merchant = Self::signed_in(world, &merchants.mpesa, &short_code, fields)?;
        let kind = fields.valid("TransactionType", |kind| {
            matches!(kind, "CustomerPayBillOnline" | "CustomerBuyGoodsOnline")
        })?;
        let amount = fields.shillings("Amount", 1)? * 100;
        let phone = fields.valid("PhoneNumber", is_phone)?;
        fields.valid("PartyA", is_phone)?;
        let party_b = fields.valid("PartyB", digits)?;
        let callback_url = fields.url("CallBackURL")?;
        let reference = fields.valid("AccountReference", |text| {
            !text.is_empty() && text.chars().count() <= 12
        })?;
        fields.valid("TransactionDesc", |text| text.chars().count() <= 13)?;

        let number = world.dice.number();
        let merchant_request_id = format!("{}-{number}-1", number % 90_000 + 10_000);
        let stamp = in_nairobi(request.now, "%d%m%Y%H%M%S");
        let checkout = format!("ws_CO_{stamp}{number:09}");
        let deal = Deal {
            provider: Provider::Mpesa,
            account: short_code.clone(),
            payment: checkout.clone(),
            reference: reference.clone(),
            currency: "KES".to_owned(),
            asked: amount,
            captured: 0,
            refunded: 0,
            charged_back: 0,
        };
        let transaction = Transaction {
            deal,
            phone: phone.clone(),
            account_reference: reference.clone(),
            merchant_request_id: merchant_request_id.clone(),
            callback_url,
            result: None,
            receipt: None,
            finished_at: None,
            reversed: false,
        };
        self.open(world, &checkout, transaction)?;
        let forged = world.hit(
            Fault::CallbackForged,
            Provider::Mpesa,
            &reference,
            &checkout,
        );
        if forged.is_some() {
            self.forge(world, &checkout);
        }
        if allowed(merchant, &kind, &party_b) {
            world.ask(Prompt {
                provider: Provider::Mpesa,
                payment: checkout.clone(),
                reference: reference.clone(),
                phone: Some(phone),
                amount,
                currency: "KES".to_owned(),
                text: format!(
                    "Do you want to pay Ksh {} to {short_code} account {reference}?",
                    major(amount)
                ),
                code: None,
                return_url: None,
                at: request.now,
            });
            let expires = checkout.clone();
            world.after(world.scaled(PROMPT_OPEN_FOR), move |world| {
                world.mpesa.expire(world, &expires);
            });
        } else {
            let refused = checkout.clone();
            world.after(world.scaled(REFUSED_AFTER), move |world| {
                let _ = world.mpesa.settle(world, &refused, "2028");
            });
        }
        let body = json!({
            "MerchantRequestID": merchant_request_id,
            "CheckoutRequestID": checkout,
            "ResponseCode": "0",
            "ResponseDescription": "Success. Request accepted for processing",
            "CustomerMessage": "Success. Request accepted for processing",
        });
        Ok(Reply::json(200, body).about(&reference))
    }

    /// One phone shows one prompt.
    fn open(&self, world: &World, checkout: &str, new: Transaction) -> Result<(), Reply> {
        let mut state = held(&self.state);
        if state.busy.contains_key(&new.phone) {
            let message = "Unable to lock subscriber, a transaction is already in process for \
                           the current subscriber";
            return Err(refusal(world, 500, "500.001.1001", message));
        }
        state.busy.insert(new.phone.clone(), checkout.to_owned());
        state.transactions.insert(checkout.to_owned(), new);
        Ok(())
    }

    fn signed_in<'a>(
        world: &World,
        merchants: &'a [MpesaMerchant],
        short_code: &str,
        fields: &Fields<'_>,
    ) -> Result<&'a MpesaMerchant, Reply> {
        let stamp = fields.valid("Timestamp", |text| text.len() == 14 && digits(text))?;
        let Some(merchant) = merchant(merchants, short_code) else {
            return Err(refusal(
                world,
                500,
                "500.001.1001",
                "Merchant does not exist",
            ));
        };
        if fields.text("Password") != password(short_code, &merchant.passkey, &stamp) {
            return Err(refusal(world, 500, "500.001.1001", "Wrong credentials"));
        }
        Ok(merchant)
    }

    pub(super) fn query(&self, world: &Arc<World>, fields: &Fields<'_>) -> Result<Reply, Reply> {
        let short_code = fields.valid("BusinessShortCode", digits)?;
        let merchants = world.merchants();
        Self::signed_in(world, &merchants.mpesa, &short_code, fields)?;
        let checkout = fields.valid("CheckoutRequestID", |id| !id.is_empty())?;
        let state = held(&self.state);
        let found = state
            .transactions
            .get(&checkout)
            .filter(|found| found.deal.account == short_code && !found.callback_url.is_empty());
        let Some(found) = found else {
            return Err(refusal(
                world,
                500,
                "500.001.1001",
                "The transaction does not exist",
            ));
        };
        let reference = &found.deal.reference;
        let hit = |fault| {
            world
                .hit(fault, Provider::Mpesa, reference, &checkout)
                .is_some()
        };
        let lags = found.result.is_some() && hit(Fault::QueryLags);
        let result = match found.result {
            Some("0") if hit(Fault::QueryDenies) => Some("1032"),
            Some(result) if result != "0" && hit(Fault::QueryClaims) => Some("0"),
            other => other,
        };
        let (result, text) = match result {
            Some(result) if !lags => (result, described(result)),
            _ if world.dice.coin(&["4999", &checkout]) => {
                ("4999", "The transaction is still under processing")
            }
            _ => {
                let text = "The transaction is being processed";
                return Err(refusal(world, 500, "500.001.1001", text).about(reference));
            }
        };
        let body = json!({
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": found.merchant_request_id,
            "CheckoutRequestID": checkout,
            "ResultCode": result,
            "ResultDesc": text,
        });
        Ok(Reply::json(200, body).about(reference))
    }

    /// Ends a prompt, or takes the money of somebody who answered one that had ended by itself.
    pub(super) fn settle(
        &self,
        world: &Arc<World>,
        checkout: &str,
        result: &'static str,
    ) -> Result<(), ActError> {
        let mut guard = held(&self.state);
        let state = &mut *guard;
        let found = state
            .transactions
            .get_mut(checkout)
            .ok_or(ActError::Unknown)?;
        match found.result {
            None => (),
            Some("1019" | "1037") if result == "0" => (),
            Some(_) => return Err(ActError::NotNow),
        }
        let now = world.now();
        found.result = Some(result);
        found.finished_at = Some(now);
        if state
            .busy
            .get(&found.phone)
            .is_some_and(|open| open == checkout)
        {
            state.busy.remove(&found.phone);
        }
        if result == "0" {
            let receipt = world.dice.receipt();
            found
                .deal
                .take(&world.book, now, found.deal.asked, Fee::default(), &receipt);
            state.receipts.insert(receipt.clone(), checkout.to_owned());
            found.receipt = Some(receipt);
        }
        world.prompts.remove(Provider::Mpesa, checkout);
        if !found.callback_url.is_empty() {
            let truth = Told {
                amount: found.deal.captured,
                currency: String::new(),
            };
            world.tell(truth, |told| callback(world, found, result, told.amount));
        }
        if result == "0" {
            Self::confirm(world, &state.urls, found);
        }
        Ok(())
    }

    fn expire(&self, world: &Arc<World>, checkout: &str) {
        if self.settle(world, checkout, "1019").is_err() {
            return;
        }
        let reference = {
            let state = held(&self.state);
            let found = state.transactions.get(checkout);
            found
                .map(|found| found.deal.reference.clone())
                .unwrap_or_default()
        };
        let late = world.hit(
            Fault::CustomerPaysLate,
            Provider::Mpesa,
            &reference,
            checkout,
        );
        if let Some(hit) = late {
            let checkout = checkout.to_owned();
            world.after(hit.delay(world.scaled(LATE_BY)), move |world| {
                let _ = world.mpesa.settle(world, &checkout, "0");
            });
        }
    }

    /// Anybody who knows the address can say that somebody paid.
    fn forge(&self, world: &Arc<World>, checkout: &str) {
        let state = held(&self.state);
        if let Some(found) = state.transactions.get(checkout) {
            let mut forged = callback(world, found, "0", found.deal.asked);
            "forged".clone_into(&mut forged.about);
            world.send(forged);
        }
    }
}

/// A till has a head office in front of it; a pay bill is its own.
fn allowed(merchant: &MpesaMerchant, kind: &str, party_b: &str) -> bool {
    match &merchant.till {
        Some(till) => kind == "CustomerBuyGoodsOnline" && party_b == till,
        None => kind == "CustomerPayBillOnline" && party_b == merchant.short_code,
    }
}

fn password(short_code: &str, passkey: &str, timestamp: &str) -> String {
    STANDARD.encode(format!("{short_code}{passkey}{timestamp}"))
}

fn callback(world: &World, found: &Transaction, result: &str, amount: i64) -> Callback {
    let code = result
        .parse::<i64>()
        .map_or_else(|_| Value::from(result), Value::from);
    let checkout = &found.deal.payment;
    let mut body = format!(
        r#"{{"Body":{{"stkCallback":{{"MerchantRequestID":"{}","CheckoutRequestID":"{checkout}","ResultCode":{code},"ResultDesc":"{}""#,
        found.merchant_request_id,
        described(result),
    );
    if result == "0" {
        // Who lies makes one up.
        let made_up = || {
            format!(
                "SF{:08}",
                world.dice.roll(&["receipt", checkout]) % 100_000_000
            )
        };
        let receipt = found.receipt.clone().unwrap_or_else(made_up);
        let date = nairobi(found.finished_at.unwrap_or_else(|| world.now()));
        let balance = match world.dice.roll(&["balance", checkout]) % 3 {
            0 => "",
            1 => r#"{"Name":"Balance"},"#,
            _ => {
                r#"{"Name":"Balance","Value":"{Amount={CurrencyCode=KES, MinimumAmount=1000, BasicAmount=10.00}}"},"#
            }
        };
        let _ = write!(
            body,
            r#","CallbackMetadata":{{"Item":[{{"Name":"Amount","Value":{}}},{{"Name":"MpesaReceiptNumber","Value":"{receipt}"}},{balance}{{"Name":"TransactionDate","Value":{date}}},{{"Name":"PhoneNumber","Value":{}}}]}}"#,
            major(amount),
            found.phone,
        );
    }
    body.push_str("}}}");
    Callback {
        provider: Provider::Mpesa,
        url: found.callback_url.clone(),
        reference: found.deal.reference.clone(),
        payment: checkout.clone(),
        about: format!("stk {result}"),
        content_type: "application/json",
        body,
        signature: Signature::None,
    }
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn the_password_is_that_of_the_test_vector() {
        let passkey = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919";
        assert_eq!(
            password("174379", passkey, "20260101123045"),
            "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc4ZTZiNzJhZGExZWQyYzkxOTIwMjYwMTAxMTIzMDQ1"
        );
    }
}
