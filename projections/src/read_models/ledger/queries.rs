//! What people ask of the books.

use super::{LedgerBalance, LedgerEntry};
use crate::query::{Keyset, Within, rows};
use soko_domain::{Currency, OrderId, PaymentId, StoreId};
use soko_event_log::{Scope, ScopedReader};
use sqlx::QueryBuilder;

/// Which entries; all that is left out is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub account: Option<String>,
    pub order_id: Option<OrderId>,
    pub payment_id: Option<PaymentId>,
}

/// The entries, the latest first, before one of them: (position, place within its transaction).
///
/// # Errors
/// The database failed.
pub async fn entries(
    reader: &ScopedReader,
    within: Within,
    filter: &EntryFilter,
    page: Keyset<(i64, i32)>,
) -> Result<(Vec<LedgerEntry>, Option<(i64, i32)>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<LedgerEntry>());
    query.push(" WHERE true");
    within.and(&mut query);
    if let Some(account) = &filter.account {
        query.push(" AND account = ").push_bind(account.clone());
    }
    if let Some(order_id) = filter.order_id {
        query.push(" AND order_id = ").push_bind(order_id.as_uuid());
    }
    if let Some(payment_id) = filter.payment_id {
        query
            .push(" AND payment_id = ")
            .push_bind(payment_id.as_uuid());
    }
    if let Some((position, entry)) = page.after {
        query
            .push(" AND (position, entry) < (")
            .push_bind(position)
            .push(", ")
            .push_bind(entry)
            .push(")");
    }
    query
        .push(" ORDER BY position DESC, entry DESC LIMIT ")
        .push(page.limit + 1);
    let mut items: Vec<LedgerEntry> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| (last.position, last.entry));
    Ok((items, next))
}

/// Where a list of balances goes on: store, currency and account.
type BalanceKey = (StoreId, Currency, String);

/// The balance of every account, or of one, after one of them.
///
/// # Errors
/// The database failed.
pub async fn balances(
    reader: &ScopedReader,
    within: Within,
    account: Option<&str>,
    page: Keyset<BalanceKey>,
) -> Result<(Vec<LedgerBalance>, Option<BalanceKey>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<LedgerBalance>());
    query.push(" WHERE true");
    within.and(&mut query);
    if let Some(account) = account {
        query.push(" AND account = ").push_bind(account.to_owned());
    }
    if let Some((store_id, currency, account)) = page.after {
        query
            .push(" AND (store_id, currency, account) > (")
            .push_bind(store_id.as_uuid())
            .push(", ")
            .push_bind(currency.code())
            .push(", ")
            .push_bind(account)
            .push(")");
    }
    query
        .push(" ORDER BY store_id, currency, account LIMIT ")
        .push(page.limit + 1);
    let mut items: Vec<LedgerBalance> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| {
        (last.store_id, last.currency, last.account.clone())
    });
    Ok((items, next))
}

/// All accounts of one currency together: sound books have as much on one side as on the other.
/// Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerSum {
    pub currency: Currency,
    /// Of the accounts that were given more than they gave.
    pub debit: i64,
    /// Of the others.
    pub credit: i64,
}

/// The trial balance, by currency.
///
/// # Errors
/// The database failed.
pub async fn sums(reader: &ScopedReader, within: Within) -> Result<Vec<LedgerSum>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "SELECT currency, coalesce(sum(balance) FILTER (WHERE balance > 0), 0)::bigint,
                coalesce(-sum(balance) FILTER (WHERE balance < 0), 0)::bigint
         FROM read_models.ledger_balances WHERE true",
    );
    within.and(&mut query);
    query.push(" GROUP BY currency ORDER BY currency");
    let found = reader.all(&within.scope(), query).await?;
    found
        .iter()
        .map(|row| {
            Ok(LedgerSum {
                currency: rows::column(row, 0)?,
                debit: rows::column(row, 1)?,
                credit: rows::column(row, 2)?,
            })
        })
        .collect()
}

/// Books that do not come to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbalanced {
    pub store_id: StoreId,
    pub currency: Currency,
}

/// A store whose accounts do not come to nothing, if there is one: it would be our fault. It reads
/// the balances alone, a few for each vendor.
///
/// # Errors
/// The database failed.
pub async fn unbalanced(reader: &ScopedReader) -> Result<Option<Unbalanced>, sqlx::Error> {
    let query = QueryBuilder::new(
        "SELECT store_id, currency FROM read_models.ledger_balances
         GROUP BY store_id, currency HAVING sum(balance) <> 0 LIMIT 1",
    );
    let found = reader.optional(&Scope::Platform, query).await?;
    found
        .map(|row| {
            Ok(Unbalanced {
                store_id: rows::column(&row, 0)?,
                currency: rows::column(&row, 1)?,
            })
        })
        .transpose()
}
