//! What a merchant's initiator commands: reversals, pay-outs, questions. Each is accepted at once
//! and done a little later; the result comes to the merchant's address.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Fields, Mpesa, credential, described, digits, in_nairobi, is_phone, merchant, refusal,
};
use crate::sandbox::book::{Entry, Kind};
use crate::sandbox::courier::{Callback, Signature};
use crate::sandbox::fault::Fault;
use crate::sandbox::major::major;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::{World, held};

/// In Safaricom's seconds.
const DONE_AFTER: u64 = 2;

#[derive(Debug, Clone)]
pub(super) struct Command {
    kind: What,
    originator: String,
    conversation: String,
    account: String,
    /// Both the right initiator, and something that its password may be sealed in.
    authorized: bool,
    result_url: String,
    timeout_url: String,
    outcome: Option<Outcome>,
}

#[derive(Debug, Clone)]
enum What {
    Reversal {
        receipt: String,
        amount: i64,
    },
    PayOut {
        phone: String,
        amount: i64,
    },
    Question {
        receipt: String,
        conversation: String,
    },
}

#[derive(Debug, Clone)]
struct Outcome {
    code: &'static str,
    receipt: String,
    parameters: Vec<(&'static str, Value)>,
}

impl Mpesa {
    pub(super) fn reverse(&self, world: &Arc<World>, fields: &Fields<'_>) -> Result<Reply, Reply> {
        fields.valid("CommandID", |kind| kind == "TransactionReversal")?;
        let receipt = fields.valid("TransactionID", |text| !text.is_empty())?;
        let amount = fields.shillings("Amount", 1)? * 100;
        let account = fields.valid("ReceiverParty", digits)?;
        fields.valid("RecieverIdentifierType", |kind| kind == "11")?;
        fields.valid("Remarks", |text| (2..=100).contains(&text.chars().count()))?;
        let originator = format!("{}-{}-1", world.dice.number(), world.dice.number());
        let kind = What::Reversal { receipt, amount };
        self.accept(world, fields, kind, &originator, account, "Initiator")
    }

    pub(super) fn pay_out(&self, world: &Arc<World>, fields: &Fields<'_>) -> Result<Reply, Reply> {
        let originator = fields.valid("OriginatorConversationID", |text| !text.is_empty())?;
        fields.valid("CommandID", |kind| {
            matches!(
                kind,
                "BusinessPayment" | "SalaryPayment" | "PromotionPayment"
            )
        })?;
        let amount = fields.shillings("Amount", 10)? * 100;
        let account = fields.valid("PartyA", digits)?;
        let phone = fields.valid("PartyB", is_phone)?;
        fields.valid("Remarks", |text| (2..=100).contains(&text.chars().count()))?;
        let kind = What::PayOut { phone, amount };
        self.accept(world, fields, kind, &originator, account, "InitiatorName")
    }

    pub(super) fn ask_status(
        &self,
        world: &Arc<World>,
        fields: &Fields<'_>,
    ) -> Result<Reply, Reply> {
        fields.valid("CommandID", |kind| kind == "TransactionStatusQuery")?;
        let account = fields.valid("PartyA", digits)?;
        fields.valid("IdentifierType", |kind| kind == "4")?;
        let receipt = fields.text("TransactionID");
        let conversation = fields.text("OriginalConversationID");
        if receipt.is_empty() && conversation.is_empty() {
            fields.valid("TransactionID", |_| false)?;
        }
        let originator = format!("{}-{}-1", world.dice.number(), world.dice.number());
        let kind = What::Question {
            receipt,
            conversation,
        };
        self.accept(world, fields, kind, &originator, account, "Initiator")
    }

