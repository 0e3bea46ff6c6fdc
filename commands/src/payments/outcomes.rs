//! What is put on record of what a provider says.
//!
//! Money is taken on the word of two: a signed callback counts for both, else what a callback says is
//! asked about, and what only an answer says is asked once more. That nobody was lied to by a forged
//! callback or one wrong answer is worth a second question.

use super::teller::{Told, text};
use super::{Cause, Next, Teller, TellerError};
use crate::handlers::{TakePayment, take_payment};
use soko_domain::payment::{
    Dispute, DisputeStage, NextAction, PaymentCommand, PaymentStatus, ReferenceSource, Refund,
    RefundMethod,
};
use soko_domain::{Money, Personal, RefundId, Text};
use soko_gateways::payments::{
    AskPayment, CallError, Capture, FailureReason, Handle, NextStep, Outcome, PaymentAccount,
    ReportedAmount, Standing,
};
use std::time::Duration;
use uuid::Uuid;

/// What somebody said of a payment before it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// An answer of before: the money is there.
    Confirmed,
    /// A callback: this money is there, and the provider can be asked about it by this handle.
    Money(Capture, Option<Handle>),
    /// Something that is to be asked about, whatever it says.
    Word,
}

/// Between two questions whose answers are to agree.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(700);

/// As long as a provider may take to know what it was asked for.
const SEEN_WITHIN: chrono::TimeDelta = chrono::TimeDelta::minutes(2);

impl Teller {
    /// Money that nobody but one answer speaks of is asked about once more.
    pub(super) async fn make_sure(
        &self,
        told: &Told,
        account: &dyn PaymentAccount,
        ask: &AskPayment,
        standing: Standing,
        witness: Option<&Witness>,
    ) -> Standing {
        let is_money = matches!(
            standing.outcome,
            Outcome::Captured(_) | Outcome::Confirmed(_)
        );
        let has_second = matches!(witness, Some(Witness::Confirmed | Witness::Money(..)));
        if !is_money || has_second || !told.demand.captures().is_empty() {
            return standing;
        }
        tokio::time::sleep(ASKED_AGAIN_AFTER).await;
        match self.ask_once(told, account, ask).await {
            Ok(again) if agree(&standing.outcome, &again.outcome) => again,
            Ok(again) if matches!(again.outcome, Outcome::Captured(_)) => again,
            Ok(_) | Err(_) => Standing {
                outcome: Outcome::Unknown(soko_gateways::payments::Doubt::Contradiction),
                ..standing
            },
        }
    }

    pub(super) async fn record_standing(
        &self,
        told: &Told,
        standing: Standing,
        witness: Option<&Witness>,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let Standing {
            handle,
            outcome,
            next,
        } = standing;
        if let Some(handle) = &handle
            && told
                .demand
                .handle()
                .is_none_or(|known| known.as_str() != handle.as_str())
        {
            let start = PaymentCommand::RecordStart {
                handle: text(handle.as_str()),
                next: Self::next_action(told, next.clone()),
            };
            self.execute(told.payment_id, start, cause).await?;
        }
        let is_said_to_be_paid = matches!(witness, Some(Witness::Money(..)));
        match outcome {
            Outcome::Captured(capture) => {
                let source = ReferenceSource::Provider;
                self.take(told, &capture, source, cause).await
            }
            Outcome::Confirmed(_) => self.take_confirmed(told, witness, cause).await,
            Outcome::Pending(_) | Outcome::Failed(_) | Outcome::NeverSeen
                if is_said_to_be_paid && told.demand.captures().is_empty() =>
            {
                Ok(Next::Contradicted)
            }
            Outcome::Pending(_) => self.record_pending(told, next, cause).await,
            Outcome::Authorised(amount) => self.authorise(told, &amount, cause).await,
            Outcome::Failed(failure) if !failure.is_final => {
                self.record_pending(told, next, cause).await
            }
            Outcome::Failed(failure) => {
                let words = failure.words.as_str();
                self.fail(told, failure.reason, words, cause).await
            }
            Outcome::NeverSeen => self.never_seen(told, cause).await,
            Outcome::Returned(words) => self.returned(told, words.as_str(), cause).await,
            Outcome::Disputed(words) => self.disputed(told, words.as_str(), cause).await,
            Outcome::Unknown(doubt) => {
                let error = CallError::Unknown(doubt);
                self.record_doubt(told, &error, cause).await
            }
        }
    }

