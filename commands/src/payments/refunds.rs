//! Has providers give money back, and asks what became of it.

use super::teller::{Told, text};
use super::{Cause, Next, Teller, TellerError};
use crate::handlers::{CompleteRefund, complete_refund};
use soko_domain::payment::{Demand, PaymentCommand, Return, ReturnStage};
use soko_domain::{Payment, PaymentId, RefundId, Text};
use soko_gateways::payments::{
    AfterLostAnswer, AskMove, CallError, Failure, Handle, MoveOutcome, MoveStanding, OperationId,
    PaymentAccount, Refund, RefundQuery,
};
use std::time::Duration;

/// When a provider that was not there is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);

/// How often it is looked whether the provider's own reference of what is to go back is known.
const NAMED_WITHIN: Duration = Duration::from_secs(15);

impl Teller {
    /// Does what is next about a refund: asks for it, or what became of it. What may have been done
    /// is never asked for under another id, and where nobody can be asked, a person has to look.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn give_back(
        &self,
        payment_id: PaymentId,
        refund_id: RefundId,
        was_asked_for: bool,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let payment = self.engine().read::<Payment>(payment_id).await?;
        let demand = payment.state.demand()?;
        let Some(known) = demand.refund(refund_id) else {
            return Ok(Next::Nothing);
        };
        if known.stage != ReturnStage::Requested {
            return Ok(Next::Nothing);
        }
        if let Some(rest) = self.rests(demand.provider()) {
            return Ok(Next::NotNow(rest));
        }
        if !is_of_named_money(demand, known) {
            return Ok(Next::NotNow(NAMED_WITHIN));
        }
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        let known = known.clone();
        drop(payment);
        if known.handle.is_some() {
            return self.ask_refund(&told, &*account, &known, cause).await;
        }
        if was_asked_for {
            match account.capabilities().lost_refund {
                AfterLostAnswer::Repeat => (),
                AfterLostAnswer::Ask => {
                    return self.ask_refund(&told, &*account, &known, cause).await;
                }
                AfterLostAnswer::AwaitCallback => return Ok(Next::Wait),
                AfterLostAnswer::AskPerson => {
                    return self.doubt_refund(&told, refund_id, LOST, cause).await;
                }
            }
        }
        self.ask_for_refund(&told, &*account, &known, cause).await
    }

    async fn ask_for_refund(
        &self,
        told: &Told,
        account: &dyn PaymentAccount,
        known: &Return,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let Some(refunds) = account.refunds() else {
            let because = "the provider gives nothing back by itself";
            return self
                .doubt_refund(told, known.request.refund_id, because, cause)
                .await;
        };
        let payer = told.demand.terms().and_then(|terms| terms.payer.value());
        let request = &known.request;
        let refund = Refund {
            operation_id: operation(request.refund_id),
            charge: OperationId::from_uuid(told.payment_id.as_uuid()),
            captured_by: known.of.to_string(),
            amount: request.amount,
            phone: payer.and_then(|payer| payer.phone.clone()),
            reason: request.reason.to_string(),
        };
        let id = request.refund_id.as_uuid();
        let calling = refunds.refund(&refund, self.now());
        match self.timed(told, "refund", id, calling, move_word).await {
            Ok(standing) => self.record_move(told, known, standing, cause).await,
            Err(CallError::NotSent(_)) => Ok(Next::NotNow(TRY_AGAIN_AFTER)),
            Err(CallError::NotNow { after, .. }) => {
                Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)))
            }
            Err(CallError::Refused(refusal)) => {
                let (reason, words) = (refusal.reason.code(), refusal.words.as_str());
                self.fail_refund(told, request.refund_id, reason, words, cause)
                    .await
            }
            Err(error @ CallError::Unfit(_)) => {
                let words = error.to_string();
                self.fail_refund(told, request.refund_id, "our_set_up", &words, cause)
                    .await
            }
            Err(error @ CallError::Unknown(_)) => match account.capabilities().lost_refund {
                AfterLostAnswer::AskPerson => {
                    let because = error.to_string();
                    self.doubt_refund(told, request.refund_id, &because, cause)
                        .await
                }
                AfterLostAnswer::Repeat | AfterLostAnswer::Ask | AfterLostAnswer::AwaitCallback => {
                    Ok(Next::Wait)
                }
            },
        }
    }

    async fn ask_refund(
        &self,
        told: &Told,
        account: &dyn PaymentAccount,
        known: &Return,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let Some(refunds) = account.refunds() else {
            return Ok(Next::Wait);
        };
        if account.capabilities().refund_query == RefundQuery::Never {
            return Ok(Next::Wait);
        }
        let handle = known.handle.as_ref();
        let ask = AskMove {
            operation_id: operation(known.request.refund_id),
            handle: handle.and_then(|handle| Handle::new(handle.as_str())),
            captured_by: Some(known.of.to_string()),
        };
        let id = known.request.refund_id.as_uuid();
        let calling = refunds.ask_refund(&ask, self.now());
        match self.timed(told, "ask_refund", id, calling, move_word).await {
            Ok(MoveStanding {
                outcome: MoveOutcome::NeverSeen,
                ..
            }) if known.handle.is_none() => {
                // It surely never came there: under the same id it is done once.
                self.ask_for_refund(told, account, known, cause).await
            }
            Ok(standing) => self.record_move(told, known, standing, cause).await,
            Err(CallError::NotNow { after, .. }) => {
                Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)))
            }
            Err(_) => Ok(Next::Wait),
        }
    }

    pub(super) async fn record_move(
        &self,
        told: &Told,
        known: &Return,
        standing: MoveStanding,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let refund_id = known.request.refund_id;
        let handle = standing.handle.and_then(|handle| text(handle.as_str()));
        match standing.outcome {
            MoveOutcome::Pending(_) | MoveOutcome::NeverSeen => {
                if let Some(handle) = handle
                    && known.handle.is_none()
                {
                    let command = PaymentCommand::RecordRefundStart { refund_id, handle };
                    self.execute(told.payment_id, command, cause).await?;
                }
                Ok(Next::Wait)
            }
            MoveOutcome::Done(moved) => {
                let reference = text(&moved.reference);
                let request = CompleteRefund {
                    payment_id: told.payment_id,
                    refund_id,
                    reference: reference.unwrap_or_else(|| Text::of_id(refund_id)),
                };
                let context = cause.context(self.now());
                complete_refund(self.engine(), request, &context).await?;
                Ok(Next::Nothing)
            }
            // What was done, and failed after all, has come to us again.
            MoveOutcome::Failed(_) if known.stage == ReturnStage::Done => {
                self.return_refund(told, refund_id, cause).await
            }
            MoveOutcome::Failed(Failure { reason, words, .. }) => {
                self.fail_refund(told, refund_id, reason.code(), words.as_str(), cause)
                    .await
            }
            MoveOutcome::Returned(_) => self.return_refund(told, refund_id, cause).await,
            MoveOutcome::NeedsPerson(words) => {
                self.doubt_refund(told, refund_id, words.as_str(), cause)
                    .await
            }
            MoveOutcome::Unknown(_) => Ok(Next::Wait),
        }
    }

    async fn return_refund(
        &self,
        told: &Told,
        refund_id: RefundId,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let command = PaymentCommand::ReturnRefund { refund_id };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Nothing)
    }

    async fn fail_refund(
        &self,
        told: &Told,
        refund_id: RefundId,
        reason: &str,
        words: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let command = PaymentCommand::FailRefund {
            refund_id,
            reason: text(reason).unwrap_or(OTHER),
            words: text(words),
        };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Nothing)
    }

    pub(super) async fn doubt_refund(
        &self,
        told: &Told,
        refund_id: RefundId,
        because: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let command = PaymentCommand::DoubtRefund {
            refund_id,
            because: text(because).unwrap_or(NOT_KNOWN),
        };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Nothing)
    }
}

