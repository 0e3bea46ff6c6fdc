//! What an order hears of its money: it may come in parts, from several payments, and go back.

use super::{FulfilmentStatus, OrderError, OrderEvent, Placement, Progress};
use crate::payment::PaymentProvider;
use crate::{Money, PaymentId, RefundId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

type Decision = Result<Vec<OrderEvent>, OrderError>;

/// Minor units of the order's currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Purse {
    /// By whom it is to be paid now: the last that was tried.
    pub(super) provider: PaymentProvider,
    /// In the order in which they were tried.
    pub(super) attempts: Vec<PaymentId>,
    pub(super) brought: BTreeMap<PaymentId, i64>,
    pub(super) refunds: Vec<RefundId>,
    /// What of each payment has gone back.
    pub(super) returned: BTreeMap<PaymentId, i64>,
    /// The payment with which all was there.
    pub(super) paid_by: Option<PaymentId>,
}

impl Purse {
    pub(super) fn new(placement: &Placement) -> Self {
        Self {
            provider: placement.provider,
            attempts: vec![placement.payment_id],
            brought: BTreeMap::new(),
            refunds: Vec::new(),
            returned: BTreeMap::new(),
            paid_by: None,
        }
    }

    fn kept(&self) -> i64 {
        self.brought.values().sum::<i64>() - self.returned.values().sum::<i64>()
    }
}

impl Progress {
    /// The payment with which all that was to be paid was there.
    pub fn paid_by(&self) -> Option<PaymentId> {
        self.purse.paid_by
    }

    /// By whom it is to be paid, or was.
    pub fn provider(&self) -> PaymentProvider {
        self.purse.provider
    }

    /// Every payment that was tried, in this order.
    pub fn attempts(&self) -> &[PaymentId] {
        &self.purse.attempts
    }

    /// What is still to be paid; nothing of an order that was paid, or has died.
    pub fn due(&self) -> Money {
        let due = if self.purse.paid_by.is_some() || self.alive().is_err() {
            0
        } else {
            self.placement.totals.total - self.purse.kept()
        };
        Money::new(due, self.placement.currency)
    }

    /// How much of money that came the order needs. The rest is the payer's.
    pub fn accepts(&self, came: Money) -> Money {
        Money::new(came.amount().min(self.due().amount()), came.currency())
    }

    /// What this payment brought so far, without what it brought and the order did not need.
    pub fn brought_by(&self, payment_id: PaymentId) -> Money {
        let brought = self.purse.brought.get(&payment_id).copied();
        Money::new(brought.unwrap_or_default(), self.placement.currency)
    }

    /// What the order has of this payment, and has not given back.
    pub fn kept_of(&self, payment_id: PaymentId) -> Money {
        let returned = self.purse.returned.get(&payment_id).copied();
        let kept = self.brought_by(payment_id).amount() - returned.unwrap_or_default();
        Money::new(kept, self.placement.currency)
    }

    /// What came and has not gone back.
    pub fn kept(&self) -> Money {
        Money::new(self.purse.kept(), self.placement.currency)
    }

    pub(super) fn attempt_payment(
        &self,
        payment_id: PaymentId,
        provider: PaymentProvider,
    ) -> Decision {
        if self.purse.attempts.contains(&payment_id) {
            return Ok(vec![]);
        }
        self.alive()?;
        if self.purse.paid_by.is_some() {
            return Err(OrderError::AlreadyPaid);
        }
        if self.purse.attempts.len() >= Placement::ATTEMPTS_MAX {
            return Err(OrderError::TooManyAttempts);
        }
        Ok(vec![OrderEvent::PaymentAttempted {
            payment_id,
            provider,
        }])
    }

    /// Asked twice for the same, it decides once: its money may be reported again.
    pub(super) fn record_payment(&self, payment_id: PaymentId, brought: Money) -> Decision {
        let known = self.brought_by(payment_id);
        let came = Money::new(brought.amount() - known.amount(), brought.currency());
        // An order of nothing is paid by nothing, once.
        if brought == known && self.purse.brought.contains_key(&payment_id) {
            return Ok(vec![]);
        }
        self.alive()?;
        if self.purse.paid_by.is_some() {
            return Err(OrderError::AlreadyPaid);
        }
        let due = self.due();
        if came.currency() != due.currency() || came.is_negative() || came.amount() > due.amount() {
            return Err(OrderError::AmountDiffers {
                expected: due,
                found: came,
            });
        }
        let amount = came.amount();
        if amount < due.amount() {
            let due = due.amount() - amount;
            return Ok(vec![OrderEvent::PartlyPaid {
                payment_id,
                amount,
                due,
            }]);
        }
        let completed = self
            .all_are(FulfilmentStatus::Delivered)
            .then_some(OrderEvent::Completed {});
        let paid = OrderEvent::Paid {
            payment_id,
            amount,
            shares: Some(self.shares_of_sale()?),
        };
        Ok(std::iter::once(paid).chain(completed).collect())
    }

    /// Asked twice for the same, it decides once.
    pub(super) fn record_refund(
        &self,
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
    ) -> Decision {
        if self.purse.refunds.contains(&refund_id) {
            return Ok(vec![]);
        }
        if !self.purse.brought.contains_key(&payment_id) {
            return Err(OrderError::PaidOtherwise);
        }
        let (kept, kept_of_it) = (self.kept(), self.kept_of(payment_id));
        if amount.currency() != kept.currency() || amount.amount() > kept_of_it.amount() {
            return Err(OrderError::AmountDiffers {
                expected: kept_of_it,
                found: amount,
            });
        }
        Ok(vec![OrderEvent::Refunded {
            payment_id,
            refund_id,
            amount: amount.amount(),
            kept: kept.amount() - amount.amount(),
            shares: self.shares_of_refund(amount)?,
        }])
    }

    /// Nobody paid in time: what is paid on delivery has no time.
    pub(super) fn expire(&self) -> Decision {
        if self.has_expired() {
            return Ok(vec![]);
        }
        self.alive()?;
        if self.purse.paid_by.is_some() {
            return Err(OrderError::AlreadyPaid);
        }
        if self.pays_on_delivery() {
            return Err(OrderError::PaidOtherwise);
        }
        Ok(vec![OrderEvent::Expired {
            store_id: self.placement.store_id,
            currency: self.placement.currency,
            lines: self.placement.lines.iter().map(Into::into).collect(),
        }])
    }
}
