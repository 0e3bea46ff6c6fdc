//! The fold, without a database.

use super::*;
use crate::given::{id, row, rows};
use soko_domain::stock::StockNote;
use soko_domain::{OrderId, Quantity};

#[test]
fn a_tracked_variant_has_nothing_yet() {
    let level = folded([tracked()]);
    assert_eq!(
        (level.on_hand, level.reserved, level.available()),
        (0, 0, 0)
    );
    assert_eq!(level.sku, "MUG-01");
    assert!(level.is_low);
}

#[test]
fn what_is_reserved_is_on_hand_but_not_available() {
    let level = folded([tracked(), received(1, 5), reserved(1, 2)]);
    assert_eq!(
        (level.on_hand, level.reserved, level.available()),
        (5, 2, 3)
    );
}

#[test]
fn what_is_released_is_available_again() {
    let level = folded([tracked(), received(1, 5), reserved(1, 2), released(1, 2)]);
    assert_eq!((level.on_hand, level.reserved), (5, 0));
}

#[test]
fn what_is_committed_has_left() {
    let level = folded([tracked(), received(1, 5), reserved(1, 2), committed(1, 2)]);
    assert_eq!((level.on_hand, level.reserved), (3, 0));
}

#[test]
fn what_was_adjusted_or_counted_differs_by_the_difference() {
    let level = folded([tracked(), received(1, 5), adjusted(1, -2), counted(1, 9, 6)]);
    assert_eq!(level.on_hand, 9);
}

#[test]
fn each_place_has_its_own_numbers_in_the_order_of_their_ids() {
    let level = folded([tracked(), received(2, 5), received(1, 3), reserved(2, 4)]);
    let places: Vec<_> = level
        .locations
        .0
        .iter()
        .map(|place| (place.location_id, place.on_hand, place.reserved))
        .collect();
    assert_eq!(places, [(location(1), 3, 0), (location(2), 5, 4)]);
    assert_eq!((level.on_hand, level.reserved), (8, 4));
}

#[test]
fn stock_is_low_at_its_threshold() {
    let threshold = StockEvent::LowStockThresholdSet { threshold: 3 };
    let at = |quantity| folded([tracked(), received(1, quantity), threshold.clone()]);
    assert!(at(3).is_low);
    assert!(!at(4).is_low);
}

#[test]
fn marks_touch_no_row() {
    let ran_low = StockEvent::RanLow {
        available: 0,
        threshold: 0,
    };
    assert!(rows::<StockLevels>([AnyEvent::Stock(id(2), ran_low)]).is_empty());
}

#[test]
fn stock_that_is_not_tracked_has_no_row() {
    assert!(rows::<StockLevels>([AnyEvent::Stock(id(2), received(1, 5))]).is_empty());
}

fn folded<const N: usize>(events: [StockEvent; N]) -> StockLevel {
    row::<StockLevels>(events.map(|event| AnyEvent::Stock(id(2), event)))
}

fn location(number: u128) -> LocationId {
    id(number)
}

fn tracked() -> StockEvent {
    StockEvent::Tracked {
        store_id: id(10),
        vendor_id: id(11),
        product_id: id(12),
        sku: "MUG-01".parse().unwrap(),
    }
}

fn units(number: u32) -> Quantity {
    number.try_into().unwrap()
}

fn note() -> StockNote {
    StockNote {
        reason: "delivery".parse().unwrap(),
        note: None,
    }
}

fn received(place: u128, quantity: u32) -> StockEvent {
    StockEvent::Received {
        location_id: location(place),
        quantity: units(quantity),
        note: note(),
    }
}

fn adjusted(place: u128, difference: i64) -> StockEvent {
    StockEvent::Adjusted {
        location_id: location(place),
        difference,
        note: note(),
    }
}

fn counted(place: u128, counted: u32, difference: i64) -> StockEvent {
    StockEvent::Counted {
        location_id: location(place),
        counted,
        difference,
        note: note(),
    }
}

fn order() -> OrderId {
    id(7)
}

fn reserved(place: u128, quantity: u32) -> StockEvent {
    StockEvent::Reserved {
        order_id: order(),
        location_id: location(place),
        quantity: units(quantity),
    }
}

fn released(place: u128, quantity: u32) -> StockEvent {
    StockEvent::Released {
        order_id: order(),
        location_id: location(place),
        quantity: units(quantity),
    }
}

fn committed(place: u128, quantity: u32) -> StockEvent {
    StockEvent::Committed {
        order_id: order(),
        location_id: location(place),
        quantity: units(quantity),
    }
}
