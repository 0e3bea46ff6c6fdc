//! Something off for whoever names a coupon: how much, on what, until when, and how often.
//!
//! How often it was used is counted here and is exact: an order is placed and its use counted in one
//! unit of work. How often one customer has used it is held by claims, one for each use, because a
//! list of all customers would not fit here.

mod command;
mod error;
mod event;
#[cfg(test)]
mod properties;
mod terms;
#[cfg(test)]
mod tests;

pub use command::PromotionCommand;
pub use error::{Limited, PromotionError};
pub use event::PromotionEvent;
pub use terms::{Discount, Funder, PromotionStatus, Terms};

use crate::decide::only_if;
use crate::{
    AccountId, CouponCode, Currency, Decide, Money, MoneyError, OrderId, PromotionId, StoreId,
    VendorId, write_decision,
};
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Promotion {
    #[default]
    NotCreated,
    Created(Box<Campaign>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Campaign {
    store_id: StoreId,
    code: CouponCode,
    vendor_id: Option<VendorId>,
    funder: Funder,
    currency: Currency,
    terms: Terms,
    uses: u32,
    discounted: i64,
}

type Decision = Result<Vec<PromotionEvent>, PromotionError>;

impl Promotion {
    /// # Errors
    /// [`PromotionError::NotCreated`].
    pub fn campaign(&self) -> Result<&Campaign, PromotionError> {
        match self {
            Self::NotCreated => Err(PromotionError::NotCreated),
            Self::Created(campaign) => Ok(campaign),
        }
    }

    fn create(&self, campaign: Campaign) -> Decision {
        if let Self::Created(known) = self {
            let code = known.code.clone();
            return Err(PromotionError::CodeTaken { code });
        }
        if campaign.funder == Funder::Vendor && campaign.vendor_id.is_none() {
            return Err(PromotionError::NobodyToFund);
        }
        campaign.terms.check()?;
        campaign.terms.check_window()?;
        Ok(vec![PromotionEvent::Created {
            store_id: campaign.store_id,
            code: campaign.code,
            vendor_id: campaign.vendor_id,
            funder: campaign.funder,
            currency: campaign.currency,
            terms: campaign.terms,
        }])
    }
}

impl Decide for Promotion {
    type Id = PromotionId;

    fn decide(&self, command: PromotionCommand) -> Decision {
        match command {
            PromotionCommand::Create {
                store_id,
                code,
                vendor_id,
                funder,
                currency,
                terms,
            } => self.create(Campaign {
                store_id,
                code,
                vendor_id,
                funder,
                currency,
                terms,
                uses: 0,
                discounted: 0,
            }),
            PromotionCommand::ChangeTerms { terms } => {
                let known = &self.campaign()?.terms;
                terms.check()?;
                // One that was ended before it began stays as it is under another name.
                if !terms.has_window_of(known) {
                    terms.check_window()?;
                }
                let is_new = terms != *known;
                Ok(only_if(is_new, PromotionEvent::TermsChanged { terms }))
            }
            PromotionCommand::End { now } => {
                let campaign = self.campaign()?;
                let status = campaign.terms.status(campaign.uses, now);
                let is_new = status != PromotionStatus::Ended;
                Ok(only_if(is_new, PromotionEvent::Ended { ended_at: now }))
            }
            PromotionCommand::Redeem {
                order_id,
                account_id,
                discount,
                now,
            } => self.campaign()?.redeem(order_id, account_id, discount, now),
            PromotionCommand::Release { order_id, discount } => {
                let is_used = self.campaign()?.uses > 0;
                Ok(only_if(
                    is_used,
                    PromotionEvent::Released { order_id, discount },
                ))
            }
        }
    }
}

impl Campaign {
    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn code(&self) -> &CouponCode {
        &self.code
    }

    /// Whose goods it is for; without, for all that the store sells.
    pub fn vendor_id(&self) -> Option<VendorId> {
        self.vendor_id
    }

    pub fn funder(&self) -> Funder {
        self.funder
    }

    /// The store's.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// By how many orders it is used that have not died.
    pub fn uses(&self) -> u32 {
        self.uses
    }

    /// What was taken off for these; minor units.
    pub fn discounted(&self) -> i64 {
        self.discounted
    }

    /// Whether an order may be given it now.
    ///
    /// # Errors
    /// [`PromotionError::NotStarted`], [`PromotionError::Ended`], [`PromotionError::Exhausted`].
    pub fn usable(&self, now: DateTime<Utc>) -> Result<(), PromotionError> {
        match self.terms.status(self.uses, now) {
            PromotionStatus::Scheduled => Err(PromotionError::NotStarted),
            PromotionStatus::Active => Ok(()),
            PromotionStatus::Exhausted => Err(PromotionError::Exhausted),
            PromotionStatus::Ended => Err(PromotionError::Ended),
        }
    }

    /// What is taken off each line, given whose it is and what it costs: the whole discount, spread
    /// by largest remainder over the lines that it is for. No line comes out below nothing.
    ///
    /// # Errors
    /// [`PromotionError::NothingToDiscount`], [`PromotionError::BelowMinimum`], or amounts beyond
    /// 64 bits.
    pub fn discounts(&self, lines: &[(VendorId, Money)]) -> Result<Vec<Money>, PromotionError> {
        let currency = self.currency;
        let is_for = |vendor_id| self.vendor_id.is_none_or(|only| only == vendor_id);
        let weights: Vec<i64> = lines
            .iter()
            .map(|(vendor_id, price)| {
                if is_for(*vendor_id) {
                    price.amount()
                } else {
                    0
                }
            })
            .collect();
        let amounts = weights.iter().map(|amount| Money::new(*amount, currency));
        let goods = Money::sum(currency, amounts)?;
        if goods.amount() <= 0 {
            return Err(PromotionError::NothingToDiscount);
        }
        if goods.amount() < self.terms.minimum {
            return Err(PromotionError::BelowMinimum {
                minimum: Money::new(self.terms.minimum, currency),
                found: goods,
            });
        }
        let whole = self.terms.discount.off(goods.amount(), currency)?;
        Ok(Money::new(whole, currency).split(&weights)?)
    }

    fn redeem(
        &self,
        order_id: OrderId,
        account_id: Option<AccountId>,
        discount: i64,
        now: DateTime<Utc>,
    ) -> Decision {
        self.usable(now)?;
        Ok(vec![PromotionEvent::Redeemed {
            order_id,
            account_id,
            discount,
        }])
    }

    fn apply(&mut self, event: PromotionEvent) {
        match event {
            PromotionEvent::Created { .. } => (),
            PromotionEvent::TermsChanged { terms } => self.terms = terms,
            PromotionEvent::Ended { ended_at } => self.terms.ends_at = Some(ended_at),
            PromotionEvent::Redeemed { discount, .. } => {
                self.uses = self.uses.saturating_add(1);
                self.discounted = self.discounted.saturating_add(discount);
            }
            PromotionEvent::Released { discount, .. } => {
                self.uses = self.uses.saturating_sub(1);
                self.discounted = self.discounted.saturating_sub(discount);
            }
        }
    }
}

impl Aggregate for Promotion {
    const TYPE: &'static str = "promotion";
    type Command = PromotionCommand;
    type Event = PromotionEvent;
    type Error = PromotionError;
    type Services = ();

    async fn handle(
        &mut self,
        command: PromotionCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), PromotionError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: PromotionEvent) {
        match event {
            PromotionEvent::Created {
                store_id,
                code,
                vendor_id,
                funder,
                currency,
                terms,
            } => {
                *self = Self::Created(Box::new(Campaign {
                    store_id,
                    code,
                    vendor_id,
                    funder,
                    currency,
                    terms,
                    uses: 0,
                    discounted: 0,
                }));
            }
            event => {
                if let Self::Created(campaign) = self {
                    campaign.apply(event);
                }
            }
        }
    }
}

impl From<MoneyError> for PromotionError {
    /// Prices of one order are in one currency and not negative: they can only be too large.
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}
