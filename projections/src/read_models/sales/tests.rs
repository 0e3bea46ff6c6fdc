//! The fold, without a database.

use super::*;
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{
    ANNA, BILL, STORE, TENANT, cancelled, delivered, id, item, of_order, packed, paid, placed,
    placement, shipped, time,
};
use proptest::prelude::*;
use soko_domain::order::{OrderItem, Placement};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_placed_order_is_sold() {
    let agreed = placement([item(1, ANNA, 3, 1_000)]);
    let fact = only_row::<Sales>(&events([placed(&agreed)]));
    assert_eq!(
        fact,
        SalesFact {
            store_id: STORE,
            hour: time("2026-03-01T10:00:00Z"),
            vendor_id: ANNA,
            product_id: id(1),
            currency: Currency::Kes,
            tenant_id: TENANT,
            product_orders: 1,
            vendor_orders: 1,
            store_orders: 1,
            units: 3,
            // 16 % in 3000
            net: 2_586,
            tax: 414,
            gross: 3_000,
        }
    );
}

#[test]
fn an_order_counts_once_for_each_product_vendor_and_store() {
    let other_size = OrderItem {
        variant_id: id(9),
        ..item(1, ANNA, 1, 200)
    };
    let agreed = placement([
        item(1, ANNA, 1, 100),
        item(2, BILL, 1, 100),
        other_size,
        item(3, ANNA, 1, 100),
    ]);
    let facts = folded::<Sales>(&events([placed(&agreed)]));
    let counts: Vec<_> = facts
        .values()
        .map(|fact| {
            let counts = (fact.product_orders, fact.vendor_orders, fact.store_orders);
            (fact.vendor_id, fact.product_id, fact.units, counts)
        })
        .collect();
    assert_eq!(
        counts,
        [
            (ANNA, id(1), 2, (1, 1, 1)),
            (ANNA, id(3), 1, (1, 0, 0)),
            (BILL, id(2), 1, (1, 1, 0)),
        ]
    );
}

#[test]
fn a_cancellation_takes_back_what_was_sold() {
    let agreed = placement([item(1, ANNA, 3, 1_000), item(2, BILL, 1, 50)]);
    for fact in folded::<Sales>(&events([placed(&agreed), cancelled(&agreed)])).values() {
        assert_eq!(
            (fact.product_orders, fact.vendor_orders, fact.store_orders),
            (0, 0, 0)
        );
        assert_eq!((fact.units, fact.net, fact.tax, fact.gross), (0, 0, 0, 0));
    }
}

#[test]
fn what_was_reported_of_a_past_hour_stays() {
    let agreed = placement([item(1, ANNA, 3, 1_000)]);
    let mut events = events([placed(&agreed), cancelled(&agreed)]);
    events[1].recorded_at = time("2026-03-02T00:00:00Z");
    let facts: Vec<_> = folded::<Sales>(&events).into_values().collect();
    let [sold, taken_back] = &facts[..] else {
        panic!("two hours, two facts")
    };
    assert_eq!(
        (sold.hour, sold.store_orders, sold.gross),
        (time("2026-03-01T10:00:00Z"), 1, 3_000)
    );
    assert_eq!(
        (taken_back.hour, taken_back.store_orders, taken_back.gross),
        (time("2026-03-02T00:00:00Z"), -1, -3_000)
    );
    assert_eq!(
        (taken_back.units, taken_back.net, taken_back.tax),
        (-3, -2_586, -414)
    );
}

#[test]
fn what_happens_to_an_order_otherwise_sells_nothing() {
    let agreed = placement([item(1, ANNA, 3, 1_000)]);
    for event in [
        paid(&agreed),
        packed(ANNA),
        shipped(ANNA),
        delivered(ANNA),
        OrderEvent::Completed {},
    ] {
        assert_eq!(Sales::keys(&events([event])[0]), []);
    }
}

