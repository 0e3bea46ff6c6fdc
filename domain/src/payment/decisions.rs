//! What a payment agrees to. Providers repeat themselves and come in any order, so whatever is told
//! twice is decided once, and a success is never undone by a lesser word that comes later.

use super::demand::Stage;
use super::{
    Captured, Demand, Dispute, NextAction, PaymentError, PaymentEvent, ReferenceSource,
    ReferenceStanding, Refund, RefundMethod, RefundRequest, Return, ReturnStage,
};
use crate::decide::only_if;
use crate::{AccountId, Money, Personal, RefundId, Text};
use chrono::{DateTime, Utc};

type Decision = Result<Vec<PaymentEvent>, PaymentError>;

/// What is told of money that came.
pub(super) struct Told {
    pub(super) amount: Money,
    pub(super) reference: Text<200>,
    pub(super) collected_by: Option<AccountId>,
    pub(super) fee: Option<Money>,
    pub(super) source: ReferenceSource,
}

impl Demand {
    pub(super) fn record_start(
        &self,
        handle: Option<Text<500>>,
        next: Option<Personal<NextAction>>,
    ) -> Decision {
        self.is_asked()?;
        let is_new = match self.stage {
            Stage::Initiated | Stage::Unresolved => true,
            // The provider's own id may be learned later, from a callback.
            Stage::Pending | Stage::Authorised => self.handle.is_none() && handle.is_some(),
            Stage::Failed | Stage::Expired | Stage::Cancelled => false,
        };
        let is_paid = !self.captures.is_empty();
        Ok(only_if(
            is_new && !is_paid,
            PaymentEvent::Started { handle, next },
        ))
    }

    pub(super) fn put_off(&self, because: Text<200>) -> Decision {
        self.is_asked()?;
        let is_new = self.stage == Stage::Initiated && !self.is_put_off;
        Ok(only_if(is_new, PaymentEvent::PutOff { because }))
    }

    pub(super) fn authorise(&self, amount: Money) -> Decision {
        self.is_asked()?;
        let is_new = self.captures.is_empty() && self.stage != Stage::Authorised;
        Ok(only_if(is_new, PaymentEvent::Authorised { amount }))
    }

    pub(super) fn doubt(&self, because: Text<200>) -> Decision {
        self.is_asked()?;
        let is_open = matches!(
            self.stage,
            Stage::Initiated | Stage::Pending | Stage::Authorised
        );
        let is_new = is_open && self.captures.is_empty();
        Ok(only_if(is_new, PaymentEvent::Doubted { because }))
    }

    pub(super) fn resume(&self) -> Decision {
        self.is_asked()?;
        let is_new = self.stage == Stage::Unresolved && self.captures.is_empty();
        Ok(only_if(is_new, PaymentEvent::Resumed {}))
    }

    /// Whatever came is taken, however late and however much: it is there.
    pub(super) fn capture(&self, told: Told) -> Decision {
        if told.amount.currency() != self.amount.currency() {
            return Err(PaymentError::CurrencyDiffers { asked: told.amount });
        }
        if self.provider.is_recorded_by_hand() {
            return self.collect(told);
        }
        if told.amount.amount() <= 0 {
            return Err(PaymentError::NoMoney);
        }
        if let Some(known) = self.called(&told.reference) {
            return Ok(only_if(is_made_sure(known, &told), learned(known, told)));
        }
        match &told.source {
            // Money of the payment is known: this says no more.
            ReferenceSource::Provisional => Ok(only_if(self.captures.is_empty(), captured(told))),
            ReferenceSource::Hearsay => Ok(self.hear(told)),
            ReferenceSource::Provider => Ok(vec![match self.unsure_of(told.amount) {
                Some(known) => learned(known, told),
                None => captured(told),
            }]),
            ReferenceSource::Person { instead_of: None } => self.seen(told),
            ReferenceSource::Person {
                instead_of: Some(wrong),
            } => self.correct(&wrong.clone(), told),
        }
    }

    /// Who confirms money without naming it was asked for it once, and so it came once, whatever
    /// callbacks call it.
    fn hear(&self, told: Told) -> Vec<PaymentEvent> {
        let Some(first) = self.captures.first() else {
            return vec![captured(told)];
        };
        let known = self.unsure_of(told.amount).unwrap_or(first);
        match known.standing {
            ReferenceStanding::Provisional => vec![learned(known, told)],
            ReferenceStanding::Hearsay => vec![PaymentEvent::ReferenceContested {
                reference: known.reference.clone(),
                told: told.reference,
                amount: known.amount,
            }],
            ReferenceStanding::Contested | ReferenceStanding::Certain => vec![],
        }
    }

