//! Whose the money of a sale is, and whose goes back.
//!
//! A refund takes from every part in proportion to what is still left of it, by largest remainder,
//! and so never more than is left. The refund that brings back the last of the money takes exactly
//! what is left: all refunds together then are the sale, to the last minor unit, in whatever parts
//! they came.

#[cfg(test)]
mod tests;

use super::{OrderError, Placement, Progress};
use crate::money::is_zero;
use crate::{Currency, Money, MoneyError, StoreId, VendorId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the money of a sale, or of a part of it that goes back, belongs to a store and its vendors.
/// Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    pub store_id: StoreId,
    pub currency: Currency,
    /// The store's, who sees to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shipping: i64,
    /// Each vendor once, in the order of their ids; none who has no part in it.
    pub vendors: Vec<VendorShare>,
}

/// What one vendor sold, and what of it the store keeps. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorShare {
    pub vendor_id: VendorId,
    /// What the buyer pays for it: tax included, discounts taken off.
    pub gross: i64,
    /// The tax within `gross`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tax: i64,
    /// What the store keeps of `gross` and `subsidy`, without tax.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commission: i64,
    /// The tax on the commission, also kept of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commission_tax: i64,
    /// What was taken off before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub discount: i64,
    /// How much of the discount the store makes up for: it is shared by the vendor, the commission
    /// and its tax as `gross` is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub subsidy: i64,
}

impl Shares {
    /// The whole sale.
    ///
    /// # Errors
    /// A sum beyond 64 bits, which no order that was placed has.
    pub fn of_sale(placement: &Placement) -> Result<Self, MoneyError> {
        let mut vendors = BTreeMap::new();
        for line in &placement.lines {
            let share = vendors
                .entry(line.vendor_id)
                .or_insert_with(|| VendorShare::nothing(line.vendor_id));
            share.add(&VendorShare {
                vendor_id: line.vendor_id,
                gross: line.total,
                tax: line.tax,
                commission: line.commission,
                commission_tax: line.commission_tax,
                discount: line.discount,
                subsidy: line.subsidy,
            })?;
        }
        Ok(Self {
            store_id: placement.store_id,
            currency: placement.currency,
            shipping: placement.totals.shipping,
            vendors: vendors.into_values().collect(),
        })
    }

    /// What the buyer pays for all of it, or gets back.
    ///
    /// # Errors
    /// A sum beyond 64 bits, which no order that was placed has.
    pub fn total(&self) -> Result<Money, MoneyError> {
        let of_vendors = self.vendors.iter().map(|share| share.gross);
        let amounts = std::iter::once(self.shipping).chain(of_vendors);
        Money::sum(
            self.currency,
            amounts.map(|amount| Money::new(amount, self.currency)),
        )
    }

    /// The part of these that goes back with `amount`; all of them where it is as much or more.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum beyond 64 bits.
    pub fn part(&self, amount: Money) -> Result<Self, MoneyError> {
        if !amount.subtract(self.total()?)?.is_negative() {
            return Ok(self.clone());
        }
        let of_vendors = self.vendors.iter().map(|share| share.gross);
        let weights: Vec<i64> = std::iter::once(self.shipping).chain(of_vendors).collect();
        let parts = amount.split(&weights)?;
        let (shipping, of_vendors) = parts.split_first().ok_or(MoneyError::NoParts {
            whole: amount.amount(),
        })?;
        let shares = self.vendors.iter().zip(of_vendors);
        let vendors = shares
            .filter(|(_, gross)| gross.amount() != 0)
            .map(|(share, gross)| share.part(*gross))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            store_id: self.store_id,
            currency: self.currency,
            shipping: shipping.amount(),
            vendors,
        })
    }

    /// What is left of these without `gone`, a part of them.
    ///
    /// # Errors
    /// A difference beyond 64 bits, which no part of these makes.
    pub fn without(&self, gone: &Self) -> Result<Self, MoneyError> {
        let gone_of = |vendor_id| {
            gone.vendors
                .iter()
                .find(|share| share.vendor_id == vendor_id)
        };
        let mut vendors = Vec::with_capacity(self.vendors.len());
        for share in &self.vendors {
            let left = match gone_of(share.vendor_id) {
                Some(gone) => share.without(gone)?,
                None => *share,
            };
            if left != VendorShare::nothing(left.vendor_id) {
                vendors.push(left);
            }
        }
        Ok(Self {
            store_id: self.store_id,
            currency: self.currency,
            shipping: difference(self.shipping, gone.shipping)?,
            vendors,
        })
    }
}