#[test]
fn an_hour_begins_with_its_first_moment() {
    let hour = time("2026-03-01T10:00:00Z");
    assert_eq!(hour_of(time("2026-03-01T10:00:00Z")), hour);
    assert_eq!(hour_of(time("2026-03-01T10:59:59.999999Z")), hour);
    assert_eq!(
        hour_of(time("1969-12-31T23:30:00.5Z")),
        time("1969-12-31T23:00:00Z")
    );
}

proptest! {
    #[test]
    fn facts_add_up_to_the_orders(orders in proptest::collection::vec(any_order(), 1..20)) {
        let mut happened = vec![];
        for (agreed, is_cancelled) in &orders {
            happened.push(placed(agreed));
            if *is_cancelled {
                happened.push(cancelled(agreed));
            }
        }
        let facts = folded::<Sales>(&events(happened));
        let kept: Vec<_> = orders.iter().filter(|(_, is_cancelled)| !is_cancelled).collect();
        let lines = || kept.iter().flat_map(|(agreed, _)| &agreed.lines);
        let sum = |of: fn(&SalesFact) -> i64| facts.values().map(of).sum::<i64>();
        prop_assert_eq!(sum(|fact| fact.units), lines().map(|l| l.quantity.units()).sum::<i64>());
        prop_assert_eq!(sum(|fact| fact.gross), lines().map(|l| l.total).sum::<i64>());
        prop_assert_eq!(sum(|fact| fact.tax), lines().map(|l| l.tax).sum::<i64>());
        prop_assert!(facts.values().all(|fact| fact.net + fact.tax == fact.gross));

        let count = |keys: &dyn Fn(&Placement) -> BTreeSet<u128>| {
            let mut counts = BTreeMap::<u128, i64>::new();
            for (agreed, _) in &kept {
                for key in keys(agreed) {
                    *counts.entry(key).or_default() += 1;
                }
            }
            counts
        };
        let counted = |key: fn(&SalesFact) -> u128, orders: fn(&SalesFact) -> i64| {
            let mut counts = BTreeMap::<u128, i64>::new();
            for fact in facts.values() {
                *counts.entry(key(fact)).or_default() += orders(fact);
            }
            counts.retain(|_, orders| *orders != 0);
            counts
        };
        prop_assert_eq!(
            counted(|f| f.product_id.as_uuid().as_u128(), |f| f.product_orders),
            count(&|p| p.lines.iter().map(|l| l.product_id.as_uuid().as_u128()).collect())
        );
        prop_assert_eq!(
            counted(|f| f.vendor_id.as_uuid().as_u128(), |f| f.vendor_orders),
            count(&|p| p.lines.iter().map(|l| l.vendor_id.as_uuid().as_u128()).collect())
        );
        prop_assert_eq!(
            counted(|f| f.store_id.as_uuid().as_u128(), |f| f.store_orders),
            count(&|p| BTreeSet::from([p.store_id.as_uuid().as_u128()]))
        );
    }
}

/// Products 1 to 6, the odd ones of one vendor, the even ones of the other.
fn any_order() -> impl Strategy<Value = (Placement, bool)> {
    let line = (1..=6_u128, 1..4_u32, 1..1_000_i64);
    (proptest::collection::vec(line, 1..6), any::<bool>()).prop_map(|(lines, is_cancelled)| {
        let items = lines
            .into_iter()
            .zip(0_u128..)
            .map(|((product, units, amount), index)| {
                let vendor_id = if product % 2 == 0 { BILL } else { ANNA };
                OrderItem {
                    variant_id: id(100 + index),
                    ..item(product, vendor_id, units, amount)
                }
            });
        (placement(items.collect::<Vec<_>>()), is_cancelled)
    })
}

fn events(events: impl IntoIterator<Item = OrderEvent>) -> Vec<RecordedEvent> {
    recorded(events.into_iter().map(|event| of_order(id(50), event)))
}