    /// Somebody has seen money: it is what has no sure name yet, or other money.
    fn seen(&self, told: Told) -> Decision {
        match self.unsure_of(told.amount) {
            None => Ok(vec![captured(told)]),
            Some(known) if known.standing == ReferenceStanding::Hearsay => {
                Err(PaymentError::ReferenceUnsure {
                    known: known.reference.clone(),
                })
            }
            Some(known) => Ok(vec![learned(known, told)]),
        }
    }

    fn correct(&self, wrong: &Text<200>, told: Told) -> Decision {
        let known = self.called(wrong).ok_or(PaymentError::NoSuchReference)?;
        if known.standing == ReferenceStanding::Certain {
            return Err(PaymentError::ReferenceCertain);
        }
        if known.amount != told.amount {
            return Err(PaymentError::AmountDiffers {
                expected: known.amount,
                found: told.amount,
            });
        }
        Ok(vec![learned(known, told)])
    }

    fn called(&self, reference: &Text<200>) -> Option<&Captured> {
        self.captures
            .iter()
            .find(|known| known.is_called(reference))
    }

    /// So much money that came, and of which it is not sure what the provider calls it.
    fn unsure_of(&self, amount: Money) -> Option<&Captured> {
        self.captures
            .iter()
            .find(|known| known.amount == amount && known.standing != ReferenceStanding::Certain)
    }

    /// A person says what was taken, so it can be held to what was due.
    fn collect(&self, told: Told) -> Decision {
        if told.amount != self.amount {
            return Err(PaymentError::AmountDiffers {
                expected: self.amount,
                found: told.amount,
            });
        }
        match (self.captures.first(), self.stage) {
            (Some(known), _) if known.reference == told.reference => Ok(vec![]),
            (Some(_), _) => Err(PaymentError::AlreadyCaptured),
            (None, Stage::Cancelled | Stage::Expired) => Err(PaymentError::Cancelled),
            (None, _) => Ok(vec![captured(told)]),
        }
    }

    pub(super) fn fail(&self, reason: Text<100>, words: Option<Text<200>>) -> Decision {
        self.is_asked()?;
        Ok(only_if(
            self.is_open(),
            PaymentEvent::Failed { reason, words },
        ))
    }

    pub(super) fn expire(&self) -> Vec<PaymentEvent> {
        only_if(self.is_open(), PaymentEvent::Expired {})
    }

    /// A payment that was asked for and may have been paid is not cancelled away, but that nobody
    /// asks for it any more can be said at any time.
    pub(super) fn cancel(&self, reason: Text<500>) -> Decision {
        if !self.captures.is_empty() {
            return Err(PaymentError::AlreadyCaptured);
        }
        Ok(only_if(self.is_open(), PaymentEvent::Cancelled { reason }))
    }

    pub(super) fn request_refund(
        &self,
        request: RefundRequest,
        of: Option<&Text<200>>,
    ) -> Decision {
        self.is_asked()?;
        if let Some(known) = self.refund(request.refund_id) {
            return if known.request == request {
                Ok(vec![])
            } else {
                Err(PaymentError::AlreadyRefunded)
            };
        }
        self.may_go_back(request.amount)?;
        let refundable = self.refundable();
        // What is left in several captures goes back capture by capture.
        let of = self
            .capture_with(request.amount, of)
            .ok_or(PaymentError::RefundTooLarge {
                refundable,
                asked: request.amount,
            })?;
        let of = of.reference.clone();
        Ok(vec![PaymentEvent::RefundRequested { request, of }])
    }

    pub(super) fn record_refund_start(&self, refund_id: RefundId, handle: Text<500>) -> Decision {
        let known = self.requested(refund_id)?;
        let is_new = known.handle.as_ref() != Some(&handle) && known.stage.is_under_way();
        Ok(only_if(
            is_new,
            PaymentEvent::RefundStarted { refund_id, handle },
        ))
    }

    pub(super) fn doubt_refund(&self, refund_id: RefundId, because: Text<200>) -> Decision {
        let is_new = self.requested(refund_id)?.stage == ReturnStage::Requested;
        Ok(only_if(
            is_new,
            PaymentEvent::RefundDoubted { refund_id, because },
        ))
    }

    pub(super) fn fail_refund(
        &self,
        refund_id: RefundId,
        reason: Text<100>,
        words: Option<Text<200>>,
    ) -> Decision {
        let is_new = self.requested(refund_id)?.stage.is_under_way();
        let failed = PaymentEvent::RefundFailed {
            refund_id,
            reason,
            words,
        };
        Ok(only_if(is_new, failed))
    }

