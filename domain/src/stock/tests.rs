//! Given, when, then.

use super::*;
use crate::{LocationId, OrderId, Quantity};
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn stock_is_tracked_once() {
    given([]).when(track()).then_expect_events(vec![tracked()]);
    given([tracked()])
        .when(track())
        .then_expect_error(StockError::AlreadyTracked);
    let stock = stock([tracked()]);
    let levels = stock.levels().unwrap();
    assert_eq!(levels.store_id(), Uuid::from_u128(10).into());
    assert_eq!(levels.vendor_id(), Uuid::from_u128(11).into());
    assert_eq!(levels.product_id(), Uuid::from_u128(12).into());
    assert_eq!(levels.sku().as_str(), "MUG-01");
    assert_eq!(levels.available(), 0);
}

#[test]
fn nothing_moves_that_is_not_tracked() {
    for command in [
        receive(HERE, 1),
        adjust(HERE, 1),
        count(HERE, 1),
        reserve(order(1), 1),
        release(order(1)),
        commit(order(1)),
        take_back(order(1), HERE, 1),
        set_threshold(1),
    ] {
        given([])
            .when(command)
            .then_expect_error(StockError::NotTracked);
    }
}

#[test]
fn what_is_received_can_be_reserved() {
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(reserve(order(1), 5))
        .then_expect_events(vec![reserved(order(1), HERE, 5), ran_low(0, 0)]);
}

#[test]
fn every_delivery_counts() {
    given([tracked()])
        .when(receive(HERE, 5))
        .then_expect_events(vec![received(HERE, 5), replenished(5, 0)]);
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(receive(HERE, 5))
        .then_expect_events(vec![received(HERE, 5)]);
    let twice = stock([tracked(), received(HERE, 5), received(HERE, 5)]);
    assert_eq!(twice.levels().unwrap().available(), 10);
}

#[test]
fn a_place_holds_only_so_much() {
    let full = || given([tracked(), adjusted(HERE, i64::from(u32::MAX))]);
    full()
        .when(receive(HERE, 1))
        .then_expect_error(StockError::TooMany);
    full()
        .when(adjust(HERE, 1))
        .then_expect_error(StockError::TooMany);
    full()
        .when(adjust(HERE, i64::MAX))
        .then_expect_error(StockError::TooMany);
    full()
        .when(take_back(order(1), HERE, 1))
        .then_expect_error(StockError::TooMany);
}

#[test]
fn a_difference_is_adjusted_up_and_down() {
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(adjust(HERE, 2))
        .then_expect_events(vec![adjusted(HERE, 2)]);
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(adjust(HERE, -5))
        .then_expect_events(vec![adjusted(HERE, -5), ran_low(0, 0)]);
    let less = stock([tracked(), received(HERE, 5), adjusted(HERE, -2)]);
    assert_eq!(less.levels().unwrap().available(), 3);
}

#[test]
fn no_difference_is_no_event() {
    given([tracked(), received(HERE, 5)])
        .when(adjust(HERE, 0))
        .then_expect_events(vec![]);
}

#[test]
fn what_is_reserved_cannot_be_adjusted_or_counted_away() {
    let three_held = || {
        given([
            tracked(),
            received(HERE, 5),
            replenished(5, 0),
            reserved(order(1), HERE, 3),
        ])
    };
    let below = |on_hand| StockError::BelowReserved {
        reserved: 3,
        on_hand,
    };
    three_held()
        .when(adjust(HERE, -3))
        .then_expect_error(below(2));
    three_held()
        .when(adjust(HERE, -6))
        .then_expect_error(below(-1));
    three_held()
        .when(count(HERE, 2))
        .then_expect_error(below(2));
    three_held()
        .when(adjust(HERE, -2))
        .then_expect_events(vec![adjusted(HERE, -2), ran_low(0, 0)]);
    three_held()
        .when(count(HERE, 3))
        .then_expect_events(vec![counted(HERE, 3, -2), ran_low(0, 0)]);
}

#[test]
fn a_difference_beyond_all_bounds_is_refused() {
    given([tracked()])
        .when(adjust(HERE, i64::MIN))
        .then_expect_error(StockError::BelowReserved {
            reserved: 0,
            on_hand: i64::MIN,
        });
}

