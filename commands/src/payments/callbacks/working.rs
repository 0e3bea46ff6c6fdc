//! What follows from a callback.

use super::CallbackWorker;
use crate::handlers::claims::Name;
use crate::payments::inbox::{Waiting, Worked};
use crate::payments::outcomes::is_what_was_asked;
use crate::payments::teller::{Told, text};
use crate::payments::{Cause, Next, TellerError, Witness};
use chrono::TimeDelta;
use soko_domain::payment::{
    Dispute as Disputed, DisputeStage, DisputedMoney, PaymentCommand, PaymentProvider,
    ReferenceSource, ReturnStage,
};
use soko_domain::{Payment, PaymentId, PayoutId, RefundId, VendorAccount};
use soko_event_log::Actor;
use soko_gateways::payments::{
    About, Callback, CallbackRefusal, CallbackTrust, Dispute, Fact, Handle, MoveOutcome,
    MoveStanding, Outcome, PaymentAccount, Report, capabilities_of,
};

/// Who speaks in the events that follow.
const NAME: &str = "provider_callbacks";

/// How often one is tried that the provider does not confirm, or that fails.
const ATTEMPTS_MAX: u32 = 6;

/// How often where nothing else would ask again: for more than half an hour, so that nobody's
/// money lies because the provider was not there for a while.
const ATTEMPTS_FOR_ANSWER_MAX: u32 = 16;

/// What came of one report.
pub(super) enum Verdict {
    Done(&'static str),
    /// It is to be tried again, and if it always ends like this, that is how it ended.
    Again(&'static str),
    /// The same, of what nobody else would ask about.
    AwaitsAnswer(&'static str),
}

impl Verdict {
    const fn attempts_max(&self) -> u32 {
        match self {
            Self::Done(_) => 0,
            Self::Again(_) => ATTEMPTS_MAX,
            Self::AwaitsAnswer(_) => ATTEMPTS_FOR_ANSWER_MAX,
        }
    }
}

impl CallbackWorker {
    pub(super) async fn work(&self, waiting: Waiting) {
        let verdict = self.verdict(&waiting).await;
        let (payment_id, verdict) = match verdict {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    callback.id = %waiting.callback_id,
                    provider = waiting.provider.as_str(),
                    "a callback could not be worked and will be tried again"
                );
                (None, Verdict::Again("it could not be worked"))
            }
        };
        let is_given_up = !matches!(verdict, Verdict::Done(_));
        let attempts_max = verdict.attempts_max();
        match verdict {
            _ if waiting.attempts < attempts_max => {
                let pause = TimeDelta::seconds(1 << waiting.attempts.min(8));
                let due_at = self.0.clock.now() + pause;
                if let Err(error) = self.0.inbox.again(waiting.callback_id, due_at).await {
                    // Its lease ends by itself.
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a callback could not be put back"
                    );
                }
            }
            Verdict::Done(verdict) | Verdict::Again(verdict) | Verdict::AwaitsAnswer(verdict) => {
                self.0.inbox.done(Worked {
                    callback_id: waiting.callback_id,
                    payment_id,
                    verdict: verdict.to_owned(),
                    is_given_up,
                    at: self.0.clock.now(),
                });
            }
        }
    }

    async fn verdict(
        &self,
        waiting: &Waiting,
    ) -> Result<(Option<PaymentId>, Verdict), TellerError> {
        let credentials = self
            .0
            .teller
            .accounts()
            .open(waiting.store_id, waiting.provider)
            .await?;
        let account = self.0.teller.providers().account(credentials);
        let reports = reports_of(&*account, waiting);
        let Ok(reports) = reports else {
            return Ok((None, Verdict::Done("its secret is not in use any more")));
        };
        let mut last = (None, Verdict::Done("it says nothing of money"));
        for report in &reports {
            last = self.report(waiting, &*account, report).await?;
            if !matches!(last.1, Verdict::Done(_)) {
                break;
            }
        }
        Ok(last)
    }

    async fn report(
        &self,
        waiting: &Waiting,
        account: &dyn PaymentAccount,
        report: &Report,
    ) -> Result<(Option<PaymentId>, Verdict), TellerError> {
        if let Fact::Received(received) = &report.fact {
            return self.received(waiting, account, received).await;
        }
        if let Fact::Attested(attested) = &report.fact {
            return self.attested(waiting, account, attested).await;
        }
        if let Fact::Transfer(outcome) = &report.fact {
            let verdict = self.transfer(waiting, &report.about, outcome).await?;
            return Ok((None, verdict));
        }
        let Some(payment_id) = self.payment_of(waiting.provider, report).await? else {
            return Ok((None, Verdict::Done("it is of no payment that is known")));
        };
        let payment = self.0.teller.engine().read::<Payment>(payment_id).await?;
        let cause = cause_of(waiting, payment_id);
        let told = match payment.state.demand() {
            Ok(demand) if demand.store_id() == waiting.store_id => {
                Told::of(payment_id, demand, &cause)
            }
            Ok(_) | Err(_) => {
                return Ok((None, Verdict::Done("it is of no payment of the store")));
            }
        };
        drop(payment);
        let verdict = match &report.fact {
            Fact::Payment(outcome) => self.payment(&told, &report.about, outcome, &cause).await?,
            Fact::Nudge => self.ask(&told, None, &cause).await?,
            Fact::Refund(outcome) => self.refund(&told, &report.about, outcome, &cause).await?,
            Fact::Dispute(dispute) => self.dispute(&told, dispute, &cause).await?,
            Fact::Transfer(_) | Fact::Received(_) | Fact::Attested(_) | Fact::Offered(_) => {
                Verdict::Done("it says nothing of money")
            }
        };
        Ok((Some(payment_id), verdict))
    }

