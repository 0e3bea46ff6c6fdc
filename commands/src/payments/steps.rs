//! What else is asked of a provider about a payment: whether it was started at all, that it ends, that
//! what was agreed to is taken, or a code that the payer was sent.

use super::outcomes::word;
use super::teller::{Told, question};
use super::{Cause, Next, Teller, TellerError};
use soko_domain::payment::{NextAction, PaymentError, PaymentStatus};
use soko_domain::{Money, Payment, PaymentId, RefundId};
use soko_gateways::payments::{
    AfterLostAnswer, AskPayment, CallError, CapturePayment, Handle, OperationId, Outcome, Secret,
    Standing, VoidPayment, capabilities_of,
};
use std::time::Duration;

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Why a step that somebody asked for was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Teller(#[from] TellerError),
    #[error("the provider has no such step")]
    NoSuchStep,
    #[error("the payment does not wait for this")]
    NotWaiting,
    #[error("the provider says no: {0}")]
    Refused(String),
    #[error("the provider cannot be asked now")]
    NotNow,
    /// It may have been done: what became of it is asked about.
    #[error("what the provider made of it is not known yet")]
    Unknown,
}

impl From<PaymentError> for StepError {
    fn from(error: PaymentError) -> Self {
        Self::Teller(error.into())
    }
}

