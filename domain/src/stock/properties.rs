//! What holds whatever is asked of a stock, and in whatever order.

use super::*;
use crate::{LocationId, OrderId, Quantity};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

proptest! {
    #[test]
    fn books_stay_true_whatever_is_asked(commands in any_commands()) {
        let mut books = Books::default();
        let mut stock = tracked();
        for command in commands {
            let Ok(events) = stock.decide(command) else { continue };
            for event in events {
                books.enter(&event);
                stock.apply(event);
            }
            books.agree_with(stock.levels().unwrap())?;
        }
    }

    #[test]
    fn the_same_events_make_the_same_stock(commands in any_commands()) {
        let mut stock = tracked();
        let mut history = Vec::new();
        for command in commands {
            for event in stock.decide(command).unwrap_or_default() {
                history.push(event.clone());
                stock.apply(event);
            }
        }
        let mut replayed = tracked();
        for event in history {
            replayed.apply(event);
        }
        prop_assert_eq!(json(&replayed), json(&stock));
        let restored: Stock = serde_json::from_value(json(&stock)).unwrap();
        prop_assert_eq!(json(&restored), json(&stock));
    }

    #[test]
    fn what_was_decided_is_not_decided_again(commands in any_commands(), order_id in any_order(),
        quantity in any_quantity())
    {
        let mut stock = tracked();
        for command in commands {
            for event in stock.decide(command).unwrap_or_default() {
                stock.apply(event);
            }
        }
        let reserve = StockCommand::Reserve { order_id, quantity };
        if let Ok(events) = stock.decide(reserve.clone()) {
            for event in events {
                stock.apply(event);
            }
            prop_assert_eq!(stock.decide(reserve), Ok(vec![]));
        }
    }
}

/// What an auditor would reckon from the events alone.
#[derive(Default)]
struct Books {
    on_hand: BTreeMap<LocationId, i64>,
    reserved: BTreeMap<LocationId, i64>,
    held: BTreeMap<OrderId, i64>,
    threshold: i64,
    /// What the last mark said; nothing on hand is low.
    is_replenished: bool,
}

impl Books {
    fn enter(&mut self, event: &StockEvent) {
        match *event {
            StockEvent::Tracked { .. } => (),
            StockEvent::Received {
                location_id,
                quantity,
                ..
            }
            | StockEvent::Returned {
                location_id,
                quantity,
                ..
            } => {
                *self.on_hand.entry(location_id).or_default() += quantity.units();
            }
            StockEvent::Adjusted {
                location_id,
                difference,
                ..
            }
            | StockEvent::Counted {
                location_id,
                difference,
                ..
            } => {
                *self.on_hand.entry(location_id).or_default() += difference;
            }
            StockEvent::Reserved {
                order_id,
                location_id,
                quantity,
            } => {
                self.hold(order_id, location_id, quantity.units());
            }
            StockEvent::Released {
                order_id,
                location_id,
                quantity,
            } => {
                self.hold(order_id, location_id, -quantity.units());
            }
            StockEvent::Committed {
                order_id,
                location_id,
                quantity,
            } => {
                self.hold(order_id, location_id, -quantity.units());
                *self.on_hand.entry(location_id).or_default() -= quantity.units();
            }
            StockEvent::LowStockThresholdSet { threshold } => self.threshold = threshold.into(),
            StockEvent::RanLow { .. } => self.is_replenished = false,
            StockEvent::Replenished { .. } => self.is_replenished = true,
        }
    }

    fn hold(&mut self, order_id: OrderId, location_id: LocationId, units: i64) {
        *self.reserved.entry(location_id).or_default() += units;
        *self.held.entry(order_id).or_default() += units;
    }

    fn agree_with(&self, levels: &Levels) -> Result<(), TestCaseError> {
        let mut available = 0;
        for location_id in PLACES {
            let on_hand = self.on_hand.get(&location_id).copied().unwrap_or(0);
            let reserved = self.reserved.get(&location_id).copied().unwrap_or(0);
            prop_assert!(0 <= reserved && reserved <= on_hand);
            prop_assert!(on_hand <= i64::from(u32::MAX));
            let place = levels.place(location_id);
            prop_assert_eq!(place.on_hand(), on_hand);
            prop_assert_eq!(i64::from(place.reserved), reserved);
            available += on_hand - reserved;
        }
        prop_assert_eq!(levels.available(), available);
        for (order_id, units) in &self.held {
            let parts = levels.held.get(order_id).into_iter().flatten();
            prop_assert_eq!(parts.map(|(_, part)| part.units()).sum::<i64>(), *units);
        }
        prop_assert_eq!(self.is_replenished, available > self.threshold);
        Ok(())
    }
}

const PLACES: [LocationId; 3] = [
    LocationId::from_uuid(Uuid::from_u128(1)),
    LocationId::from_uuid(Uuid::from_u128(2)),
    LocationId::from_uuid(Uuid::from_u128(3)),
];

fn any_commands() -> impl Strategy<Value = Vec<StockCommand>> {
    proptest::collection::vec(any_command(), 0..60)
}

fn any_command() -> impl Strategy<Value = StockCommand> {
    prop_oneof![
        4 => (any_place(), any_quantity()).prop_map(|(location_id, quantity)| {
            StockCommand::Receive { location_id, quantity, note: note() }
        }),
        1 => (any_place(), any_difference()).prop_map(|(location_id, difference)| {
            StockCommand::Adjust { location_id, difference, note: note() }
        }),
        1 => (any_place(), prop_oneof![0..20_u32, any::<u32>()]).prop_map(
            |(location_id, counted)| StockCommand::Count { location_id, counted, note: note() }
        ),
        6 => (any_order(), any_quantity())
            .prop_map(|(order_id, quantity)| StockCommand::Reserve { order_id, quantity }),
        2 => any_order().prop_map(|order_id| StockCommand::Release { order_id }),
        2 => any_order().prop_map(|order_id| StockCommand::Commit { order_id }),
        1 => (any_order(), any_place(), any_quantity()).prop_map(
            |(order_id, location_id, quantity)| {
                StockCommand::Return { order_id, location_id, quantity }
            }
        ),
        1 => prop_oneof![0..20_u32, any::<u32>()]
            .prop_map(|threshold| StockCommand::SetLowStockThreshold { threshold }),
    ]
}

fn any_place() -> impl Strategy<Value = LocationId> {
    proptest::sample::select(PLACES.to_vec())
}

/// Few orders, so that they meet again.
fn any_order() -> impl Strategy<Value = OrderId> {
    (1..6_u128).prop_map(|n| Uuid::from_u128(n).into())
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    prop_oneof![9 => 1..10_u32, 1 => 1..=Quantity::MAX].prop_map(|n| n.try_into().unwrap())
}

fn any_difference() -> impl Strategy<Value = i64> {
    prop_oneof![-10..10_i64, any::<i64>(), Just(i64::from(u32::MAX))]
}

fn note() -> StockNote {
    StockNote {
        reason: "stocktake".parse().unwrap(),
        note: None,
    }
}

fn tracked() -> Stock {
    let mut stock = Stock::default();
    stock.apply(StockEvent::Tracked {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        product_id: Uuid::from_u128(12).into(),
        sku: "MUG-01".parse().unwrap(),
    });
    stock
}

fn json(stock: &Stock) -> serde_json::Value {
    serde_json::to_value(stock).unwrap()
}
