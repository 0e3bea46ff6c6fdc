//! What vendors are owed and were paid, out of the tables.

use crate::log::{Log, id, tenant};
use crate::market::{opening, settled, store, vendor};
use crate::running::built;
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::vendor_account::PayoutStatus;
use soko_projections::read_models::account_moves::statement;
use soko_projections::read_models::payouts::{payout, payouts};
use soko_projections::read_models::vendor_balances::vendor_balance;
use soko_projections::{Keyset, Within};

#[tokio::test]
async fn a_vendor_is_owed_what_it_sold_without_what_went_back_and_was_paid() {
    let log = market().await;
    let within = Within::Vendor(tenant(), vendor(0));
    let balance = vendor_balance(log.reader(), within, vendor(0));
    let balance = balance.await.unwrap().unwrap();
    assert_eq!((balance.credited, balance.debited), (10_000, 2_000));
    assert_eq!((balance.paid_out, balance.under_way), (5_000, 0));
    assert_eq!(balance.available(balance.changed_at), 3_000);
}

#[tokio::test]
async fn a_statement_runs_from_line_to_line_and_from_page_to_page() {
    let log = market().await;
    let within = Within::Vendor(tenant(), vendor(0));
    let ever = (DateTime::UNIX_EPOCH, Utc::now() + TimeDelta::days(36_500));
    let (mut told, mut after) = (vec![], None);
    loop {
        let page = Keyset { after, limit: 2 };
        let part = statement(log.reader(), within, vendor(0), ever, page);
        let part = part.await.unwrap();
        assert_eq!((part.opening, part.closing), (0, 3_000));
        let lines = part.items.into_iter();
        told.extend(lines.map(|entry| (entry.line.kind, entry.line.amount, entry.balance)));
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let expected = [
        ("sale", 10_000, 10_000),
        ("refund", -2_000, 8_000),
        ("payout", -5_000, 3_000),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, amount, balance)| (kind.to_owned(), amount, balance))
    );
}

#[tokio::test]
async fn a_period_opens_with_what_was_owed_before_it() {
    let log = market().await;
    let within = Within::Vendor(tenant(), vendor(0));
    let later = Utc::now() + TimeDelta::days(36_500);
    let after = (later - TimeDelta::days(1), later);
    let found = statement(log.reader(), within, vendor(0), after, Keyset::first(10));
    let found = found.await.unwrap();
    assert_eq!((found.opening, found.closing), (3_000, 3_000));
    assert!(found.items.is_empty());
}

#[tokio::test]
async fn payouts_are_listed_for_their_vendor_and_their_store_and_nobody_else() {
    let log = market().await;
    let of_vendor = Within::Vendor(tenant(), vendor(0));
    let of_store = Within::Store(tenant(), store());
    for within in [of_vendor, of_store, Within::Platform] {
        for (status, found) in [
            (None, 1),
            (Some(PayoutStatus::Paid), 1),
            (Some(PayoutStatus::Requested), 0),
        ] {
            let page = Keyset::first(10);
            let (items, next) = payouts(log.reader(), within, status, page).await.unwrap();
            assert_eq!((items.len(), next), (found, None), "{within:?} {status:?}");
        }
    }
    let strangers = [
        Within::Vendor(tenant(), vendor(1)),
        Within::Store(tenant(), id(99)),
        Within::Tenant(id(98)),
    ];
    for within in strangers {
        let page = Keyset::first(10);
        let (items, _) = payouts(log.reader(), within, None, page).await.unwrap();
        assert!(items.is_empty(), "{within:?}");
        let payout_id = id(0x6000_0000 + 1);
        let found = payout(log.reader(), within, payout_id).await.unwrap();
        assert_eq!(found, None, "{within:?}");
    }
}

async fn market() -> Log {
    let mut log = Log::empty().await;
    log.append(opening()).await;
    log.append(settled(1, 0, 10_000)).await;
    built(log.pool()).await;
    log
}
