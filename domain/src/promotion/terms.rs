//! What a promotion gives, to whom and when.

use super::{Limited, PromotionError};
use crate::money::is_zero;
use crate::order::Placement;
use crate::{Currency, Money, MoneyError, Tax, TaxRate, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who bears what is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funder {
    /// It pays the vendors what their buyers do not.
    Store,
    /// It gets what its buyers pay.
    Vendor,
}

/// How much is taken off the goods that a promotion is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    Percentage {
        /// From 1 to 10000, of the goods' prices as they are shown.
        bps: TaxRate,
        /// Minor units of the store's currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<i64>,
    },
    /// Minor units of the store's currency; of goods that cost less, all.
    Fixed { amount: i64 },
}

/// How a promotion stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionStatus {
    Scheduled,
    Active,
    /// It was used as often as it may be.
    Exhausted,
    Ended,
}

/// All that may be changed of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub name: Text<120>,
    pub discount: Discount,
    /// What the goods that it is for must cost together; minor units of the store's currency.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub minimum: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Not at this moment any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// How many orders may be given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_max: Option<u32>,
    /// How many orders of one account; guests are then given none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_per_customer: Option<u8>,
}

impl Terms {
    /// Minor units: that of the dearest order, so that sums stay far from 64 bits.
    pub const AMOUNT_MAX: i64 = Placement::TOTAL_MAX;
    pub const USES_MAX: u32 = 10_000_000;
    pub const USES_PER_CUSTOMER_MAX: u8 = 10;

    /// Of a promotion that so many orders use.
    pub fn status(&self, uses: u32, now: DateTime<Utc>) -> PromotionStatus {
        if self.ends_at.is_some_and(|ends_at| ends_at <= now) {
            PromotionStatus::Ended
        } else if self.starts_at.is_some_and(|starts_at| now < starts_at) {
            PromotionStatus::Scheduled
        } else if self.uses_max.is_some_and(|max| uses >= max) {
            PromotionStatus::Exhausted
        } else {
            PromotionStatus::Active
        }
    }

    pub(super) fn check(&self) -> Result<(), PromotionError> {
        match self.discount {
            Discount::Percentage { bps, at_most } => {
                in_range(Limited::Percentage, Some(bps.bps()), 10_000)?;
                in_range(Limited::AtMost, at_most, Self::AMOUNT_MAX)?;
            }
            Discount::Fixed { amount } => {
                in_range(Limited::Amount, Some(amount), Self::AMOUNT_MAX)?;
            }
        }
        let minimum = Some(self.minimum).filter(|minimum| *minimum != 0);
        in_range(Limited::Minimum, minimum, Self::AMOUNT_MAX)?;
        in_range(Limited::Uses, self.uses_max, Self::USES_MAX)?;
        let of_customer = self.uses_per_customer;
        in_range(
            Limited::UsesOfCustomer,
            of_customer,
            Self::USES_PER_CUSTOMER_MAX,
        )
    }

    pub(super) fn check_window(&self) -> Result<(), PromotionError> {
        match (self.starts_at, self.ends_at) {
            (Some(starts_at), Some(ends_at)) if ends_at <= starts_at => {
                Err(PromotionError::EndsBeforeItStarts)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn has_window_of(&self, other: &Self) -> bool {
        (self.starts_at, self.ends_at) == (other.starts_at, other.ends_at)
    }
}

fn in_range<N: Into<i64>>(
    what: Limited,
    number: Option<N>,
    max: impl Into<i64>,
) -> Result<(), PromotionError> {
    let max = max.into();
    match number.map(Into::into) {
        Some(number) if !(1..=max).contains(&number) => {
            Err(PromotionError::OutOfRange { what, max })
        }
        _ => Ok(()),
    }
}

impl Discount {
    /// What is taken off goods that cost so much, never more than that. Half a minor unit of a
    /// percentage is rounded up.
    ///
    /// # Errors
    /// The result is beyond 64 bits, which it is of no order.
    pub(super) fn off(self, goods: i64, currency: Currency) -> Result<i64, MoneyError> {
        let most = match self {
            Self::Fixed { amount } => amount,
            Self::Percentage { bps, at_most } => {
                let percentage = Tax {
                    prices_include_tax: false,
                    rate: bps,
                };
                let exact = percentage.of(Money::new(goods, currency))?.amount();
                exact.min(at_most.unwrap_or(i64::MAX))
            }
        };
        Ok(most.min(goods))
    }
}
