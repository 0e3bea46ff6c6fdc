//! Money that leaves: refunds and transfers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::loose_json::Loose;
use super::super::requests::plain;
use super::super::{
    AskMove, CallError, Doubt, FailureReason, Handle, MoveOutcome, MoveStanding, Moved, NewPayee,
    OperationId, Payee, Refund, Refunds, ReportedAmount, Transfer, Transfers, Unfit, Words,
};
use super::Paystack;
use super::answers::{self, read};

const NOTE_CHARS_MAX: usize = 100;
const REASON_CHARS_MAX: usize = 100;

/// A capture is never refunded in so many parts: what does not stand among the first is not found.
const REFUNDS_MAX: u32 = 100;

#[derive(Serialize)]
struct NewRefund<'a> {
    transaction: &'a str,
    amount: i64,
    currency: &'static str,
    customer_note: String,
    /// Ours alone, by which the refund is found again.
    merchant_note: String,
}

#[derive(Serialize)]
struct NewTransfer<'a> {
    source: &'static str,
    amount: i64,
    currency: &'static str,
    recipient: &'a str,
    reference: String,
    reason: String,
}

#[derive(Serialize)]
struct NewRecipient<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    name: &'a str,
    account_number: &'a str,
    bank_code: &'a str,
    currency: &'static str,
}

#[derive(Deserialize)]
struct RecipientTold {
    recipient_code: Loose,
}

/// In an answer or a callback; the names differ between them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RefundTold {
    pub(super) id: Loose,
    pub(super) status: Loose,
    pub(super) amount: Loose,
    pub(super) currency: Loose,
    merchant_note: Loose,
    pub(super) transaction_reference: Loose,
    pub(super) refund_reference: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TransferTold {
    pub(super) status: Loose,
    pub(super) reference: Loose,
    pub(super) transfer_code: Loose,
    amount: Loose,
    currency: Loose,
    reason: Loose,
}

#[async_trait]
impl Refunds for Paystack {
    async fn refund(
        &self,
        refund: &Refund,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let body = NewRefund {
            transaction: &refund.captured_by,
            amount: positive(refund.amount.amount())?,
            currency: refund.amount.currency().code(),
            customer_note: plain(&refund.reason, NOTE_CHARS_MAX),
            merchant_note: refund.operation_id.to_string(),
        };
        let answer = self.post("/refund", &body).await?;
        read::<RefundTold>(&answer)?.standing()
    }

    async fn ask_refund(
        &self,
        ask: &AskMove,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        if let Some(handle) = &ask.handle {
            let id = whole_number(handle.as_str())?;
            let answer = self.get(&format!("/refund/{id}")).await?;
            return read::<RefundTold>(&answer)?.standing();
        }
        let captured_by = ask.captured_by.as_deref().ok_or(Unfit::Handle)?;
        let transaction = whole_number(captured_by)?;
        let path = format!("/refund?transaction={transaction}&perPage={REFUNDS_MAX}");
        let answer = self.get(&path).await?;
        let refunds: Vec<&RawValue> = read(&answer)?;
        let ours = refunds
            .iter()
            .filter_map(|refund| serde_json::from_str::<RefundTold>(refund.get()).ok())
            .find(|refund| refund.is_of(ask.operation_id));
        ours.map_or_else(
            || {
                Ok(MoveStanding {
                    handle: None,
                    outcome: MoveOutcome::NeverSeen,
                })
            },
            |refund| refund.standing(),
        )
    }
}

#[async_trait]
impl Transfers for Paystack {
    async fn enrol(&self, payee: &NewPayee) -> Result<Payee, CallError> {
        let NewPayee::Account(account) = payee else {
            return Err(Unfit::Payee.into());
        };
        let body = NewRecipient {
            kind: &account.kind,
            name: &account.name,
            account_number: &account.account_number,
            bank_code: &account.bank_code,
            currency: account.currency.code(),
        };
        let answer = self.post("/transferrecipient", &body).await?;
        let told: RecipientTold = read(&answer)?;
        let code = told
            .recipient_code
            .get()
            .ok_or_else(CallError::unreadable)?;
        Ok(Payee::Recipient(code.to_owned()))
    }