    /// Money of which the provider has told the amount and its own reference.
    pub(super) async fn take(
        &self,
        told: &Told,
        capture: &Capture,
        source: ReferenceSource,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let ReportedAmount::Exact(amount) = capture.amount else {
            return self.strange_money(told, &capture.amount, cause).await;
        };
        if amount.currency() != told.demand.amount().currency() || amount.amount() <= 0 {
            return self.strange_money(told, &capture.amount, cause).await;
        }
        let Some(reference) = text(&capture.reference) else {
            return self.strange_money(told, &capture.amount, cause).await;
        };
        let request = TakePayment {
            payment_id: told.payment_id,
            amount,
            reference,
            fee: capture.fee.as_ref().and_then(ReportedAmount::money),
            source,
        };
        let context = cause.context(self.now());
        let taken = take_payment(self.engine(), request, &context).await?;
        if taken.value.surplus.amount() > 0 {
            metrics::counter!("soko_payment_surplus_total", "provider" => told.provider.as_str())
                .increment(1);
        }
        if taken.value.is_contested {
            metrics::counter!("soko_contested_references_total", "provider" => told.provider.as_str())
                .increment(1);
            tracing::error!(
                payment.id = %told.payment_id,
                provider = told.provider.as_str(),
                "two callbacks name two references of the same money: somebody has to look at it"
            );
        }
        Ok(Next::Nothing)
    }

    /// The provider says that it is paid, and not how much: it was asked for one amount, and the payer
    /// could not change it. Its own reference comes with a callback, or never.
    async fn take_confirmed(
        &self,
        told: &Told,
        witness: Option<&Witness>,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let amount = ReportedAmount::Exact(told.demand.amount());
        let (reference, source) = match witness {
            // The money is sure, and not that this is what the provider calls it.
            Some(Witness::Money(capture, _)) => {
                (capture.reference.clone(), ReferenceSource::Hearsay)
            }
            Some(Witness::Confirmed) => {
                let handle = told.demand.handle().map(ToString::to_string);
                let name = handle.unwrap_or_else(|| told.payment_id.to_string());
                (name, ReferenceSource::Provisional)
            }
            // The callback with the reference is under way.
            Some(Witness::Word) | None => return Ok(Next::Wait),
        };
        let capture = Capture {
            amount,
            fee: None,
            reference,
        };
        self.take(told, &capture, source, cause).await
    }

