//! Given, when, then.

mod paying;
mod refunds;

use super::*;
use crate::Money;
use crate::payment::PaymentProvider;
use crate::{Address, Currency, Personal, Quantity, SubjectId, Tax};
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn an_order_to_be_paid_in_cash_is_confirmed_at_once() {
    given([])
        .when(place(placement()))
        .then_expect_events(vec![placed()]);
    let order = order([placed()]);
    let progress = order.progress().unwrap();
    assert_eq!(progress.status(), OrderStatus::Confirmed);
    assert_eq!(progress.placement(), &placement());
    assert_eq!(progress.paid_by(), None);
    assert_eq!(progress.fulfilments().len(), 2);
    assert_eq!(
        progress.fulfilment(ANNA).unwrap().status,
        FulfilmentStatus::Pending
    );
    let lines: Vec<_> = progress.lines_of(ANNA).map(|l| l.sku.as_str()).collect();
    assert_eq!(lines, ["MUG-1", "MUG-3"]);
}

#[test]
fn an_order_to_be_paid_otherwise_waits_for_its_money() {
    let online = || OrderEvent::Placed(Box::new(online_placement()));
    assert_eq!(status([online()]), OrderStatus::PendingPayment);
    for command in [pack(ANNA), ship(ANNA), deliver(ANNA)] {
        given([online()])
            .when(command)
            .then_expect_error(OrderError::AwaitsPayment);
    }
    given([online(), paid()])
        .when(ship(ANNA))
        .then_expect_events(vec![shipped(ANNA)]);
}

#[test]
fn a_repeated_placement_changes_nothing() {
    given([placed()])
        .when(place(placement()))
        .then_expect_events(vec![]);
}

#[test]
fn an_order_is_placed_once() {
    given([placed()])
        .when(place(Placement {
            number: "0000-0002".to_owned(),
            ..placement()
        }))
        .then_expect_error(OrderError::AlreadyPlaced);
}

#[test]
fn nothing_happens_to_an_order_that_was_never_placed() {
    for command in [
        record_payment(3_500),
        pack(ANNA),
        ship(ANNA),
        deliver(ANNA),
        cancel(),
    ] {
        given([])
            .when(command)
            .then_expect_error(OrderError::NotPlaced);
    }
}

#[test]
fn an_order_has_from_one_to_a_hundred_lines() {
    let of = |n: u128| place(priced((0..n).map(|n| item(n, ANNA, 1, 100)).collect()));
    given([]).when(of(0)).then_expect_error(OrderError::NoLines);
    given([])
        .when(of(101))
        .then_expect_error(OrderError::TooManyLines);
    assert!(Order::default().decide(of(100)).is_ok());
}

#[test]
fn a_variant_is_on_one_line_only() {
    given([])
        .when(place(priced(vec![
            item(1, ANNA, 1, 100),
            item(1, ANNA, 2, 100),
        ])))
        .then_expect_error(OrderError::LineRepeated {
            variant_id: Uuid::from_u128(1).into(),
        });
}

#[test]
fn sums_that_do_not_add_up_are_refused() {
    let wrong: [fn(&mut Placement); 13] = [
        |p| p.totals.subtotal += 1,
        |p| p.totals.discount += 1,
        |p| p.totals.shipping += 1,
        |p| p.totals.tax += 1,
        |p| p.totals.total -= 1,
        |p| p.lines[0].unit_price -= 1,
        |p| p.lines[0].total -= 1,
        |p| p.lines[0].tax = 0,
        // What adds up in the end may still be wrong on the lines.
        |p| {
            p.lines[0].total -= 1;
            p.lines[1].total += 1;
        },
        // A negative discount or shipping would add up, too.
        |p| {
            p.lines[0].discount = -1_160;
            p.totals.discount = -1_160;
        },
        |p| {
            p.totals.shipping = -1;
            p.totals.total -= 1;
        },
        |p| p.lines[0].unit_price = i64::MAX,
        |p| p.totals.shipping = i64::MAX,
    ];
    for (index, make_wrong) in wrong.into_iter().enumerate() {
        let mut placement = placement();
        make_wrong(&mut placement);
        assert_eq!(
            Order::default().decide(place(placement)),
            Err(OrderError::SumsDiffer),
            "the fault at index {index}"
        );
    }
}

#[test]
fn a_discount_and_shipping_that_add_up_are_accepted() {
    let mut placement = priced(vec![item(1, ANNA, 1, 1_000)]);
    placement.lines[0].discount = 100;
    // 16 % within 900 is 124.13…
    (placement.lines[0].tax, placement.lines[0].total) = (124, 900);
    placement.totals = Totals {
        subtotal: 1_000,
        discount: 100,
        shipping: 250,
        tax: 124,
        total: 1_150,
    };
    given([])
        .when(place(placement.clone()))
        .then_expect_events(vec![OrderEvent::Placed(Box::new(placement))]);
}

