//! Carries payments to their ends: starts what nobody has started, asks what became of what was, gives
//! back what is to go back, and lets orders expire that nobody paid.
//!
//! Who pays is asked at once by the process that took the order; here is what happens if that process
//! dies, if a provider does not call back, or if a payer does nothing. A payment has one timer at a
//! time, which is moved by whatever happens to it.

use super::{Desk, Effect, FireError, Fired, ProcessManager};
use crate::handlers::{Expiry, expire_order};
use crate::payments::{Cause, Looks, Next, Teller, TellerError, Windows, Witness};
use crate::timers::Timer;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use soko_domain::order::OrderEvent;
use soko_domain::payment::{
    Demand, DisputeStage, PaymentCommand, PaymentEvent, PaymentProvider, PaymentStatus,
};
use soko_domain::{AnyEvent, OrderId, Payment, PaymentId, RefundId};
use soko_event_log::{Actor, RecordedEvent};
use soko_gateways::payments::{AfterLostAnswer, capabilities_of};
use std::time::Duration;

/// Of a payment: to start it, or ask about it.
const CARRY: &str = "carry";
/// Of a payment that was given up: whether money came all the same.
const LOOK_AGAIN: &str = "look_again";
/// Of a refund.
const GIVE_BACK: &str = "give_back";
/// Of a payment whose credit somebody is to have given back.
const REMIND: &str = "remind";
/// Of an order.
const EXPIRE_ORDER: &str = "expire_order";
/// Of a payment that is not wanted any more: nobody is to pay it.
const VOID: &str = "void";

/// As long as the process that took the order may take to ask the payer.
const START_WITHIN: TimeDelta = TimeDelta::seconds(45);

/// If nothing says when it is looked whether money came of a payment that was given up.
const LOOK_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Before a provider that was not there is tried again.
const PUT_OFF_FOR: TimeDelta = TimeDelta::seconds(5);

/// How long after its payments an order ends.
const ORDER_AFTER_PAYMENTS: TimeDelta = TimeDelta::seconds(5);

/// How often it is looked whether the payments of an order that nobody paid have ended.
const EXPIRY_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// How long what is not known is asked about as often as what is new; afterwards each hour.
const ASKED_OFTEN: TimeDelta = TimeDelta::hours(24);

/// How long after it was asked for a refund of which nothing is heard is for a person to look at.
const REFUND_DOUBTED_AFTER_ROUNDS: u32 = 30;

/// Carries payments to their ends.
#[derive(Clone)]
pub struct CarryPayments {
    teller: Teller,
    windows: Windows,
    looks: Looks,
}

/// What a refund's timer remembers.
#[derive(Debug, Serialize, Deserialize)]
struct OfPayment {
    payment_id: PaymentId,
}

/// What the timer of a payment that was given up remembers.
#[derive(Debug, Serialize, Deserialize)]
struct GivenUp {
    at: DateTime<Utc>,
}

impl CarryPayments {
    pub fn new(teller: Teller, windows: Windows, looks: Looks) -> Self {
        Self {
            teller,
            windows,
            looks,
        }
    }

