//! How payments went, by provider and by when they were started.
//!
//! A payment counts in the hour in which it was started, whatever becomes of it later: an hour is
//! thus judged by its own payments, and may still change while some of them are open.

use crate::query::{Within, rows, time_zone};
use crate::read_models::sales::Interval;
use chrono::{DateTime, Utc};
use soko_domain::Currency;
use soko_domain::payment::PaymentProvider;
use soko_event_log::ScopedReader;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentsQuery {
    /// Started from this moment on, and before that one.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub interval: Interval,
    /// An IANA name, such as `Africa/Nairobi`: whose hours and days they are.
    pub time_zone: String,
}

/// The payments of one hour (or day, week, month), provider and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentsLine {
    /// Of the hour or the like.
    pub start: DateTime<Utc>,
    pub provider: PaymentProvider,
    pub currency: Currency,
    /// All of them; each is in one of the counts that follow.
    pub started: i64,
    /// Whose money came, whatever became of it since.
    pub captured: i64,
    pub failed: i64,
    pub expired: i64,
    /// Nobody asks for them any more: the order was called off, or paid another way.
    pub cancelled: i64,
    pub unresolved: i64,
    /// The payer's turn, or the provider's.
    pub open: i64,
    /// From being started to the money being there, in milliseconds: of half of the captured, and
    /// of 19 in 20.
    pub latency_median_ms: Option<i64>,
    pub latency_p95_ms: Option<i64>,
    /// Minor units.
    pub amount_captured: i64,
    pub amount_refunded: i64,
}

/// Why there is no such report.
#[derive(Debug, thiserror::Error)]
pub enum PaymentsReportError {
    #[error("{0:?} is not a time zone")]
    NoSuchTimeZone(String),
    #[error("a report ends after it begins")]
    EndsBeforeItBegins,
    #[error("the report would have more than {} lines", PaymentsQuery::LINES_MAX)]
    TooLong,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl PaymentsQuery {
    pub const LINES_MAX: usize = 50_000;
}

impl PaymentsLine {
    /// How many of those that are decided were captured, in basis points, rounded down; `None`
    /// while none is decided. What was called off counts neither way: nobody refused it.
    pub fn success_rate_bps(&self) -> Option<i64> {
        let decided = self.captured + self.failed + self.expired;
        (self.captured * 10_000).checked_div(decided)
    }
}

/// In the order of time; what has no payments is left out.
///
/// # Errors
/// The question cannot be answered, or the database failed.
pub async fn report(
    reader: &ScopedReader,
    within: Within,
    asked: &PaymentsQuery,
) -> Result<Vec<PaymentsLine>, PaymentsReportError> {
    if asked.to <= asked.from {
        return Err(PaymentsReportError::EndsBeforeItBegins);
    }
    let zone = time_zone::offset_minutes(reader, &asked.time_zone, asked.from).await?;
    if zone.is_none() {
        let name = asked.time_zone.clone();
        return Err(PaymentsReportError::NoSuchTimeZone(name));
    }
    let mut query = QueryBuilder::<Postgres>::new("SELECT date_trunc(");
    query.push_bind(asked.interval.name());
    query
        .push(", initiated_at, ")
        .push_bind(asked.time_zone.clone());
    query.push(
        "), provider, currency, count(*), count(captured_at), \
         count(*) FILTER (WHERE status = 'failed'), \
         count(*) FILTER (WHERE status = 'expired'), \
         count(*) FILTER (WHERE status = 'cancelled'), \
         count(*) FILTER (WHERE status = 'unresolved'), \
         count(*) FILTER (WHERE status IN ('initiated', 'pending', 'authorised')), \
         percentile_disc(0.5) WITHIN GROUP (ORDER BY took_ms), \
         percentile_disc(0.95) WITHIN GROUP (ORDER BY took_ms), \
         sum(captured)::bigint, sum(refunded)::bigint \
         FROM read_models.payments, LATERAL ( \
             SELECT (extract(epoch FROM captured_at - initiated_at) * 1000)::bigint AS took_ms \
         ) AS latency WHERE initiated_at >= ",
    );
    query
        .push_bind(asked.from)
        .push(" AND initiated_at < ")
        .push_bind(asked.to);
    within.and(&mut query);
    query.push(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT ");
    query.push(PaymentsQuery::LINES_MAX + 1);
    let found = reader.all(&within.scope(), query).await?;
    if found.len() > PaymentsQuery::LINES_MAX {
        return Err(PaymentsReportError::TooLong);
    }
    Ok(found.iter().map(line).collect::<Result<_, _>>()?)
}

fn line(row: &PgRow) -> Result<PaymentsLine, sqlx::Error> {
    Ok(PaymentsLine {
        start: row.try_get(0)?,
        provider: rows::column(row, 1)?,
        currency: rows::column(row, 2)?,
        started: row.try_get(3)?,
        captured: row.try_get(4)?,
        failed: row.try_get(5)?,
        expired: row.try_get(6)?,
        cancelled: row.try_get(7)?,
        unresolved: row.try_get(8)?,
        open: row.try_get(9)?,
        latency_median_ms: row.try_get(10)?,
        latency_p95_ms: row.try_get(11)?,
        amount_captured: row.try_get(12)?,
        amount_refunded: row.try_get(13)?,
    })
}
