//! The folds, without a database.

use super::*;
use crate::read_models::account_samples::{paid_out, requested};
use crate::read_models::folding::{folded, recorded};
use crate::read_models::samples::{ANNA, BILL, STORE, TENANT, id, item, placement, time};
use proptest::prelude::*;
use soko_domain::commission::CommissionRule;
use soko_domain::order::{OrderEvent, Placement, Shares, VendorShare};
use soko_domain::payment::{
    Dispute, DisputeStage, DisputedMoney, PaymentEvent, PaymentProvider, Purpose, Refund,
    RefundMethod,
};
use soko_domain::vendor_account::{PayoutMethod, VendorAccountEvent};
use soko_domain::{AnyEvent, Money, VendorId};
use std::collections::BTreeMap;

#[test]
fn a_sale_is_booked_as_what_it_is_and_as_whose_it_is() {
    // 1160 with 160 of tax in it; a tenth is kept, 116, and 16 % of that, 19. 300 for the way.
    let sale = shares(300, vec![share(ANNA, 1_160, 160, 116, 19, 0)]);
    assert_eq!(
        booked(paid(sale)),
        [
            ("receivable".to_owned(), 1_460),
            ("shipping".to_owned(), -300),
            (format!("sales:{ANNA}"), -1_000),
            (format!("tax:{ANNA}"), -160),
            (format!("settlement:{ANNA}"), 1_160),
            (format!("vendor_payable:{ANNA}"), -1_025),
            ("commission".to_owned(), -116),
            ("commission_tax".to_owned(), -19),
        ]
    );
}

#[test]
fn what_the_store_keeps_of_several_vendors_is_one_entry() {
    let sale = shares(
        0,
        vec![
            share(ANNA, 1_000, 0, 100, 0, 0),
            share(BILL, 2_000, 0, 50, 0, 0),
        ],
    );
    assert_eq!(
        booked(paid(sale)),
        [
            ("receivable".to_owned(), 3_000),
            (format!("sales:{ANNA}"), -1_000),
            (format!("settlement:{ANNA}"), 1_000),
            (format!("vendor_payable:{ANNA}"), -900),
            ("commission".to_owned(), -150),
            (format!("sales:{BILL}"), -2_000),
            (format!("settlement:{BILL}"), 2_000),
            (format!("vendor_payable:{BILL}"), -1_950),
        ]
    );
}

#[test]
fn a_discount_is_taken_off_sales_before_it() {
    let sale = shares(0, vec![share(ANNA, 900, 0, 0, 0, 100)]);
    assert_eq!(
        booked(paid(sale)),
        [
            ("receivable".to_owned(), 900),
            (format!("sales:{ANNA}"), -1_000),
            (format!("discount:{ANNA}"), 100),
            (format!("settlement:{ANNA}"), 900),
            (format!("vendor_payable:{ANNA}"), -900),
        ]
    );
}

#[test]
fn a_discount_that_the_store_makes_up_for_is_its_own_expense() {
    let anna = VendorShare {
        subsidy: 100,
        ..share(ANNA, 900, 0, 150, 0, 100)
    };
    let entries = [
        ("receivable".to_owned(), 900),
        (format!("sales:{ANNA}"), -1_000),
        ("discount:store".to_owned(), 100),
        (format!("settlement:{ANNA}"), 1_000),
        (format!("vendor_payable:{ANNA}"), -850),
        ("commission".to_owned(), -150),
    ];
    assert_eq!(booked(paid(shares(0, vec![anna]))), entries);
}

#[test]
fn a_refund_takes_it_all_back_and_is_told_from_a_sale_not_made() {
    let gone = shares(30, vec![share(ANNA, 116, 16, 12, 2, 0)]);
    let refunded = OrderEvent::Refunded {
        payment_id: id(40),
        refund_id: id(60),
        amount: 146,
        kept: 0,
        shares: Some(gone),
    };
    assert_eq!(
        booked(of_order(refunded)),
        [
            ("receivable".to_owned(), -146),
            ("shipping".to_owned(), 30),
            (format!("refunds:{ANNA}"), 100),
            (format!("tax:{ANNA}"), 16),
            (format!("settlement:{ANNA}"), -116),
            (format!("vendor_payable:{ANNA}"), 102),
            ("commission".to_owned(), 12),
            ("commission_tax".to_owned(), 2),
        ]
    );
}

