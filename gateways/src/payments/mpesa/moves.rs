//! What an initiator commands: reversals, payouts, and questions. All are answered later, by callbacks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::exchange::Answer;
use super::super::loose_json::Loose;
use super::super::requests::plain;
use super::super::{
    AskMove, AskReceipt, CallError, CallbackKind, Handle, MoveOutcome, MoveStanding,
    MpesaInitiator, NewPayee, OperationId, Payee, Receipts, Refund, Refunds, Transfer, Transfers,
    Unfit, Words,
};
use super::answers::{self, move_reason};
use super::prompt::shillings;
use super::{Mpesa, msisdn};

const PAYOUT_MIN: i64 = 10;
const REMARKS_CHARS_MAX: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reversal<'a> {
    initiator: &'a str,
    security_credential: &'a str,
    #[serde(rename = "CommandID")]
    command_id: &'static str,
    #[serde(rename = "TransactionID")]
    transaction_id: &'a str,
    amount: i64,
    receiver_party: &'a str,
    /// They spell it so.
    #[serde(rename = "RecieverIdentifierType")]
    receiver_identifier_type: &'static str,
    #[serde(rename = "ResultURL")]
    result_url: String,
    #[serde(rename = "QueueTimeOutURL")]
    time_out_url: String,
    remarks: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Payout<'a> {
    #[serde(rename = "OriginatorConversationID")]
    originator_conversation_id: String,
    initiator_name: &'a str,
    security_credential: &'a str,
    #[serde(rename = "CommandID")]
    command_id: &'static str,
    amount: i64,
    party_a: &'a str,
    party_b: &'a str,
    remarks: String,
    #[serde(rename = "QueueTimeOutURL")]
    time_out_url: String,
    #[serde(rename = "ResultURL")]
    result_url: String,
    /// They spell it so.
    #[serde(rename = "Occassion")]
    occasion: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusQuery<'a> {
    initiator: &'a str,
    security_credential: &'a str,
    #[serde(rename = "CommandID")]
    command_id: &'static str,
    #[serde(flatten)]
    about: Questioned<'a>,
    party_a: &'a str,
    identifier_type: &'static str,
    #[serde(rename = "ResultURL")]
    result_url: String,
    #[serde(rename = "QueueTimeOutURL")]
    time_out_url: String,
    remarks: &'static str,
    occasion: &'static str,
}

