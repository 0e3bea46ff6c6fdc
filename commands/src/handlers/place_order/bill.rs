//! What is to be paid for what is wanted.

use soko_domain::order::{self, OrderItem, OrderLine, Totals};
use soko_domain::{Currency, MoneyError, Tax};

/// Amounts are minor units of `currency`.
pub(super) struct Bill {
    pub(super) lines: Vec<OrderLine>,
    pub(super) totals: Totals,
    pub(super) tax: Tax,
    pub(super) currency: Currency,
}

impl Bill {
    /// At full price, with nothing kept by the store.
    pub(super) fn of(
        items: Vec<OrderItem>,
        tax: Tax,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        let (lines, totals) = order::price(items, tax, currency)?;
        Ok(Self {
            lines,
            totals,
            tax,
            currency,
        })
    }

    /// After something was taken off its lines.
    pub(super) fn add_up(&mut self) -> Result<(), MoneyError> {
        self.totals = order::sum(&self.lines, self.totals.shipping, self.currency)?;
        Ok(())
    }
}
