//! Entries that come to nothing, because they cannot be made otherwise.

use super::Account;
use soko_domain::{Currency, OrderId, PaymentId, StoreId};

/// What one event books. Money is only ever moved from one account to another, in the one currency
/// of the transaction, so that its entries come to nothing whatever is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    header: Header,
    /// Each account once, in the order in which they were first named; some may be of nothing.
    entries: Vec<Entry>,
}

/// What all entries of a transaction share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose books they are in.
    pub store_id: StoreId,
    pub currency: Currency,
    pub order_id: Option<OrderId>,
    pub payment_id: Option<PaymentId>,
}

/// So much for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub account: Account,
    /// Minor units; debits are positive, credits negative.
    pub amount: i64,
}

impl Transaction {
    pub(super) const fn new(header: Header) -> Self {
        Self {
            header,
            entries: Vec::new(),
        }
    }

    /// Gives `amount` (minor units; less than nothing goes the other way) to `debited`, out of
    /// `credited`.
    ///
    /// What is beyond 64 bits cannot be folded: no order or payment comes near.
    pub(super) fn book(mut self, debited: Account, credited: Account, amount: i64) -> Self {
        *self.amount_of(debited) += amount;
        *self.amount_of(credited) -= amount;
        self
    }

    /// As it would take back what it books.
    pub(super) fn reversed(mut self) -> Self {
        for entry in &mut self.entries {
            entry.amount = -entry.amount;
        }
        self
    }

    /// Without entries of nothing; none at all if none is left.
    pub(super) fn closed(mut self) -> Option<Self> {
        self.entries.retain(|entry| entry.amount != 0);
        (!self.entries.is_empty()).then_some(self)
    }

    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Each account once.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn amount_of(&mut self, account: Account) -> &mut i64 {
        let known = self
            .entries
            .iter()
            .position(|entry| entry.account == account);
        let index = known.unwrap_or_else(|| {
            self.entries.push(Entry { account, amount: 0 });
            self.entries.len() - 1
        });
        &mut self.entries[index].amount
    }
}
