//! What a store keeps of a vendor's sales: its rules, and what they come to on one line.
//!
//! Which rule counts, the most specific first: that of the vendor; else that of the nearest
//! category that has one; else that of the store. A rule stands alone: nothing of a less specific
//! one is added to it.

#[cfg(test)]
mod tests;

use crate::money::is_zero;
use crate::{CategoryId, Money, MoneyError, Tax, TaxRate, VendorId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much of one line is kept: a percentage and a fixed amount, together at most a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRule {
    /// Of what the line brings: what the buyer pays, tax included, and what the store makes up for;
    /// in basis points.
    pub bps: TaxRate,
    /// For each line, whatever its quantity; minor units of the store's currency.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fixed: i64,
    /// For each line; minor units of the store's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<i64>,
}

/// All that a store has said of its commission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRules {
    /// Where no other counts.
    pub standard: CommissionRule,
    /// What is due on top of the commission, of the commission, in basis points.
    pub tax_rate_bps: TaxRate,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vendors: BTreeMap<VendorId, CommissionRule>,
    /// Each also for the categories below it that have none of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<CategoryId, CommissionRule>,
}

/// What is kept of one line; minor units of its order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commission {
    pub amount: i64,
    pub tax: i64,
}

/// Why rules cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionError {
    #[error("a fixed commission and a cap are from 0 to {max} minor units")]
    OutOfRange { max: i64 },
    #[error("no more than {max} vendors and categories can have rules of their own")]
    TooManyRules { max: usize },
}

impl CommissionRule {
    /// A percentage and nothing else.
    pub const fn of_bps(bps: TaxRate) -> Self {
        Self {
            bps,
            fixed: 0,
            cap: None,
        }
    }

    /// What is kept of a line for which the buyer pays `total`, tax included. Half a minor unit is
    /// rounded up, of the commission and then of its tax. Both together are never more than the
    /// line: where they would be, they are the whole line, with the tax taken out of it.
    ///
    /// # Errors
    /// The result is beyond 64 bits, which it is for no line that an order can have.
    pub fn of(self, total: Money, tax_rate: TaxRate) -> Result<Commission, MoneyError> {
        let percentage = Tax {
            prices_include_tax: false,
            rate: self.bps,
        };
        let fixed = Money::new(self.fixed, total.currency());
        let uncapped = percentage.of(total)?.add(fixed)?;
        let amount = self.cap.unwrap_or(i64::MAX).min(uncapped.amount());
        let amount = Money::new(amount, total.currency());
        let tax = tax_on_top(tax_rate).of(amount)?;
        if amount.add(tax)?.amount() <= total.amount() {
            return Ok(Commission {
                amount: amount.amount(),
                tax: tax.amount(),
            });
        }
        let tax = tax_within(tax_rate).of(total)?;
        Ok(Commission {
            amount: total.subtract(tax)?.amount(),
            tax: tax.amount(),
        })
    }

    fn check(&self) -> Result<(), CommissionError> {
        let range = 0..=CommissionRules::AMOUNT_MAX;
        if range.contains(&self.fixed) && self.cap.is_none_or(|cap| range.contains(&cap)) {
            Ok(())
        } else {
            Err(CommissionError::OutOfRange {
                max: CommissionRules::AMOUNT_MAX,
            })
        }
    }
}

impl CommissionRules {
    /// Minor units: that of the dearest order, so that sums stay far from 64 bits.
    pub const AMOUNT_MAX: i64 = crate::order::Placement::TOTAL_MAX;

    /// Of vendors and categories together: they are written into one event.
    pub const RULES_MAX: usize = 200;

    /// The rule that counts for what a vendor sells in categories, the nearest of them first.
    pub fn rule(
        &self,
        vendor_id: VendorId,
        categories: impl IntoIterator<Item = CategoryId>,
    ) -> CommissionRule {
        let of_vendor = self.vendors.get(&vendor_id);
        let of_category = || {
            categories
                .into_iter()
                .find_map(|category_id| self.categories.get(&category_id))
        };
        *of_vendor.or_else(of_category).unwrap_or(&self.standard)
    }

    /// Whether it takes the vendor's products' categories to tell which rule counts.
    pub fn asks_for_categories(&self, vendor_id: VendorId) -> bool {
        !self.categories.is_empty() && !self.vendors.contains_key(&vendor_id)
    }

    pub(crate) fn check(&self) -> Result<(), CommissionError> {
        if self.vendors.len() + self.categories.len() > Self::RULES_MAX {
            return Err(CommissionError::TooManyRules {
                max: Self::RULES_MAX,
            });
        }
        let others = self.vendors.values().chain(self.categories.values());
        std::iter::once(&self.standard)
            .chain(others)
            .try_for_each(CommissionRule::check)
    }
}

impl Default for CommissionRule {
    /// Nothing is kept.
    fn default() -> Self {
        Self::of_bps(TaxRate::default())
    }
}

fn tax_on_top(rate: TaxRate) -> Tax {
    Tax {
        prices_include_tax: false,
        rate,
    }
}

fn tax_within(rate: TaxRate) -> Tax {
    Tax {
        prices_include_tax: true,
        rate,
    }
}
