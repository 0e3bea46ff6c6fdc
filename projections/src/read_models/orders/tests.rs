//! The fold, without a database.

use super::*;
use crate::query::{Owner, Within};
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{
    ANNA, BILL, STORE, TENANT, WANJIRU, address, cancelled, delivered, guest, id, item, of_order,
    packed, placed, placement, shipped, time,
};
use cqrs_es::Aggregate;
use proptest::prelude::*;
use soko_domain::Decide;
use soko_domain::order::{CancelledBy, OrderCommand};

#[test]
fn a_placed_order_shows_what_was_agreed() {
    let agreed = mugs();
    let order = after(&agreed, []);
    assert_eq!(order.order_id, id(50));
    assert_eq!((order.tenant_id, order.store_id), (TENANT, STORE));
    assert_eq!(order.account_id, Some(id(WANJIRU)));
    assert_eq!(order.token_hash, None);
    assert_eq!(order.vendor_ids, [ANNA, BILL]);
    assert_eq!(order.number, "0000-0001");
    assert_eq!(order.status, OrderStatus::Confirmed);
    assert_eq!((order.currency, order.total), (Currency::Kes, 3_500));
    assert_eq!(order.payment_id, id(40));
    assert_eq!(order.payment_status, PaymentStatus::Pending);
    assert_eq!((order.position, order.version), (101, 1));
    assert_eq!(order.placed_at, time("2026-03-01T10:01:00Z"));
    let terms = seen(&Audience::Within(Within::Platform), order).terms;
    assert_eq!(terms.email, None);
    assert_eq!(terms.lines, agreed.lines);
    assert_eq!((terms.totals, terms.tax), (agreed.totals, agreed.tax));
    assert_eq!(terms.shipping_address.value(), Some(&address()));
}

#[test]
fn a_guest_is_known_by_the_hash_of_the_token() {
    let agreed = Placement {
        customer: guest("abc"),
        ..mugs()
    };
    let order = after(&agreed, []);
    assert_eq!(order.account_id, None);
    assert_eq!(order.token_hash.as_deref(), Some("abc"));
    let terms = seen(&Audience::Within(Within::Platform), order).terms;
    assert_eq!(
        terms.email.unwrap().value().unwrap().as_str(),
        "guest@example.com"
    );
}

#[test]
fn an_order_waits_for_whoever_must_act() {
    let (anna, bill) = (ANNA, BILL);
    let waits = |events: Vec<OrderEvent>| after(&mugs(), events).waiting_for;
    let both_ship = format!("vendor:{anna} to ship, vendor:{bill} to ship");
    assert_eq!(waits(vec![]), Some(both_ship.clone()));
    assert_eq!(waits(vec![packed(ANNA)]), Some(both_ship));
    assert_eq!(
        waits(vec![shipped(ANNA)]),
        Some(format!("vendor:{anna} to deliver, vendor:{bill} to ship"))
    );
    assert_eq!(
        waits(vec![shipped(ANNA), delivered(ANNA), shipped(BILL)]),
        Some(format!("vendor:{bill} to deliver"))
    );
    assert_eq!(
        waits(all_delivered().into()),
        Some("customer to pay in cash".to_owned())
    );
    assert_eq!(waits(vec![cancelled(&mugs())]), None);
    let online = Placement {
        provider: PaymentProvider::Mpesa,
        ..mugs()
    };
    let order = after(&online, []);
    assert_eq!(order.status, OrderStatus::PendingPayment);
    assert_eq!(order.payment_status, PaymentStatus::Initiated);
    assert_eq!(order.waiting_for.as_deref(), Some("customer to pay"));
}

#[test]
fn money_that_is_there_shows() {
    let order = after(
        &mugs(),
        [OrderEvent::Paid {
            payment_id: id(41),
            amount: 3_500,
            shares: None,
        }],
    );
    assert_eq!(order.status, OrderStatus::Paid);
    assert_eq!(order.payment_id, id(41));
    assert_eq!(order.payment_status, PaymentStatus::Captured);
}

