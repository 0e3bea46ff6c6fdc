//! The invariants of the design, checked from outside: SQL over the audit views, and the auditors'
//! tool.

mod ledger;
mod log;
mod orders;
mod payments;
mod payouts;
mod promotions;
mod read_models;
mod stock;

use crate::Soko;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions, Executor, Row};

/// Checks everything, once every read model has caught up. Panics with what is broken.
pub async fn check_everything(soko: &Soko) {
    let mut auditor = auditor(soko).await;
    payouts::are_settled(soko, &mut auditor).await;
    read_models::catch_up(&mut auditor).await;
    log::is_contiguous(&mut auditor).await;
    stock::adds_up(&mut auditor).await;
    payments::are_applied_once(&mut auditor).await;
    ledger::is_balanced(&mut auditor).await;
    payouts::are_made_once_and_from_what_is_cleared(&mut auditor).await;
    promotions::are_within_limits(&mut auditor).await;
    orders::rest_or_wait(&mut auditor).await;
    read_models::equal_their_replay(soko).await;
}

/// Waits until every read model has seen the whole log.
pub async fn catch_up(soko: &Soko) {
    read_models::catch_up(&mut auditor(soko).await).await;
}

/// A connection that sees the audit views and nothing else.
pub async fn auditor(soko: &Soko) -> PgConnection {
    let options: PgConnectOptions = soko.database_url().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    connection.execute("SET ROLE soko_auditor").await.unwrap();
    connection
}

/// Panics with the rows that should not be there.
async fn expect_none(auditor: &mut PgConnection, what: &str, query: &str) {
    let broken: Vec<String> = sqlx::query(&format!(
        "SELECT row_to_json(broken)::text FROM ({query}) AS broken LIMIT 5"
    ))
    .map(|row: PgRow| row.get(0))
    .fetch_all(auditor)
    .await
    .unwrap();
    assert!(broken.is_empty(), "{what}: {broken:#?}");
}
