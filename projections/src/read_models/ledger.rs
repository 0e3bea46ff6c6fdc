//! The books: double entry, made of the events alone.
//!
//! Every event by which money changes hands is one [`Transaction`], whose entries come to nothing;
//! what it books is said in [`booking`](self::transaction_of). Amounts are signed: what an account
//! is given (debit) is positive, what it gives (credit) is negative.

mod account;
mod balances;
mod booking;
mod queries;
mod transaction;

#[cfg(test)]
mod tests;

pub use account::Account;
pub use balances::{LedgerBalance, LedgerBalances};
pub use booking::transaction_of;
pub use queries::{EntryFilter, LedgerSum, Unbalanced, balances, entries, sums, unbalanced};
pub use transaction::{Entry, Header, Transaction};

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::{Currency, OrderId, PaymentId, StoreId, TenantId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// One entry of a transaction.
    pub struct LedgerEntry in "ledger_entries" {
        key {
            /// Of the event.
            position: i64,
            /// Its place within the transaction, from 0.
            entry: i32,
        }
        /// One for each event.
        transaction_id: Uuid,
        tenant_id: TenantId,
        store_id: StoreId,
        at: DateTime<Utc>,
        /// The name of the event, such as `order.paid`.
        kind: String,
        account: String,
        currency: Currency,
        /// Minor units; debits are positive, credits negative, and none is nothing.
        amount: i64,
        order_id: Option<OrderId>,
        payment_id: Option<PaymentId>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct LedgerEntries;

impl ReadModel for LedgerEntries {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = STREAMS;
    /// Written once.
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 384;

    type Key = (i64, i32);
    type Row = LedgerEntry;

    fn keys(recorded: &RecordedEvent) -> Vec<(i64, i32)> {
        let transaction = transaction_of(recorded);
        let entries = transaction
            .as_ref()
            .map_or(0, |found| found.entries().len());
        let position = recorded.position.get();
        // There are a few for each line of an order.
        (0..).take(entries).map(|entry| (position, entry)).collect()
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<LedgerEntry>,
        (position, entry): &(i64, i32),
        recorded: &RecordedEvent,
    ) -> Option<LedgerEntry> {
        let transaction = transaction_of(recorded)?;
        let Header {
            store_id,
            currency,
            order_id,
            payment_id,
        } = *transaction.header();
        let index = usize::try_from(*entry).ok()?;
        let found = transaction.entries().get(index)?;
        Some(LedgerEntry {
            position: *position,
            entry: *entry,
            transaction_id: transaction_id(recorded),
            tenant_id: recorded.tenant_id,
            store_id,
            at: recorded.recorded_at,
            kind: recorded.event.name().to_owned(),
            account: found.account.to_string(),
            currency,
            amount: found.amount,
            order_id,
            payment_id,
        })
    }
}

/// Where money changes hands.
const STREAMS: &[&str] = &["order", "payment", "vendor_account"];

/// The same whenever the log is read.
fn transaction_id(recorded: &RecordedEvent) -> Uuid {
    let position = recorded.position.get().to_be_bytes();
    Uuid::new_v5(&recorded.tenant_id.as_uuid(), &position)
}
