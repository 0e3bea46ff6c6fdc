//! The fold, without a database.

use super::*;
use crate::read_models::folding::{folded, recorded};
use crate::read_models::samples::{
    ANNA, TENANT, cancelled, delivered, id, item, of_order, packed, paid, placed, placement,
    shipped, time,
};

#[test]
fn every_step_of_an_order_is_told() {
    let agreed = placement([item(1, ANNA, 1, 100)]);
    let items = told([
        placed(&agreed),
        packed(ANNA),
        shipped(ANNA),
        paid(&agreed),
        delivered(ANNA),
        OrderEvent::Completed {},
    ]);
    let told: Vec<_> = items
        .iter()
        .map(|item| (item.kind.as_str(), item.text.as_str(), item.vendor_id))
        .collect();
    assert_eq!(
        told,
        [
            ("placed", "Your order was placed", None),
            ("packed", "Packed", Some(ANNA)),
            (
                "shipped",
                "On its way with G4S, tracking number T-1",
                Some(ANNA)
            ),
            ("paid", "Your payment has arrived", None),
            ("delivered", "Delivered", Some(ANNA)),
            ("completed", "Your order is complete", None),
        ]
    );
    assert_eq!(items[2].carrier.as_deref(), Some("G4S"));
    assert_eq!(items[2].tracking_number.as_deref(), Some("T-1"));
    assert!(
        items
            .iter()
            .all(|item| item.order_id == id(50) && item.tenant_id == TENANT)
    );
    assert_eq!(items[0].at, time("2026-03-01T10:01:00Z"));
    assert_eq!(items.iter().map(|item| item.position).sum::<i64>(), 621);
}

#[test]
fn what_is_not_known_of_a_parcel_is_not_told() {
    let parcel = |carrier: Option<&str>, number: Option<&str>| OrderEvent::Shipped {
        vendor_id: ANNA,
        carrier: carrier.map(|text| text.parse().unwrap()),
        tracking_number: number.map(|text| text.parse().unwrap()),
    };
    let items = told([
        parcel(None, None),
        parcel(Some("G4S"), None),
        parcel(None, Some("T-1")),
    ]);
    let texts: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "On its way",
            "On its way with G4S",
            "On its way, tracking number T-1"
        ]
    );
}

#[test]
fn a_cancellation_says_by_whom_and_why() {
    let agreed = placement([item(1, ANNA, 1, 100)]);
    let by = |who, why: Option<&str>| {
        let mut event = cancelled(&agreed);
        if let OrderEvent::Cancelled { by, reason, .. } = &mut event {
            *by = who;
            *reason = why.map(|text| text.parse().unwrap());
        }
        event
    };
    let items = told([
        by(CancelledBy::Customer, None),
        by(CancelledBy::Vendor, Some("broken")),
        by(CancelledBy::Store, None),
    ]);
    let texts: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Cancelled by you",
            "Cancelled by the vendor: broken",
            "Cancelled by the store"
        ]
    );
}

fn told<const N: usize>(events: [OrderEvent; N]) -> Vec<TrackingItem> {
    let events = recorded(events.map(|event| of_order(id(50), event)));
    folded::<OrderTracking>(&events).into_values().collect()
}
