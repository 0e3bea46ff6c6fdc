//! The fold, without a database.

use super::*;
use soko_domain::Quantity;
use soko_event_log::{Actor, Metadata, Position};
use uuid::Uuid;

#[test]
fn a_reservation_moves_what_is_reserved_and_names_its_order() {
    let line = folded(StockEvent::Reserved {
        order_id: Uuid::from_u128(7).into(),
        location_id: Uuid::from_u128(3).into(),
        quantity: units(2),
    });
    assert_eq!(line.kind, "reserved");
    assert_eq!((line.on_hand_delta, line.reserved_delta), (0, 2));
    assert_eq!(line.order_id, Some(Uuid::from_u128(7).into()));
    assert_eq!(line.reason, None);
}

#[test]
fn what_leaves_is_taken_from_both() {
    let line = folded(StockEvent::Committed {
        order_id: Uuid::from_u128(7).into(),
        location_id: Uuid::from_u128(3).into(),
        quantity: units(2),
    });
    assert_eq!((line.on_hand_delta, line.reserved_delta), (-2, -2));
}

#[test]
fn what_people_did_keeps_their_reason_and_their_name() {
    let line = folded(StockEvent::Adjusted {
        location_id: Uuid::from_u128(3).into(),
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
    assert_eq!(line.position, 5);
}

#[test]
fn what_moves_nothing_has_no_line() {
    let event = StockEvent::LowStockThresholdSet { threshold: 5 };
    assert!(StockLedger::keys(&recorded(event)).is_empty());
}

fn folded(event: StockEvent) -> StockMove {
    let recorded = recorded(event);
    let keys = StockLedger::keys(&recorded);
    let [key] = keys[..] else {
        panic!("one move, one line")
    };
    StockLedger::fold(None, &key, &recorded).unwrap()
}

fn recorded(event: StockEvent) -> RecordedEvent {
    RecordedEvent {
        position: Position::new(5),
        tenant_id: Uuid::from_u128(1).into(),
        sequence: 2,
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

fn units(number: u32) -> Quantity {
    number.try_into().unwrap()
}
