//! What each account has come to.

use super::{Entry, STREAMS, transaction_of};
use crate::ReadModel;
use soko_domain::{Currency, StoreId, TenantId};
use soko_event_log::RecordedEvent;

crate::row! {
    /// The sum of an account's entries.
    pub struct LedgerBalance in "ledger_balances" {
        key {
            store_id: StoreId,
            currency: Currency,
            account: String,
        }
        tenant_id: TenantId,
        /// Minor units; debits are positive, credits negative.
        balance: i64,
        /// How many entries it is the sum of.
        entries: i64,
        /// Of the last of them.
        position: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct LedgerBalances;

impl ReadModel for LedgerBalances {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = STREAMS;
    /// The same few accounts of a store all the time.
    const CACHE_ROWS: usize = 16_384;
    const ROW_BYTES: usize = 256;

    type Key = (StoreId, Currency, String);
    type Row = LedgerBalance;

    fn keys(recorded: &RecordedEvent) -> Vec<Self::Key> {
        let Some(transaction) = transaction_of(recorded) else {
            return vec![];
        };
        let header = transaction.header();
        let entries = transaction.entries().iter();
        entries
            .map(|entry| (header.store_id, header.currency, entry.account.to_string()))
            .collect()
    }

    fn fold(
        row: Option<LedgerBalance>,
        (store_id, currency, account): &Self::Key,
        recorded: &RecordedEvent,
    ) -> Option<LedgerBalance> {
        let Some(transaction) = transaction_of(recorded) else {
            return row;
        };
        let is_of_account = |entry: &&Entry| entry.account.to_string() == *account;
        let Some(entry) = transaction.entries().iter().find(is_of_account) else {
            return row;
        };
        let mut balance = row.unwrap_or(LedgerBalance {
            store_id: *store_id,
            currency: *currency,
            account: account.clone(),
            tenant_id: recorded.tenant_id,
            balance: 0,
            entries: 0,
            position: 0,
        });
        // What is beyond 64 bits stops the model: see `Placement::TOTAL_MAX`.
        balance.balance += entry.amount;
        balance.entries += 1;
        balance.position = recorded.position.get();
        Some(balance)
    }
}