/// By what they know it.
#[derive(Serialize)]
enum Questioned<'a> {
    #[serde(rename = "OriginalConversationID")]
    Command(&'a str),
    #[serde(rename = "TransactionID")]
    Receipt(&'a str),
}

#[derive(Deserialize)]
struct Accepted {
    #[serde(rename = "OriginatorConversationID", default)]
    originator_conversation_id: Loose,
    #[serde(rename = "ResponseCode")]
    response_code: Loose,
    #[serde(rename = "ResponseDescription", default)]
    response_description: Loose,
}

#[async_trait]
impl Refunds for Mpesa {
    async fn refund(&self, refund: &Refund, now: DateTime<Utc>) -> Result<MoveStanding, CallError> {
        let initiator = self.initiator()?;
        let id = refund.operation_id.as_uuid();
        let reversal = Reversal {
            initiator: &initiator.name,
            security_credential: initiator.security_credential.expose(),
            command_id: "TransactionReversal",
            transaction_id: &refund.captured_by,
            amount: shillings(refund.amount, 1)?,
            receiver_party: &self.account.short_code,
            receiver_identifier_type: "11",
            result_url: self.callback_url(CallbackKind::Refund, id)?,
            time_out_url: self.callback_url(CallbackKind::RefundTimeOut, id)?,
            remarks: remarks(&refund.reason),
        };
        let answer = self
            .post("/mpesa/reversal/v1/request", &reversal, now)
            .await?;
        accepted(&answer)
    }

    async fn ask_refund(
        &self,
        ask: &AskMove,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        // A reversal goes by an id that they give it.
        let handle = ask.handle.as_ref().ok_or(Unfit::Handle)?;
        let kinds = (
            CallbackKind::RefundStatus,
            CallbackKind::RefundStatusTimeOut,
        );
        self.ask_for_status(handle, ask.operation_id, kinds, now)
            .await
    }
}

#[async_trait]
impl Transfers for Mpesa {
    async fn enrol(&self, payee: &NewPayee) -> Result<Payee, CallError> {
        match payee {
            NewPayee::Phone(phone) => {
                msisdn(phone)?;
                Ok(Payee::Phone(phone.clone()))
            }
            NewPayee::Account(_) => Err(Unfit::Payee.into()),
        }
    }

    async fn transfer(
        &self,
        transfer: &Transfer,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let initiator = self.initiator()?;
        let Payee::Phone(phone) = &transfer.to else {
            return Err(Unfit::Payee.into());
        };
        let id = transfer.operation_id.as_uuid();
        let payout = Payout {
            originator_conversation_id: transfer.operation_id.to_string(),
            initiator_name: &initiator.name,
            security_credential: initiator.security_credential.expose(),
            command_id: "BusinessPayment",
            amount: shillings(transfer.amount, PAYOUT_MIN)?,
            party_a: &self.account.short_code,
            party_b: msisdn(phone)?,
            remarks: remarks(&transfer.reason),
            time_out_url: self.callback_url(CallbackKind::TransferTimeOut, id)?,
            result_url: self.callback_url(CallbackKind::Transfer, id)?,
            occasion: "",
        };
        let answer = self
            .post("/mpesa/b2c/v3/paymentrequest", &payout, now)
            .await?;
        let handle = payout_handle(transfer.operation_id);
        if answers::is_a_repeat(&answer) {
            // The first one stands, and its result comes or has come.
            return Ok(MoveStanding {
                handle,
                outcome: MoveOutcome::Pending(answers::words_of(&answer)),
            });
        }
        let standing = accepted(&answer)?;
        Ok(MoveStanding { handle, ..standing })
    }

    async fn ask_transfer(
        &self,
        ask: &AskMove,
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        // A payout goes by our own id, so it can be asked about though its answer was lost.
        let handle = payout_handle(ask.operation_id).ok_or(Unfit::Handle)?;
        let kinds = (
            CallbackKind::TransferStatus,
            CallbackKind::TransferStatusTimeOut,
        );
        self.ask_for_status(&handle, ask.operation_id, kinds, now)
            .await
    }
}

#[async_trait]
impl Receipts for Mpesa {
    async fn ask_receipt(&self, ask: &AskReceipt, now: DateTime<Utc>) -> Result<(), CallError> {
        let kinds = (
            CallbackKind::ReceiptStatus,
            CallbackKind::ReceiptStatusTimeOut,
        );
        let about = Questioned::Receipt(&ask.reference);
        self.question(about, ask.question, kinds, now).await?;
        Ok(())
    }
}

impl Mpesa {
    /// The answer comes as a callback of its own kind, for it says how the question fared before it
    /// says how the money did.
    async fn ask_for_status(
        &self,
        handle: &Handle,
        operation_id: OperationId,
        kinds: (CallbackKind, CallbackKind),
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let about = Questioned::Command(handle.as_str());
        let standing = self.question(about, operation_id, kinds, now).await?;
        Ok(MoveStanding {
            // What they answer with is the id of the question.
            handle: Some(handle.clone()),
            ..standing
        })
    }

    async fn question(
        &self,
        about: Questioned<'_>,
        operation_id: OperationId,
        (result, time_out): (CallbackKind, CallbackKind),
        now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let initiator = self.initiator()?;
        let id = operation_id.as_uuid();
        let query = StatusQuery {
            initiator: &initiator.name,
            security_credential: initiator.security_credential.expose(),
            command_id: "TransactionStatusQuery",
            about,
            party_a: &self.account.short_code,
            identifier_type: "4",
            result_url: self.callback_url(result, id)?,
            time_out_url: self.callback_url(time_out, id)?,
            remarks: "Status",
            occasion: "",
        };
        let answer = self
            .post("/mpesa/transactionstatus/v1/query", &query, now)
            .await?;
        accepted(&answer)
    }

    fn initiator(&self) -> Result<&MpesaInitiator, Unfit> {
        self.account.initiator.as_ref().ok_or(Unfit::Account)
    }
}

fn payout_handle(operation_id: OperationId) -> Option<Handle> {
    Handle::new(&operation_id.to_string())
}

/// From 2 characters on, or they refuse it.
fn remarks(text: &str) -> String {
    let remarks = plain(text, REMARKS_CHARS_MAX);
    if remarks.len() < 2 {
        format!("{remarks} -")
    } else {
        remarks
    }
}

fn accepted(answer: &Answer) -> Result<MoveStanding, CallError> {
    if !answer.is_success() {
        return Err(answers::error(answer));
    }
    let told: Accepted = answer.json().ok_or_else(CallError::unreadable)?;
    let words = told.response_description.as_str();
    match told.response_code.get() {
        Some("0") => Ok(MoveStanding {
            handle: Handle::new(told.originator_conversation_id.as_str()),
            outcome: MoveOutcome::Pending(Words::of(words)),
        }),
        Some(code) => Err(CallError::refused(move_reason(code), words)),
        None => Err(CallError::unreadable()),
    }
}