#[test]
fn money_is_with_its_provider_from_when_it_came_to_when_it_went_back() {
    assert_eq!(
        booked(captured(1_000)),
        [
            ("clearing:mpesa".to_owned(), 1_000),
            ("receivable".to_owned(), -1_000)
        ]
    );
    assert_eq!(
        booked(refunded(400)),
        [
            ("clearing:mpesa".to_owned(), -400),
            ("receivable".to_owned(), 400)
        ]
    );
}

#[test]
fn what_the_provider_kept_is_not_with_it() {
    let mut event = money(1_000);
    if let PaymentEvent::Captured { fee, .. } = &mut event {
        *fee = Some(kes(25));
    }
    assert_eq!(
        booked(of_payment(event)),
        [
            ("clearing:mpesa".to_owned(), 975),
            ("receivable".to_owned(), -1_000),
            ("fees:mpesa".to_owned(), 25),
        ]
    );
}

#[test]
fn money_that_went_back_and_came_again_is_with_its_provider() {
    let returned = PaymentEvent::RefundReturned {
        refund_id: id(60),
        amount: kes(400),
        purpose: Some(purpose()),
    };
    assert_eq!(
        booked(of_payment(returned)),
        [
            ("clearing:mpesa".to_owned(), 400),
            ("receivable".to_owned(), -400)
        ]
    );
}

#[test]
fn what_a_bank_takes_is_not_with_the_provider_until_it_is_won_back() {
    let of = |money: Option<DisputedMoney>| booked(disputed(700, money));
    let (clearing, chargebacks) = ("clearing:mpesa".to_owned(), "chargebacks:mpesa".to_owned());
    assert_eq!(
        of(Some(DisputedMoney::Withdrawn)),
        [(chargebacks.clone(), 700), (clearing.clone(), -700)]
    );
    assert_eq!(
        of(Some(DisputedMoney::Reinstated)),
        [(chargebacks, -700), (clearing, 700)]
    );
    assert_eq!(of(None), []);
}

#[test]
fn what_a_vendor_was_paid_it_is_owed_no_more() {
    let by_hand = AnyEvent::VendorAccount(ANNA, paid_out(1, 1_000));
    assert_eq!(
        booked(by_hand),
        [
            (format!("vendor_payable:{ANNA}"), 1_000),
            ("paid_by_hand".to_owned(), -1_000),
        ]
    );
    let came_back = VendorAccountEvent::PayoutReturned {
        payout_id: id(1),
        store_id: STORE,
        currency: Currency::Kes,
        method: PayoutMethod::Mpesa,
        amount: 1_000,
        reason: "no such account".parse().unwrap(),
        recorded_by: None,
    };
    assert_eq!(
        booked(AnyEvent::VendorAccount(ANNA, came_back)),
        [
            (format!("vendor_payable:{ANNA}"), -1_000),
            ("clearing:mpesa".to_owned(), 1_000),
        ]
    );
    // What is kept aside has not left.
    let asked = AnyEvent::VendorAccount(ANNA, requested(1, 1_000));
    assert!(entries_of([asked]).is_empty());
}

#[test]
fn an_entry_tells_where_it_comes_from() {
    let entries = entries_of([captured(1_000)]);
    assert_eq!(entries.len(), 2);
    assert_eq!(
        entries[1],
        LedgerEntry {
            position: 101,
            entry: 1,
            transaction_id: entries[0].transaction_id,
            tenant_id: TENANT,
            store_id: STORE,
            at: time("2026-03-01T10:01:00Z"),
            kind: "payment.captured".to_owned(),
            account: "receivable".to_owned(),
            currency: Currency::Kes,
            amount: -1_000,
            order_id: Some(id(50)),
            payment_id: Some(id(40)),
        }
    );
    let both = entries_of([captured(1), captured(1)]);
    assert_ne!(both[0].transaction_id, both[2].transaction_id);
}

