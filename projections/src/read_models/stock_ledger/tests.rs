//! The fold, without a database.

use super::*;
use crate::given::{at, id, row, rows};
use soko_domain::Quantity;

#[test]
fn a_reservation_moves_what_is_reserved_and_names_its_order() {
    let line = folded(StockEvent::Reserved {
        order_id: id(7),
        location_id: id(3),
        quantity: units(2),
    });
    assert_eq!(line.kind, "reserved");
    assert_eq!((line.on_hand_delta, line.reserved_delta), (0, 2));
    assert_eq!(line.order_id, Some(id(7)));
    assert_eq!(line.reason, None);
}

#[test]
fn what_leaves_is_taken_from_both() {
    let line = folded(StockEvent::Committed {
        order_id: id(7),
        location_id: id(3),
        quantity: units(2),
    });
    assert_eq!((line.on_hand_delta, line.reserved_delta), (-2, -2));
}

#[test]
fn what_people_did_keeps_their_reason_and_their_name() {
    let line = folded(StockEvent::Adjusted {
        location_id: id(3),
        difference: -1,
        note: StockNote {
            reason: "damaged".parse().unwrap(),
            note: Some("fell".parse().unwrap()),
        },
    });
    assert_eq!((line.on_hand_delta, line.reserved_delta), (-1, 0));
    assert_eq!(line.reason.as_deref(), Some("damaged"));
    assert_eq!(line.note.as_deref(), Some("fell"));
    assert_eq!(line.actor, "guest");
    assert_eq!((line.position, line.at), (1, at(1)));
}

#[test]
fn what_moves_nothing_has_no_line() {
    let event = StockEvent::LowStockThresholdSet { threshold: 5 };
    assert!(rows::<StockLedger>([AnyEvent::Stock(id(2), event)]).is_empty());
}

fn folded(event: StockEvent) -> StockMove {
    row::<StockLedger>([AnyEvent::Stock(id(2), event)])
}

fn units(number: u32) -> Quantity {
    number.try_into().unwrap()
}
