//! What is stuck, as metrics: money, and whoever is to carry it on.
//!
//! It is measured by one process of all that serve, so that a sum over them is right, and out of the
//! database, so that nobody has to ask those that serve nothing. The others stand by: they show
//! `soko_radar_leader` as 0, and nothing else of this.

mod gauges;

use std::error::Error;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use metrics::{counter, gauge};
use soko_commands::process_managers::lags;
use soko_event_log::{ScopedReader, connect_in_time};
use soko_projections::Within;
use soko_projections::radar::{recent_payments, stuck};
use soko_projections::read_models::ledger::unbalanced;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::gauges::Shown;

/// Slow enough to cost nothing, and soon enough for money that has a minute to come.
const INTERVAL: Duration = Duration::from_secs(30);

/// How often a standby asks whether the leader is gone, and how long a failure is left alone.
const STANDBY_INTERVAL: Duration = Duration::from_secs(5);

/// Payments that were started so lately tell how their provider is doing.
const RECENT: TimeDelta = TimeDelta::hours(1);

/// Of the advisory lock; as a name, so that it meets nobody else's.
const LOCK: &str = "soko.radar";

/// Measures what is stuck.
#[derive(Debug, Clone)]
pub(crate) struct Radar {
    /// For the connection that holds the lock: whoever loses it is no leader any more.
    database: PgConnectOptions,
    pool: PgPool,
    reader: ScopedReader,
}

impl Radar {
    pub(crate) fn new(database: PgConnectOptions, pool: PgPool, reader: ScopedReader) -> Self {
        gauges::describe();
        gauge!("soko_radar_leader").set(0);
        Self {
            database,
            pool,
            reader,
        }
    }

    /// Never ends.
    pub(crate) async fn run(&self) {
        let mut shown = Shown::default();
        loop {
            if let Err(error) = self.lead(&mut shown).await {
                counter!("soko_radar_failures_total").increment(1);
                tracing::warn!(
                    error = &error as &dyn Error,
                    "what is stuck cannot be measured now"
                );
            }
            gauge!("soko_radar_leader").set(0);
            // What this process knew is old from here on, and another's to say.
            shown.forget();
            sleep(STANDBY_INTERVAL).await;
        }
    }

    /// Returns when it does not lead any more.
    async fn lead(&self, shown: &mut Shown) -> Result<(), sqlx::Error> {
        let mut connection = connect_in_time(&self.database).await?;
        while !try_lock(&mut connection).await? {
            sleep(STANDBY_INTERVAL).await;
        }
        tracing::info!("this process measures what is stuck");
        gauge!("soko_radar_leader").set(1);
        let mut rounds = interval(INTERVAL);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            connection.ping().await?;
            self.measure(shown).await?;
        }
    }

    async fn measure(&self, shown: &mut Shown) -> Result<(), sqlx::Error> {
        let now = Utc::now();
        let lines = stuck(&self.reader, Within::Platform, now).await?;
        shown.stuck(&lines, now);
        let recent = recent_payments(&self.reader, now - RECENT).await?;
        shown.recent(&recent);
        shown.books(unbalanced(&self.reader).await?.is_none());
        shown.models(&soko_projections::status(&self.pool).await?);
        shown.managers(&lags(&self.pool).await?, now);
        Ok(())
    }
}

async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
        .bind(LOCK)
        .fetch_one(connection)
        .await
}
