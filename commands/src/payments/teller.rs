//! Asks providers for money, and what became of it.

use super::breaker::Breaker;
use super::{AccountError, Call, Evidence, PaymentAccounts};
use crate::{Clock, CommandContext, CommandError, Engine, Lanes, UnitOfWork};
use chrono::{DateTime, Utc};
use soko_domain::payment::{Demand, PaymentCommand, PaymentError, PaymentProvider, PaymentStatus};
use soko_domain::{Order, Payment, PaymentId, TenantId, Text};
use soko_event_log::{Actor, Position};
use soko_gateways::payments::{
    AfterLostAnswer, AskPayment, CallError, Handle, OperationId, PaymentAccount, Providers,
    Standing, StartPayment,
};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;
use uuid::Uuid;

/// Asks providers, and puts on record what they answer; cheap to clone.
///
/// Whatever it is asked to do it may be asked to do again: what is put on record twice is decided
/// once, and what a provider is asked for goes by the id of what it is for.
#[derive(Clone)]
pub struct Teller(Arc<Inner>);

struct Inner {
    engine: Engine,
    providers: Providers,
    accounts: PaymentAccounts,
    evidence: Evidence,
    breaker: Breaker,
    clock: Clock,
}

/// Why something is asked, for the events that follow from it.
#[derive(Debug, Clone)]
pub struct Cause {
    pub tenant_id: TenantId,
    pub actor: Actor,
    pub correlation: Uuid,
    pub causation: Option<Position>,
    pub request_id: Option<String>,
}

/// What is to be done next about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It has come to an end, or needs nobody.
    Nothing,
    /// The payer has not decided, or it is not known what they did: it is to be asked about later.
    Wait,
    /// The provider cannot be asked now.
    NotNow(Duration),
    /// What the provider answers is not what it was said to have told.
    Contradicted,
}