const LOST: &str = "the answer was lost";
const OTHER: Text<100> = Text::literal("other");
const NOT_KNOWN: Text<200> = Text::literal("it is not known");

fn operation(refund_id: RefundId) -> OperationId {
    OperationId::from_uuid(refund_id.as_uuid())
}

/// Whether the provider can be told which money is to go back.
fn is_of_named_money(demand: &Demand, known: &Return) -> bool {
    let mut captures = demand.captures().iter();
    let of = captures.find(|captured| captured.reference == known.of);
    of.is_none_or(|captured| captured.standing.names_the_money())
}

pub(super) fn move_word(standing: &MoveStanding) -> (&'static str, String) {
    match &standing.outcome {
        MoveOutcome::Pending(words) => ("pending", words.to_string()),
        MoveOutcome::NeedsPerson(words) => ("needs_person", words.to_string()),
        MoveOutcome::Done(moved) => ("done", moved.reference.clone()),
        MoveOutcome::Failed(failure) => (
            "failed",
            format!("{}: {}", failure.reason.code(), failure.words),
        ),
        MoveOutcome::Returned(words) => ("returned", words.to_string()),
        MoveOutcome::NeverSeen => ("never_seen", String::new()),
        MoveOutcome::Unknown(doubt) => ("unknown", doubt.to_string()),
    }
}