#[test]
fn no_order_is_worth_more_than_can_be_summed_up() {
    let worth = |amount| place(priced(vec![item(1, ANNA, 1, amount)]));
    assert!(Order::default().decide(worth(Placement::TOTAL_MAX)).is_ok());
    given([])
        .when(worth(Placement::TOTAL_MAX + 1))
        .then_expect_error(OrderError::TotalTooLarge);
}

#[test]
fn money_is_recorded_once() {
    given([placed()])
        .when(record_payment(3_500))
        .then_expect_events(vec![paid()]);
    given([placed(), paid()])
        .when(record_payment(3_500))
        .then_expect_events(vec![]);
    assert_eq!(status([placed(), paid()]), OrderStatus::Paid);
    let order = order([placed(), paid()]);
    assert_eq!(
        order.progress().unwrap().paid_by(),
        Some(placement().payment_id)
    );
}

#[test]
fn a_paid_order_takes_no_other_payment() {
    given([placed(), paid()])
        .when(OrderCommand::RecordPayment {
            payment_id: Uuid::from_u128(99).into(),
            brought: kes(3_500),
        })
        .then_expect_error(OrderError::AlreadyPaid);
}

#[test]
fn an_order_takes_no_more_than_is_due() {
    for found in [kes(3_501), Money::new(3_500, Currency::Usd)] {
        given([placed()])
            .when(OrderCommand::RecordPayment {
                payment_id: placement().payment_id,
                brought: found,
            })
            .then_expect_error(OrderError::AmountDiffers {
                expected: kes(3_500),
                found,
            });
    }
}

#[test]
fn each_vendor_packs_once() {
    given([placed()])
        .when(pack(ANNA))
        .then_expect_events(vec![packed(ANNA)]);
    given([placed(), packed(ANNA)])
        .when(pack(ANNA))
        .then_expect_events(vec![]);
    given([placed(), packed(ANNA)])
        .when(pack(BILL))
        .then_expect_events(vec![packed(BILL)]);
    assert_eq!(status([placed(), packed(ANNA)]), OrderStatus::Confirmed);
}

#[test]
fn what_is_shipped_cannot_be_packed() {
    for events in [
        vec![placed(), shipped(ANNA)],
        vec![placed(), shipped(ANNA), delivered(ANNA)],
    ] {
        TestFramework::<Order>::with(())
            .given(events)
            .when(pack(ANNA))
            .then_expect_error(OrderError::AlreadyShipped);
    }
}

#[test]
fn packing_may_be_left_out() {
    given([placed()])
        .when(ship(ANNA))
        .then_expect_events(vec![shipped(ANNA)]);
    given([placed(), packed(ANNA)])
        .when(ship(ANNA))
        .then_expect_events(vec![shipped(ANNA)]);
}

#[test]
fn a_repeated_shipment_changes_nothing_but_another_one_is_refused() {
    let elsewhere = OrderCommand::Ship {
        vendor_id: ANNA,
        carrier: None,
        tracking_number: None,
    };
    for events in [
        vec![placed(), shipped(ANNA)],
        vec![placed(), shipped(ANNA), delivered(ANNA)],
    ] {
        let given = || TestFramework::<Order>::with(()).given(events.clone());
        given().when(ship(ANNA)).then_expect_events(vec![]);
        given()
            .when(elsewhere.clone())
            .then_expect_error(OrderError::AlreadyShipped);
    }
}

#[test]
fn an_order_is_shipped_when_every_vendor_has_shipped() {
    let mut events = vec![placed(), paid(), shipped(ANNA)];
    assert_eq!(status_of(&events), OrderStatus::PartlyShipped);
    events.push(delivered(ANNA));
    assert_eq!(status_of(&events), OrderStatus::PartlyShipped);
    events.push(shipped(BILL));
    assert_eq!(status_of(&events), OrderStatus::Shipped);
    let order = order([placed(), shipped(ANNA)]);
    assert_eq!(
        order.progress().unwrap().fulfilment(ANNA),
        Ok(&Fulfilment {
            status: FulfilmentStatus::Shipped,
            carrier: Some("G4S".parse().unwrap()),
            tracking_number: Some("T-1".parse().unwrap()),
        })
    );
}

#[test]
fn only_what_is_shipped_can_be_delivered() {
    for events in [vec![placed()], vec![placed(), packed(ANNA)]] {
        TestFramework::<Order>::with(())
            .given(events)
            .when(deliver(ANNA))
            .then_expect_error(OrderError::NotShipped);
    }
}

