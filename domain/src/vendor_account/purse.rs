//! What is in a vendor's account, and what of it can be paid out.

use super::{
    Credit, Owner, Payout, PayoutAccount, PayoutStatus, Payouts, VendorAccountError,
    VendorAccountEvent,
};
use crate::{Currency, Money, StoreId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account of a vendor; amounts are minor units of its currency.
///
/// It keeps no list of what was sold: what is on hold is added up by when it is not any more, and
/// what is not, in one sum.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Purse {
    store_id: StoreId,
    currency: Currency,
    /// What is on hold no more, without what went back and what was paid out or is about to be.
    /// Below nothing where more went back than was left.
    cleared: i64,
    /// By when it can be paid out.
    on_hold: BTreeMap<DateTime<Utc>, i64>,
    pub(super) payouts: Payouts,
    pub(super) payout_account: Option<PayoutAccount>,
}

impl Purse {
    pub(super) fn new(owner: Owner) -> Self {
        Self {
            store_id: owner.store_id,
            currency: owner.currency,
            cleared: 0,
            on_hold: BTreeMap::new(),
            payouts: Payouts::default(),
            payout_account: None,
        }
    }

    pub fn owner(&self) -> Owner {
        Owner {
            store_id: self.store_id,
            currency: self.currency,
        }
    }

    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn payouts(&self) -> &Payouts {
        &self.payouts
    }

    /// Where money is to go; nobody has said so where there is none, and then it is paid by hand.
    pub fn payout_account(&self) -> Option<&PayoutAccount> {
        self.payout_account.as_ref()
    }

    /// What can be paid out now; below nothing where more went back than was left.
    pub fn available(&self, now: DateTime<Utc>) -> Money {
        let cleared = self.on_hold.range(..=now).map(|(_, amount)| amount);
        self.money(self.cleared + cleared.sum::<i64>())
    }

    /// What was sold and cannot be paid out yet.
    pub fn pending(&self, now: DateTime<Utc>) -> Money {
        let all: i64 = self.on_hold.values().sum();
        let cleared: i64 = self.on_hold.range(..=now).map(|(_, amount)| amount).sum();
        self.money(all - cleared)
    }

    /// Whether there is, or will be, anything to pay out.
    pub fn is_owed(&self) -> bool {
        self.cleared + self.on_hold.values().sum::<i64>() > 0
    }

    pub(super) fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency)
    }

    /// That the sums of this account stay within 64 bits when so much more is in it.
    pub(super) fn has_room_for(&self, amount: i64) -> Result<(), VendorAccountError> {
        let on_hold = self.on_hold.values().map(|amount| i128::from(*amount));
        let under_way = self.payouts.under_way();
        let under_way = under_way.map(|(_, payout)| i128::from(payout.amount));
        let others: i128 = on_hold.chain(under_way).sum();
        let sum = i128::from(self.cleared) + others + i128::from(amount);
        let lowest = i128::from(self.cleared) + i128::from(amount);
        let range = -i128::from(Self::SUM_MAX)..=i128::from(Self::SUM_MAX);
        if range.contains(&sum) && range.contains(&lowest) && range.contains(&others) {
            Ok(())
        } else {
            Err(VendorAccountError::TooLarge)
        }
    }

    /// Minor units: so far from 64 bits that no sum of these can leave them.
    const SUM_MAX: i64 = i64::MAX / 8;

    pub(super) fn apply(&mut self, event: VendorAccountEvent) {
        match event {
            VendorAccountEvent::Opened { .. } => (),
            VendorAccountEvent::Credited(credit) => self.take_in(&credit),
            VendorAccountEvent::Debited(debit) => self.cleared -= debit.amount,
            VendorAccountEvent::PayoutAccountSet {
                method,
                details,
                usable_from,
                set_by,
            } => {
                self.payout_account = Some(PayoutAccount {
                    method,
                    details,
                    usable_from,
                    set_by,
                });
            }
            VendorAccountEvent::PayoutRequested {
                payout_id,
                amount,
                method,
                requested_by,
                requested_at,
                ..
            } => {
                self.clear(requested_at);
                self.cleared -= amount;
                let payout = Payout {
                    amount,
                    method,
                    status: PayoutStatus::Requested,
                    requested_by,
                    requested_at,
                    handle: None,
                    reference: None,
                };
                self.payouts.add(payout_id, payout);
            }
            VendorAccountEvent::PayoutApproved { payout_id, .. } => {
                let status = PayoutStatus::Approved;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
            VendorAccountEvent::PayoutStarted { payout_id } => {
                let status = PayoutStatus::Sent;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
            VendorAccountEvent::PayoutSent { payout_id, handle } => {
                self.payouts.change(payout_id, |payout| {
                    payout.status = PayoutStatus::Sent;
                    payout.handle = Some(handle);
                });
            }
            VendorAccountEvent::PayoutDoubted { payout_id, .. } => {
                let status = PayoutStatus::Unresolved;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
            VendorAccountEvent::PayoutPaid {
                payout_id,
                reference,
                ..
            } => self.payouts.change(payout_id, |payout| {
                payout.status = PayoutStatus::Paid;
                payout.reference = Some(reference);
            }),
            VendorAccountEvent::PayoutRejected {
                payout_id, amount, ..
            } => {
                self.cleared += amount;
                let status = PayoutStatus::Rejected;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
            VendorAccountEvent::PayoutFailed {
                payout_id, amount, ..
            } => {
                self.cleared += amount;
                let status = PayoutStatus::Failed;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
            VendorAccountEvent::PayoutReturned {
                payout_id, amount, ..
            } => {
                self.cleared += amount;
                let status = PayoutStatus::Returned;
                self.payouts
                    .change(payout_id, |payout| payout.status = status);
            }
        }
    }

    fn take_in(&mut self, credit: &Credit) {
        *self.on_hold.entry(credit.available_at).or_default() += credit.amount;
        self.clear(credit.credited_at);
    }

    /// What was on hold until then is on hold no more.
    fn clear(&mut self, now: DateTime<Utc>) {
        while let Some(first) = self.on_hold.first_entry() {
            if *first.key() > now {
                break;
            }
            self.cleared += first.remove();
        }
    }
}