#[test]
fn what_is_reserved_in_one_place_does_not_hold_another() {
    given([
        tracked(),
        received(HERE, 5),
        received(THERE, 5),
        replenished(10, 0),
        reserved(order(1), HERE, 5),
    ])
    .when(adjust(THERE, -4))
    .then_expect_events(vec![adjusted(THERE, -4)]);
}

#[test]
fn a_count_includes_what_is_reserved() {
    given([
        tracked(),
        received(HERE, 5),
        replenished(5, 0),
        reserved(order(1), HERE, 3),
    ])
    .when(count(HERE, 7))
    .then_expect_events(vec![counted(HERE, 7, 2)]);
    let counted = stock([
        tracked(),
        received(HERE, 5),
        reserved(order(1), HERE, 3),
        counted(HERE, 7, 2),
    ]);
    assert_eq!(counted.levels().unwrap().available(), 4);
}

#[test]
fn a_count_that_agrees_with_the_books_is_a_fact_all_the_same() {
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(count(HERE, 5))
        .then_expect_events(vec![counted(HERE, 5, 0)]);
}

#[test]
fn refuses_more_than_other_orders_leave() {
    given([
        tracked(),
        received(HERE, 5),
        replenished(5, 0),
        reserved(order(2), HERE, 3),
    ])
    .when(reserve(order(1), 3))
    .then_expect_error(StockError::OutOfStock {
        requested: units(3),
        available: 2,
    });
}

#[test]
fn a_refusal_names_what_all_places_have_together() {
    given([tracked(), received(HERE, 2), received(THERE, 3)])
        .when(reserve(order(1), 6))
        .then_expect_error(StockError::OutOfStock {
            requested: units(6),
            available: 5,
        });
    given([tracked()])
        .when(reserve(order(1), 1))
        .then_expect_error(StockError::OutOfStock {
            requested: units(1),
            available: 0,
        });
}

#[test]
fn a_repeated_reservation_changes_nothing() {
    given([tracked(), received(HERE, 5), reserved(order(1), HERE, 3)])
        .when(reserve(order(1), 3))
        .then_expect_events(vec![]);
}

#[test]
fn a_repeated_reservation_over_two_places_changes_nothing() {
    given([
        tracked(),
        received(HERE, 2),
        received(THERE, 2),
        reserved(order(1), HERE, 2),
        reserved(order(1), THERE, 1),
    ])
    .when(reserve(order(1), 3))
    .then_expect_events(vec![]);
}

#[test]
fn an_order_reserves_one_quantity() {
    for other in [2, 4] {
        given([tracked(), received(HERE, 5), reserved(order(1), HERE, 3)])
            .when(reserve(order(1), other))
            .then_expect_error(StockError::AlreadyReserved { order_id: order(1) });
    }
}

#[test]
fn a_place_that_has_it_all_is_preferred() {
    given([
        tracked(),
        received(HERE, 2),
        received(THERE, 4),
        replenished(6, 0),
    ])
    .when(reserve(order(1), 3))
    .then_expect_events(vec![reserved(order(1), THERE, 3)]);
}

#[test]
fn a_reservation_may_span_places() {
    given([
        tracked(),
        received(HERE, 2),
        received(THERE, 2),
        replenished(4, 0),
    ])
    .when(reserve(order(1), 3))
    .then_expect_events(vec![
        reserved(order(1), HERE, 2),
        reserved(order(1), THERE, 1),
    ]);
}

#[test]
fn what_is_released_can_be_reserved_by_others() {
    given([
        tracked(),
        received(HERE, 2),
        received(THERE, 2),
        reserved(order(1), HERE, 2),
        reserved(order(1), THERE, 2),
    ])
    .when(release(order(1)))
    .then_expect_events(vec![
        released(order(1), HERE, 2),
        released(order(1), THERE, 2),
        replenished(4, 0),
    ]);
    let released = stock([
        tracked(),
        received(HERE, 5),
        reserved(order(1), HERE, 5),
        released(order(1), HERE, 5),
    ]);
    assert_eq!(released.levels().unwrap().available(), 5);
}

