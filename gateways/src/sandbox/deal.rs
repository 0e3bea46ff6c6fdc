//! What became of the money of one payment. Whoever changes it writes the book in the same breath,
//! so the two cannot differ.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::book::{Book, Entry, Kind};
use super::merchants::Fee;
use super::provider::Provider;

#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub(super) provider: Provider,
    pub(super) account: String,
    pub(super) payment: String,
    pub(super) reference: String,
    pub(super) currency: String,
    pub(super) asked: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) charged_back: i64,
}

/// A payment as anybody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub provider: Provider,
    pub account: String,
    pub payment: String,
    pub reference: String,
    pub currency: String,
    pub asked: i64,
    pub captured: i64,
    pub refunded: i64,
    pub charged_back: i64,
    /// In the provider's own word.
    pub status: String,
}

#[derive(Debug, thiserror::Error)]
#[error("more than is left of the payment")]
pub(super) struct TooMuch;

impl Deal {
    pub(super) fn seen(&self, status: impl Into<String>) -> Payment {
        Payment {
            provider: self.provider,
            account: self.account.clone(),
            payment: self.payment.clone(),
            reference: self.reference.clone(),
            currency: self.currency.clone(),
            asked: self.asked,
            captured: self.captured,
            refunded: self.refunded,
            charged_back: self.charged_back,
            status: status.into(),
        }
    }

    /// What could still be given back.
    pub(super) const fn left(&self) -> i64 {
        self.captured - self.refunded - self.charged_back
    }

    pub(super) fn take(&mut self, book: &Book, at: DateTime<Utc>, amount: i64, fee: Fee, id: &str) {
        self.captured += amount;
        book.write(&self.entry(Kind::Payment, at, amount, id));
        let fee = fee.of(amount);
        if fee > 0 {
            book.write(&self.entry(Kind::Fee, at, -fee, id));
        }
    }

    pub(super) fn give_back(
        &mut self,
        book: &Book,
        at: DateTime<Utc>,
        amount: i64,
        id: &str,
    ) -> Result<(), TooMuch> {
        if amount <= 0 || amount > self.left() {
            return Err(TooMuch);
        }
        self.refunded += amount;
        book.write(&self.entry(Kind::Refund, at, -amount, id));
        Ok(())
    }

    /// What was given back did not arrive.
    pub(super) fn returned(&mut self, book: &Book, at: DateTime<Utc>, amount: i64, id: &str) {
        let amount = amount.min(self.refunded);
        self.refunded -= amount;
        book.write(&self.entry(Kind::RefundReturned, at, amount, id));
    }

    pub(super) fn charge_back(
        &mut self,
        book: &Book,
        at: DateTime<Utc>,
        amount: i64,
        id: &str,
    ) -> Result<(), TooMuch> {
        if amount <= 0 || amount > self.left() {
            return Err(TooMuch);
        }
        self.charged_back += amount;
        book.write(&self.entry(Kind::Chargeback, at, -amount, id));
        Ok(())
    }

    /// The merchant won all of what was charged back.
    pub(super) fn win(&mut self, book: &Book, at: DateTime<Utc>, id: &str) -> i64 {
        let amount = std::mem::take(&mut self.charged_back);
        if amount > 0 {
            book.write(&self.entry(Kind::ChargebackReversed, at, amount, id));
        }
        amount
    }

    fn entry<'a>(&'a self, kind: Kind, at: DateTime<Utc>, amount: i64, id: &'a str) -> Entry<'a> {
        Entry {
            at,
            provider: self.provider,
            account: &self.account,
            kind,
            payment: &self.payment,
            provider_reference: id,
            reference: &self.reference,
            amount,
            currency: &self.currency,
        }
    }
}