    fn of_payment(
        &self,
        recorded: &RecordedEvent,
        payment_id: PaymentId,
        event: &PaymentEvent,
    ) -> Vec<Effect> {
        let id = payment_id.as_uuid();
        let at = recorded.recorded_at;
        match event {
            PaymentEvent::PutOff { .. } => vec![Effect::at(CARRY, id, at + PUT_OFF_FOR)],
            PaymentEvent::Initiated {
                order_id,
                provider,
                terms,
                ..
            } => self.initiated(at, (payment_id, *order_id), *provider, terms.as_deref()),
            PaymentEvent::Started { .. }
            | PaymentEvent::Doubted { .. }
            | PaymentEvent::Resumed {}
            | PaymentEvent::Authorised { .. } => {
                // The provider is not named: the shortest of the first questions does for all.
                vec![Effect::at(CARRY, id, at + FIRST_QUESTION)]
            }
            PaymentEvent::Captured { .. } => {
                vec![Effect::cancel(CARRY, id), Effect::cancel(LOOK_AGAIN, id)]
            }
            PaymentEvent::Failed { .. } | PaymentEvent::Expired {} => {
                vec![Effect::cancel(CARRY, id), self.look_again(id, at)]
            }
            PaymentEvent::Cancelled { .. } => vec![
                Effect::cancel(CARRY, id),
                Effect::at_once(VOID, id),
                self.look_again(id, at),
            ],
            PaymentEvent::RefundRequested { request, .. } => {
                vec![give_back(payment_id, request.refund_id, at)]
            }
            PaymentEvent::RefundStarted { refund_id, .. } => {
                let due_at = at + self.looks.at_refund(0);
                vec![give_back(payment_id, *refund_id, due_at)]
            }
            PaymentEvent::RefundDoubted { refund_id, .. }
            | PaymentEvent::RefundFailed { refund_id, .. } => {
                vec![Effect::cancel(GIVE_BACK, refund_id.as_uuid())]
            }
            PaymentEvent::Refunded(refund) => {
                vec![Effect::cancel(GIVE_BACK, refund.refund_id.as_uuid())]
            }
            PaymentEvent::CreditHeld { decide_by, .. } => {
                vec![Effect::at(REMIND, id, *decide_by)]
            }
            PaymentEvent::Disputed(dispute) => match (dispute.stage, dispute.answer_by) {
                // A day before the bank decides without having heard the store.
                (DisputeStage::Open, Some(answer_by)) => {
                    vec![Effect::at(REMIND, id, answer_by - TimeDelta::days(1))]
                }
                (DisputeStage::Open | DisputeStage::Won | DisputeStage::Lost, _) => vec![],
            },
            PaymentEvent::ReferenceLearned { .. }
            | PaymentEvent::ReferenceContested { .. }
            | PaymentEvent::RefundReturned { .. } => vec![],
        }
    }

    fn initiated(
        &self,
        at: DateTime<Utc>,
        (payment_id, order_id): (PaymentId, OrderId),
        provider: PaymentProvider,
        terms: Option<&soko_domain::payment::Terms>,
    ) -> Vec<Effect> {
        let order_id = order_id.as_uuid();
        match (terms, self.windows.of(provider)) {
            (Some(terms), _) => {
                let expiry = terms.pay_by + ORDER_AFTER_PAYMENTS;
                vec![
                    Effect::at(CARRY, payment_id.as_uuid(), at + START_WITHIN),
                    Effect::at(EXPIRE_ORDER, order_id, expiry),
                ]
            }
            (None, Some(window)) => vec![Effect::at(EXPIRE_ORDER, order_id, at + window)],
            (None, None) => vec![Effect::cancel(EXPIRE_ORDER, order_id)],
        }
    }

    fn look_again(&self, id: uuid::Uuid, at: DateTime<Utc>) -> Effect {
        let first = self.looks.given_up.first().copied().unwrap_or(LOOK_AFTER);
        Effect::at(LOOK_AGAIN, id, at + first).with_details(json!(GivenUp { at }))
    }

    async fn carry(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let payment_id = PaymentId::from_uuid(timer.stream_id);
        let (status, terms, provider, is_put_off) = {
            let payment = desk.engine.read::<Payment>(payment_id).await?;
            let demand = payment.state.demand()?;
            let terms = demand.terms().cloned();
            (
                demand.status(),
                terms,
                demand.provider(),
                demand.is_put_off(),
            )
        };
        if !status.is_open() {
            return Ok(Fired::Done);
        }
        let Some(terms) = terms else {
            return Ok(Fired::Done);
        };
        let cause = cause(timer);
        let now = desk.clock.now();
        let is_late = now >= terms.pay_by;
        let next = match status {
            PaymentStatus::Initiated if is_late => {
                // Nobody was asked, or nobody has heard of it: what comes late is taken all the same.
                self.expire(payment_id, &cause).await?;
                return Ok(Fired::Done);
            }
            // Who took the order may have asked and died: the answer is lost, and not the question.
            PaymentStatus::Initiated if is_put_off && timer.attempts <= 1 => {
                self.teller.start(payment_id, &cause).await?
            }
            PaymentStatus::Initiated => self.teller.start_or_ask(payment_id, &cause).await?,
            _ => {
                // An answer of before has said so, and the callback did not come.
                let witness = (timer.round > 0).then_some(Witness::Confirmed);
                self.teller
                    .ask(payment_id, witness.as_ref(), &cause)
                    .await?
            }
        };
        match next {
            Next::Nothing => Ok(Fired::Done),
            Next::NotNow(after) => Ok(Fired::Again {
                at: now + delta(after),
            }),
            Next::Wait | Next::Contradicted if is_late => {
                self.overdue(payment_id, &terms, now, &cause).await
            }
            Next::Wait | Next::Contradicted => {
                let after = ask_after(provider, timer.round);
                let at = (now + after).min(terms.pay_by.max(now + TimeDelta::seconds(1)));
                Ok(Fired::Again { at })
            }
        }
    }

