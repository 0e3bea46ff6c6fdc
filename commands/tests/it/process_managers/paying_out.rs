//! What orders tell of whose their money is, and payouts by the schedule.

use super::office::Office;
use crate::handlers::market::{Market, kes};
use crate::world::new_id;
use chrono::TimeDelta;
use soko_commands::CommandContext;
use soko_commands::handlers::{
    CollectPayment, RefundPayment, collect_payment, place_order, refund_payment,
};
use soko_commands::process_managers::{PayOutVendors, SettleVendors};
use soko_domain::payment::{Refund, RefundMethod};
use soko_domain::store::{PayoutRules, PayoutSchedule, StoreCommand, midnight_after};
use soko_domain::vendor_account::PayoutStatus;
use soko_domain::{Money, PaymentId, Store, VendorAccount, VendorId};
use soko_embedded::testing::until;
use soko_event_log::LogReader;

/// Of a sale of 1000 shillings, without the tenth that the store keeps.
const OWED: i64 = 90_000;

#[tokio::test]
async fn what_was_paid_and_what_went_back_is_written_once_whatever_starts_over() {
    let market = Market::open().await;
    let payment_id = sold(&market).await;
    give_back(&market, payment_id, 50_000).await;
    let Market {
        world, vendor_id, ..
    } = market;
    let office = Office::of(world);
    let at_work = office.start(SettleVendors).await;
    is_settled(&office, vendor_id, 2).await;
    at_work.stop().await;
    // As if it had never run.
    for statement in ["DELETE FROM timers", "DELETE FROM process_managers"] {
        sqlx::query(statement)
            .execute(&office.pool())
            .await
            .unwrap();
    }
    let _at_work = office.start(SettleVendors).await;
    office.caught_up("settle_vendors").await;
    until("every timer has fired", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM timers WHERE fired_at IS NULL")
            .fetch_one(&office.pool())
            .await
            .unwrap();
        left == 0
    })
    .await;
    is_settled(&office, vendor_id, 2).await;
    let account = office.engine().read::<VendorAccount>(vendor_id).await;
    let account = account.unwrap();
    let purse = account.state.purse().unwrap();
    let later = chrono::Utc::now() + TimeDelta::days(8);
    assert_eq!(purse.available(later), kes(OWED - 45_000));
}

#[tokio::test]
async fn a_vendor_is_paid_by_the_stores_schedule() {
    let market = Market::open().await;
    let rules = PayoutRules {
        hold_days: 0,
        schedule: PayoutSchedule::Daily,
        ..PayoutRules::default()
    };
    let change = StoreCommand::ChangePayoutRules(rules);
    market.execute::<Store>(market.store_id, change).await;
    sold(&market).await;
    let Market {
        world, vendor_id, ..
    } = market;
    let office = Office::of(world);
    let settling = office.start(SettleVendors).await;
    is_settled(&office, vendor_id, 1).await;
    settling.stop().await;
    let _at_work = office.start(PayOutVendors).await;
    let timer = office.timer(vendor_id.as_uuid(), |_| true).await;
    assert_eq!((timer.round, timer.fired_at), (0, None));
    office.set_clock(timer.due_at);
    // And looks again the next night, whatever came of it.
    let midnight = midnight_after(timer.due_at);
    until("a payout was asked for", async || {
        let account = office.engine().read::<VendorAccount>(vendor_id).await;
        let account = account.unwrap();
        let mut under_way = account.state.purse().unwrap().payouts().under_way();
        under_way.any(|(_, payout)| {
            payout.amount == OWED
                && payout.requested_by.is_none()
                && payout.status == PayoutStatus::Requested
        })
    })
    .await;
    let next = office
        .timer(vendor_id.as_uuid(), |timer| timer.round == 1)
        .await;
    assert_eq!(next.due_at, midnight);
    // Nothing is left to be paid: it need not look a third time.
    office.set_clock(midnight);
    office
        .timer(vendor_id.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
}

/// A thousand shillings, in cash.
async fn sold(market: &Market) -> PaymentId {
    let ware = market.ware(100_000, 1).await;
    let order = market.order_of([(ware, 1)]);
    let placed = place_order(market.engine(), order, &market.context()).await;
    let payment_id = placed.unwrap().value.payment_id;
    let collect = CollectPayment {
        payment_id,
        amount: None,
        reference: None,
        collected_by: new_id(),
    };
    collect_payment(market.engine(), collect, &market.context())
        .await
        .unwrap();
    payment_id
}

async fn give_back(market: &Market, payment_id: PaymentId, amount: i64) {
    let refund = Refund {
        refund_id: new_id(),
        amount: Money::new(amount, soko_domain::Currency::Kes),
        reason: "one was broken".parse().unwrap(),
        method: RefundMethod::Cash,
        reference: "R-1".parse().unwrap(),
        refunded_by: Some(new_id()),
        purpose: None,
    };
    let request = RefundPayment { payment_id, refund };
    let context: CommandContext = market.context();
    refund_payment(market.engine(), request, &context)
        .await
        .unwrap();
}

/// That so many movements, and no more, stand in the account.
async fn is_settled(office: &Office, vendor_id: VendorId, movements: usize) {
    let mut found = 0;
    until("the account has heard of it", async || {
        let reader = LogReader::new(office.pool());
        let stream = reader.stream("vendor_account", vendor_id.as_uuid()).await;
        found = stream.unwrap().len();
        // The first says that the account was opened.
        found > movements
    })
    .await;
    assert_eq!(found, movements + 1);
}
