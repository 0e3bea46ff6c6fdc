//! What a vendor's account says to what it is asked.

use super::{
    Credit, Debit, Decision, Payout, PayoutDetails, PayoutMethod, PayoutRequest, PayoutStatus,
    Payouts, Purse, VendorAccountError, VendorAccountEvent,
};
use crate::{AccountId, Currency, Money, PayoutId, Personal, Text};
use chrono::{DateTime, Utc};

const ACCOUNT_CHANGED: Text<500> =
    Text::literal("the payout account was changed before it was sent");

/// The least that is paid out: below it, what the transfer costs is a large part of it.
pub const fn minimum(currency: Currency) -> Money {
    let amount = match currency {
        Currency::Kes | Currency::Zwg => 10_000,
        Currency::Usd => 500,
        Currency::Zar => 5_000,
    };
    Money::new(amount, currency)
}

impl Purse {
    pub(super) fn credit(&self, credit: Credit) -> Decision {
        if credit.amount < 0 {
            return Err(VendorAccountError::NegativeAmount);
        }
        self.has_room_for(credit.amount)?;
        Ok(vec![VendorAccountEvent::Credited(Box::new(credit))])
    }

    pub(super) fn debit(&self, debit: Debit) -> Decision {
        if debit.amount < 0 {
            return Err(VendorAccountError::NegativeAmount);
        }
        self.has_room_for(-debit.amount)?;
        Ok(vec![VendorAccountEvent::Debited(Box::new(debit))])
    }

    /// What was to go to the account that there was does not go to another one.
    pub(super) fn pay_out_to(
        &self,
        method: PayoutMethod,
        details: Personal<PayoutDetails>,
        set_by: AccountId,
        usable_from: DateTime<Utc>,
    ) -> Decision {
        let currency = self.currency();
        if !method.pays_in(currency) {
            return Err(VendorAccountError::MethodNotInCurrency { method, currency });
        }
        if details.value().is_none_or(|given| given.method() != method) {
            return Err(VendorAccountError::DetailsDiffer);
        }
        let present = self.payout_account();
        if present.is_some_and(|present| present.details == details) {
            return Ok(vec![]);
        }
        let set = VendorAccountEvent::PayoutAccountSet {
            method,
            details,
            usable_from,
            set_by,
        };
        let not_sent = self.payouts().under_way().filter(|(_, payout)| {
            let is_not_sent = matches!(
                payout.status,
                PayoutStatus::Requested | PayoutStatus::Approved
            );
            // Of what is paid by hand, somebody may have paid it already.
            is_not_sent && payout.method != PayoutMethod::ByHand
        });
        let failed = not_sent.map(|(payout_id, payout)| VendorAccountEvent::PayoutFailed {
            payout_id,
            amount: payout.amount,
            reason: ACCOUNT_CHANGED,
        });
        Ok(std::iter::once(set).chain(failed).collect())
    }

    /// Asked twice for the same, it decides once.
    pub(super) fn request(&self, request: &PayoutRequest) -> Decision {
        let PayoutRequest { payout_id, now, .. } = *request;
        if self.payouts().find(payout_id).is_some() {
            return Ok(vec![]);
        }
        self.is_not_held(now)?;
        if self.payouts().under_way().len() >= Payouts::UNDER_WAY_MAX {
            return Err(VendorAccountError::TooManyUnderWay {
                max: Payouts::UNDER_WAY_MAX,
            });
        }
        let available = self.available(now);
        let minimum = minimum(self.currency());
        let account = self.payout_account();
        let method = account.map_or(PayoutMethod::ByHand, |account| account.method);
        let requested = match request.amount {
            Some(requested) => self.worth_it(requested, method)?,
            None if available.amount() < minimum.amount() => minimum,
            // What is less than the smallest that is carried stays for the next.
            None => self.money(available.amount() - available.amount() % method.unit()),
        };
        if requested.amount() > available.amount() {
            return Err(VendorAccountError::NotEnough {
                available,
                requested,
            });
        }
        let amount = requested.amount();
        let requested = VendorAccountEvent::PayoutRequested {
            payout_id,
            store_id: self.store_id(),
            currency: self.currency(),
            amount,
            method,
            requested_by: request.requested_by,
            requested_at: now,
        };
        let approved = (amount <= request.four_eyes_above).then_some({
            VendorAccountEvent::PayoutApproved {
                payout_id,
                approved_by: None,
            }
        });
        Ok(std::iter::once(requested).chain(approved).collect())
    }

