//! The books of a store: what every account has come to, and the entries that made it so.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::{Currency, OrderId, PaymentId, StoreId};
use soko_projections::Within;
use soko_projections::read_models::ledger::{
    self, EntryFilter, LedgerBalance, LedgerBalances, LedgerEntries, LedgerEntry, LedgerSum,
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::Result;
use crate::query::{Cursor, Limit, Query, cursor, query};
use crate::schema::answer;

query! {
    pub(crate) struct OfBalances {
        /// Only of this store.
        store: Option<StoreId>,
        /// Only of this account, such as `commission`.
        account: Option<String>,
        limit: Limit,
        cursor: Option<Cursor>,
    }

    pub(crate) struct OfEntries {
        /// Only of this store.
        store: Option<StoreId>,
        /// Only of this account, such as `commission`.
        account: Option<String>,
        /// Only of this order.
        order: Option<OrderId>,
        /// Only of this payment.
        payment: Option<PaymentId>,
        limit: Limit,
        cursor: Option<Cursor>,
    }
}

answer! {
    pub(crate) struct TrialBalance {
        /// Of all accounts, by currency, whichever of them are on this page.
        pub sums: Vec<SumOfAccounts>,
        pub items: Vec<BalanceOfAccount>,
        /// Asks for the page after this one; null if this is the last.
        pub next_cursor: Option<String>,
    }

    /// Amounts are minor units of the currency; sound books have as much on both sides.
    pub(crate) struct SumOfAccounts {
        pub currency: Currency,
        /// Of the accounts that were given more than they gave.
        pub debit: i64,
        /// Of the others.
        pub credit: i64,
        pub is_balanced: bool,
    }

    pub(crate) struct BalanceOfAccount {
        pub store_id: StoreId,
        pub account: String,
        pub currency: Currency,
        /// In minor units: debits are positive, credits negative.
        pub balance: i64,
        /// How many entries it is the sum of.
        pub entries: i64,
    }

    pub(crate) struct EntryOfLedger {
        pub entry_id: String,
        /// The same for the entries of one event, which come to nothing.
        pub transaction_id: Uuid,
        pub position: i64,
        pub at: DateTime<Utc>,
        /// The event that it follows from, such as `order.paid`.
        pub kind: String,
        pub store_id: StoreId,
        pub account: String,
        pub currency: Currency,
        /// In minor units: debits are positive, credits negative.
        pub amount: i64,
        pub order_id: Option<OrderId>,
        pub payment_id: Option<PaymentId>,
    }
}

pub(crate) async fn trial_balance(
    app: Data<App>,
    caller: Caller,
    query: Query<OfBalances>,
    fresh: MinPosition,
) -> Result<Found<TrialBalance>> {
    let within = within(&caller, query.store).await?;
    fresh.reached_by::<LedgerBalances>(app.freshness()).await?;
    let list = format!("ledger balances {:?} {:?}", query.store, query.account);
    let page = query.limit.keyset(query.cursor.as_ref(), &list)?;
    let sums = ledger::sums(app.reader(), within).await?;
    let account = query.account.as_deref();
    let (items, next) = ledger::balances(app.reader(), within, account, page).await?;
    Ok(Found::new(TrialBalance {
        sums: sums.into_iter().map(SumOfAccounts::from).collect(),
        items: items.into_iter().map(BalanceOfAccount::from).collect(),
        next_cursor: next.map(|key| cursor(&list, &key)),
    }))
}

/// The latest first.
pub(crate) async fn entries(
    app: Data<App>,
    caller: Caller,
    query: Query<OfEntries>,
    fresh: MinPosition,
) -> Result<Page<EntryOfLedger>> {
    let within = within(&caller, query.store).await?;
    fresh.reached_by::<LedgerEntries>(app.freshness()).await?;
    let filter = EntryFilter {
        account: query.account.clone(),
        order_id: query.order,
        payment_id: query.payment,
    };
    let list = format!("ledger entries {:?} {filter:?}", query.store);
    let page = query.limit.keyset(query.cursor.as_ref(), &list)?;
    let (items, next) = ledger::entries(app.reader(), within, &filter, page).await?;
    let items = items.into_iter().map(EntryOfLedger::from);
    Ok(Page::of(items, next, &list))
}

async fn within(caller: &Caller, store_id: Option<StoreId>) -> Result<Within> {
    let Some(store_id) = store_id else {
        caller.permit(Place::platform()).await?;
        return Ok(Within::Platform);
    };
    let permit = caller.permit(Place::store(store_id)).await?;
    Ok(Within::Store(permit.tenant_id(), store_id))
}

impl From<LedgerSum> for SumOfAccounts {
    fn from(sum: LedgerSum) -> Self {
        Self {
            currency: sum.currency,
            debit: sum.debit,
            credit: sum.credit,
            is_balanced: sum.debit == sum.credit,
        }
    }
}

impl From<LedgerBalance> for BalanceOfAccount {
    fn from(balance: LedgerBalance) -> Self {
        Self {
            store_id: balance.store_id,
            account: balance.account,
            currency: balance.currency,
            balance: balance.balance,
            entries: balance.entries,
        }
    }
}

impl From<LedgerEntry> for EntryOfLedger {
    fn from(entry: LedgerEntry) -> Self {
        Self {
            entry_id: format!("{}-{}", entry.position, entry.entry),
            transaction_id: entry.transaction_id,
            position: entry.position,
            at: entry.at,
            kind: entry.kind,
            store_id: entry.store_id,
            account: entry.account,
            currency: entry.currency,
            amount: entry.amount,
            order_id: entry.order_id,
            payment_id: entry.payment_id,
        }
    }
}
