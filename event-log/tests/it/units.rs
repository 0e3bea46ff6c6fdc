//! Units of work that say only what a test is about.

use soko_domain::stock::{Stock, StockEvent};
use soko_domain::{TenantId, VariantId};
use soko_embedded::testing::{TestDatabase, fresh_database};
use soko_event_log::{
    Actor, AppendError, Appended, Appender, AppenderOptions, Claim, ClaimKind, EpochMark, Guard,
    Loader, MIGRATOR, MasterKey, MasterKeys, Metadata, NewEvent, Release, Unit, Vault,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// A log of its own, and a node that appends to it.
pub(crate) struct Log {
    pub(crate) database: TestDatabase,
    pub(crate) appender: Appender,
}

impl Log {
    pub(crate) async fn start() -> Self {
        let database = fresh_database(&MIGRATOR).await;
        let appender = appender(&database).await;
        Self { database, appender }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    pub(crate) fn vault(&self) -> Vault {
        let masters = MasterKeys::new(MasterKey::for_tests(), []);
        Vault::new(self.pool().clone(), masters)
    }

    pub(crate) fn loader(&self) -> Loader {
        Loader::new(self.pool().clone(), self.vault())
    }

    pub(crate) async fn append(&self, unit: Unit) -> Result<Appended, AppendError> {
        self.appender.enqueue(unit)?.await
    }

    /// Has the turn among the nodes, until it is rolled back.
    pub(crate) async fn hold_turn(&self) -> Transaction<'static, Postgres> {
        let mut turn = self.pool().begin().await.unwrap();
        sqlx::query("LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE")
            .execute(&mut *turn)
            .await
            .unwrap();
        turn
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

/// Another node.
pub(crate) async fn appender(database: &TestDatabase) -> Appender {
    let connect: PgConnectOptions = database.url().parse().unwrap();
    Appender::start(connect, AppenderOptions::default())
        .await
        .unwrap()
}

pub(crate) const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(7));

pub(crate) fn variant(number: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn ran_low(stream: u128, sequence: u64) -> NewEvent {
    let event = StockEvent::RanLow {
        available: u32::try_from(sequence).unwrap(),
        threshold: 5,
    };
    NewEvent::of::<Stock>(variant(stream), sequence, &event).unwrap()
}

pub(crate) fn unit(events: impl IntoIterator<Item = (u128, u64)>) -> Unit {
    let events = events.into_iter().map(|(id, at)| ran_low(id, at)).collect();
    Unit {
        tenant_id: TENANT,
        metadata: Metadata {
            actor: Actor::System("test".into()),
            api_key: None,
            correlation: Uuid::from_u128(1),
            causation: None,
            command_id: Uuid::now_v7(),
            request_id: None,
        },
        events,
        claims: vec![],
        releases: vec![],
        guards: vec![],
        epochs: vec![],
        keys: vec![],
        erased: vec![],
    }
}

pub(crate) trait With {
    fn claiming(self, kind: ClaimKind, value: &str) -> Self;
    fn releasing(self, kind: ClaimKind, value: &str) -> Self;
    fn guarding(self, stream: u128, sequence: u64) -> Self;
    fn writing(self, lane: &Lane) -> Self;
    fn reading(self, lane: &Lane) -> Self;
}

impl With for Unit {
    fn claiming(mut self, kind: ClaimKind, value: &str) -> Self {
        self.claims.push(Claim {
            kind,
            value: value.to_owned(),
            owner: None,
            digest: None,
            outcome: None,
        });
        self
    }

    fn releasing(mut self, kind: ClaimKind, value: &str) -> Self {
        let value = value.to_owned();
        self.releases.push(Release { kind, value });
        self
    }

    fn guarding(mut self, stream: u128, sequence: u64) -> Self {
        self.guards.push(Guard {
            stream_type: "stock",
            stream_id: Uuid::from_u128(stream),
            sequence,
        });
        self
    }

    fn writing(mut self, lane: &Lane) -> Self {
        self.epochs.push(lane.mark(true));
        self
    }

    fn reading(mut self, lane: &Lane) -> Self {
        self.epochs.push(lane.mark(false));
        self
    }
}

/// The epoch of an aggregate in memory.
#[derive(Default)]
pub(crate) struct Lane {
    cell: Arc<AtomicU64>,
}

impl Lane {
    pub(crate) fn epoch(&self) -> u64 {
        self.cell.load(Ordering::Acquire)
    }

    fn mark(&self, writes: bool) -> EpochMark {
        EpochMark {
            cell: Arc::clone(&self.cell),
            epoch: self.epoch(),
            writes,
        }
    }
}