#[test]
fn a_cancelled_order_is_not_paid_any_more() {
    let order = after(&mugs(), [cancelled(&mugs())]);
    assert_eq!(order.status, OrderStatus::Cancelled);
    assert!(order.is_final);
    assert_eq!(order.payment_status, PaymentStatus::Cancelled);
}

#[test]
fn a_parcel_can_be_followed() {
    let order = after(&mugs(), [shipped(BILL)]);
    assert_eq!(order.status, OrderStatus::PartlyShipped);
    let [anna, bill] = &order.fulfilments.0[..] else {
        panic!("two vendors, two parts")
    };
    assert_eq!(
        (anna.vendor_id, anna.status),
        (ANNA, FulfilmentStatus::Pending)
    );
    assert_eq!(
        (bill.vendor_id, bill.status),
        (BILL, FulfilmentStatus::Shipped)
    );
    assert_eq!(bill.carrier.as_ref().unwrap().as_str(), "G4S");
    assert_eq!(bill.tracking_number.as_ref().unwrap().as_str(), "T-1");
    assert_eq!((order.position, order.version), (101, 2));
    assert_eq!(order.placed_at, time("2026-03-01T10:01:00Z"));
    assert_eq!(order.changed_at, time("2026-03-01T10:02:00Z"));
}

#[test]
fn an_order_whose_beginning_was_left_out_is_not_there() {
    let events = recorded([of_order(id(50), packed(ANNA))]);
    assert_eq!(Orders::fold(None, &id(50), &events[0]), None);
}

#[test]
fn each_vendor_of_an_order_has_it_in_its_list_once() {
    let agreed = placement([
        item(1, ANNA, 1, 100),
        item(2, BILL, 1, 100),
        item(3, ANNA, 1, 100),
    ]);
    let events = [placed(&agreed), shipped(ANNA)].map(|event| of_order(id(50), event));
    let rows = folded::<VendorOrders>(&recorded(events));
    let listed: Vec<_> = rows
        .values()
        .map(|row| (row.vendor_id, row.order_id))
        .collect();
    assert_eq!(listed, [(ANNA, id(50)), (BILL, id(50))]);
    assert!(rows.keys().all(|(_, position)| *position == 101));
}

#[test]
fn a_vendor_sees_its_own_part_only() {
    let agreed = Placement {
        customer: guest("abc"),
        ..mugs()
    };
    let order = after(&agreed, [shipped(BILL)]);
    let found = seen(&Audience::Within(Within::Vendor(TENANT, ANNA)), order);
    let skus: Vec<_> = found
        .terms
        .lines
        .iter()
        .map(|line| line.sku.as_str())
        .collect();
    assert_eq!(skus, ["MUG-1", "MUG-3"]);
    assert_eq!(found.terms.email, None);
    let totals = found.terms.totals;
    assert_eq!(
        (totals.subtotal, totals.tax, totals.total),
        (1_500, 207, 1_500)
    );
    assert_eq!(found.order.total, 1_500);
    assert_eq!(found.order.vendor_ids, [ANNA]);
    assert_eq!(found.order.fulfilments.0.len(), 1);
    assert_eq!(
        found.order.waiting_for,
        Some(format!("vendor:{ANNA} to ship"))
    );
    assert!(!found.order.terms.as_str().contains("MUG-2"));
    assert!(found.terms.shipping_address.value().is_some());
}