    async fn payment_of(
        &self,
        provider: PaymentProvider,
        Report { about, fact, .. }: &Report,
    ) -> Result<Option<PaymentId>, TellerError> {
        if let Some(payment_id) = about.payment_id {
            return Ok(Some(payment_id));
        }
        if let Some(charge) = about.charge {
            return Ok(Some(PaymentId::from_uuid(charge.as_uuid())));
        }
        if let Some(operation) = about.operation_id {
            if matches!(fact, Fact::Payment(_)) {
                // A payment is asked for under its own id: there is nothing to look up.
                return Ok(Some(PaymentId::from_uuid(operation.as_uuid())));
            }
            let of_refund = self.payment_of_operation(operation.as_uuid()).await?;
            return Ok(of_refund.or(Some(PaymentId::from_uuid(operation.as_uuid()))));
        }
        let Some(reference) = &about.captured_by else {
            return Ok(None);
        };
        let Some(reference) = text(reference) else {
            return Ok(None);
        };
        let name = Name::captured(provider, &reference);
        self.owner(name.kind, &name.value).await
    }

    async fn payment(
        &self,
        told: &Told,
        about: &About,
        outcome: &Outcome,
        cause: &Cause,
    ) -> Result<Verdict, TellerError> {
        if let (Some(handle), None) = (&about.handle, told.demand.handle())
            && told.demand.status().is_open()
        {
            self.learn(told, handle, cause).await?;
        }
        let trust = capabilities_of(told.provider).map(|can| can.callbacks);
        let Outcome::Captured(capture) = outcome else {
            return self.ask(told, Some(Witness::Word), cause).await;
        };
        let mut captures = told.demand.captures().iter();
        if captures.any(|known| known.reference.as_str() == capture.reference) {
            return Ok(Verdict::Done("told again: the money is known"));
        }
        let is_exact = is_what_was_asked(capture, told.demand.amount());
        if trust == Some(CallbackTrust::Signed) && is_exact {
            let source = ReferenceSource::Provider;
            let taken = self.0.teller.take(told, capture, source, cause).await;
            return taken_or_taken_elsewhere(taken, "money was taken");
        }
        // What it names is asked about, whatever else the payment goes by.
        let handle = about.handle.clone();
        let handle = handle.filter(|_| trust == Some(CallbackTrust::Unsigned));
        let witness = Witness::Money(capture.clone(), handle);
        self.ask(told, Some(witness), cause).await
    }

    async fn learn(&self, told: &Told, handle: &Handle, cause: &Cause) -> Result<(), TellerError> {
        let start = PaymentCommand::RecordStart {
            handle: text(handle.as_str()),
            next: None,
        };
        self.0.teller.execute(told.payment_id, start, cause).await
    }

    async fn ask(
        &self,
        told: &Told,
        witness: Option<Witness>,
        cause: &Cause,
    ) -> Result<Verdict, TellerError> {
        let asked = self
            .0
            .teller
            .ask(told.payment_id, witness.as_ref(), cause)
            .await;
        let claims_money = matches!(witness, Some(Witness::Money(..)));
        match asked {
            Ok(Next::Contradicted) => Ok(Verdict::Again(
                "the provider does not confirm it: nothing was taken",
            )),
            Ok(Next::NotNow(_)) => Ok(Verdict::Again("the provider could not be asked")),
            Ok(Next::Wait) if claims_money => Ok(Verdict::Again(
                "the provider does not confirm it: nothing was taken",
            )),
            Ok(Next::Wait) => Ok(Verdict::Done("asked about: nothing is decided")),
            Ok(Next::Nothing) => Ok(Verdict::Done("asked about, and put on record")),
            Err(error) => taken_or_taken_elsewhere(Err(error), ""),
        }
    }