    pub(super) fn approve(
        &self,
        payout_id: PayoutId,
        approved_by: AccountId,
        now: DateTime<Utc>,
    ) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Requested => (),
            PayoutStatus::Approved => return Ok(vec![]),
            status => return Err(VendorAccountError::WrongStatus { status }),
        }
        if payout.requested_by == Some(approved_by) {
            return Err(VendorAccountError::OwnRequest);
        }
        self.is_not_held(now)?;
        self.is_covered(payout, now)?;
        Ok(vec![VendorAccountEvent::PayoutApproved {
            payout_id,
            approved_by: Some(approved_by),
        }])
    }

    /// As long as nobody was told to pay it.
    pub(super) fn reject(
        &self,
        payout_id: PayoutId,
        rejected_by: AccountId,
        reason: Text<500>,
    ) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Requested | PayoutStatus::Approved => {
                Ok(vec![VendorAccountEvent::PayoutRejected {
                    payout_id,
                    amount: payout.amount,
                    rejected_by,
                    reason,
                }])
            }
            PayoutStatus::Rejected => Ok(vec![]),
            status => Err(VendorAccountError::WrongStatus { status }),
        }
    }

    /// That it was paid is a fact, whatever became of the account since it was approved.
    pub(super) fn record(
        &self,
        payout_id: PayoutId,
        reference: Text<200>,
        paid_by: AccountId,
    ) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Approved if payout.method == PayoutMethod::ByHand => (),
            PayoutStatus::Approved | PayoutStatus::Sent => {
                return Err(VendorAccountError::NotByHand);
            }
            // Nobody else can tell any more.
            PayoutStatus::Unresolved => (),
            PayoutStatus::Paid if payout.reference.as_ref() == Some(&reference) => {
                return Ok(vec![]);
            }
            status => return Err(VendorAccountError::WrongStatus { status }),
        }
        Ok(vec![self.paid(payout_id, payout, reference, Some(paid_by))])
    }

    /// What a provider is about to be told, once and for all: after this it is only asked about.
    pub(super) fn start(&self, payout_id: PayoutId, now: DateTime<Utc>) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Approved => (),
            PayoutStatus::Sent => return Ok(vec![]),
            status => return Err(VendorAccountError::WrongStatus { status }),
        }
        if payout.method == PayoutMethod::ByHand {
            return Err(VendorAccountError::ByHand);
        }
        self.is_not_held(now)?;
        self.is_covered(payout, now)?;
        Ok(vec![VendorAccountEvent::PayoutStarted { payout_id }])
    }

    pub(super) fn note_sent(&self, payout_id: PayoutId, handle: Text<500>) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Sent if payout.handle.as_ref() == Some(&handle) => Ok(vec![]),
            PayoutStatus::Sent | PayoutStatus::Unresolved => {
                Ok(vec![VendorAccountEvent::PayoutSent { payout_id, handle }])
            }
            // It came to its end before we heard that it had begun.
            PayoutStatus::Paid | PayoutStatus::Returned | PayoutStatus::Failed => Ok(vec![]),
            status => Err(VendorAccountError::WrongStatus { status }),
        }
    }

    /// A lesser word than that it was made, or was not, never takes the place of either.
    pub(super) fn doubt(&self, payout_id: PayoutId, because: Text<500>) -> Decision {
        match self.payouts().get(payout_id)?.status {
            PayoutStatus::Sent => Ok(vec![VendorAccountEvent::PayoutDoubted {
                payout_id,
                because,
            }]),
            PayoutStatus::Unresolved
            | PayoutStatus::Paid
            | PayoutStatus::Failed
            | PayoutStatus::Returned => Ok(vec![]),
            status => Err(VendorAccountError::WrongStatus { status }),
        }
    }

    pub(super) fn complete(&self, payout_id: PayoutId, reference: Text<200>) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Sent | PayoutStatus::Unresolved => {
                Ok(vec![self.paid(payout_id, payout, reference, None)])
            }
            PayoutStatus::Paid | PayoutStatus::Returned => Ok(vec![]),
            status => Err(VendorAccountError::WrongStatus { status }),
        }
    }

    pub(super) fn fail(&self, payout_id: PayoutId, reason: Text<500>) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Approved if payout.method == PayoutMethod::ByHand => {
                Err(VendorAccountError::ByHand)
            }
            PayoutStatus::Approved | PayoutStatus::Sent | PayoutStatus::Unresolved => {
                Ok(vec![VendorAccountEvent::PayoutFailed {
                    payout_id,
                    amount: payout.amount,
                    reason,
                }])
            }
            PayoutStatus::Failed => Ok(vec![]),
            status => Err(VendorAccountError::WrongStatus { status }),
        }
    }

    pub(super) fn take_back(
        &self,
        payout_id: PayoutId,
        reason: Text<500>,
        recorded_by: Option<AccountId>,
    ) -> Decision {
        let payout = self.payouts().get(payout_id)?;
        match payout.status {
            PayoutStatus::Paid => (),
            PayoutStatus::Returned => return Ok(vec![]),
            status => return Err(VendorAccountError::WrongStatus { status }),
        }
        self.has_room_for(payout.amount)?;
        Ok(vec![VendorAccountEvent::PayoutReturned {
            payout_id,
            store_id: self.store_id(),
            currency: self.currency(),
            method: payout.method,
            amount: payout.amount,
            reason,
            recorded_by,
        }])
    }

    fn worth_it(
        &self,
        requested: Money,
        method: PayoutMethod,
    ) -> Result<Money, VendorAccountError> {
        let minimum = minimum(self.currency());
        if requested.currency() != minimum.currency() {
            return Err(VendorAccountError::OtherCurrency {
                expected: minimum.currency(),
                found: requested.currency(),
            });
        }
        if requested.amount() < minimum.amount() {
            return Err(VendorAccountError::BelowMinimum { minimum });
        }
        if requested.amount() % method.unit() != 0 {
            return Err(VendorAccountError::NotWhole {
                method,
                unit: self.money(method.unit()),
            });
        }
        Ok(requested)
    }

    fn is_not_held(&self, now: DateTime<Utc>) -> Result<(), VendorAccountError> {
        match self.payout_account() {
            Some(account) if now < account.usable_from => Err(VendorAccountError::Held {
                until: account.usable_from,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// What a payout keeps aside may have gone back since: then it is not paid any more.
    fn is_covered(&self, payout: &Payout, now: DateTime<Utc>) -> Result<(), VendorAccountError> {
        let available = self.available(now);
        if available.is_negative() {
            return Err(VendorAccountError::NotEnough {
                available: self.money(available.amount() + payout.amount),
                requested: self.money(payout.amount),
            });
        }
        Ok(())
    }

    fn paid(
        &self,
        payout_id: PayoutId,
        payout: &Payout,
        reference: Text<200>,
        paid_by: Option<AccountId>,
    ) -> VendorAccountEvent {
        VendorAccountEvent::PayoutPaid {
            payout_id,
            store_id: self.store_id(),
            currency: self.currency(),
            method: payout.method,
            amount: payout.amount,
            reference,
            paid_by,
        }
    }
}