#[test]
fn an_order_that_is_delivered_but_not_paid_waits_for_its_money() {
    let events = || [placed(), shipped(ANNA), shipped(BILL), delivered(ANNA)];
    given(events())
        .when(deliver(BILL))
        .then_expect_events(vec![delivered(BILL)]);
    given([placed(), shipped(ANNA), delivered(ANNA)])
        .when(deliver(ANNA))
        .then_expect_events(vec![]);
    let mut all = events().to_vec();
    all.push(delivered(BILL));
    assert_eq!(status_of(&all), OrderStatus::Delivered);
}

#[test]
fn the_last_delivery_of_a_paid_order_completes_it() {
    given([
        placed(),
        shipped(ANNA),
        shipped(BILL),
        delivered(ANNA),
        paid(),
    ])
    .when(deliver(BILL))
    .then_expect_events(vec![delivered(BILL), OrderEvent::Completed {}]);
    given([placed(), paid(), shipped(ANNA), shipped(BILL)])
        .when(deliver(BILL))
        .then_expect_events(vec![delivered(BILL)]);
}

#[test]
fn the_money_for_a_delivered_order_completes_it() {
    given(all_delivered())
        .when(record_payment(3_500))
        .then_expect_events(vec![paid(), OrderEvent::Completed {}]);
}

#[test]
fn what_is_repeated_after_completion_changes_nothing() {
    let completed = || {
        let events = all_delivered().into_iter();
        TestFramework::<Order>::with(())
            .given(events.chain([paid(), OrderEvent::Completed {}]).collect())
    };
    for command in [record_payment(3_500), ship(ANNA), deliver(BILL)] {
        completed().when(command).then_expect_events(vec![]);
    }
    for command in [cancel(), pack(ANNA)] {
        completed()
            .when(command)
            .then_expect_error(OrderError::AlreadyShipped);
    }
}

#[test]
fn only_vendors_of_the_order_have_a_part_in_it() {
    let stranger: VendorId = Uuid::from_u128(99).into();
    for command in [pack(stranger), ship(stranger), deliver(stranger)] {
        given([placed()])
            .when(command)
            .then_expect_error(OrderError::NoSuchVendor {
                vendor_id: stranger,
            });
    }
}

#[test]
fn an_order_is_cancelled_once() {
    given([placed()])
        .when(cancel())
        .then_expect_events(vec![cancelled()]);
    given([placed(), packed(ANNA)])
        .when(cancel())
        .then_expect_events(vec![cancelled()]);
    given([placed(), cancelled()])
        .when(cancel())
        .then_expect_events(vec![]);
    assert_eq!(status([placed(), cancelled()]), OrderStatus::Cancelled);
}

#[test]
fn what_is_on_its_way_cannot_be_cancelled() {
    given([placed(), shipped(BILL)])
        .when(cancel())
        .then_expect_error(OrderError::AlreadyShipped);
}

#[test]
fn what_is_paid_cannot_be_cancelled() {
    given([placed(), paid()])
        .when(cancel())
        .then_expect_error(OrderError::AlreadyPaid);
}

#[test]
fn a_cancelled_order_stays_so() {
    for command in [record_payment(3_500), pack(ANNA), ship(ANNA), deliver(ANNA)] {
        given([placed(), cancelled()])
            .when(command)
            .then_expect_error(OrderError::Cancelled);
    }
}

#[test]
fn only_what_is_completed_cancelled_or_expired_is_final() {
    use OrderStatus::{
        Cancelled, Completed, Confirmed, Delivered, Expired, Paid, PartlyShipped, PendingPayment,
        Shipped,
    };
    assert!([Completed, Cancelled, Expired].iter().all(|s| s.is_final()));
    let waiting = [
        PendingPayment,
        Confirmed,
        Paid,
        PartlyShipped,
        Shipped,
        Delivered,
    ];
    assert!(!waiting.iter().any(|s| s.is_final()));
}

pub(super) const ANNA: VendorId = VendorId::from_uuid(Uuid::from_u128(11));
pub(super) const BILL: VendorId = VendorId::from_uuid(Uuid::from_u128(12));

fn given<const N: usize>(events: [OrderEvent; N]) -> AggregateTestExecutor<Order> {
    TestFramework::with(()).given(events.into())
}

fn order<const N: usize>(events: [OrderEvent; N]) -> Order {
    let mut order = Order::default();
    for event in events {
        order.apply(event);
    }
    order
}

fn status<const N: usize>(events: [OrderEvent; N]) -> OrderStatus {
    order(events).progress().unwrap().status()
}