    async fn refund(
        &self,
        told: &Told,
        about: &About,
        outcome: &MoveOutcome,
        cause: &Cause,
    ) -> Result<Verdict, TellerError> {
        let by_operation = about
            .operation_id
            .map(|id| RefundId::from_uuid(id.as_uuid()))
            .and_then(|id| told.demand.refund(id));
        let by_handle = || {
            let handle = about.handle.as_ref()?.as_str();
            let mut returns = told.demand.returns().iter();
            returns.find(|known| {
                known
                    .handle
                    .as_ref()
                    .is_some_and(|own| own.as_str() == handle)
            })
        };
        // Of one that is alone on its way there is no doubt which it is.
        let alone = || {
            let mut under_way = told
                .demand
                .returns()
                .iter()
                .filter(|known| known.stage.is_under_way() && known.handle.is_none());
            under_way.next().filter(|_| under_way.next().is_none())
        };
        let Some(known) = by_operation.or_else(by_handle).or_else(alone) else {
            return Ok(Verdict::Again("it is of no refund that was asked for"));
        };
        let trust = capabilities_of(told.provider).map(|can| can.callbacks);
        let undoes = match outcome {
            MoveOutcome::Returned(_) => true,
            // A bank may refuse what its provider has called done. Only who signs is believed in that.
            MoveOutcome::Failed(_) => trust == Some(CallbackTrust::Signed),
            _ => false,
        };
        if known.stage == ReturnStage::Done && !undoes {
            return Ok(Verdict::Done("told again: the refund is done"));
        }
        let standing = MoveStanding {
            handle: about.handle.clone(),
            outcome: outcome.clone(),
        };
        self.0
            .teller
            .record_move(told, known, standing, cause)
            .await?;
        Ok(Verdict::Done("put on record of the refund"))
    }

    async fn dispute(
        &self,
        told: &Told,
        dispute: &Dispute,
        cause: &Cause,
    ) -> Result<Verdict, TellerError> {
        use soko_gateways::payments::{DisputeStage as Stage, DisputedMoney as TheirMoney};
        let stage = match dispute.stage {
            Stage::Open => DisputeStage::Open,
            Stage::Won => DisputeStage::Won,
            Stage::Lost => DisputeStage::Lost,
        };
        let money = match (dispute.money, dispute.stage) {
            // Who tells of no movements takes the money with the verdict.
            (Some(TheirMoney::Withdrawn), _) | (None, Stage::Lost) => {
                Some(DisputedMoney::Withdrawn)
            }
            (Some(TheirMoney::Reinstated), _) => Some(DisputedMoney::Reinstated),
            (None, Stage::Open | Stage::Won) => None,
        };
        let (Some(reference), Some(amount)) = (text(&dispute.reference), dispute.amount.money())
        else {
            return Ok(Verdict::Done("the dispute is of no money that is known"));
        };
        let command = PaymentCommand::RecordDispute(Disputed {
            reference,
            amount,
            stage,
            money,
            words: text(dispute.words.as_str()),
            answer_by: dispute.answer_by,
            purpose: None,
        });
        self.0
            .teller
            .execute(told.payment_id, command, cause)
            .await?;
        Ok(Verdict::Done("put on record of the dispute"))
    }

    /// What became of a payout.
    async fn transfer(
        &self,
        waiting: &Waiting,
        about: &About,
        outcome: &MoveOutcome,
    ) -> Result<Verdict, TellerError> {
        let Some(operation) = about.operation_id else {
            return Ok(Verdict::Done("it is of no payout that is known"));
        };
        let id = operation.as_uuid();
        let Some(vendor_id) = self.vendor_of_payout(id).await? else {
            return Ok(Verdict::Done("it is of no payout that is known"));
        };
        let account = self
            .0
            .teller
            .engine()
            .read::<VendorAccount>(vendor_id)
            .await?;
        let is_of_store = account
            .state
            .purse()
            .is_ok_and(|purse| purse.store_id() == waiting.store_id);
        drop(account);
        if !is_of_store {
            return Ok(Verdict::Done("it is of no payout of the store"));
        }
        let standing = MoveStanding {
            handle: about.handle.clone(),
            outcome: outcome.clone(),
        };
        let cause = cause_of(waiting, PaymentId::from_uuid(id));
        let teller = &self.0.teller;
        let heard = teller.hear_of_payout(vendor_id, PayoutId::from_uuid(id), standing, &cause);
        heard.await?;
        Ok(Verdict::Done("put on record of the payout"))
    }
}

/// What the callback says, read as often as one likes.
pub(super) fn reports_of(
    account: &dyn PaymentAccount,
    waiting: &Waiting,
) -> Result<Vec<Report>, CallbackRefusal> {
    let headers: Vec<(&str, &[u8])> = waiting
        .raw
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    account.read(&Callback {
        path: &waiting.raw.path,
        headers: &headers,
        body: &waiting.raw.body,
        received_at: waiting.received_at,
    })
}

pub(super) fn cause_of(waiting: &Waiting, payment_id: PaymentId) -> Cause {
    Cause {
        tenant_id: waiting.tenant_id,
        actor: Actor::System(NAME.to_owned()),
        correlation: payment_id.as_uuid(),
        causation: None,
        request_id: Some(waiting.callback_id.to_string()),
    }
}

fn taken_or_taken_elsewhere(
    taken: Result<Next, TellerError>,
    verdict: &'static str,
) -> Result<Verdict, TellerError> {
    match taken {
        Ok(_) => Ok(Verdict::Done(verdict)),
        Err(TellerError::ReferenceTaken) => Ok(Verdict::Done(
            "its reference stands for other money already",
        )),
        Err(error) => Err(error),
    }
}