    fn accept(
        &self,
        world: &Arc<World>,
        fields: &Fields<'_>,
        kind: What,
        originator: &str,
        account: String,
        initiator: &str,
    ) -> Result<Reply, Reply> {
        let merchants = world.merchants();
        let Some(merchant) = merchant(&merchants.mpesa, &account) else {
            return Err(refusal(
                world,
                400,
                "400.002.02",
                "Bad Request - Invalid PartyA",
            ));
        };
        let authorized = fields.text(initiator) == merchant.initiator
            && credential::opens(merchant, &fields.text("SecurityCredential"));
        let stamp = in_nairobi(world.now(), "%Y%m%d");
        let conversation = format!("AG_{stamp}_{}", world.dice.id(20).to_lowercase());
        let command = Command {
            kind,
            originator: originator.to_owned(),
            conversation: conversation.clone(),
            account,
            authorized,
            result_url: fields.url("ResultURL")?,
            timeout_url: fields.url("QueueTimeOutURL")?,
            outcome: None,
        };
        {
            let mut state = held(&self.state);
            if state.commands.contains_key(originator) {
                let message = "Duplicate OriginatorConversationID";
                return Err(refusal(world, 500, "500.002.1001", message).about(originator));
            }
            state.commands.insert(originator.to_owned(), command);
        }
        let name = originator.to_owned();
        world.after(world.scaled(DONE_AFTER), move |world| {
            world.mpesa.carry_out(world, &name);
        });
        let body = json!({
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        });
        Ok(Reply::json(200, body).about(originator))
    }

    fn carry_out(&self, world: &Arc<World>, originator: &str) {
        let found = held(&self.state).commands.get(originator).cloned();
        let Some(command) = found else { return };
        let outcome = if command.authorized {
            match &command.kind {
                What::Reversal { receipt, amount } => {
                    self.reversed(world, &command.account, receipt, *amount)
                }
                What::PayOut { phone, amount } => paid_out(world, &command, phone, *amount),
                What::Question {
                    receipt,
                    conversation,
                } => self.looked_up(&command.account, receipt, conversation),
            }
        } else {
            Outcome::failed("2001")
        };
        if let Some(command) = held(&self.state).commands.get_mut(originator) {
            command.outcome = Some(outcome.clone());
        }
        let timed_out = world.hit(
            Fault::TimeoutNotice,
            Provider::Mpesa,
            originator,
            &command.conversation,
        );
        let (url, body) = match timed_out {
            None => (command.result_url.clone(), result(&command, &outcome)),
            Some(_) => (command.timeout_url.clone(), notice(&command)),
        };
        world.send(Callback {
            provider: Provider::Mpesa,
            url,
            reference: originator.to_owned(),
            payment: command.conversation,
            about: format!("result {}", outcome.code),
            content_type: "application/json",
            body,
            signature: Signature::None,
        });
    }

    /// A receipt is reversed once, in whole or in part.
    fn reversed(&self, world: &World, account: &str, receipt: &str, amount: i64) -> Outcome {
        let mut guard = held(&self.state);
        let state = &mut *guard;
        let found = state
            .receipts
            .get(receipt)
            .and_then(|id| state.transactions.get_mut(id))
            .filter(|found| found.deal.account == account);
        let Some(found) = found else {
            return Outcome::failed("R000002");
        };
        if found.reversed {
            return Outcome::failed("R000001");
        }
        let now = world.now();
        let own = world.dice.receipt();
        if found
            .deal
            .give_back(&world.book, now, amount, &own)
            .is_err()
        {
            return Outcome::failed("11");
        }
        found.reversed = true;
        let phone = found.phone.clone();
        Outcome {
            code: "0",
            receipt: own,
            parameters: vec![
                ("Amount", Value::from(major(amount))),
                ("OriginalTransactionID", Value::from(receipt)),
                (
                    "TransCompletedTime",
                    Value::from(in_nairobi(now, "%Y%m%d%H%M%S")),
                ),
                ("Charge", Value::from("0.00")),
                (
                    "CreditPartyPublicName",
                    Value::from(format!("{phone} - John Doe")),
                ),
                ("DebitPartyPublicName", Value::from(account)),
            ],
        }
    }