impl Teller {
    /// For who does not know whether the payer was asked: whoever meant to may have died before or
    /// after. Nobody is asked twice.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn start_or_ask(
        &self,
        payment_id: PaymentId,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let payment = self.engine().read::<Payment>(payment_id).await?;
        let demand = payment.state.demand()?;
        if demand.status() != PaymentStatus::Initiated {
            drop(payment);
            return self.ask(payment_id, None, cause).await;
        }
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        let ask = question(payment_id, demand);
        drop(payment);
        match account.capabilities().lost_start {
            AfterLostAnswer::Repeat => self.start(payment_id, cause).await,
            AfterLostAnswer::Ask => match self.ask_once(&told, &*account, &ask).await {
                Ok(Standing {
                    outcome: Outcome::NeverSeen,
                    ..
                }) => self.start(payment_id, cause).await,
                Ok(standing) => self.record_standing(&told, standing, None, cause).await,
                Err(_) => Ok(Next::NotNow(TRY_AGAIN_AFTER)),
            },
            AfterLostAnswer::AwaitCallback | AfterLostAnswer::AskPerson => {
                let because = "whether the payer was asked is not known";
                self.doubt(&told, because, cause).await
            }
        }
    }

    /// For who comes after somebody who may be asking the payer just now: asks as well only where
    /// asking twice is asking once. Else it is looked after when that one has surely ended.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn start_beside(
        &self,
        payment_id: PaymentId,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let lost_start = {
            let payment = self.engine().read::<Payment>(payment_id).await?;
            capabilities_of(payment.state.demand()?.provider()).map(|can| can.lost_start)
        };
        match lost_start {
            Some(AfterLostAnswer::Repeat) => self.start(payment_id, cause).await,
            _ => Ok(Next::Wait),
        }
    }

    /// Ends a payment that nobody has paid, where the provider can be told.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn void(&self, payment_id: PaymentId, cause: &Cause) -> Result<Next, TellerError> {
        let payment = self.engine().read::<Payment>(payment_id).await?;
        let demand = payment.state.demand()?;
        if demand.provider().is_recorded_by_hand() || !demand.captures().is_empty() {
            return Ok(Next::Nothing);
        }
        let handle = demand
            .handle()
            .and_then(|handle| Handle::new(handle.as_str()));
        let Some(handle) = handle else {
            return Ok(Next::Wait);
        };
        if let Some(rest) = self.rests(demand.provider()) {
            return Ok(Next::NotNow(rest));
        }
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        drop(payment);
        let Some(captures) = account.captures() else {
            return Ok(Next::Wait);
        };
        let void = VoidPayment {
            operation_id: step_id(payment_id, "void"),
            handle,
        };
        let id = payment_id.as_uuid();
        let calling = captures.void(&void);
        match self.timed(&told, "void", id, calling, word).await {
            Ok(outcome) => {
                let standing = only(outcome);
                self.record_standing(&told, standing, None, cause).await
            }
            Err(CallError::NotSent(_) | CallError::NotNow { .. }) => {
                Ok(Next::NotNow(TRY_AGAIN_AFTER))
            }
            Err(_) => Ok(Next::Wait),
        }
    }

    /// Takes what the payer agreed to, or a part of it; what is left goes back to the payer.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn capture(
        &self,
        payment_id: PaymentId,
        amount: Money,
        cause: &Cause,
    ) -> Result<Next, StepError> {
        let payment = self.read(payment_id).await?;
        let demand = payment.state.demand()?;
        let handle = demand
            .handle()
            .and_then(|handle| Handle::new(handle.as_str()));
        let (true, Some(handle)) = (demand.status() == PaymentStatus::Authorised, handle) else {
            return Err(StepError::NotWaiting);
        };
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        drop(payment);
        let captures = account.captures().ok_or(StepError::NoSuchStep)?;
        let capture = CapturePayment {
            operation_id: step_id(payment_id, "capture"),
            handle,
            amount,
        };
        let id = payment_id.as_uuid();
        let calling = captures.capture(&capture);
        let outcome = self.timed(&told, "capture", id, calling, word).await;
        let outcome = outcome.map_err(|error| step_error(&error))?;
        Ok(self
            .record_standing(&told, only(outcome), None, cause)
            .await?)
    }

    /// A code that the payer's wallet has sent them.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn submit_code(
        &self,
        payment_id: PaymentId,
        code: &Secret,
        cause: &Cause,
    ) -> Result<Next, StepError> {
        let payment = self.read(payment_id).await?;
        let demand = payment.state.demand()?;
        let Some(NextAction::EnterCode { handle }) = demand.next_action() else {
            return Err(StepError::NotWaiting);
        };
        let ask = AskPayment {
            handle: Handle::new(handle),
            ..question(payment_id, demand)
        };
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        drop(payment);
        let codes = account.codes().ok_or(StepError::NoSuchStep)?;
        let id = payment_id.as_uuid();
        let calling = codes.submit_code(&ask, code);
        let answer = self.timed(&told, "code", id, calling, |standing: &Standing| {
            word(&standing.outcome)
        });
        let standing = answer.await.map_err(|error| step_error(&error))?;
        let standing = Standing {
            handle: None,
            ..standing
        };
        Ok(self.record_standing(&told, standing, None, cause).await?)
    }

    /// Nothing was heard of a refund for so long that a person has to look.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn doubt_refund_of(
        &self,
        payment_id: PaymentId,
        refund_id: RefundId,
        cause: &Cause,
    ) -> Result<(), TellerError> {
        let payment = self.engine().read::<Payment>(payment_id).await?;
        let told = Told::of(payment_id, payment.state.demand()?, cause);
        drop(payment);
        let because = "nothing was heard of it";
        self.doubt_refund(&told, refund_id, because, cause).await?;
        Ok(())
    }

    async fn read(&self, payment_id: PaymentId) -> Result<crate::Snapshot<Payment>, TellerError> {
        Ok(self.engine().read::<Payment>(payment_id).await?)
    }
}

fn only(outcome: Outcome) -> Standing {
    Standing {
        handle: None,
        outcome,
        next: soko_gateways::payments::NextStep::None,
    }
}

/// Each step of a payment has an id of its own, and the same each time.
fn step_id(payment_id: PaymentId, step: &str) -> OperationId {
    let id = uuid::Uuid::new_v5(&payment_id.as_uuid(), step.as_bytes());
    OperationId::from_uuid(id)
}

fn step_error(error: &CallError) -> StepError {
    match error {
        CallError::Unfit(_) | CallError::Refused(_) => StepError::Refused(error.to_string()),
        CallError::NotSent(_) | CallError::NotNow { .. } => StepError::NotNow,
        CallError::Unknown(_) => StepError::Unknown,
    }
}