#[test]
fn an_order_is_seen_by_its_own_people_only() {
    let by_account = after(&mugs(), []);
    let agreed = Placement {
        customer: guest("abc"),
        ..mugs()
    };
    let by_guest = after(&agreed, []);
    let within = Audience::Within;
    for audience in [
        within(Within::Platform),
        within(Within::Tenant(TENANT)),
        within(Within::Store(TENANT, STORE)),
        within(Within::Vendor(TENANT, BILL)),
    ] {
        assert!(audience.may_see(&by_account) && audience.may_see(&by_guest));
    }
    for audience in [
        within(Within::Tenant(id(2))),
        within(Within::Store(id(2), STORE)),
        within(Within::Store(TENANT, id(99))),
        within(Within::Vendor(id(2), ANNA)),
        within(Within::Vendor(TENANT, id(99))),
        Audience::Customer(Owner::Account(id(99))),
        Audience::Customer(Owner::TokenHash("abd".to_owned())),
    ] {
        assert!(!audience.may_see(&by_account) && !audience.may_see(&by_guest));
    }
    let account = Audience::Customer(Owner::Account(id(WANJIRU)));
    assert!(account.may_see(&by_account) && !account.may_see(&by_guest));
    let guest = Audience::Customer(Owner::TokenHash("abc".to_owned()));
    assert!(guest.may_see(&by_guest) && !guest.may_see(&by_account));
}

proptest! {
    #[test]
    fn an_order_is_where_its_aggregate_says(
        steps in proptest::collection::vec(any_step(), 0..12), is_online: bool,
    ) {
        let provider = if is_online { PaymentProvider::Mpesa } else { PaymentProvider::CashOnDelivery };
        let agreed = Placement { provider, ..mugs() };
        let mut aggregate = soko_domain::Order::default();
        let mut events = vec![];
        let place = OrderCommand::Place(Box::new(agreed));
        for command in std::iter::once(place).chain(steps) {
            for event in aggregate.decide(command).unwrap_or_default() {
                aggregate.apply(event.clone());
                events.push(of_order(id(50), event));
            }
        }
        let order = only_row::<Orders>(&recorded(events));
        let progress = aggregate.progress().unwrap();
        prop_assert_eq!(order.status, progress.status());
        prop_assert_eq!(order.is_final, progress.status().is_final());
        prop_assert_eq!(order.is_final, order.waiting_for.is_none());
        prop_assert_ne!(order.waiting_for.as_deref(), Some(""));
        prop_assert_eq!(order.is_paid(), progress.paid_by().is_some());
        let parts: Vec<_> = order.fulfilments.0.iter()
            .map(|part| (part.vendor_id, part.status, &part.carrier, &part.tracking_number))
            .collect();
        let expected: Vec<_> = progress.fulfilments().iter()
            .map(|(vendor_id, part)| (*vendor_id, part.status, &part.carrier, &part.tracking_number))
            .collect();
        prop_assert_eq!(parts, expected);
    }
}

fn any_step() -> impl Strategy<Value = OrderCommand> {
    let vendor = prop_oneof![Just(ANNA), Just(BILL)];
    (0..10_u8, vendor).prop_map(|(step, vendor_id)| match step {
        0 => OrderCommand::RecordPayment {
            payment_id: id(40),
            brought: mugs().total(),
        },
        1 => OrderCommand::Cancel {
            by: CancelledBy::Store,
            reason: None,
            refund_follows: false,
        },
        2 | 3 => OrderCommand::Pack { vendor_id },
        4..=6 => OrderCommand::Ship {
            vendor_id,
            carrier: Some("G4S".parse().unwrap()),
            tracking_number: None,
        },
        _ => OrderCommand::Deliver { vendor_id },
    })
}

/// Three mugs of two vendors for 3 500 in all.
fn mugs() -> Placement {
    placement([
        item(1, ANNA, 1, 1_000),
        item(2, BILL, 1, 2_000),
        item(3, ANNA, 1, 500),
    ])
}

fn all_delivered() -> [OrderEvent; 4] {
    [
        shipped(ANNA),
        shipped(BILL),
        delivered(ANNA),
        delivered(BILL),
    ]
}

fn after(agreed: &Placement, events: impl IntoIterator<Item = OrderEvent>) -> Order {
    let events = std::iter::once(placed(agreed)).chain(events);
    only_row::<Orders>(&recorded(events.map(|event| of_order(id(50), event))))
}

fn seen(audience: &Audience, order: Order) -> FoundOrder {
    FoundOrder::seen_by(audience, order).unwrap().unwrap()
}