#[test]
fn only_what_an_order_holds_is_released_or_committed() {
    let none_of_it = StockError::NotReserved { order_id: order(1) };
    for command in [release(order(1)), commit(order(1))] {
        given([tracked(), received(HERE, 5), reserved(order(2), HERE, 3)])
            .when(command.clone())
            .then_expect_error(none_of_it.clone());
        given([
            tracked(),
            received(HERE, 5),
            reserved(order(1), HERE, 3),
            released(order(1), HERE, 3),
        ])
        .when(command.clone())
        .then_expect_error(none_of_it.clone());
        given([
            tracked(),
            received(HERE, 5),
            reserved(order(1), HERE, 3),
            committed(order(1), HERE, 3),
        ])
        .when(command)
        .then_expect_error(none_of_it.clone());
    }
}

#[test]
fn what_is_committed_has_left_and_what_is_available_stays() {
    let held = [
        tracked(),
        received(HERE, 5),
        received(THERE, 1),
        replenished(6, 0),
        reserved(order(1), HERE, 4),
        reserved(order(1), THERE, 1),
    ];
    given(held.clone())
        .when(commit(order(1)))
        .then_expect_events(vec![
            committed(order(1), HERE, 4),
            committed(order(1), THERE, 1),
        ]);
    let mut stock = stock(held);
    stock.apply(committed(order(1), HERE, 4));
    stock.apply(committed(order(1), THERE, 1));
    let levels = stock.levels().unwrap();
    assert_eq!(levels.available(), 1);
    assert_eq!(levels.places[&HERE].on_hand(), 1);
    assert_eq!(levels.places[&THERE].on_hand(), 0);
    assert!(levels.held.is_empty());
}

#[test]
fn what_came_back_can_be_sold_again() {
    given([
        tracked(),
        received(HERE, 1),
        reserved(order(1), HERE, 1),
        committed(order(1), HERE, 1),
    ])
    .when(take_back(order(1), THERE, 1))
    .then_expect_events(vec![returned(order(1), THERE, 1), replenished(1, 0)]);
    assert_eq!(
        stock([tracked(), returned(order(1), THERE, 1)])
            .levels()
            .unwrap()
            .available(),
        1
    );
}

#[test]
fn stock_runs_low_once_when_it_falls_to_the_threshold() {
    let six = || {
        [
            tracked(),
            received(HERE, 6),
            replenished(6, 0),
            threshold_set(3),
        ]
    };
    given(six())
        .when(reserve(order(1), 2))
        .then_expect_events(vec![reserved(order(1), HERE, 2)]);
    given(six())
        .when(reserve(order(1), 3))
        .then_expect_events(vec![reserved(order(1), HERE, 3), ran_low(3, 3)]);
    given(six())
        .when(count(HERE, 3))
        .then_expect_events(vec![counted(HERE, 3, -3), ran_low(3, 3)]);
    let events = six().into_iter();
    TestFramework::<Stock>::with(())
        .given(
            events
                .chain([reserved(order(1), HERE, 3), ran_low(3, 3)])
                .collect(),
        )
        .when(reserve(order(2), 1))
        .then_expect_events(vec![reserved(order(2), HERE, 1)]);
}

#[test]
fn stock_is_replenished_once_when_it_rises_above_the_threshold() {
    let low = || {
        [
            tracked(),
            received(HERE, 3),
            replenished(3, 0),
            threshold_set(3),
            ran_low(3, 3),
            reserved(order(1), HERE, 2),
        ]
    };
    given(low())
        .when(receive(HERE, 2))
        .then_expect_events(vec![received(HERE, 2)]);
    given(low())
        .when(receive(HERE, 3))
        .then_expect_events(vec![received(HERE, 3), replenished(4, 3)]);
    given(low())
        .when(adjust(HERE, 3))
        .then_expect_events(vec![adjusted(HERE, 3), replenished(4, 3)]);
    given(low())
        .when(release(order(1)))
        .then_expect_events(vec![released(order(1), HERE, 2)]);
    given(low())
        .when(commit(order(1)))
        .then_expect_events(vec![committed(order(1), HERE, 2)]);
}

#[test]
fn a_new_threshold_may_cross_the_stock_either_way() {
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(set_threshold(5))
        .then_expect_events(vec![threshold_set(5), ran_low(5, 5)]);
    given([
        tracked(),
        received(HERE, 5),
        replenished(5, 0),
        threshold_set(5),
        ran_low(5, 5),
    ])
    .when(set_threshold(4))
    .then_expect_events(vec![threshold_set(4), replenished(5, 4)]);
    given([tracked(), received(HERE, 5), replenished(5, 0)])
        .when(set_threshold(4))
        .then_expect_events(vec![threshold_set(4)]);
}