    /// A refund that was given up and was done all the same is done.
    pub(super) fn complete_refund(&self, refund_id: RefundId, reference: Text<200>) -> Decision {
        let known = self.requested(refund_id)?;
        let request = &known.request;
        let done = PaymentEvent::Refunded(Refund {
            refund_id,
            amount: request.amount,
            reason: request.reason.clone(),
            method: RefundMethod::Provider,
            reference,
            refunded_by: request.requested_by,
            purpose: None,
        });
        Ok(only_if(known.stage != ReturnStage::Done, done))
    }

    pub(super) fn return_refund(&self, refund_id: RefundId) -> Decision {
        let known = self.requested(refund_id)?;
        let returned = PaymentEvent::RefundReturned {
            refund_id,
            amount: known.request.amount,
            purpose: None,
        };
        Ok(only_if(known.stage == ReturnStage::Done, returned))
    }

    /// Asked twice for the same, it decides once. Never more goes back than is left.
    pub(super) fn refund_by_hand(&self, refund: Refund) -> Decision {
        if let Some(known) = self.refund(refund.refund_id) {
            let is_same = known.request.amount == refund.amount
                && known.request.reason == refund.reason
                && known.stage == ReturnStage::Done;
            return if is_same {
                Ok(vec![])
            } else {
                Err(PaymentError::AlreadyRefunded)
            };
        }
        self.may_go_back(refund.amount)?;
        Ok(vec![PaymentEvent::Refunded(refund)])
    }

    pub(super) fn record_dispute(&self, told: Dispute) -> Decision {
        if told.amount.currency() != self.amount.currency() {
            return Err(PaymentError::CurrencyDiffers { asked: told.amount });
        }
        let known = self
            .disputes
            .iter()
            .find(|known| known.reference == told.reference);
        let is_new = known.is_none_or(|known| !known.knows(&told));
        // What was decided is not open again because an older word comes late.
        let stage = known.map_or(told.stage, |known| known.stage_after(&told));
        let disputed = PaymentEvent::Disputed(Dispute { stage, ..told });
        Ok(only_if(is_new, disputed))
    }

    pub(super) fn hold_credit(
        &self,
        amount: Money,
        decide_by: DateTime<Utc>,
        because: Text<200>,
    ) -> Vec<PaymentEvent> {
        let is_new = self.credit() != amount;
        let held = PaymentEvent::CreditHeld {
            amount,
            decide_by,
            because,
        };
        only_if(is_new, held)
    }

    fn may_go_back(&self, asked: Money) -> Result<(), PaymentError> {
        if self.captures.is_empty() {
            return Err(PaymentError::NotCaptured);
        }
        let refundable = self.refundable();
        if asked.amount() <= 0 || asked.currency() != refundable.currency() {
            return Err(PaymentError::NoRefund);
        }
        if asked.amount() > refundable.amount() {
            return Err(PaymentError::RefundTooLarge { refundable, asked });
        }
        Ok(())
    }

    fn requested(&self, refund_id: RefundId) -> Result<&Return, PaymentError> {
        self.refund(refund_id).ok_or(PaymentError::NoSuchRefund)
    }

    fn is_asked(&self) -> Result<(), PaymentError> {
        if self.provider.is_recorded_by_hand() {
            return Err(PaymentError::NotAsked);
        }
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.status().is_open()
    }
}

fn captured(told: Told) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: told.amount,
        reference: told.reference,
        collected_by: told.collected_by,
        fee: told.fee,
        is_provisional: told.source == ReferenceSource::Provisional,
        is_hearsay: told.source == ReferenceSource::Hearsay,
        // The payment says it.
        purpose: None,
    }
}

/// Whether what money goes by is said to be right by somebody who knows.
fn is_made_sure(known: &Captured, told: &Told) -> bool {
    let is_sure = match told.source {
        ReferenceSource::Provider | ReferenceSource::Person { .. } => true,
        ReferenceSource::Provisional | ReferenceSource::Hearsay => false,
    };
    is_sure && known.standing != ReferenceStanding::Certain && known.reference == told.reference
}

fn learned(known: &Captured, told: Told) -> PaymentEvent {
    PaymentEvent::ReferenceLearned {
        provisional: known.reference.clone(),
        reference: told.reference,
        amount: known.amount,
        is_hearsay: told.source == ReferenceSource::Hearsay,
    }
}
