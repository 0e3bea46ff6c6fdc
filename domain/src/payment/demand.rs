//! What is asked for, and how far that has come.

use super::{
    Captured, DisputeState, NextAction, PaymentEvent, PaymentProvider, PaymentStatus,
    ReferenceStanding, Refund, RefundRequest, Return, ReturnStage, Terms,
};
use crate::{Money, OrderId, Personal, RefundId, StoreId, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is to be paid, and how far that has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demand {
    pub(super) order_id: OrderId,
    pub(super) store_id: StoreId,
    pub(super) provider: PaymentProvider,
    pub(super) amount: Money,
    pub(super) terms: Option<Box<Terms>>,
    pub(super) stage: Stage,
    pub(super) is_put_off: bool,
    pub(super) handle: Option<Text<500>>,
    pub(super) next: Option<Personal<NextAction>>,
    pub(super) captures: Vec<Captured>,
    pub(super) returns: Vec<Return>,
    pub(super) disputes: Vec<DisputeState>,
    pub(super) credit: i64,
    pub(super) decide_by: Option<DateTime<Utc>>,
}

/// How the asking stands, whatever money came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Nobody has been asked.
    Initiated,
    Pending,
    Authorised,
    Unresolved,
    Failed,
    Expired,
    Cancelled,
}

impl Demand {
    pub(super) fn new(
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
        terms: Option<Box<Terms>>,
    ) -> Self {
        Self {
            order_id,
            store_id,
            provider,
            amount,
            terms,
            stage: if provider.is_recorded_by_hand() {
                Stage::Pending
            } else {
                Stage::Initiated
            },
            is_put_off: false,
            handle: None,
            next: None,
            captures: Vec::new(),
            returns: Vec::new(),
            disputes: Vec::new(),
            credit: 0,
            decide_by: None,
        }
    }

    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn provider(&self) -> PaymentProvider {
        self.provider
    }

