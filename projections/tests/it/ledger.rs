//! The books, asked for in a database.

use crate::log::{Log, id, order, tenant};
use crate::market::{collected, store};
use crate::running::built;
use soko_domain::{Currency, PaymentId};
use soko_projections::read_models::ledger::{
    EntryFilter, LedgerSum, Unbalanced, balances, entries, sums, unbalanced,
};
use soko_projections::{Keyset, Within};

#[tokio::test]
async fn the_accounts_of_a_store_come_to_nothing() {
    let log = books().await;
    let within = Within::Store(tenant(), store());
    let expected = LedgerSum {
        currency: Currency::Kes,
        debit: 1_600,
        credit: 1_600,
    };
    assert_eq!(sums(log.reader(), within).await.unwrap(), [expected]);
    assert_eq!(unbalanced(log.reader()).await.unwrap(), None);
    assert_eq!(
        sums(log.reader(), Within::Tenant(id(99))).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn books_that_do_not_come_to_nothing_are_found() {
    let log = books().await;
    sqlx::query(
        "UPDATE read_models.ledger_balances SET balance = balance + 1 WHERE account = 'receivable'",
    )
    .execute(log.pool())
    .await
    .unwrap();
    let wrong = Unbalanced {
        store_id: store(),
        currency: Currency::Kes,
    };
    assert_eq!(unbalanced(log.reader()).await.unwrap(), Some(wrong));
}

#[tokio::test]
async fn balances_are_paged_and_one_can_be_asked_for() {
    let log = books().await;
    let within = Within::Store(tenant(), store());
    let mut page = Keyset::first(2);
    let mut accounts = Vec::new();
    loop {
        let (items, next) = balances(log.reader(), within, None, page.clone())
            .await
            .unwrap();
        accounts.extend(
            items
                .into_iter()
                .map(|found| (found.account, found.balance)),
        );
        match next {
            Some(_) => page.after = next,
            None => break,
        }
    }
    let expected = [
        ("clearing:cash_on_delivery".to_owned(), 800),
        ("receivable".to_owned(), 0),
        (format!("sales:{}", crate::market::vendor(0)), -800),
        (format!("settlement:{}", crate::market::vendor(0)), 800),
        (format!("vendor_payable:{}", crate::market::vendor(0)), -800),
    ];
    assert_eq!(accounts, expected);
    let one = balances(log.reader(), within, Some("receivable"), Keyset::first(5)).await;
    let (items, next) = one.unwrap();
    assert_eq!((items.len(), items[0].entries, next), (1, 4, None));
}

#[tokio::test]
async fn entries_are_found_by_account_order_and_payment_and_by_nobody_elses() {
    let log = books().await;
    let within = Within::Store(tenant(), store());
    let of = async |filter: EntryFilter, within: Within| {
        let found = entries(log.reader(), within, &filter, Keyset::first(100)).await;
        let (items, _) = found.unwrap();
        items
            .into_iter()
            .map(|entry| entry.amount)
            .collect::<Vec<_>>()
    };
    let by_account = EntryFilter {
        account: Some("clearing:cash_on_delivery".to_owned()),
        ..EntryFilter::default()
    };
    assert_eq!(of(by_account.clone(), within).await, [300, 500]);
    let by_order = EntryFilter {
        order_id: Some(order(1)),
        ..EntryFilter::default()
    };
    assert_eq!(
        of(by_order, within).await,
        [-500, 500, -500, 500, -500, 500]
    );
    let payment_id: PaymentId = id(0x4000_0000 + 2);
    let by_payment = EntryFilter {
        payment_id: Some(payment_id),
        ..EntryFilter::default()
    };
    assert_eq!(
        of(by_payment, within).await,
        [-300, 300, -300, 300, -300, 300]
    );
    assert_eq!(of(by_account, Within::Tenant(id(99))).await, [0_i64; 0]);

    let first = Keyset::first(5);
    let all = EntryFilter::default();
    let (some, next) = entries(log.reader(), within, &all, first).await.unwrap();
    let rest = Keyset {
        after: next,
        limit: 100,
    };
    let (rest, none) = entries(log.reader(), within, &all, rest).await.unwrap();
    assert_eq!((some.len(), rest.len(), none), (5, 7, None));
}

/// Two orders, paid in cash: one of 500, one of 300.
async fn books() -> Log {
    let mut log = Log::empty().await;
    log.append(collected(1, 500)).await;
    log.append(collected(2, 300)).await;
    built(log.pool()).await;
    log
}