#[test]
fn what_moves_no_money_books_nothing() {
    let paid_in_old_words = OrderEvent::Paid {
        payment_id: id(40),
        amount: 1_000,
        shares: None,
    };
    let nothing = shares(0, vec![share(ANNA, 0, 0, 0, 0, 0)]);
    for event in [
        of_order(paid_in_old_words),
        of_order(OrderEvent::Completed {}),
        paid(nothing),
    ] {
        assert_eq!(booked(event), []);
    }
}

#[test]
fn a_balance_is_the_sum_of_its_entries() {
    let balances = balances_of([captured(1_000), captured(500), refunded(400)]);
    let clearing = &balances[&(STORE, Currency::Kes, "clearing:mpesa".to_owned())];
    assert_eq!(
        *clearing,
        LedgerBalance {
            store_id: STORE,
            currency: Currency::Kes,
            account: "clearing:mpesa".to_owned(),
            tenant_id: TENANT,
            balance: 1_100,
            entries: 3,
            position: 103,
        }
    );
}

#[test]
fn an_order_that_was_paid_and_wholly_refunded_leaves_nothing_but_its_turnover() {
    let sale = Shares::of_sale(&sold()).unwrap();
    let total = sale.total().unwrap();
    let first = sale.part(kes(total.amount() / 3)).unwrap();
    let second = sale.without(&first).unwrap();
    let balances = balances_of([
        captured(total.amount()),
        paid(sale.clone()),
        taken_back(first),
        refunded(total.amount() / 3),
        taken_back(second),
        refunded(total.amount() - total.amount() / 3),
    ]);
    let open: Vec<_> = balances
        .values()
        .filter(|balance| balance.balance != 0)
        .map(|balance| (balance.account.as_str(), balance.balance))
        .collect();
    let net = |vendor_id| {
        let mut shares = sale.vendors.iter();
        let share = shares.find(|share| share.vendor_id == vendor_id).unwrap();
        share.gross - share.tax
    };
    let accounts = [
        (format!("refunds:{ANNA}"), net(ANNA)),
        (format!("refunds:{BILL}"), net(BILL)),
        (format!("sales:{ANNA}"), -net(ANNA)),
        (format!("sales:{BILL}"), -net(BILL)),
    ];
    let expected: Vec<_> = accounts
        .iter()
        .map(|(account, balance)| (account.as_str(), *balance))
        .collect();
    assert_eq!(open, expected);
}

proptest! {
    #[test]
    fn every_transaction_comes_to_nothing(events in proptest::collection::vec(any_event(), 0..20)) {
        let entries = entries_of(events.clone());
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for entry in &entries {
            *sums.entry((entry.transaction_id, entry.currency)).or_default() += entry.amount;
            prop_assert!(entry.amount != 0);
        }
        prop_assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");

        let mut of_accounts: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        for entry in &entries {
            let key = (entry.store_id, entry.currency, entry.account.clone());
            let (sum, count) = of_accounts.entry(key).or_default();
            *sum += entry.amount;
            *count += 1;
        }
        let balances = balances_of(events);
        let balances: BTreeMap<_, _> = balances
            .into_iter()
            .map(|(key, balance)| (key, (balance.balance, balance.entries)))
            .collect();
        prop_assert_eq!(balances, of_accounts);
    }
}

fn any_event() -> impl Strategy<Value = AnyEvent> {
    let amount = -1_000_000..1_000_000_i64;
    prop_oneof![
        any_shares().prop_map(paid),
        any_shares().prop_map(taken_back),
        amount.clone().prop_map(captured),
        amount.clone().prop_map(refunded),
        amount.prop_map(|amount| disputed(amount, Some(DisputedMoney::Withdrawn))),
        Just(of_order(OrderEvent::Completed {})),
    ]
}

