//! Given, when, then.

use super::*;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn what_is_received_can_be_reserved() {
    given([tracked(), received(HERE, 5), replenished(5)])
        .when(reserve(order(1), 5))
        .then_expect_events(vec![reserved(order(1), HERE, 5), ran_low(0)]);
}

#[test]
fn refuses_more_than_other_orders_leave() {
    given([
        tracked(),
        received(HERE, 5),
        replenished(5),
        reserved(order(2), HERE, 3),
    ])
    .when(reserve(order(1), 3))
    .then_expect_error(StockError::OutOfStock {
        requested: units(3),
        available: 2,
    });
}

#[test]
fn a_repeated_reservation_changes_nothing() {
    given([tracked(), received(HERE, 5), reserved(order(1), HERE, 3)])
        .when(reserve(order(1), 3))
        .then_expect_events(vec![]);
}

#[test]
fn a_reservation_may_span_places() {
    given([
        tracked(),
        received(HERE, 2),
        received(THERE, 2),
        replenished(4),
    ])
    .when(reserve(order(1), 3))
    .then_expect_events(vec![
        reserved(order(1), HERE, 2),
        reserved(order(1), THERE, 1),
    ]);
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

fn replenished(available: u32) -> StockEvent {
    StockEvent::Replenished {
        available,
        threshold: 0,
    }
}

fn ran_low(available: u32) -> StockEvent {
    StockEvent::RanLow {
        available,
        threshold: 0,
    }
}

fn reserve(order_id: OrderId, n: u32) -> StockCommand {
    StockCommand::Reserve {
        order_id,
        quantity: units(n),
    }
}
