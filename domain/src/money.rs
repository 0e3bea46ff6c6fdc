//! Amounts: whole minor units of one currency, never a float.

#[cfg(test)]
mod tests;

use crate::{Currency, Quantity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in minor units (cents) of a currency; may be negative (what is owed the other way).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    amount: i64,
    currency: Currency,
}

/// Why a sum cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyError {
    #[error("{left} and {right} cannot be added")]
    CurrenciesDiffer { left: Currency, right: Currency },
    #[error("the amount is too large")]
    TooLarge,
    #[error("what is negative cannot be split, nor by what is negative")]
    NegativeSplit,
    #[error("there is nothing to split {whole} over")]
    NoParts { whole: i64 },
}

impl Money {
    /// `amount` in minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Minor units.
    pub const fn amount(self) -> i64 {
        self.amount
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_negative(self) -> bool {
        self.amount < 0
    }

    /// # Errors
    /// Another currency, or a sum beyond 64 bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "it may fail, as the operator may not"
    )]
    pub fn add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self::new(amount, self.currency))
    }

    /// # Errors
    /// Another currency, or a difference beyond 64 bits.
    pub fn subtract(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_sub(other.amount)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self::new(amount, self.currency))
    }

    /// # Errors
    /// A product beyond 64 bits.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(quantity.units())
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self::new(amount, self.currency))
    }

    /// Parts in the proportion of `weights` that add up to the whole exactly: each part is rounded
    /// down, and what is left goes, one minor unit each, to the largest remainders (the first of
    /// equals). All weights zero: everything goes to the first part.
    ///
    /// # Errors
    /// A weight or the amount is negative, or there is an amount but no weight.
    pub fn split(self, weights: &[i64]) -> Result<Vec<Self>, MoneyError> {
        if self.amount < 0 || weights.iter().any(|weight| *weight < 0) {
            return Err(MoneyError::NegativeSplit);
        }
        if weights.is_empty() && self.amount != 0 {
            return Err(MoneyError::NoParts { whole: self.amount });
        }
        let whole = i128::from(self.amount);
        let weight_sum: i128 = weights.iter().copied().map(i128::from).sum();
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let share = if weight_sum == 0 {
                (if index == 0 { whole } else { 0 }, 0)
            } else {
                let exact = whole * i128::from(*weight);
                (exact / weight_sum, exact % weight_sum)
            };
            parts.push(share.0);
            remainders.push((std::cmp::Reverse(share.1), index));
        }
        let mut left = whole - parts.iter().sum::<i128>();
        remainders.sort_unstable();
        for (_, index) in remainders {
            if left == 0 {
                break;
            }
            parts[index] += 1;
            left -= 1;
        }
        parts
            .into_iter()
            .map(|part| {
                let amount = i64::try_from(part).map_err(|_| MoneyError::TooLarge)?;
                Ok(Self::new(amount, self.currency))
            })
            .collect()
    }

    /// The sum of many amounts of one currency.
    ///
    /// # Errors
    /// As [`Money::add`].
    pub fn sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        amounts
            .into_iter()
            .try_fold(Self::zero(currency), Self::add)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrenciesDiffer {
                left: self.currency,
                right: other.currency,
            })
        }
    }
}

/// Whether an amount may be left out of what is written.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "it is how serde calls it"
)]
pub(crate) fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

impl fmt::Display for Money {
    /// `KES 129.99`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(self.currency.exponent());
        let sign = if self.amount < 0 { "-" } else { "" };
        let units = self.amount.unsigned_abs();
        let digits = self.currency.exponent() as usize;
        write!(
            f,
            "{} {sign}{}.{:0digits$}",
            self.currency,
            units / scale,
            units % scale
        )
    }
}
