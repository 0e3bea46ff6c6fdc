//! The money that moved, each movement once, in the order in which it moved.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::provider::Provider;
use super::world::held;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The customer's money came to the merchant.
    Payment,
    Fee,
    Refund,
    /// A refund that did not arrive: the merchant has the money again.
    RefundReturned,
    Chargeback,
    ChargebackReversed,
    /// The merchant's money went to somebody else.
    Payout,
    PayoutReturned,
    /// The merchant's own money, put into the account.
    TopUp,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Fee => "fee",
            Self::Refund => "refund",
            Self::RefundReturned => "refund_returned",
            Self::Chargeback => "chargeback",
            Self::ChargebackReversed => "chargeback_reversed",
            Self::Payout => "payout",
            Self::PayoutReturned => "payout_returned",
            Self::TopUp => "top_up",
        }
    }
}

/// One movement, as the merchant's account sees it: what comes in is above zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Without gaps, from 1.
    pub number: u64,
    pub at: DateTime<Utc>,
    pub provider: Provider,
    pub account: String,
    pub kind: Kind,
    /// The provider's id of the payment, or of the payout.
    pub payment: String,
    /// The provider's id of this movement: what a merchant may count once.
    pub provider_reference: String,
    /// What the merchant calls it.
    pub reference: String,
    /// Minor units of the currency.
    pub amount: i64,
    pub currency: String,
}

/// A movement that has no number yet.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) at: DateTime<Utc>,
    pub(super) provider: Provider,
    pub(super) account: &'a str,
    pub(super) kind: Kind,
    pub(super) payment: &'a str,
    pub(super) provider_reference: &'a str,
    pub(super) reference: &'a str,
    pub(super) amount: i64,
    pub(super) currency: &'a str,
}

#[derive(Debug, thiserror::Error)]
#[error("the account holds too little")]
pub(super) struct NotEnough;

#[derive(Debug, Default)]
pub(super) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    movements: Vec<Movement>,
    balances: HashMap<(Provider, String, String), i64>,
}

impl Book {
    pub(super) fn write(&self, entry: &Entry<'_>) {
        held(&self.0).write(entry);
    }

    /// Writes an amount below zero only if the account holds as much.
    pub(super) fn spend(&self, entry: &Entry<'_>) -> Result<(), NotEnough> {
        let mut pages = held(&self.0);
        if pages.balance(entry.provider, entry.account, entry.currency) + entry.amount < 0 {
            return Err(NotEnough);
        }
        pages.write(entry);
        Ok(())
    }

    pub(super) fn balance(&self, provider: Provider, account: &str, currency: &str) -> i64 {
        held(&self.0).balance(provider, account, currency)
    }

    /// Per currency, what the account holds.
    pub(super) fn balances(&self, provider: Provider, account: &str) -> Vec<(String, i64)> {
        let pages = held(&self.0);
        let mut balances: Vec<_> = pages
            .balances
            .iter()
            .filter(|((of, name, _), _)| *of == provider && name == account)
            .map(|((_, _, currency), balance)| (currency.clone(), *balance))
            .collect();
        balances.sort();
        balances
    }

    pub(super) fn movements(&self, wanted: impl Fn(&Movement) -> bool) -> Vec<Movement> {
        let pages = held(&self.0);
        pages
            .movements
            .iter()
            .filter(|movement| wanted(movement))
            .cloned()
            .collect()
    }
}

impl Pages {
    fn balance(&self, provider: Provider, account: &str, currency: &str) -> i64 {
        let key = (provider, account.to_owned(), currency.to_owned());
        self.balances.get(&key).copied().unwrap_or_default()
    }

    fn write(&mut self, entry: &Entry<'_>) {
        let key = (
            entry.provider,
            entry.account.to_owned(),
            entry.currency.to_owned(),
        );
        let balance = self.balances.entry(key).or_default();
        *balance = balance.saturating_add(entry.amount);
        let number = u64::try_from(self.movements.len()).unwrap_or(u64::MAX) + 1;
        self.movements.push(Movement {
            number,
            at: entry.at,
            provider: entry.provider,
            account: entry.account.to_owned(),
            kind: entry.kind,
            payment: entry.payment.to_owned(),
            provider_reference: entry.provider_reference.to_owned(),
            reference: entry.reference.to_owned(),
            amount: entry.amount,
            currency: entry.currency.to_owned(),
        });
    }
}