/// Why something could not be asked, or not be put on record.
#[derive(Debug, thiserror::Error)]
pub enum TellerError {
    #[error("the payment is not one that a provider is asked about")]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Somebody else's money has the same name.
    #[error("the reference stands for other money already")]
    ReferenceTaken,
    #[error("what became of it could not be put on record")]
    Record(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the inbox cannot be read or written")]
    Database(#[from] sqlx::Error),
}

impl<R: std::error::Error + Send + Sync + 'static> From<CommandError<R>> for TellerError {
    fn from(error: CommandError<R>) -> Self {
        match error {
            CommandError::ClaimTaken { .. } => Self::ReferenceTaken,
            error => Self::Record(Box::new(error)),
        }
    }
}

impl Cause {
    /// What happened because of this one.
    pub(crate) fn context(&self, now: DateTime<Utc>) -> CommandContext {
        CommandContext {
            correlation: self.correlation,
            causation: self.causation,
            request_id: self.request_id.clone(),
            ..CommandContext::new(self.tenant_id, self.actor.clone(), Uuid::now_v7(), now)
        }
    }
}

impl From<&CommandContext> for Cause {
    fn from(context: &CommandContext) -> Self {
        Self {
            tenant_id: context.tenant_id,
            actor: context.actor.clone(),
            correlation: context.correlation,
            causation: context.causation,
            request_id: context.request_id.clone(),
        }
    }
}

impl Teller {
    pub fn new(
        engine: Engine,
        providers: Providers,
        accounts: PaymentAccounts,
        evidence: Evidence,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            engine,
            providers,
            accounts,
            evidence,
            breaker: Breaker::default(),
            clock,
        }))
    }

    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub fn accounts(&self) -> &PaymentAccounts {
        &self.0.accounts
    }

    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Asks the payer for money, if nobody has been asked yet.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn start(&self, payment_id: PaymentId, cause: &Cause) -> Result<Next, TellerError> {
        let (demand, number) = self.what_is_due(payment_id).await?;
        match demand.status() {
            PaymentStatus::Initiated => (),
            status if status.is_open() => return Ok(Next::Wait),
            _ => return Ok(Next::Nothing),
        }
        if let Some(rest) = self.rests(demand.provider()) {
            let command = PaymentCommand::PutOff { because: NOT_THERE };
            self.execute(payment_id, command, cause).await?;
            return Ok(Next::NotNow(rest));
        }
        let account = self.account(&demand).await?;
        let start = to_start(payment_id, &demand, number);
        let told = Told::of(payment_id, &demand, cause);
        self.begin(&told, &*account, &start, cause).await
    }

    /// A payment, and the number of its order.
    async fn what_is_due(&self, payment_id: PaymentId) -> Result<(Demand, String), TellerError> {
        let lanes = Lanes::new().with::<Payment>(payment_id);
        let look = |unit: &UnitOfWork<'_>| {
            let demand = unit.state::<Payment>(payment_id).demand()?.clone();
            let progress = unit.state::<Order>(demand.order_id()).progress();
            let number = progress.map(|progress| progress.placement().number.clone());
            Ok((demand, number.unwrap_or_default()))
        };
        self.0.engine.view(lanes, look).await?
    }

    /// Starts it, or starts it again under the same id.
    async fn begin(
        &self,
        told: &Told,
        account: &dyn PaymentAccount,
        start: &StartPayment,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let calling = account.start(start, self.now());
        let answer = self.timed(
            told,
            "start",
            told.payment_id.as_uuid(),
            calling,
            answer_word,
        );
        match answer.await {
            Ok(standing) => self.record_standing(told, standing, None, cause).await,
            Err(error @ (CallError::NotNow { .. } | CallError::NotSent(_))) => {
                self.put_off(told, &error, cause).await
            }
            Err(error @ (CallError::Unfit(_) | CallError::Refused(_))) => {
                self.record_refusal(told, &error, cause).await
            }
            Err(error @ CallError::Unknown(_)) => self.record_doubt(told, &error, cause).await,
        }
    }

    /// The provider surely did nothing: that is worth knowing, for it may be asked the same again.
    async fn put_off(
        &self,
        told: &Told,
        error: &CallError,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let because = text(&error.to_string()).unwrap_or(NOT_THERE);
        let command = PaymentCommand::PutOff { because };
        self.execute(told.payment_id, command, cause).await?;
        Ok(Next::NotNow(match error {
            CallError::NotNow {
                after: Some(after), ..
            } => *after,
            _ => TRY_AGAIN_AFTER,
        }))
    }

    /// What became of a payment that was started, or may have been. `witness` is what somebody said
    /// of it already.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn ask(
        &self,
        payment_id: PaymentId,
        witness: Option<&super::Witness>,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let payment = self.0.engine.read::<Payment>(payment_id).await?;
        let demand = payment.state.demand()?;
        if demand.provider().is_recorded_by_hand() {
            return Ok(Next::Nothing);
        }
        if let Some(rest) = self.rests(demand.provider()) {
            return Ok(Next::NotNow(rest));
        }
        let account = self.account(demand).await?;
        let told = Told::of(payment_id, demand, cause);
        let lost_start = account.capabilities().lost_start;
        if demand.handle().is_none() {
            match lost_start {
                AfterLostAnswer::Ask => (),
                AfterLostAnswer::Repeat if demand.status().is_open() => {
                    drop(payment);
                    let (demand, number) = self.what_is_due(payment_id).await?;
                    let start = to_start(payment_id, &demand, number);
                    return self.begin(&told, &*account, &start, cause).await;
                }
                AfterLostAnswer::Repeat
                | AfterLostAnswer::AwaitCallback
                | AfterLostAnswer::AskPerson => return Ok(Next::Wait),
            }
        }
        let mut ask = question(payment_id, demand);
        if let Some(super::Witness::Money(_, Some(handle))) = witness {
            ask.handle = Some(handle.clone());
        }
        drop(payment);
        let answer = self.ask_once(&told, &*account, &ask).await;
        match answer {
            Ok(standing) => {
                let sure = self.make_sure(&told, &*account, &ask, standing, witness);
                let standing = sure.await;
                self.record_standing(&told, standing, witness, cause).await
            }
            Err(CallError::NotNow { after, .. }) => {
                Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)))
            }
            // Nothing follows from not having been answered.
            Err(_) => Ok(Next::Wait),
        }
    }

    pub(super) async fn ask_once(
        &self,
        told: &Told,
        account: &dyn PaymentAccount,
        ask: &AskPayment,
    ) -> Result<Standing, CallError> {
        let calling = account.ask(ask, self.now());
        let id = told.payment_id.as_uuid();
        self.timed(told, "ask", id, calling, answer_word).await
    }

    /// The account of the payment's store.
    pub(super) async fn account(
        &self,
        demand: &Demand,
    ) -> Result<Box<dyn PaymentAccount>, TellerError> {
        let (store_id, provider) = (demand.store_id(), demand.provider());
        let credentials = self.0.accounts.open(store_id, provider).await?;
        Ok(self.0.providers.account(credentials))
    }

    pub(super) fn rests(&self, provider: PaymentProvider) -> Option<Duration> {
        self.0.breaker.rests_for(provider, Instant::now())
    }

    /// Carries out one call, and keeps how long it took and what came of it.
    pub(super) async fn timed<T>(
        &self,
        told: &Told,
        kind: &'static str,
        operation_id: Uuid,
        call: impl Future<Output = Result<T, CallError>>,
        word: impl Fn(&T) -> (&'static str, String),
    ) -> Result<T, CallError> {
        let subject = Subject {
            tenant_id: told.tenant_id,
            payment_id: told.payment_id,
            provider: told.provider,
        };
        self.timed_for(subject, kind, operation_id, call, word)
            .await
    }

    /// As [`Self::timed`], where there need not be a payment.
    pub(super) async fn timed_for<T>(
        &self,
        subject: Subject,
        kind: &'static str,
        operation_id: Uuid,
        call: impl Future<Output = Result<T, CallError>>,
        word: impl Fn(&T) -> (&'static str, String),
    ) -> Result<T, CallError> {
        let (began_at, began) = (self.now(), Instant::now());
        let answer = call.await;
        let took = began.elapsed();
        let (outcome, words) = match &answer {
            Ok(value) => word(value),
            Err(error) => error_word(error),
        };
        let was_there = !matches!(answer, Err(CallError::NotSent(_) | CallError::Unknown(_)));
        self.0
            .breaker
            .note(subject.provider, was_there, Instant::now());
        self.0.evidence.keep(Call {
            tenant_id: subject.tenant_id,
            payment_id: subject.payment_id,
            operation_id,
            kind,
            provider: subject.provider,
            began_at,
            took,
            outcome,
            words,
        });
        answer
    }

    pub(crate) async fn execute(
        &self,
        payment_id: PaymentId,
        command: PaymentCommand,
        cause: &Cause,
    ) -> Result<(), TellerError> {
        let context = cause.context(self.now());
        self.0
            .engine
            .execute::<Payment>(payment_id, command, &context)
            .await?;
        Ok(())
    }
}

fn to_start(payment_id: PaymentId, demand: &Demand, order_number: String) -> StartPayment {
    let terms = demand.terms();
    let payer = terms.and_then(|terms| terms.payer.value());
    let payer = payer.cloned().unwrap_or_default();
    let return_url = payer.return_url.as_ref();
    StartPayment {
        payment_id,
        operation_id: OperationId::from_uuid(payment_id.as_uuid()),
        amount: demand.amount(),
        description: format!("Order {order_number}"),
        order_number,
        phone: payer.phone,
        email: payer.email,
        return_url: return_url.and_then(|url| Url::parse(url.as_str()).ok()),
        wallet: payer.wallet,
        capture_later: terms.is_some_and(|terms| terms.capture_later),
    }
}

/// When a provider that was not there, or does not say when it will be, is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

const NOT_THERE: Text<200> = Text::literal("the provider is not there");

/// What a call is for, for those who look for it later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) tenant_id: TenantId,
    /// Or the payout, which stands where a payment would.
    pub(super) payment_id: PaymentId,
    pub(super) provider: PaymentProvider,
}

