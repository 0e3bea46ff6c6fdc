//! Given, when, then.

mod payouts;

use super::*;
use crate::order::VendorShare;
use crate::{Money, Personal, SubjectId, Text};
use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn the_first_sale_opens_the_account() {
    let sold = credit(1, 900, HELD);
    given([])
        .when(to_credit(sold.clone()))
        .then_expect_events(vec![opened(), credited(sold)]);
}

#[test]
fn a_refund_may_come_before_its_sale() {
    given([])
        .when(to_debit(debit(1, 300)))
        .then_expect_events(vec![opened(), debited(1, 300)]);
    let account = account([opened(), debited(1, 300), credited(credit(1, 900, NOW))]);
    assert_eq!(purse(&account).available(at(NOW)), kes(600));
}

#[test]
fn an_account_has_one_store_and_one_currency() {
    let usd = Owner {
        currency: Currency::Usd,
        ..owner()
    };
    let elsewhere = Owner {
        store_id: id(11),
        ..owner()
    };
    for owner in [usd, elsewhere] {
        let credit = credit(1, 900, NOW);
        given([opened()])
            .when(VendorAccountCommand::Credit { owner, credit })
            .then_expect_error(VendorAccountError::OtherStore);
    }
}

#[test]
fn what_is_on_hold_is_pending_and_then_can_be_paid_out() {
    let account = account([
        opened(),
        credited(credit(1, 900, HELD)),
        credited(credit(2, 100, NOW)),
    ]);
    let purse = purse(&account);
    assert_eq!(
        (purse.available(at(NOW)), purse.pending(at(NOW))),
        (kes(100), kes(900))
    );
    let before = at(HELD) - TimeDelta::microseconds(1);
    assert_eq!(purse.available(before), kes(100));
    assert_eq!(
        (purse.available(at(HELD)), purse.pending(at(HELD))),
        (kes(1_000), kes(0))
    );
}

#[test]
fn what_is_on_hold_is_kept_by_the_hour_and_not_by_the_order() {
    let sold = (0..500).map(|order| credited(credit(order, 10, HELD)));
    let account = account(std::iter::once(opened()).chain(sold));
    let state = serde_json::to_string(&account).unwrap();
    assert!(state.len() < 500, "{state}");
    let VendorAccount::Open(purse) = account else {
        panic!("it is open");
    };
    assert_eq!(purse.pending(at(NOW)), kes(5_000));
}

#[test]
fn a_refund_takes_at_once_from_what_can_be_paid_out() {
    let account = account([
        opened(),
        credited(credit(1, 500, NOW)),
        credited(credit(2, 900, HELD)),
        debited(2, 800),
    ]);
    let purse = purse(&account);
    assert_eq!(purse.available(at(NOW)), kes(-300));
    assert_eq!(purse.available(at(HELD)), kes(600));
    assert!(purse.is_owed());
}

#[test]
fn nothing_is_sold_for_less_than_nothing() {
    given([opened()])
        .when(to_credit(credit(1, -1, NOW)))
        .then_expect_error(VendorAccountError::NegativeAmount);
    given([opened()])
        .when(to_debit(debit(1, -1)))
        .then_expect_error(VendorAccountError::NegativeAmount);
}

#[test]
fn sums_stay_far_from_64_bits() {
    for amount in [i64::MAX, i64::MAX / 4] {
        given([opened(), credited(credit(1, i64::MAX / 16, HELD))])
            .when(to_credit(credit(2, amount, HELD)))
            .then_expect_error(VendorAccountError::TooLarge);
        given([opened(), debited(1, i64::MAX / 16)])
            .when(to_debit(debit(2, amount)))
            .then_expect_error(VendorAccountError::TooLarge);
    }
}

#[test]
fn an_account_that_was_set_is_held_for_a_day() {
    let set = payout_account(mpesa("+254712345678"), NOW);
    given([opened()])
        .when(to_set(mpesa("+254712345678")))
        .then_expect_events(vec![set.clone()]);
    let account = account([opened(), set]);
    let set = purse(&account).payout_account().unwrap();
    assert_eq!(set.usable_from, at(NOW) + TimeDelta::hours(24));
    assert_eq!(set.method, PayoutMethod::Mpesa);
}

#[test]
fn setting_the_same_account_again_changes_nothing() {
    given([opened(), payout_account(mpesa("+254712345678"), NOW)])
        .when(to_set(mpesa("+254712345678")))
        .then_expect_events(vec![]);
}