    async fn transfer(
        &self,
        transfer: &Transfer,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        let Payee::Recipient(recipient) = &transfer.to else {
            return Err(Unfit::Payee.into());
        };
        let body = NewTransfer {
            source: "balance",
            amount: positive(transfer.amount.amount())?,
            currency: transfer.amount.currency().code(),
            recipient,
            reference: transfer.operation_id.to_string(),
            reason: plain(&transfer.reason, REASON_CHARS_MAX),
        };
        let answer = self.post("/transfer", &body).await?;
        if answers::is_a_repeat(&answer) {
            return self.verify_transfer(transfer.operation_id).await;
        }
        read::<TransferTold>(&answer)?.standing(transfer.operation_id)
    }

    async fn ask_transfer(
        &self,
        ask: &AskMove,
        _now: DateTime<Utc>,
    ) -> Result<MoveStanding, CallError> {
        self.verify_transfer(ask.operation_id).await
    }
}

impl Paystack {
    async fn verify_transfer(&self, operation_id: OperationId) -> Result<MoveStanding, CallError> {
        let answer = self
            .get(&format!("/transfer/verify/{operation_id}"))
            .await?;
        if answers::is_not_found(&answer) {
            return Ok(MoveStanding {
                handle: None,
                outcome: MoveOutcome::NeverSeen,
            });
        }
        read::<TransferTold>(&answer)?.standing(operation_id)
    }
}

fn positive(minor: i64) -> Result<i64, Unfit> {
    if minor > 0 {
        Ok(minor)
    } else {
        Err(Unfit::Amount)
    }
}

/// Nothing else goes into a path of theirs.
fn whole_number(text: &str) -> Result<u64, Unfit> {
    text.parse().map_err(|_| Unfit::Handle)
}

impl RefundTold {
    fn is_of(&self, operation_id: OperationId) -> bool {
        OperationId::parse(self.merchant_note.as_str()) == Some(operation_id)
    }

    fn standing(&self) -> Result<MoveStanding, CallError> {
        Ok(MoveStanding {
            handle: Some(Handle::new(self.id.as_str()).ok_or_else(CallError::unreadable)?),
            outcome: self.outcome(self.status.as_str()),
        })
    }

    pub(super) fn outcome(&self, status: &str) -> MoveOutcome {
        let words = Words::of(status);
        match status {
            "processed" => {
                let amount = self.amount.get();
                let currency = self.currency.as_str();
                match self.id.get().or(self.refund_reference.get()) {
                    Some(reference) => MoveOutcome::Done(Moved {
                        amount: amount.map(|amount| ReportedAmount::of_minor(amount, currency)),
                        fee: None,
                        reference: reference.to_owned(),
                    }),
                    None => MoveOutcome::Unknown(Doubt::Contradiction),
                }
            }
            "failed" => MoveOutcome::failed(FailureReason::Other, words),
            // They want the bank details of the payer.
            "needs-attention" => MoveOutcome::NeedsPerson(words),
            "" => MoveOutcome::Unknown(Doubt::Unreadable),
            _ => MoveOutcome::Pending(words),
        }
    }
}

impl TransferTold {
    fn standing(&self, operation_id: OperationId) -> Result<MoveStanding, CallError> {
        if OperationId::parse(self.reference.as_str()).is_some_and(|id| id != operation_id) {
            return Err(CallError::Unknown(Doubt::Contradiction));
        }
        Ok(MoveStanding {
            handle: Handle::new(self.transfer_code.as_str()),
            outcome: self.outcome(self.status.as_str()),
        })
    }

    pub(super) fn outcome(&self, status: &str) -> MoveOutcome {
        let words = Words::of(self.reason.get().unwrap_or(status));
        match status {
            "success" => match self.transfer_code.get() {
                Some(reference) => {
                    let currency = self.currency.as_str();
                    let amount = self.amount.get();
                    MoveOutcome::Done(Moved {
                        amount: amount.map(|amount| ReportedAmount::of_minor(amount, currency)),
                        fee: None,
                        reference: reference.to_owned(),
                    })
                }
                None => MoveOutcome::Unknown(Doubt::Contradiction),
            },
            "failed" => MoveOutcome::failed(FailureReason::Other, words),
            "reversed" => MoveOutcome::Returned(words),
            // Somebody has to type the code that they sent.
            "otp" => MoveOutcome::NeedsPerson(Words::of("otp")),
            "" => MoveOutcome::Unknown(Doubt::Unreadable),
            status => MoveOutcome::Pending(Words::of(status)),
        }
    }
}