/// What is known of the payment that is asked about.
pub(super) struct Told {
    pub(super) tenant_id: TenantId,
    pub(super) payment_id: PaymentId,
    pub(super) provider: PaymentProvider,
    pub(super) demand: Demand,
}

impl Told {
    pub(super) fn of(payment_id: PaymentId, demand: &Demand, cause: &Cause) -> Self {
        Self {
            tenant_id: cause.tenant_id,
            payment_id,
            provider: demand.provider(),
            demand: demand.clone(),
        }
    }
}

pub(super) fn question(payment_id: PaymentId, demand: &Demand) -> AskPayment {
    let payer = demand.terms().and_then(|terms| terms.payer.value());
    AskPayment {
        operation_id: OperationId::from_uuid(payment_id.as_uuid()),
        handle: demand
            .handle()
            .and_then(|handle| Handle::new(handle.as_str())),
        phone: payer.and_then(|payer| payer.phone.clone()),
    }
}

fn answer_word(standing: &Standing) -> (&'static str, String) {
    super::outcomes::word(&standing.outcome)
}

fn error_word(error: &CallError) -> (&'static str, String) {
    let word = match error {
        CallError::Unfit(_) => "unfit",
        CallError::NotSent(_) => "not_sent",
        CallError::NotNow { .. } => "not_now",
        CallError::Refused(_) => "refused",
        CallError::Unknown(_) => "unknown",
    };
    (word, error.to_string())
}

/// A text of the provider's, cut to what an event holds; `None` if nothing is left of it.
pub(super) fn text<const MAX: usize>(words: &str) -> Option<Text<MAX>> {
    let cut: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX)
        .collect();
    cut.parse().ok()
}