fn status_of(events: &[OrderEvent]) -> OrderStatus {
    let mut order = Order::default();
    for event in events {
        order.apply(event.clone());
    }
    order.progress().unwrap().status()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn item(n: u128, vendor_id: VendorId, units: u32, amount: i64) -> OrderItem {
    OrderItem {
        variant_id: Uuid::from_u128(n).into(),
        product_id: Uuid::from_u128(20).into(),
        vendor_id,
        sku: format!("MUG-{n}").parse().unwrap(),
        name: "Mug".parse().unwrap(),
        quantity: units.try_into().unwrap(),
        unit_price: kes(amount),
    }
}

/// Three mugs of two vendors for 3 500 in all, 16 % of tax included.
pub(super) fn placement() -> Placement {
    priced(vec![
        item(1, ANNA, 1, 1_000),
        item(2, BILL, 1, 2_000),
        item(3, ANNA, 1, 500),
    ])
}

fn priced(items: Vec<OrderItem>) -> Placement {
    let tax = Tax {
        prices_include_tax: true,
        rate: 1_600.try_into().unwrap(),
    };
    let (lines, totals) = price(items, tax, Currency::Kes).unwrap();
    Placement {
        number: "0000-0001".to_owned(),
        store_id: Uuid::from_u128(10).into(),
        customer: Customer::Account(Uuid::from_u128(30).into()),
        currency: Currency::Kes,
        lines,
        totals,
        tax,
        shipping_address: Personal::new(
            SubjectId::from_uuid(Uuid::from_u128(30)),
            Address {
                name: "Wanjiru".parse().unwrap(),
                phone: "+254712345678".parse().unwrap(),
                line1: "Moi Avenue 1".parse().unwrap(),
                line2: None,
                city: "Nairobi".parse().unwrap(),
                province: None,
                postal_code: None,
                country: "KE".parse().unwrap(),
            },
        ),
        payment_id: Uuid::from_u128(40).into(),
        provider: PaymentProvider::CashOnDelivery,
        coupon: None,
    }
}

pub(super) fn online_placement() -> Placement {
    Placement {
        provider: PaymentProvider::Mpesa,
        ..placement()
    }
}

fn placed() -> OrderEvent {
    OrderEvent::Placed(Box::new(placement()))
}

fn paid() -> OrderEvent {
    OrderEvent::Paid {
        payment_id: placement().payment_id,
        amount: 3_500,
        shares: Shares::of_sale(&placement()).ok(),
    }
}

fn packed(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Packed { vendor_id }
}

fn shipped(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Shipped {
        vendor_id,
        carrier: Some("G4S".parse().unwrap()),
        tracking_number: Some("T-1".parse().unwrap()),
    }
}

fn delivered(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Delivered { vendor_id }
}

fn all_delivered() -> [OrderEvent; 5] {
    [
        placed(),
        shipped(ANNA),
        shipped(BILL),
        delivered(ANNA),
        delivered(BILL),
    ]
}

fn cancelled() -> OrderEvent {
    OrderEvent::Cancelled {
        by: CancelledBy::Customer,
        reason: None,
        store_id: placement().store_id,
        currency: Currency::Kes,
        lines: vec![
            cancelled_line(ANNA, 138, 1_000),
            cancelled_line(BILL, 276, 2_000),
            cancelled_line(ANNA, 69, 500),
        ],
    }
}

fn cancelled_line(vendor_id: VendorId, tax: i64, total: i64) -> CancelledLine {
    CancelledLine {
        product_id: Uuid::from_u128(20).into(),
        vendor_id,
        quantity: Quantity::ONE,
        tax,
        total,
    }
}

fn place(placement: Placement) -> OrderCommand {
    OrderCommand::Place(Box::new(placement))
}

fn record_payment(amount: i64) -> OrderCommand {
    OrderCommand::RecordPayment {
        payment_id: placement().payment_id,
        brought: kes(amount),
    }
}

fn pack(vendor_id: VendorId) -> OrderCommand {
    OrderCommand::Pack { vendor_id }
}

fn ship(vendor_id: VendorId) -> OrderCommand {
    OrderCommand::Ship {
        vendor_id,
        carrier: Some("G4S".parse().unwrap()),
        tracking_number: Some("T-1".parse().unwrap()),
    }
}

fn deliver(vendor_id: VendorId) -> OrderCommand {
    OrderCommand::Deliver { vendor_id }
}

fn cancel() -> OrderCommand {
    OrderCommand::Cancel {
        by: CancelledBy::Customer,
        reason: None,
        refund_follows: false,
    }
}
