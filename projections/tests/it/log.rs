//! A log to fold: events of any kind, appended with nothing but SQL.

use chrono::{DateTime, Utc};
use serde_json::json;
use soko_domain::stock::{StockEvent, StockNote};
use soko_domain::{AnyEvent, LocationId, OrderId, Quantity, TenantId, VariantId};
use soko_embedded::testing::{TestDatabase, fresh_database};
use soko_event_log::{MIGRATOR, Position, ScopedReader, canonical_json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::HashMap;
use uuid::Uuid;

pub(crate) struct Log {
    database: TestDatabase,
    reader: ScopedReader,
    sequences: HashMap<(&'static str, Uuid), i64>,
    head: i64,
    /// Of what is appended next.
    pub(crate) tenant: TenantId,
    /// Of what is appended next, as the metadata has it.
    pub(crate) actor: String,
    /// When what is appended next is said to be recorded, if not now.
    pub(crate) now: Option<DateTime<Utc>>,
}

/// What an event looks like in the table.
struct Written {
    stream_type: &'static str,
    stream_id: Uuid,
    name: &'static str,
    payload: String,
}

impl Log {
    pub(crate) async fn empty() -> Self {
        let database = fresh_database(&MIGRATOR).await;
        let options: PgConnectOptions = database.url().parse().unwrap();
        let options = options.options([("role", "soko_reader")]);
        let pool = PgPoolOptions::new().connect_lazy_with(options);
        Self {
            database,
            reader: ScopedReader::new(pool),
            sequences: HashMap::new(),
            head: 0,
            tenant: tenant(),
            actor: "system:test".to_owned(),
            now: None,
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// As who answers requests, whom the policies bind.
    pub(crate) fn reader(&self) -> &ScopedReader {
        &self.reader
    }

    pub(crate) fn head(&self) -> Position {
        Position::new(self.head)
    }

    pub(crate) async fn append(&mut self, events: impl IntoIterator<Item = AnyEvent>) -> Position {
        let written = events.into_iter().map(|event| Written {
            stream_type: event.stream_type(),
            stream_id: event.stream_id(),
            name: event.name(),
            payload: payload(&event),
        });
        self.write(written.collect()).await
    }

    /// An event of a stream that no program can read.
    pub(crate) async fn append_unreadable(&mut self, variant: VariantId) -> Position {
        let written = Written {
            stream_type: "stock",
            stream_id: variant.as_uuid(),
            name: "stock.received",
            payload: json!({ "received": { "quantity": "a lot" } }).to_string(),
        };
        self.write(vec![written]).await
    }

    async fn write(&mut self, events: Vec<Written>) -> Position {
        let metadata = json!({
            "actor": self.actor,
            "command_id": Uuid::from_u128(2),
            "correlation": Uuid::from_u128(1),
        });
        let mut sequences = Vec::new();
        for event in &events {
            let sequence = self
                .sequences
                .entry((event.stream_type, event.stream_id))
                .or_default();
            *sequence += 1;
            sequences.push(*sequence);
        }
        let column = |of: fn(&Written) -> String| events.iter().map(of).collect::<Vec<_>>();
        let mut transaction = self.pool().begin().await.unwrap();
        sqlx::query("LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        self.head = sqlx::query_scalar("SELECT position + $1 FROM log_head")
            .bind(i64::try_from(events.len()).unwrap())
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO events \
             SELECT $1 - cardinality($2) + n, $3, type, id, sequence, name, '1', payload::json, \
                    $4::json, coalesce($9, clock_timestamp()) \
             FROM unnest($2, $5::text[], $6::bigint[], $7::text[], $8::text[]) \
                  WITH ORDINALITY AS e (type, id, sequence, name, payload, n)",
        )
        .bind(self.head)
        .bind(column(|event| event.stream_type.to_owned()))
        .bind(self.tenant.as_uuid())
        .bind(metadata.to_string())
        .bind(column(|event| event.stream_id.to_string()))
        .bind(sequences)
        .bind(column(|event| event.name.to_owned()))
        .bind(column(|event| event.payload.clone()))
        .bind(self.now)
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        self.head()
    }
}

fn payload(event: &AnyEvent) -> String {
    let payload = match event {
        AnyEvent::Account(_, event) => canonical_json(event),
        AnyEvent::Tenant(_, event) => canonical_json(event),
        AnyEvent::Store(_, event) => canonical_json(event),
        AnyEvent::Vendor(_, event) => canonical_json(event),
        AnyEvent::Category(_, event) => canonical_json(event),
        AnyEvent::Promotion(_, event) => canonical_json(event),
        AnyEvent::Product(_, event) => canonical_json(event),
        AnyEvent::Stock(_, event) => canonical_json(event),
        AnyEvent::Cart(_, event) => canonical_json(event),
        AnyEvent::Order(_, event) => canonical_json(event),
        AnyEvent::Payment(_, event) => canonical_json(event),
        AnyEvent::Statement(_, event) => canonical_json(event),
        AnyEvent::VendorAccount(_, event) => canonical_json(event),
    };
    payload.unwrap()
}

/// An id that tells its number.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number).into()
}

pub(crate) fn tenant() -> TenantId {
    id(1)
}

pub(crate) fn here() -> LocationId {
    id(2)
}

pub(crate) fn variant(number: u128) -> VariantId {
    id(0x1000_0000 + number)
}

pub(crate) fn order(number: u128) -> OrderId {
    id(0x2000_0000 + number)
}

pub(crate) fn units(number: u32) -> Quantity {
    Quantity::try_from(number).unwrap()
}

pub(crate) fn tracked(number: u128) -> AnyEvent {
    let tracked = StockEvent::Tracked {
        store_id: id(10),
        vendor_id: id(11),
        product_id: id(12),
        sku: format!("SKU-{number:06}").parse().unwrap(),
    };
    AnyEvent::Stock(variant(number), tracked)
}

pub(crate) fn received(number: u128, quantity: u32) -> AnyEvent {
    let received = StockEvent::Received {
        location_id: here(),
        quantity: units(quantity),
        note: note(),
    };
    AnyEvent::Stock(variant(number), received)
}

pub(crate) fn adjusted(number: u128, difference: i64) -> AnyEvent {
    let adjusted = StockEvent::Adjusted {
        location_id: here(),
        difference,
        note: note(),
    };
    AnyEvent::Stock(variant(number), adjusted)
}

pub(crate) fn reserved(number: u128, order_number: u128, quantity: u32) -> AnyEvent {
    let reserved = StockEvent::Reserved {
        order_id: order(order_number),
        location_id: here(),
        quantity: units(quantity),
    };
    AnyEvent::Stock(variant(number), reserved)
}

/// An event that no stock model folds.
pub(crate) fn other() -> AnyEvent {
    AnyEvent::Account(
        id(99),
        soko_domain::account::AccountEvent::PasswordChanged {},
    )
}

pub(crate) fn note() -> StockNote {
    StockNote {
        reason: "delivery".parse().unwrap(),
        note: None,
    }
}
