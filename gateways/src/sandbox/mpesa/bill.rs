//! A customer pays to a short code without being asked, and the merchant hears of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Fields, Mpesa, Transaction, Urls, digits, is_phone, merchant, nairobi, refusal};
use crate::sandbox::courier::{Callback, Signature, Told};
use crate::sandbox::deal::Deal;
use crate::sandbox::major::major;
use crate::sandbox::merchants::Fee;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{ActError, World, held};

const VALIDATED_WITHIN: Duration = Duration::from_secs(8);
const WORDS_REFUSED: [&str; 8] = [
    "mpesa",
    "m-pesa",
    "safaricom",
    "exec",
    "exe",
    "cmd",
    "sql",
    "query",
];

/// What the customer typed.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Bill {
    pub(in crate::sandbox) short_code: String,
    pub(in crate::sandbox) phone: String,
    /// Minor units.
    pub(in crate::sandbox) amount: i64,
    pub(in crate::sandbox) account: String,
}

impl Mpesa {
    pub(super) fn register(
        &self,
        world: &World,
        fields: &Fields<'_>,
        masks: bool,
    ) -> Result<Reply, Reply> {
        let short_code = fields.valid("ShortCode", digits)?;
        let kind = fields.valid("ResponseType", |kind| {
            matches!(kind, "Completed" | "Cancelled")
        })?;
        let confirmation = fields.url("ConfirmationURL")?;
        let validation = fields.url("ValidationURL")?;
        for (name, url) in [
            ("ConfirmationURL", &confirmation),
            ("ValidationURL", &validation),
        ] {
            let lower = url.to_lowercase();
            if WORDS_REFUSED.iter().any(|word| lower.contains(word)) {
                let message = format!("Bad Request - Invalid {name}");
                return Err(refusal(world, 400, "400.002.02", &message));
            }
        }
        if merchant(&world.merchants().mpesa, &short_code).is_none() {
            return Err(refusal(
                world,
                400,
                "400.002.02",
                "Bad Request - Invalid ShortCode",
            ));
        }
        let mut state = held(&self.state);
        if state.urls.contains_key(&short_code) {
            return Err(refusal(
                world,
                500,
                "500.003.1001",
                "URLs are already registered",
            ));
        }
        let completes = kind == "Completed";
        state.urls.insert(
            short_code,
            Urls {
                validation,
                confirmation,
                completes,
                masks,
            },
        );
        Ok(accepted(world))
    }

    pub(super) fn simulate(&self, world: &Arc<World>, fields: &Fields<'_>) -> Result<Reply, Reply> {
        let short_code = fields.valid("ShortCode", digits)?;
        fields.valid("CommandID", |kind| {
            matches!(kind, "CustomerPayBillOnline" | "CustomerBuyGoodsOnline")
        })?;
        let amount = fields.shillings("Amount", 1)? * 100;
        let phone = fields.valid("Msisdn", is_phone)?;
        let account = fields.text("BillRefNumber");
        let bill = Bill {
            short_code,
            phone,
            amount,
            account,
        };
        if self.pay_bill(world, &bill).is_err() {
            return Err(refusal(
                world,
                400,
                "400.002.02",
                "Bad Request - Invalid ShortCode",
            ));
        }
        Ok(accepted(world))
    }

    /// The money moves once the merchant has had its say, if it is asked at all.
    pub(in crate::sandbox) fn pay_bill(
        &self,
        world: &Arc<World>,
        bill: &Bill,
    ) -> Result<(), ActError> {
        let merchants = world.merchants();
        let merchant = merchant(&merchants.mpesa, &bill.short_code).ok_or(ActError::Unknown)?;
        let urls = held(&self.state).urls.get(&bill.short_code).cloned();
        let transaction = transaction(world, bill);
        let Some(urls) = urls.filter(|_| merchant.validates) else {
            self.paid(world, transaction);
            return Ok(());
        };
        let url = urls.validation.clone();
        let question = message(&transaction, bill.amount, urls.masks, false);
        let waiting = Arc::clone(world);
        world.spawn(async move {
            let answer = waiting.ask_merchant(&url, question, VALIDATED_WITHIN).await;
            let code = answer
                .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
                .and_then(|answer| match answer.get("ResultCode")? {
                    Value::String(code) => Some(code.clone()),
                    other => Some(other.to_string()),
                });
            if code.map_or(urls.completes, |code| code == "0") {
                waiting.mpesa.paid(&waiting, transaction);
            }
        });
        Ok(())
    }

    fn paid(&self, world: &Arc<World>, mut new: Transaction) {
        let mut state = held(&self.state);
        let receipt = new.receipt.clone().unwrap_or_default();
        new.deal.take(
            &world.book,
            world.now(),
            new.deal.asked,
            Fee::default(),
            &receipt,
        );
        new.result = Some("0");
        Self::confirm(world, &state.urls, &new);
        state.receipts.insert(receipt.clone(), receipt.clone());
        state.transactions.insert(receipt, new);
    }

    /// Also for what came by a prompt: with the same receipt.
    pub(super) fn confirm(world: &Arc<World>, urls: &HashMap<String, Urls>, paid: &Transaction) {
        let Some(urls) = urls.get(&paid.deal.account) else {
            return;
        };
        let truth = Told {
            amount: paid.deal.captured,
            currency: String::new(),
        };
        world.tell(truth, |told| Callback {
            provider: Provider::Mpesa,
            url: urls.confirmation.clone(),
            reference: paid.deal.reference.clone(),
            payment: paid.deal.payment.clone(),
            about: "c2b confirmation".to_owned(),
            content_type: "application/json",
            body: message(paid, told.amount, urls.masks, true),
            signature: Signature::None,
        });
    }
}

fn transaction(world: &World, bill: &Bill) -> Transaction {
    let receipt = world.dice.receipt();
    let deal = Deal {
        provider: Provider::Mpesa,
        account: bill.short_code.clone(),
        payment: receipt.clone(),
        reference: bill.account.clone(),
        currency: "KES".to_owned(),
        asked: bill.amount,
        captured: 0,
        refunded: 0,
        charged_back: 0,
    };
    Transaction {
        deal,
        phone: bill.phone.clone(),
        account_reference: bill.account.clone(),
        merchant_request_id: String::new(),
        callback_url: String::new(),
        result: None,
        receipt: Some(receipt),
        finished_at: Some(world.now()),
        reversed: false,
    }
}

fn message(paid: &Transaction, amount: i64, masks: bool, settled: bool) -> String {
    let phone = &paid.phone;
    let msisdn = if masks {
        let (start, end) = (phone.get(..4).unwrap_or(""), phone.get(9..).unwrap_or(""));
        format!("{start} ***** {end}")
    } else {
        hex::encode(Sha256::digest(phone.as_bytes()))
    };
    json!({
        "TransactionType": "Pay Bill",
        "TransID": paid.receipt,
        "TransTime": paid.finished_at.map(nairobi),
        "TransAmount": major(amount),
        "BusinessShortCode": paid.deal.account,
        "BillRefNumber": paid.account_reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": if settled { "49197.00" } else { "" },
        "ThirdPartyTransID": "",
        "MSISDN": msisdn,
        "FirstName": "JOHN",
        "MiddleName": "",
        "LastName": "",
    })
    .to_string()
}

fn accepted(world: &World) -> Reply {
    let id = format!("{}-{}-1", world.dice.number(), world.dice.number());
    let body = json!({
        "OriginatorCoversationID": id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    });
    Reply::json(200, body)
}