impl Progress {
    /// All of it, as it was agreed: it is paid, in whatever parts and by whatever payments.
    pub(super) fn shares_of_sale(&self) -> Result<Shares, OrderError> {
        Shares::of_sale(&self.placement).map_err(|_| OrderError::SumsDiffer)
    }

    /// Nothing where the order was not paid yet: there is no sale that could be taken back.
    pub(super) fn shares_of_refund(&self, amount: Money) -> Result<Option<Shares>, OrderError> {
        let part = self.left.as_ref().map(|left| left.part(amount));
        part.transpose().map_err(|_| OrderError::SumsDiffer)
    }

    /// Events that were written before there were shares say none: they follow from the order.
    pub(super) fn note_sale(&mut self, shares: Option<Shares>) {
        self.left = shares.or_else(|| self.shares_of_sale().ok());
    }

    pub(super) fn note_refund(&mut self, amount: i64, shares: Option<Shares>) {
        let Some(left) = &self.left else {
            return;
        };
        let amount = Money::new(amount, left.currency);
        let gone = shares.or_else(|| left.part(amount).ok());
        if let Some(left) = gone.and_then(|gone| left.without(&gone).ok()) {
            self.left = Some(left);
        }
    }
}

impl VendorShare {
    const fn nothing(vendor_id: VendorId) -> Self {
        Self {
            vendor_id,
            gross: 0,
            tax: 0,
            commission: 0,
            commission_tax: 0,
            discount: 0,
            subsidy: 0,
        }
    }

    /// What the vendor is owed for it.
    ///
    /// # Errors
    /// A difference beyond 64 bits, which no share of an order makes.
    pub fn payable(&self) -> Result<i64, MoneyError> {
        let proceeds = self
            .gross
            .checked_add(self.subsidy)
            .ok_or(MoneyError::TooLarge)?;
        difference(difference(proceeds, self.commission)?, self.commission_tax)
    }

    fn add(&mut self, other: &Self) -> Result<(), MoneyError> {
        for (sum, amount) in [
            (&mut self.gross, other.gross),
            (&mut self.tax, other.tax),
            (&mut self.commission, other.commission),
            (&mut self.commission_tax, other.commission_tax),
            (&mut self.discount, other.discount),
            (&mut self.subsidy, other.subsidy),
        ] {
            *sum = sum.checked_add(amount).ok_or(MoneyError::TooLarge)?;
        }
        Ok(())
    }

    fn without(&self, gone: &Self) -> Result<Self, MoneyError> {
        Ok(Self {
            vendor_id: self.vendor_id,
            gross: difference(self.gross, gone.gross)?,
            tax: difference(self.tax, gone.tax)?,
            commission: difference(self.commission, gone.commission)?,
            commission_tax: difference(self.commission_tax, gone.commission_tax)?,
            discount: difference(self.discount, gone.discount)?,
            subsidy: difference(self.subsidy, gone.subsidy)?,
        })
    }

    /// The part of it whose gross is `gross`: the vendor, the commission and its tax share that and
    /// the subsidy that follows it among them, so that none of them can come out below nothing.
    fn part(&self, gross: Money) -> Result<Self, MoneyError> {
        let in_proportion = |whole| in_proportion(whole, gross.amount(), self.gross);
        let subsidy = Money::new(in_proportion(self.subsidy)?, gross.currency());
        let proceeds = gross.add(subsidy)?;
        let parts = proceeds.split(&[self.payable()?, self.commission, self.commission_tax])?;
        let [_, commission, commission_tax] = parts.as_slice() else {
            return Err(MoneyError::NoParts {
                whole: gross.amount(),
            });
        };
        Ok(Self {
            vendor_id: self.vendor_id,
            gross: gross.amount(),
            tax: in_proportion(self.tax)?,
            commission: commission.amount(),
            commission_tax: commission_tax.amount(),
            discount: in_proportion(self.discount)?,
            subsidy: subsidy.amount(),
        })
    }
}

/// `whole` times `part` over `of`, half a minor unit rounded up; not more than `whole`, for `part`
/// is not more than `of`.
fn in_proportion(whole: i64, part: i64, of: i64) -> Result<i64, MoneyError> {
    if of == 0 {
        return Ok(0);
    }
    let (exact, of) = (i128::from(whole) * i128::from(part), i128::from(of));
    let rounded = (2 * exact + of).div_euclid(2 * of);
    i64::try_from(rounded).map_err(|_| MoneyError::TooLarge)
}

fn difference(left: i64, right: i64) -> Result<i64, MoneyError> {
    left.checked_sub(right).ok_or(MoneyError::TooLarge)
}