    /// What is asked for.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// Of a provider that is asked.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_deref()
    }

    /// By which the provider knows it, once it was started and the answer was not lost.
    pub fn handle(&self) -> Option<&Text<500>> {
        self.handle.as_ref()
    }

    /// Whether it is known that whoever was to ask the provider did not reach it.
    pub fn is_put_off(&self) -> bool {
        self.is_put_off
    }

    /// What the payer has to do, while the payment waits for that.
    pub fn next_action(&self) -> Option<&NextAction> {
        match self.status() {
            PaymentStatus::Pending => self.next.as_ref()?.value(),
            _ => None,
        }
    }

    pub fn status(&self) -> PaymentStatus {
        if !self.captures.is_empty() {
            if self.is_disputed() {
                return PaymentStatus::Disputed;
            }
            return PaymentStatus::of_kept(self.kept().amount(), self.captured().amount());
        }
        match self.stage {
            Stage::Initiated => PaymentStatus::Initiated,
            Stage::Pending => PaymentStatus::Pending,
            Stage::Authorised => PaymentStatus::Authorised,
            Stage::Unresolved => PaymentStatus::Unresolved,
            Stage::Failed => PaymentStatus::Failed,
            Stage::Expired => PaymentStatus::Expired,
            Stage::Cancelled => PaymentStatus::Cancelled,
        }
    }

    /// By which the money's carrier knows it, once it is there.
    pub fn reference(&self) -> Option<&Text<200>> {
        self.captures.first().map(|captured| &captured.reference)
    }

    /// All money that came.
    pub fn captures(&self) -> &[Captured] {
        &self.captures
    }

    /// All that is to go back by the provider, did, or could not.
    pub fn returns(&self) -> &[Return] {
        &self.returns
    }

    /// The refund with this id.
    pub fn refund(&self, refund_id: RefundId) -> Option<&Return> {
        self.returns
            .iter()
            .find(|known| known.request.refund_id == refund_id)
    }

    pub fn disputes(&self) -> &[DisputeState] {
        &self.disputes
    }

    /// What of the money is no order's: it is kept for the payer until somebody gives it back.
    pub fn credit(&self) -> Money {
        Money::new(self.credit, self.amount.currency())
    }

    /// Until when somebody is to have given the credit back.
    pub fn decide_by(&self) -> Option<DateTime<Utc>> {
        self.decide_by.filter(|_| self.credit > 0)
    }

    pub fn captured(&self) -> Money {
        // Each was checked when it came: their sum fits.
        self.money(
            self.captures
                .iter()
                .map(|captured| captured.amount.amount()),
        )
    }

    /// What came and has not gone back. What a bank took is not in it, either.
    pub fn kept(&self) -> Money {
        let gone = self.gone(|stage| stage == ReturnStage::Done);
        Money::new(self.captured().amount() - gone, self.amount.currency())
    }

    /// What came and has neither gone back nor is on its way.
    pub fn refundable(&self) -> Money {
        let gone = self.gone(ReturnStage::takes_money);
        let left = self.captured().amount() - gone;
        Money::new(left.max(0), self.amount.currency())
    }

    /// What is on its way back and was no order's.
    pub fn surplus_under_way(&self) -> Money {
        let is_such = |known: &&Return| known.request.is_surplus && known.stage.is_under_way();
        let under_way = self.returns.iter().filter(is_such);
        self.money(under_way.map(|known| known.request.amount.amount()))
    }

    /// So much of what came, the newest first, by the captures that it is of: each goes back for
    /// itself. Less, if less is left.
    pub fn parts_of(&self, amount: Money) -> Vec<(Text<200>, Money)> {
        let mut wanted = amount.amount().min(self.refundable().amount());
        let mut parts = Vec::new();
        for captured in self.captures.iter().rev() {
            let part = self.left_of(captured).min(wanted);
            if part > 0 {
                wanted -= part;
                let part = Money::new(part, amount.currency());
                parts.push((captured.reference.clone(), part));
            }
        }
        parts
    }

    /// The first capture of which so much is left; the one with this reference, if there is one.
    pub(super) fn capture_with(
        &self,
        amount: Money,
        reference: Option<&Text<200>>,
    ) -> Option<&Captured> {
        let fits = |captured: &&Captured| {
            reference.is_none_or(|reference| captured.reference == *reference)
                && self.left_of(captured) >= amount.amount()
        };
        self.captures.iter().find(fits)
    }

    /// Minor units.
    fn left_of(&self, captured: &Captured) -> i64 {
        let of_it = |known: &&Return| known.of == captured.reference && known.stage.takes_money();
        let gone = self.returns.iter().filter(of_it);
        let gone: i64 = gone.map(|known| known.request.amount.amount()).sum();
        captured.amount.amount() - gone
    }

    fn gone(&self, counts: impl Fn(ReturnStage) -> bool) -> i64 {
        let back: i64 = self
            .returns
            .iter()
            .filter(|known| counts(known.stage))
            .map(|known| known.request.amount.amount())
            .sum();
        let withdrawn: i64 = self
            .disputes
            .iter()
            .filter(|dispute| dispute.is_withdrawn())
            .map(|dispute| dispute.amount.amount())
            .sum();
        back + withdrawn
    }

    fn is_disputed(&self) -> bool {
        self.disputes
            .iter()
            .any(|dispute| dispute.stage == super::DisputeStage::Open || dispute.is_withdrawn())
    }

    fn money(&self, amounts: impl Iterator<Item = i64>) -> Money {
        Money::new(amounts.sum(), self.amount.currency())
    }

    fn return_mut(&mut self, refund_id: RefundId) -> Option<&mut Return> {
        self.returns
            .iter_mut()
            .find(|known| known.request.refund_id == refund_id)
    }

    fn set_return(&mut self, refund_id: RefundId, stage: ReturnStage) {
        if let Some(known) = self.return_mut(refund_id) {
            known.stage = stage;
        }
    }

    pub(super) fn apply(&mut self, event: PaymentEvent) {
        match event {
            PaymentEvent::Initiated { .. } => (),
            PaymentEvent::Started { handle, next } => {
                self.stage = Stage::Pending;
                self.handle = handle.or(self.handle.take());
                self.next = next.or(self.next.take());
            }
            PaymentEvent::PutOff { .. } => self.is_put_off = true,
            PaymentEvent::Authorised { .. } => self.stage = Stage::Authorised,
            PaymentEvent::Doubted { .. } => self.stage = Stage::Unresolved,
            PaymentEvent::Resumed {} => self.stage = Stage::Pending,
            PaymentEvent::Captured {
                amount,
                reference,
                is_provisional,
                is_hearsay,
                ..
            } => self.captures.push(Captured {
                amount,
                reference,
                standing: ReferenceStanding::told(is_provisional, is_hearsay),
                once_called: None,
            }),
            PaymentEvent::ReferenceLearned {
                provisional,
                reference,
                is_hearsay,
                ..
            } => self.rename(&provisional, &reference, is_hearsay),
            PaymentEvent::ReferenceContested { reference, .. } => {
                for captured in &mut self.captures {
                    if captured.reference == reference {
                        captured.standing = ReferenceStanding::Contested;
                    }
                }
            }
            PaymentEvent::Failed { .. } => self.stage = Stage::Failed,
            PaymentEvent::Expired {} => self.stage = Stage::Expired,
            PaymentEvent::Cancelled { .. } => self.stage = Stage::Cancelled,
            PaymentEvent::RefundRequested { request, of } => self.returns.push(Return {
                request,
                of,
                stage: ReturnStage::Requested,
                handle: None,
            }),
            PaymentEvent::RefundStarted { refund_id, handle } => {
                if let Some(known) = self.return_mut(refund_id) {
                    known.stage = ReturnStage::Requested;
                    known.handle = Some(handle);
                }
            }
            PaymentEvent::RefundDoubted { refund_id, .. } => {
                self.set_return(refund_id, ReturnStage::Unresolved);
            }
            PaymentEvent::RefundFailed { refund_id, .. } => {
                self.set_return(refund_id, ReturnStage::Failed);
            }
            PaymentEvent::RefundReturned {
                refund_id, amount, ..
            } => {
                self.set_return(refund_id, ReturnStage::Failed);
                // What the order counts as gone is the payer's.
                self.credit += amount.amount();
            }
            PaymentEvent::Refunded(refund) => self.went_back(refund),
            PaymentEvent::Disputed(told) => {
                let known = self
                    .disputes
                    .iter_mut()
                    .find(|known| known.reference == told.reference);
                match known {
                    Some(known) => known.take(&told),
                    None => self.disputes.push(DisputeState::new(&told)),
                }
            }
            PaymentEvent::CreditHeld {
                amount, decide_by, ..
            } => {
                self.credit = amount.amount();
                self.decide_by = Some(decide_by);
            }
        }
    }

    fn went_back(&mut self, refund: Refund) {
        // What is the payer's anyway goes back first.
        self.credit -= self.credit.min(refund.amount.amount());
        if let Some(known) = self.return_mut(refund.refund_id) {
            known.stage = ReturnStage::Done;
            return;
        }
        // By hand: of which capture it is nobody says, and it matters to nobody but a provider.
        let of = self
            .capture_with(refund.amount, None)
            .or(self.captures.first());
        let Some(of) = of.map(|captured| captured.reference.clone()) else {
            return;
        };
        self.returns.push(Return {
            request: RefundRequest {
                refund_id: refund.refund_id,
                amount: refund.amount,
                reason: refund.reason,
                is_surplus: false,
                requested_by: refund.refunded_by,
            },
            of,
            stage: ReturnStage::Done,
            handle: None,
        });
    }

    fn rename(&mut self, once: &Text<200>, reference: &Text<200>, is_hearsay: bool) {
        for captured in &mut self.captures {
            if captured.reference == *once {
                captured.is_learned(reference, is_hearsay);
            }
        }
        for known in &mut self.returns {
            if known.of == *once {
                known.of = reference.clone();
            }
        }
    }
}