#[test]
fn the_same_threshold_changes_nothing() {
    given([tracked(), received(HERE, 5), threshold_set(5)])
        .when(set_threshold(5))
        .then_expect_events(vec![]);
}

fn stock<const N: usize>(events: [StockEvent; N]) -> Stock {
    let mut stock = Stock::default();
    for event in events {
        stock.apply(event);
    }
    stock
}

fn given<const N: usize>(events: [StockEvent; N]) -> AggregateTestExecutor<Stock> {
    TestFramework::with(()).given(events.into())
}

const HERE: LocationId = LocationId::from_uuid(Uuid::from_u128(1));
const THERE: LocationId = LocationId::from_uuid(Uuid::from_u128(2));

fn order(n: u128) -> OrderId {
    Uuid::from_u128(n).into()
}

fn units(n: u32) -> Quantity {
    n.try_into().unwrap()
}

fn note() -> StockNote {
    StockNote {
        reason: "delivery".parse().unwrap(),
        note: None,
    }
}

fn tracked() -> StockEvent {
    StockEvent::Tracked {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        product_id: Uuid::from_u128(12).into(),
        sku: "MUG-01".parse().unwrap(),
    }
}

fn received(location_id: LocationId, n: u32) -> StockEvent {
    StockEvent::Received {
        location_id,
        quantity: units(n),
        note: note(),
    }
}

fn reserved(order_id: OrderId, location_id: LocationId, n: u32) -> StockEvent {
    StockEvent::Reserved {
        order_id,
        location_id,
        quantity: units(n),
    }
}

fn adjusted(location_id: LocationId, difference: i64) -> StockEvent {
    StockEvent::Adjusted {
        location_id,
        difference,
        note: note(),
    }
}

fn counted(location_id: LocationId, counted: u32, difference: i64) -> StockEvent {
    StockEvent::Counted {
        location_id,
        counted,
        difference,
        note: note(),
    }
}

fn released(order_id: OrderId, location_id: LocationId, n: u32) -> StockEvent {
    StockEvent::Released {
        order_id,
        location_id,
        quantity: units(n),
    }
}

fn committed(order_id: OrderId, location_id: LocationId, n: u32) -> StockEvent {
    StockEvent::Committed {
        order_id,
        location_id,
        quantity: units(n),
    }
}

fn returned(order_id: OrderId, location_id: LocationId, n: u32) -> StockEvent {
    StockEvent::Returned {
        order_id,
        location_id,
        quantity: units(n),
    }
}

fn threshold_set(threshold: u32) -> StockEvent {
    StockEvent::LowStockThresholdSet { threshold }
}

fn replenished(available: u32, threshold: u32) -> StockEvent {
    StockEvent::Replenished {
        available,
        threshold,
    }
}

fn ran_low(available: u32, threshold: u32) -> StockEvent {
    StockEvent::RanLow {
        available,
        threshold,
    }
}

fn track() -> StockCommand {
    StockCommand::Track {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        product_id: Uuid::from_u128(12).into(),
        sku: "MUG-01".parse().unwrap(),
    }
}

fn receive(location_id: LocationId, n: u32) -> StockCommand {
    StockCommand::Receive {
        location_id,
        quantity: units(n),
        note: note(),
    }
}

fn adjust(location_id: LocationId, difference: i64) -> StockCommand {
    StockCommand::Adjust {
        location_id,
        difference,
        note: note(),
    }
}

fn count(location_id: LocationId, counted: u32) -> StockCommand {
    StockCommand::Count {
        location_id,
        counted,
        note: note(),
    }
}

fn reserve(order_id: OrderId, n: u32) -> StockCommand {
    StockCommand::Reserve {
        order_id,
        quantity: units(n),
    }
}

fn release(order_id: OrderId) -> StockCommand {
    StockCommand::Release { order_id }
}

fn commit(order_id: OrderId) -> StockCommand {
    StockCommand::Commit { order_id }
}

fn take_back(order_id: OrderId, location_id: LocationId, n: u32) -> StockCommand {
    StockCommand::Return {
        order_id,
        location_id,
        quantity: units(n),
    }
}

fn set_threshold(threshold: u32) -> StockCommand {
    StockCommand::SetLowStockThreshold { threshold }
}
