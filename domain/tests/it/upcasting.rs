//! How an old shape becomes today's. No event has an old shape yet, so this one is made up:
//! deliveries once had `units` in place of `quantity`, and no note.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster};
use serde_json::{Value, json};
use soko_domain::stock::{StockEvent, StockNote};
use soko_domain::{AnyEvent, DecodeError, Written};
use uuid::Uuid;

#[test]
fn an_old_shape_is_lifted_step_by_step_to_todays() {
    let oldest = json!({ "received": { "location_id": Uuid::from_u128(2), "units": 5 } });
    assert_eq!(decode("0.1", &oldest).unwrap(), today());

    let old = json!({ "received": { "location_id": Uuid::from_u128(2), "quantity": 5 } });
    assert_eq!(decode("0.2", &old).unwrap(), today());
}

#[test]
fn todays_shape_is_left_alone() {
    let payload = today().payload().unwrap();
    assert_eq!(decode("1", &payload).unwrap(), today());
}

#[test]
fn an_old_shape_without_its_upcaster_is_not_guessed_at() {
    let payload = today().payload().unwrap().to_string();
    let written = Written {
        event_version: "0.2",
        ..written(&payload)
    };
    let error = AnyEvent::decode_with(&[], written).unwrap_err();
    assert!(matches!(
        error,
        DecodeError::UnknownVersion { known: 1, .. }
    ));
}

#[test]
fn a_step_that_is_missing_is_not_guessed_at() {
    let payload = json!({ "received": { "location_id": Uuid::from_u128(2), "units": 5 } });
    let payload = payload.to_string();
    let mut upcasters = upcasters();
    upcasters.pop();
    let written = Written {
        event_version: "0.1",
        ..written(&payload)
    };
    assert!(AnyEvent::decode_with(&upcasters, written).is_err());
}

fn decode(event_version: &str, payload: &Value) -> Result<AnyEvent, DecodeError> {
    let payload = payload.to_string();
    let written = Written {
        event_version,
        ..written(&payload)
    };
    AnyEvent::decode_with(&upcasters(), written)
}

fn written(payload: &str) -> Written<'_> {
    Written {
        stream_type: "stock",
        stream_id: "00000000-0000-0000-0000-000000000001",
        event_type: "stock.received",
        event_version: "1",
        payload,
    }
}

fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    let step = |version: &str, lift: fn(&mut Value)| -> Box<dyn EventUpcaster> {
        let lift = move |mut payload: Value| {
            lift(&mut payload["received"]);
            payload
        };
        let lift = Box::new(lift);
        Box::new(SemanticVersionEventUpcaster::new(
            "stock.received",
            version,
            lift,
        ))
    };
    vec![
        step("0.2", |received| {
            received["quantity"] = received["units"].take();
        }),
        step("1", |received| {
            received["note"] = json!({ "reason": "delivery" });
        }),
    ]
}

fn today() -> AnyEvent {
    AnyEvent::Stock(
        Uuid::from_u128(1).into(),
        StockEvent::Received {
            location_id: Uuid::from_u128(2).into(),
            quantity: 5.try_into().unwrap(),
            note: StockNote {
                reason: "delivery".parse().unwrap(),
                note: None,
            },
        },
    )
}
