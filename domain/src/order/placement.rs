//! Whether what is to be agreed is sound.

use super::pricing;
use super::{OrderError, OrderLine, Placement};
use crate::{Currency, Money, MoneyError, Tax};
use std::collections::BTreeSet;

impl Placement {
    pub const LINES_MAX: usize = 100;
    pub const ATTEMPTS_MAX: usize = 20;
    /// Minor units: 64 bits hold the sum of a million such orders.
    pub const TOTAL_MAX: i64 = 9_000_000_000_000;

    /// What the buyer pays.
    pub fn total(&self) -> Money {
        Money::new(self.totals.total, self.currency)
    }

    pub(super) fn check(&self) -> Result<(), OrderError> {
        if self.lines.is_empty() {
            return Err(OrderError::NoLines);
        }
        if self.lines.len() > Self::LINES_MAX {
            return Err(OrderError::TooManyLines);
        }
        let mut seen = BTreeSet::new();
        if let Some(line) = self.lines.iter().find(|line| !seen.insert(line.variant_id)) {
            return Err(OrderError::LineRepeated {
                variant_id: line.variant_id,
            });
        }
        // A sum too large to be made is not the one that was handed in.
        if !self.adds_up().unwrap_or(false) {
            return Err(OrderError::SumsDiffer);
        }
        if self.totals.total > Self::TOTAL_MAX {
            return Err(OrderError::TotalTooLarge);
        }
        Ok(())
    }

    fn adds_up(&self) -> Result<bool, MoneyError> {
        for line in &self.lines {
            if !line.adds_up(self.tax, self.currency)? {
                return Ok(false);
            }
        }
        let sums = pricing::sum(&self.lines, self.totals.shipping, self.currency)?;
        Ok(self.totals.shipping >= 0 && sums == self.totals)
    }
}

impl OrderLine {
    fn adds_up(&self, tax: Tax, currency: Currency) -> Result<bool, MoneyError> {
        let price = Money::new(self.unit_price, currency)
            .times(self.quantity)?
            .subtract(Money::new(self.discount, currency))?;
        Ok(self.unit_price >= 0
            && (0..=self.discount).contains(&self.subsidy)
            && !price.is_negative()
            && self.tax == tax.of(price)?.amount()
            && self.total == tax.gross(price)?.amount()
            && self.commission >= 0
            && self.commission_tax >= 0
            && !self
                .proceeds(currency)?
                .subtract(Money::new(self.commission, currency))?
                .subtract(Money::new(self.commission_tax, currency))?
                .is_negative())
    }
}
