//! A log, engines that write to it, and stock to command.

use crate::faulty::{Fault, Faulty};
use chrono::{DateTime, Utc};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Recorder, SharedString, Unit};
use soko_commands::{
    CommandContext, CommandError, Committed, Engine, EngineOptions, IdempotencyKey,
};
use soko_domain::stock::{StockCommand, StockError, StockNote};
use soko_domain::{LocationId, OrderId, Stock, TenantId, VariantId};
use soko_embedded::testing::{TestDatabase, fresh_database};
use soko_event_log::{
    Actor, Appender, AppenderOptions, Loader, LogReader, MIGRATOR, MasterKey, MasterKeys, Position,
    Vault,
};
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

pub(crate) const SHELF: LocationId = LocationId::from_uuid(Uuid::from_u128(0x5e1f));

pub(crate) struct World {
    database: TestDatabase,
    pub(crate) engine: Engine,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(EngineOptions::default()).await
    }

    pub(crate) async fn with(options: EngineOptions) -> Self {
        let database = fresh_database(&MIGRATOR).await;
        let appender = appender(&database).await;
        let engine = Engine::new(
            appender,
            database.pool().clone(),
            vault(database.pool().clone()),
            options,
        );
        Self { database, engine }
    }

    /// Another process on the same log.
    pub(crate) async fn node(&self) -> Engine {
        self.node_with(EngineOptions::default()).await
    }

    pub(crate) async fn node_with(&self, options: EngineOptions) -> Engine {
        Engine::new(
            appender(&self.database).await,
            self.pool(),
            self.vault(),
            options,
        )
    }

    /// Another process, and how many states it has read from the log.
    pub(crate) async fn counting_node(&self) -> (Engine, Arc<AtomicU64>) {
        let appender = appender(&self.database).await;
        let loads = Loads::default();
        let engine = metrics::with_local_recorder(&loads, || {
            Engine::new(
                appender,
                self.pool(),
                self.vault(),
                EngineOptions::default(),
            )
        });
        (engine, loads.0)
    }

    /// Another process, whose appends meet these faults.
    pub(crate) async fn faulty_node(
        &self,
        faults: impl FnMut() -> Option<Fault> + Send + 'static,
    ) -> Engine {
        let append = Faulty::new(appender(&self.database).await, faults);
        Engine::new(append, self.pool(), self.vault(), EngineOptions::default())
    }

    pub(crate) fn pool(&self) -> PgPool {
        self.database.pool().clone()
    }

    /// As a node that was just started.
    pub(crate) fn vault(&self) -> Vault {
        vault(self.pool())
    }

    pub(crate) async fn head(&self) -> Position {
        LogReader::new(self.pool()).head().await.unwrap()
    }

    /// The version of a variant's stock, as the log has it.
    pub(crate) async fn version(&self, variant_id: VariantId) -> u64 {
        let loader = Loader::new(self.pool(), self.vault());
        let tails = loader
            .tails(&[("stock", variant_id.as_uuid())])
            .await
            .unwrap();
        tails[0]
    }

    /// A variant of which this many are on the shelf.
    pub(crate) async fn stocked(&self, quantity: u32) -> VariantId {
        let variant_id = new_id();
        self.track(variant_id).await;
        if quantity > 0 {
            self.receive(variant_id, quantity).await;
        }
        variant_id
    }

    pub(crate) async fn track(&self, variant_id: VariantId) {
        execute(&self.engine, variant_id, track()).await.unwrap();
    }

    pub(crate) async fn receive(&self, variant_id: VariantId, quantity: u32) {
        let receive = receive(quantity);
        execute(&self.engine, variant_id, receive).await.unwrap();
    }

    pub(crate) async fn available(&self, variant_id: VariantId) -> i64 {
        available(&self.engine, variant_id).await
    }
}

async fn appender(database: &TestDatabase) -> Appender {
    let connect = database.url().parse().unwrap();
    Appender::start(connect, AppenderOptions::default())
        .await
        .unwrap()
}

pub(crate) async fn execute(
    engine: &Engine,
    variant_id: VariantId,
    command: StockCommand,
) -> Result<Committed<()>, CommandError<StockError>> {
    execute_as(engine, variant_id, command, context()).await
}

pub(crate) async fn execute_as(
    engine: &Engine,
    variant_id: VariantId,
    command: StockCommand,
    context: CommandContext,
) -> Result<Committed<()>, CommandError<StockError>> {
    engine.execute::<Stock>(variant_id, command, &context).await
}

pub(crate) async fn available(engine: &Engine, variant_id: VariantId) -> i64 {
    let stock = engine.read::<Stock>(variant_id).await.unwrap();
    stock.state.levels().unwrap().available()
}

pub(crate) fn context() -> CommandContext {
    let tenant_id = TenantId::from_uuid(Uuid::from_u128(0x007e_4a47));
    let actor = Actor::System("test".into());
    CommandContext::new(tenant_id, actor, fresh_uuid(), DateTime::<Utc>::UNIX_EPOCH)
}

pub(crate) fn keyed(key: &str) -> CommandContext {
    keyed_with(key, [0; 32])
}

pub(crate) fn keyed_with(key: &str, digest: [u8; 32]) -> CommandContext {
    CommandContext {
        idempotency: Some(IdempotencyKey {
            scope: "test".into(),
            key: key.into(),
            digest,
        }),
        ..context()
    }
}

pub(crate) fn track() -> StockCommand {
    StockCommand::Track {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        product_id: Uuid::from_u128(12).into(),
        sku: "MUG-01".parse().unwrap(),
    }
}

pub(crate) fn receive(quantity: u32) -> StockCommand {
    StockCommand::Receive {
        location_id: SHELF,
        quantity: quantity.try_into().unwrap(),
        note: StockNote {
            reason: "delivery".parse().unwrap(),
            note: None,
        },
    }
}

pub(crate) fn reserve(order_id: OrderId, quantity: u32) -> StockCommand {
    StockCommand::Reserve {
        order_id,
        quantity: quantity.try_into().unwrap(),
    }
}

pub(crate) fn new_id<I: From<Uuid>>() -> I {
    fresh_uuid().into()
}

fn fresh_uuid() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x0193_0000_0000_7000, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Counts what the engine loads, and nothing else.
#[derive(Default)]
struct Loads(Arc<AtomicU64>);

impl Recorder for Loads {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        if key.name() == "soko_lane_loads_total" {
            Counter::from_arc(Arc::clone(&self.0))
        } else {
            Counter::noop()
        }
    }

    fn register_gauge(&self, _: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn vault(pool: PgPool) -> Vault {
    Vault::new(pool, MasterKeys::new(MasterKey::for_tests(), []))
}
