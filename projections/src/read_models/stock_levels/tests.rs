//! The fold, without a database.

use super::*;
use crate::fold::Rows;
use chrono::DateTime;
use soko_domain::stock::StockNote;
use soko_domain::{OrderId, Quantity};
use soko_event_log::{Actor, Metadata, Position};
use std::sync::Arc;

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
    assert!(StockLevels::keys(&recorded(1, ran_low)).is_empty());
}

#[test]
fn stock_that_is_not_tracked_has_no_row() {
    assert_eq!(rows([received(1, 5)]), None);
}

fn folded<const N: usize>(events: [StockEvent; N]) -> StockLevel {
    rows(events).unwrap()
}

fn rows<const N: usize>(events: [StockEvent; N]) -> Option<StockLevel> {
    let events: Vec<_> = (1..)
        .zip(events)
        .map(|(position, event)| Arc::new(recorded(position, event)))
        .collect();
    let mut rows = Rows::<StockLevels>::default();
    rows.fold(&events).unwrap();
    rows.into_inner().into_values().next().flatten()
}

fn recorded(position: i64, event: StockEvent) -> RecordedEvent {
    RecordedEvent {
        position: Position::new(position),
        tenant_id: Uuid::from_u128(1).into(),
        sequence: position.unsigned_abs(),
        event: AnyEvent::Stock(Uuid::from_u128(2).into(), event),
        metadata: Metadata {
            actor: Actor::Guest,
            correlation: Uuid::nil(),
            causation: None,
            command_id: Uuid::nil(),
            request_id: None,
        },
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

fn location(number: u128) -> LocationId {
    Uuid::from_u128(number).into()
}

fn tracked() -> StockEvent {
    StockEvent::Tracked {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        product_id: Uuid::from_u128(12).into(),
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
    Uuid::from_u128(7).into()
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