/// Whether they make sense or not: a fold takes what the log says.
fn any_shares() -> impl Strategy<Value = Shares> {
    let amount = || -1_000_000..1_000_000_i64;
    let share = (0..3_u128, amount(), amount(), amount(), amount(), amount()).prop_map(
        |(vendor, gross, tax, commission, commission_tax, discount)| {
            share(id(vendor), gross, tax, commission, commission_tax, discount)
        },
    );
    (amount(), proptest::collection::vec(share, 0..5))
        .prop_map(|(shipping, vendors)| shares(shipping, vendors))
}

/// Mugs of two vendors, of which the store keeps a tenth and 16 % of that.
fn sold() -> Placement {
    let mut placement = placement([item(1, ANNA, 3, 333), item(2, BILL, 1, 2_001)]);
    let rule = CommissionRule::of_bps(1_000.try_into().unwrap());
    for line in &mut placement.lines {
        line.keep_commission(rule, 1_600.try_into().unwrap(), Currency::Kes)
            .unwrap();
    }
    placement
}

fn paid(shares: Shares) -> AnyEvent {
    of_order(OrderEvent::Paid {
        payment_id: id(40),
        amount: 0,
        shares: Some(shares),
    })
}

fn taken_back(shares: Shares) -> AnyEvent {
    of_order(OrderEvent::Refunded {
        payment_id: id(40),
        refund_id: id(60),
        amount: 0,
        kept: 0,
        shares: Some(shares),
    })
}

fn captured(amount: i64) -> AnyEvent {
    of_payment(money(amount))
}

fn money(amount: i64) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: kes(amount),
        reference: "SJK1ABCDEF".parse().unwrap(),
        collected_by: None,
        fee: None,
        is_provisional: false,
        is_hearsay: false,
        purpose: Some(purpose()),
    }
}

fn disputed(amount: i64, money: Option<DisputedMoney>) -> AnyEvent {
    of_payment(PaymentEvent::Disputed(Dispute {
        reference: "dp_1".parse().unwrap(),
        amount: kes(amount),
        stage: DisputeStage::Open,
        money,
        words: None,
        answer_by: None,
        purpose: Some(purpose()),
    }))
}

fn refunded(amount: i64) -> AnyEvent {
    of_payment(PaymentEvent::Refunded(Refund {
        refund_id: id(60),
        amount: kes(amount),
        reason: "damaged".parse().unwrap(),
        method: RefundMethod::MobileMoney,
        reference: "SJK2ABCDEF".parse().unwrap(),
        refunded_by: Some(id(30)),
        purpose: Some(purpose()),
    }))
}

fn purpose() -> Purpose {
    Purpose {
        order_id: id(50),
        store_id: STORE,
        provider: PaymentProvider::Mpesa,
    }
}

fn of_order(event: OrderEvent) -> AnyEvent {
    AnyEvent::Order(id(50), event)
}

fn of_payment(event: PaymentEvent) -> AnyEvent {
    AnyEvent::Payment(id(40), event)
}

fn shares(shipping: i64, vendors: Vec<VendorShare>) -> Shares {
    Shares {
        store_id: STORE,
        currency: Currency::Kes,
        shipping,
        vendors,
    }
}

fn share(
    vendor_id: VendorId,
    gross: i64,
    tax: i64,
    commission: i64,
    commission_tax: i64,
    discount: i64,
) -> VendorShare {
    VendorShare {
        vendor_id,
        gross,
        tax,
        commission,
        commission_tax,
        discount,
        subsidy: 0,
    }
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn booked(event: AnyEvent) -> Vec<(String, i64)> {
    let entries = entries_of([event]).into_iter();
    entries.map(|entry| (entry.account, entry.amount)).collect()
}

fn entries_of(events: impl IntoIterator<Item = AnyEvent>) -> Vec<LedgerEntry> {
    folded::<LedgerEntries>(&recorded(events))
        .into_values()
        .collect()
}

fn balances_of(
    events: impl IntoIterator<Item = AnyEvent>,
) -> BTreeMap<(StoreId, Currency, String), LedgerBalance> {
    folded::<LedgerBalances>(&recorded(events))
}
