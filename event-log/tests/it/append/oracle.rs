//! cqrs-es and postgres-es, as they come, read what we wrote.

use crate::units::{Log, unit, variant};
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{Aggregate, AggregateContext, EventStore};
use postgres_es::PostgresEventRepository;
use soko_domain::stock::{Stock, StockEvent, StockNote};
use soko_domain::{LocationId, OrderId, ProductId, Quantity, StoreId, VendorId};
use soko_event_log::{NewEvent, Position};
use uuid::Uuid;

#[tokio::test]
async fn cqrs_es_loads_the_aggregates_that_we_fold() {
    let log = Log::start().await;
    let histories: Vec<_> = (1..=5).map(|n| (variant(n.into()), history(n))).collect();
    for (id, events) in &histories {
        for (event, sequence) in events.iter().zip(1..) {
            let mut appending = unit([]);
            appending.metadata.causation = Some(Position::new(7));
            appending.events = vec![NewEvent::of::<Stock>(*id, sequence, event).unwrap()];
            log.append(appending).await.unwrap();
        }
    }
    let store: PersistedEventStore<_, Stock> =
        PersistedEventStore::new_event_store(PostgresEventRepository::new(log.pool().clone()));
    let loader = log.loader();
    for (id, events) in histories {
        let envelopes = store.load_events(&id.to_string()).await.unwrap();
        let theirs: Vec<StockEvent> = envelopes
            .iter()
            .map(|envelope| envelope.payload.clone())
            .collect();
        assert_eq!(theirs, events);
        let ours = loader.load::<Stock>(id, 0).await.unwrap();
        assert_eq!(
            ours.iter()
                .map(|(_, event)| event.clone())
                .collect::<Vec<_>>(),
            events
        );

        let mut context = store.load_aggregate(&id.to_string()).await.unwrap();
        let mut folded = Stock::default();
        for (_, event) in ours {
            folded.apply(event);
        }
        assert_eq!(json(context.aggregate()), json(&folded));
        assert_eq!(envelopes.last().unwrap().metadata["causation"], "7");
    }
}

#[tokio::test]
async fn the_tail_of_a_stream_is_what_follows_a_sequence() {
    let log = Log::start().await;
    let events = history(1);
    let mut appending = unit([]);
    appending.events = events
        .iter()
        .zip(1..)
        .map(|(event, sequence)| NewEvent::of::<Stock>(variant(1), sequence, event).unwrap())
        .collect();
    log.append(appending).await.unwrap();
    let repository = PostgresEventRepository::new(log.pool().clone());
    let loader = log.loader();
    for after in 0..=events.len() {
        let ours = loader
            .load::<Stock>(variant(1), after as u64)
            .await
            .unwrap();
        let theirs = repository
            .get_last_events::<Stock>(&variant(1).to_string(), after)
            .await
            .unwrap();
        assert_eq!(
            ours.iter()
                .map(|(sequence, _)| *sequence)
                .collect::<Vec<_>>(),
            theirs
                .iter()
                .map(|event| event.sequence as u64)
                .collect::<Vec<_>>()
        );
        assert_eq!(ours.len(), events.len() - after);
    }
}

fn json(stock: &Stock) -> serde_json::Value {
    serde_json::to_value(stock).unwrap()
}

/// Of every kind that moves goods, so that each one shows in the state.
fn history(number: u32) -> Vec<StockEvent> {
    let location_id = LocationId::from_uuid(Uuid::from_u128(40));
    let order_id = |n| OrderId::from_uuid(Uuid::from_u128(n));
    let quantity = |n| Quantity::try_from(n).unwrap();
    let note = StockNote {
        reason: "delivery".parse().unwrap(),
        note: Some("zwölf \u{1f98a} \"Stück\"".parse().unwrap()),
    };
    vec![
        StockEvent::Tracked {
            store_id: StoreId::from_uuid(Uuid::from_u128(41)),
            vendor_id: VendorId::from_uuid(Uuid::from_u128(42)),
            product_id: ProductId::from_uuid(Uuid::from_u128(43)),
            sku: "MUG-01".parse().unwrap(),
        },
        StockEvent::Received {
            location_id,
            quantity: quantity(100 + number),
            note: note.clone(),
        },
        StockEvent::Replenished {
            available: 100 + number,
            threshold: 0,
        },
        StockEvent::Adjusted {
            location_id,
            difference: -3,
            note,
        },
        StockEvent::Reserved {
            order_id: order_id(1),
            location_id,
            quantity: quantity(number),
        },
        StockEvent::Reserved {
            order_id: order_id(2),
            location_id,
            quantity: quantity(7),
        },
        StockEvent::Committed {
            order_id: order_id(1),
            location_id,
            quantity: quantity(number),
        },
        StockEvent::Released {
            order_id: order_id(2),
            location_id,
            quantity: quantity(7),
        },
        StockEvent::LowStockThresholdSet { threshold: 20 },
    ]
}