#[test]
fn a_way_of_paying_has_its_currencies_and_its_details() {
    let in_zwg = Owner {
        currency: Currency::Zwg,
        ..owner()
    };
    for details in [mpesa("+254712345678"), bank()] {
        let method = details.value().unwrap().method();
        let currency = Currency::Zwg;
        given([])
            .when(VendorAccountCommand::SetPayoutAccount {
                owner: in_zwg,
                method,
                details,
                set_by: id(30),
                held_for: PayoutAccount::HELD_FOR,
                now: at(NOW),
            })
            .then_expect_error(VendorAccountError::MethodNotInCurrency { method, currency });
    }
    for details in [mpesa("+254712345678"), Personal::erased(subject())] {
        given([opened()])
            .when(VendorAccountCommand::SetPayoutAccount {
                owner: owner(),
                method: PayoutMethod::Paystack,
                details,
                set_by: id(30),
                held_for: PayoutAccount::HELD_FOR,
                now: at(NOW),
            })
            .then_expect_error(VendorAccountError::DetailsDiffer);
    }
}

const NOW: &str = "2026-03-01T10:00:00Z";
/// After a week.
const HELD: &str = "2026-03-08T10:00:00Z";

pub(super) fn given(
    events: impl IntoIterator<Item = VendorAccountEvent>,
) -> AggregateTestExecutor<VendorAccount> {
    TestFramework::with(()).given(events.into_iter().collect())
}

pub(super) fn account(events: impl IntoIterator<Item = VendorAccountEvent>) -> VendorAccount {
    let mut account = VendorAccount::default();
    for event in events {
        account.apply(event);
    }
    account
}

pub(super) fn purse(account: &VendorAccount) -> &Purse {
    account.purse().unwrap()
}

pub(super) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(super) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(super) fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

pub(super) fn owner() -> Owner {
    Owner {
        store_id: id(10),
        currency: Currency::Kes,
    }
}

fn subject() -> SubjectId {
    SubjectId::from_uuid(id(20))
}

pub(super) fn opened() -> VendorAccountEvent {
    VendorAccountEvent::Opened {
        store_id: id(10),
        currency: Currency::Kes,
    }
}

fn share(amount: i64) -> VendorShare {
    VendorShare {
        vendor_id: id(20),
        gross: amount,
        tax: 0,
        commission: 0,
        commission_tax: 0,
        discount: 0,
        subsidy: 0,
    }
}

pub(super) fn credit(order: u128, amount: i64, available_at: &str) -> Credit {
    Credit {
        order_id: id(order),
        amount,
        share: share(amount),
        available_at: at(available_at),
        credited_at: at(NOW),
    }
}

fn debit(order: u128, amount: i64) -> Debit {
    Debit {
        order_id: id(order),
        refund_id: id(order + 100),
        amount,
        share: share(amount),
    }
}

pub(super) fn credited(credit: Credit) -> VendorAccountEvent {
    VendorAccountEvent::Credited(Box::new(credit))
}

fn debited(order: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::Debited(Box::new(debit(order, amount)))
}

pub(super) fn to_credit(credit: Credit) -> VendorAccountCommand {
    VendorAccountCommand::Credit {
        owner: owner(),
        credit,
    }
}

pub(super) fn to_debit(debit: Debit) -> VendorAccountCommand {
    VendorAccountCommand::Debit {
        owner: owner(),
        debit,
    }
}

fn mpesa(phone: &str) -> Personal<PayoutDetails> {
    let phone = phone.parse().unwrap();
    Personal::new(subject(), PayoutDetails::Mpesa { phone })
}

fn bank() -> Personal<PayoutDetails> {
    let details = PayoutDetails::Paystack {
        kind: text("basa"),
        name: text("Mama Mboga"),
        account_number: text("0001234567"),
        bank_code: text("632005"),
    };
    Personal::new(subject(), details)
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    text.parse().unwrap()
}

fn to_set(details: Personal<PayoutDetails>) -> VendorAccountCommand {
    VendorAccountCommand::SetPayoutAccount {
        owner: owner(),
        method: details.value().unwrap().method(),
        details,
        set_by: id(30),
        held_for: PayoutAccount::HELD_FOR,
        now: at(NOW),
    }
}

fn payout_account(details: Personal<PayoutDetails>, set_at: &str) -> VendorAccountEvent {
    VendorAccountEvent::PayoutAccountSet {
        method: details.value().unwrap().method(),
        details,
        usable_from: at(set_at) + TimeDelta::hours(24),
        set_by: id(30),
    }
}