    /// It was to be paid by now. Only what is known not to be paid expires.
    async fn overdue(
        &self,
        payment_id: PaymentId,
        terms: &soko_domain::payment::Terms,
        now: DateTime<Utc>,
        cause: &Cause,
    ) -> Result<Fired, FireError> {
        let (status, can_be_paid) = {
            let payment = self.teller.engine().read::<Payment>(payment_id).await?;
            let demand = payment.state.demand()?;
            (demand.status(), can_be_paid(demand))
        };
        match status {
            status if status.is_open() && !can_be_paid => {
                self.expire(payment_id, cause).await?;
                Ok(Fired::Done)
            }
            PaymentStatus::Pending => {
                match self.teller.void(payment_id, cause).await? {
                    Next::Nothing => (),
                    Next::NotNow(after) => {
                        return Ok(Fired::Again {
                            at: now + delta(after),
                        });
                    }
                    Next::Wait | Next::Contradicted => self.expire(payment_id, cause).await?,
                }
                Ok(Fired::Done)
            }
            status if status.is_open() => {
                let pause = if now - terms.pay_by < ASKED_OFTEN {
                    TimeDelta::minutes(2)
                } else {
                    TimeDelta::hours(1)
                };
                Ok(Fired::Again { at: now + pause })
            }
            _ => Ok(Fired::Done),
        }
    }

    async fn expire(&self, payment_id: PaymentId, cause: &Cause) -> Result<(), TellerError> {
        self.teller
            .execute(payment_id, PaymentCommand::Expire {}, cause)
            .await
    }

    /// Money may come of a payment that everybody has given up, and the word of it be lost.
    async fn look(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let payment_id = PaymentId::from_uuid(timer.stream_id);
        let GivenUp { at } = timer.details()?;
        let cause = cause(timer);
        let is_taken = {
            let payment = desk.engine.read::<Payment>(payment_id).await?;
            !payment.state.demand()?.captures().is_empty()
        };
        if is_taken {
            return Ok(Fired::Done);
        }
        // No callback is waited for any more.
        let witness = Witness::Confirmed;
        let next = self.teller.ask(payment_id, Some(&witness), &cause).await?;
        let now = desk.clock.now();
        if let Next::NotNow(after) = next {
            return Ok(Fired::Again {
                at: now + delta(after),
            });
        }
        let mut looks = self.looks.given_up.iter().map(|look| at + *look);
        match looks.find(|look| *look > now) {
            Some(at) => Ok(Fired::Again { at }),
            None => Ok(Fired::Done),
        }
    }

    async fn give_back(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let OfPayment { payment_id } = timer.details()?;
        let refund_id = RefundId::from_uuid(timer.stream_id);
        let was_asked_for = timer.round > 0 || timer.attempts > 1;
        let cause = cause(timer);
        let given = self
            .teller
            .give_back(payment_id, refund_id, was_asked_for, &cause)
            .await?;
        let now = desk.clock.now();
        match given {
            Next::Nothing => Ok(Fired::Done),
            Next::NotNow(after) => {
                let at = now + delta(after);
                // What may have been asked for is never forgotten.
                Ok(if was_asked_for {
                    Fired::Again { at }
                } else {
                    Fired::NotYet { at }
                })
            }
            Next::Wait | Next::Contradicted if timer.round >= REFUND_DOUBTED_AFTER_ROUNDS => {
                self.teller
                    .doubt_refund_of(payment_id, refund_id, &cause)
                    .await?;
                Ok(Fired::Done)
            }
            Next::Wait | Next::Contradicted => {
                let at = now + self.looks.at_refund(timer.round);
                Ok(Fired::Again { at })
            }
        }
    }