    fn looked_up(&self, account: &str, receipt: &str, conversation: &str) -> Outcome {
        let state = held(&self.state);
        let known = |status: &str, receipt: &str, amount: i64, at: String| Outcome {
            code: "0",
            receipt: receipt.to_owned(),
            parameters: vec![
                ("DebitPartyName", Value::from("")),
                ("ReceiptNo", Value::from(receipt)),
                ("TransactionStatus", Value::from(status)),
                ("Amount", Value::from(major(amount))),
                ("FinalisedTime", Value::from(at)),
                ("TransactionReason", Value::Null),
                ("DebitPartyName", Value::from(account)),
            ],
        };
        let found = state
            .receipts
            .get(receipt)
            .and_then(|id| state.transactions.get(id))
            .filter(|found| found.deal.account == account);
        if let Some(found) = found {
            let at = found.finished_at.map(super::nairobi).unwrap_or_default();
            return known("Completed", receipt, found.deal.captured, at);
        }
        let by_conversation = state.commands.values().find(|command| {
            command.account == account
                && !matches!(command.kind, What::Question { .. })
                && (command.originator == conversation
                    || command.conversation == conversation
                    || command.outcome.as_ref().is_some_and(|done| {
                        !receipt.is_empty() && done.code == "0" && done.receipt == receipt
                    }))
        });
        let Some(command) = by_conversation else {
            return Outcome::failed("R000002");
        };
        let (What::Reversal { amount, .. } | What::PayOut { amount, .. }) = command.kind else {
            return Outcome::failed("R000002");
        };
        match &command.outcome {
            None => known("Initiated", "", amount, String::new()),
            Some(done) if done.code == "0" => {
                known("Completed", &done.receipt, amount, String::new())
            }
            Some(_) => known("Declined", "", amount, String::new()),
        }
    }
}

impl Outcome {
    const fn failed(code: &'static str) -> Self {
        Self {
            code,
            receipt: String::new(),
            parameters: Vec::new(),
        }
    }
}

/// From the utility account, which holds what the merchant put there.
fn paid_out(world: &World, command: &Command, phone: &str, amount: i64) -> Outcome {
    let now = world.now();
    let receipt = world.dice.receipt();
    let utility = format!("{} utility", command.account);
    let spent = world.book.spend(&Entry {
        at: now,
        provider: Provider::Mpesa,
        account: &utility,
        kind: Kind::Payout,
        payment: &command.conversation,
        provider_reference: &receipt,
        reference: &command.originator,
        amount: -amount,
        currency: "KES",
    });
    if spent.is_err() {
        return Outcome::failed("1");
    }
    let left = world.book.balance(Provider::Mpesa, &utility, "KES");
    Outcome {
        code: "0",
        parameters: vec![
            ("TransactionAmount", Value::from(amount / 100)),
            ("TransactionReceipt", Value::from(&*receipt)),
            (
                "ReceiverPartyPublicName",
                Value::from(format!("{phone} - John Doe")),
            ),
            (
                "TransactionCompletedDateTime",
                Value::from(in_nairobi(now, "%d.%m.%Y %H:%M:%S")),
            ),
            ("B2CUtilityAccountAvailableFunds", Value::from(major(left))),
            ("B2CRecipientIsRegisteredCustomer", Value::from("Y")),
        ],
        receipt,
    }
}

fn result(command: &Command, outcome: &Outcome) -> String {
    let code = outcome
        .code
        .parse::<i64>()
        .map_or_else(|_| Value::from(outcome.code), Value::from);
    let mut result = json!({
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": described(outcome.code),
        "OriginatorConversationID": command.originator,
        "ConversationID": command.conversation,
        "TransactionID": outcome.receipt,
        "ReferenceData": {
            "ReferenceItem": { "Key": "QueueTimeoutURL", "Value": command.timeout_url },
        },
    });
    if outcome.code == "0" {
        let parameters: Vec<_> = outcome
            .parameters
            .iter()
            .map(|(key, value)| match value {
                Value::Null => json!({ "Key": key }),
                value => json!({ "Key": key, "Value": value }),
            })
            .collect();
        result["ResultParameters"] = json!({ "ResultParameter": parameters });
    }
    json!({ "Result": result }).to_string()
}

/// What happened to it is unknown, says Safaricom.
fn notice(command: &Command) -> String {
    json!({
        "Result": {
            "ResultType": 1,
            "ResultCode": 1,
            "ResultDesc": "The service request timed out in the queue",
            "OriginatorConversationID": command.originator,
            "ConversationID": command.conversation,
            "TransactionID": "",
        },
    })
    .to_string()
}