    async fn record_pending(
        &self,
        told: &Told,
        next: NextStep,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let command = match told.demand.status() {
            PaymentStatus::Initiated => PaymentCommand::RecordStart {
                handle: None,
                next: Self::next_action(told, next),
            },
            PaymentStatus::Unresolved => PaymentCommand::Resume {},
            status if status.is_open() => return Ok(Next::Wait),
            _ => return Ok(Next::Nothing),
        };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Wait)
    }

    async fn authorise(
        &self,
        told: &Told,
        amount: &ReportedAmount,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let amount = amount.money().unwrap_or(told.demand.amount());
        let command = PaymentCommand::Authorise { amount };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Wait)
    }

    pub(super) async fn record_refusal(
        &self,
        told: &Told,
        error: &CallError,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let reason = match error {
            CallError::Refused(refusal) => refusal.reason,
            CallError::Unfit(unfit) => {
                tracing::warn!(
                    payment.id = %told.payment_id,
                    provider = told.provider.as_str(),
                    reason = %unfit,
                    "a payment cannot be asked for"
                );
                FailureReason::OurSetUp
            }
            _ => FailureReason::Other,
        };
        self.fail(told, reason, &error.to_string(), cause).await
    }

    async fn fail(
        &self,
        told: &Told,
        reason: FailureReason,
        words: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let command = if reason == FailureReason::Expired {
            PaymentCommand::Expire {}
        } else {
            PaymentCommand::Fail {
                reason: text(reason.code()).unwrap_or(OTHER),
                words: text(words),
            }
        };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Nothing)
    }

    /// A moment after it was asked for, the provider may not know it yet.
    async fn never_seen(&self, told: &Told, cause: &Cause) -> Result<Next, TellerError> {
        let is_open = told.demand.status().is_open();
        let now = self.now();
        let is_late = told
            .demand
            .terms()
            .is_none_or(|terms| now >= terms.pay_by.min(terms.asked_at + SEEN_WITHIN));
        if !is_open {
            return Ok(Next::Nothing);
        }
        if !is_late {
            return Ok(Next::Wait);
        }
        let words = "the provider has never seen it";
        self.fail(told, FailureReason::Other, words, cause).await
    }

    /// Money that went back at the provider's, by nobody's doing here.
    async fn returned(&self, told: &Told, words: &str, cause: &Cause) -> Result<Next, TellerError> {
        let left = told.demand.refundable();
        for (reference, amount) in told.demand.parts_of(left) {
            let name = format!("returned {reference}");
            let id = Uuid::new_v5(&told.payment_id.as_uuid(), name.as_bytes());
            let refund = Refund {
                refund_id: RefundId::from_uuid(id),
                amount,
                reason: text(words).unwrap_or(RETURNED),
                method: RefundMethod::Provider,
                reference: text(&name).unwrap_or_else(|| Text::of_id(told.payment_id)),
                refunded_by: None,
                purpose: None,
            };
            let request = crate::handlers::RefundPayment {
                payment_id: told.payment_id,
                refund,
            };
            let context = cause.context(self.now());
            crate::handlers::refund_payment(self.engine(), request, &context).await?;
        }
        if told.demand.captures().is_empty() {
            let because = "the provider says that it was paid and went back";
            return self.doubt(told, because, cause).await;
        }
        Ok(Next::Nothing)
    }

    async fn disputed(&self, told: &Told, words: &str, cause: &Cause) -> Result<Next, TellerError> {
        let dispute = Dispute {
            reference: Text::of_id(told.payment_id),
            amount: told.demand.captured(),
            stage: DisputeStage::Open,
            money: None,
            words: text(words),
            answer_by: None,
            purpose: None,
        };
        let command = PaymentCommand::RecordDispute(dispute);
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Nothing)
    }

    pub(super) async fn record_doubt(
        &self,
        told: &Told,
        error: &CallError,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        self.doubt(told, &error.to_string(), cause).await
    }

    pub(super) async fn doubt(
        &self,
        told: &Told,
        because: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let because = text(because).unwrap_or(NOT_KNOWN);
        let command = PaymentCommand::Doubt { because };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::Wait)
    }

    /// Money in another currency, or in none: a person has to look at it.
    async fn strange_money(
        &self,
        told: &Told,
        amount: &ReportedAmount,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let found = match amount {
            ReportedAmount::Exact(money) => money.to_string(),
            ReportedAmount::Other(text) => text.clone(),
        };
        metrics::counter!("soko_strange_money_total", "provider" => told.provider.as_str())
            .increment(1);
        tracing::error!(
            payment.id = %told.payment_id,
            provider = told.provider.as_str(),
            found,
            "money came that is none of the payment's: somebody has to look at it"
        );
        let because = format!("the provider says that {found} came");
        self.doubt(told, &because, cause).await
    }

    /// For the payer alone.
    fn next_action(told: &Told, next: NextStep) -> Option<Personal<NextAction>> {
        let subject = told.demand.terms()?.payer.subject();
        let action = match next {
            NextStep::None => return None,
            NextStep::AwaitPhonePrompt(instructions) => {
                NextAction::AwaitPhonePrompt { instructions }
            }
            NextStep::Redirect(url) => NextAction::Redirect { url: url.into() },
            NextStep::ClientSecret(secret) => NextAction::ClientSecret {
                client_secret: secret.expose().to_owned(),
            },
            NextStep::ShowCode { code, until } => NextAction::ShowCode { code, until },
            NextStep::EnterCode(handle) => NextAction::EnterCode {
                handle: handle.as_str().to_owned(),
            },
        };
        Some(Personal::new(subject, action))
    }
}

const OTHER: Text<100> = Text::literal("other");
const RETURNED: Text<500> = Text::literal("it went back at the provider's");
const NOT_KNOWN: Text<200> = Text::literal("it is not known");

/// Whether two answers say the same of money.
fn agree(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Captured(one), Outcome::Captured(other)) => {
            one.reference == other.reference && one.amount == other.amount
        }
        (Outcome::Confirmed(_), Outcome::Confirmed(_)) => true,
        _ => false,
    }
}

/// For evidence: one word of ours, and the provider's own.
pub(super) fn word(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Pending(words) => ("pending", words.to_string()),
        Outcome::Authorised(_) => ("authorised", String::new()),
        Outcome::Captured(capture) => ("captured", capture.reference.clone()),
        Outcome::Confirmed(words) => ("confirmed", words.to_string()),
        Outcome::Failed(failure) => (
            "failed",
            format!("{}: {}", failure.reason.code(), failure.words),
        ),
        Outcome::Returned(words) => ("returned", words.to_string()),
        Outcome::Disputed(words) => ("disputed", words.to_string()),
        Outcome::NeverSeen => ("never_seen", String::new()),
        Outcome::Unknown(doubt) => ("unknown", doubt.to_string()),
    }
}

/// Whether a callback tells of exactly the money that was asked for.
pub(super) fn is_what_was_asked(capture: &Capture, asked: Money) -> bool {
    capture.amount.is(asked)
}