    async fn expire_order(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let order_id = OrderId::from_uuid(timer.stream_id);
        let expired = expire_order(&desk.engine, order_id, &desk.context(timer, 0)).await?;
        match expired.value {
            Expiry::Expired | Expiry::NotNeeded => Ok(Fired::Done),
            Expiry::PaymentsOpen => Ok(Fired::Again {
                at: desk.clock.now() + EXPIRY_INTERVAL,
            }),
        }
    }

    async fn remind(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let payment_id = PaymentId::from_uuid(timer.stream_id);
        let payment = desk.engine.read::<Payment>(payment_id).await?;
        let demand = payment.state.demand()?;
        let open = demand
            .disputes()
            .iter()
            .any(|known| known.stage == DisputeStage::Open);
        if demand.credit().amount() > 0 || open {
            metrics::counter!("soko_payment_reminders_total").increment(1);
            tracing::error!(
                payment.id = %payment_id,
                credit = %demand.credit(),
                is_disputed = open,
                "somebody has to see to a payment, and the time for it is over"
            );
        }
        Ok(Fired::Done)
    }
}

/// The shortest of what the providers' first questions wait for.
const FIRST_QUESTION: TimeDelta = TimeDelta::seconds(10);

/// Who pays by a link or a secret has to have been given it. An answer that could be had by asking the
/// same again, and was never had, has told nobody.
fn can_be_paid(demand: &Demand) -> bool {
    let can = capabilities_of(demand.provider());
    let is_told_by_answer = can.is_some_and(|can| can.lost_start == AfterLostAnswer::Repeat);
    demand.handle().is_some() || !is_told_by_answer
}

fn give_back(payment_id: PaymentId, refund_id: RefundId, due_at: DateTime<Utc>) -> Effect {
    let details = json!(OfPayment { payment_id });
    Effect::at(GIVE_BACK, refund_id.as_uuid(), due_at).with_details(details)
}

fn ask_after(provider: PaymentProvider, round: u32) -> TimeDelta {
    let steps = capabilities_of(provider).map_or(&[][..], |can| can.ask_after);
    let step = steps.get(round as usize).or(steps.last());
    step.copied().map_or(TimeDelta::minutes(1), delta)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::minutes(1))
}

fn cause(timer: &Timer) -> Cause {
    Cause {
        tenant_id: timer.tenant_id,
        actor: Actor::System(CarryPayments::NAME.to_owned()),
        correlation: timer.correlation,
        causation: Some(timer.position),
        request_id: None,
    }
}

#[async_trait]
impl ProcessManager for CarryPayments {
    const NAME: &'static str = "carry_payments";
    const STREAMS: &'static [&'static str] = &["payment", "order"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        match &recorded.event {
            AnyEvent::Payment(payment_id, event) => self.of_payment(recorded, *payment_id, event),
            AnyEvent::Order(
                order_id,
                OrderEvent::Paid { .. } | OrderEvent::Cancelled { .. } | OrderEvent::Expired { .. },
            ) => vec![Effect::cancel(EXPIRE_ORDER, order_id.as_uuid())],
            _ => vec![],
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        match timer.kind.as_str() {
            CARRY => self.carry(timer, desk).await,
            LOOK_AGAIN => self.look(timer, desk).await,
            GIVE_BACK => self.give_back(timer, desk).await,
            EXPIRE_ORDER => self.expire_order(timer, desk).await,
            REMIND => self.remind(timer, desk).await,
            VOID => {
                let payment_id = PaymentId::from_uuid(timer.stream_id);
                match self.teller.void(payment_id, &cause(timer)).await? {
                    Next::NotNow(after) => Ok(Fired::Again {
                        at: desk.clock.now() + delta(after),
                    }),
                    Next::Nothing | Next::Wait | Next::Contradicted => Ok(Fired::Done),
                }
            }
            // A kind of a version before: nobody needs it any more.
            _ => Ok(Fired::Done),
        }
    }
}
