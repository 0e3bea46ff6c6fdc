//! Money that is stuck: everything that waits for somebody, by how long it has waited.
//!
//! It is asked of the tables at a moment, and kept nowhere. Each kind of thing is found by a partial
//! index that holds only what is open, so the answer costs what is stuck, not what was ever sold.

mod sources;

use crate::query::{Within, rows};
use crate::radar::sources::SOURCES;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::Currency;
use soko_domain::payment::PaymentProvider;
use soko_event_log::{Scope, ScopedReader};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

/// How many things of a line are named.
pub const NAMED_MAX: usize = 5;

/// What can be stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stuck {
    /// Not captured, and not given up.
    Payment,
    /// Asked for and not done, not known, or failed and not made good.
    Refund,
    /// Money that is kept for a payer until somebody gives it back.
    Credit,
    /// Money of which it is not sure what its provider calls it, so that nothing of it can go back.
    Reference,
    /// A payer's bank wants money back, and has not decided.
    Dispute,
    /// Money that came for an order that was called off or has expired, and has not gone back. It
    /// is among the refunds or credits as well.
    MoneyOfDeadOrder,
    /// A provider told something, and it is not worked yet.
    Callback,
    /// A provider told something in the last seven days, and never confirmed it.
    UnconfirmedCallback,
    /// An order that is paid, and of which a vendor has neither packed nor shipped its part.
    UnacceptedOrder,
    /// A vendor's money that was asked for, and is not paid or refused.
    Payout,
}

impl Stuck {
    pub const ALL: [Self; 10] = [
        Self::Payment,
        Self::Refund,
        Self::Credit,
        Self::Reference,
        Self::Dispute,
        Self::MoneyOfDeadOrder,
        Self::Callback,
        Self::UnconfirmedCallback,
        Self::UnacceptedOrder,
        Self::Payout,
    ];

    /// How far such a thing may have come.
    pub const fn stages(self) -> &'static [&'static str] {
        match self {
            Self::Payment => &[
                "initiated",
                "pending",
                "authorised",
                "unresolved",
                // A person is to say that it came: cash on delivery, or a transfer.
                "by_hand",
            ],
            Self::Refund => &["requested", "unresolved", "failed"],
            Self::Credit => &["held", "overdue"],
            Self::Reference => &["provisional", "contested"],
            Self::Dispute => &["open"],
            Self::MoneyOfDeadOrder => &["cancelled", "expired"],
            Self::Callback => &["waiting"],
            Self::UnconfirmedCallback => &["given_up"],
            Self::UnacceptedOrder => &["paid", "partly_shipped"],
            Self::Payout => &["requested", "approved", "sent", "unresolved"],
        }
    }
}

/// For how long something has been at its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Age {
    #[serde(rename = "under_1m")]
    UnderAMinute,
    #[serde(rename = "under_5m")]
    UnderFiveMinutes,
    #[serde(rename = "under_1h")]
    UnderAnHour,
    #[serde(rename = "under_1d")]
    UnderADay,
    #[serde(rename = "older")]
    Older,
}

impl Age {
    pub const ALL: [Self; 5] = [
        Self::UnderAMinute,
        Self::UnderFiveMinutes,
        Self::UnderAnHour,
        Self::UnderADay,
        Self::Older,
    ];

    /// As it stands in JSON and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnderAMinute => "under_1m",
            Self::UnderFiveMinutes => "under_5m",
            Self::UnderAnHour => "under_1h",
            Self::UnderADay => "under_1d",
            Self::Older => "older",
        }
    }

    /// What something of this age is younger than.
    const fn end(self) -> Option<TimeDelta> {
        match self {
            Self::UnderAMinute => Some(TimeDelta::minutes(1)),
            Self::UnderFiveMinutes => Some(TimeDelta::minutes(5)),
            Self::UnderAnHour => Some(TimeDelta::hours(1)),
            Self::UnderADay => Some(TimeDelta::days(1)),
            Self::Older => None,
        }
    }
}

/// The things of one kind, stage, age and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckLine {
    pub what: Stuck,
    pub stage: String,
    pub age: Age,
    /// `None` of what is no money by itself.
    pub currency: Option<Currency>,
    pub count: i64,
    /// Minor units.
    pub amount: Option<i64>,
    /// Since when the oldest is at its stage.
    pub oldest_at: DateTime<Utc>,
    /// The first moment by which somebody is to have done something, where there is one.
    pub due_at: Option<DateTime<Utc>>,
    /// The oldest, at most [`NAMED_MAX`]: payments, or what the line is of.
    pub oldest: Vec<Uuid>,
}

/// What is stuck, kind by kind, the youngest of each stage first.
///
/// # Errors
/// The database failed.
pub async fn stuck(
    reader: &ScopedReader,
    within: Within,
    now: DateTime<Utc>,
) -> Result<Vec<StuckLine>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT what, stage, CASE");
    for (number, age) in Age::ALL.into_iter().enumerate() {
        match age.end() {
            Some(end) => query
                .push(" WHEN since > ")
                .push_bind(now - end)
                .push(format!(" THEN {number}")),
            None => query.push(format!(" ELSE {number} END")),
        };
    }
    query.push(format!(
        " AS age, currency, count(*), sum(amount)::bigint, min(since), min(due), \
         (array_agg(id ORDER BY since, id))[1:{NAMED_MAX}] FROM ("
    ));
    for (number, source) in SOURCES.iter().enumerate() {
        if number > 0 {
            query.push(" UNION ALL ");
        }
        source.push(&mut query, number, now);
    }
    query.push(") AS found WHERE true");
    within.and(&mut query);
    query.push(" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4");
    let found = reader.all(&within.scope(), query).await?;
    found.iter().map(line).collect()
}

fn line(row: &PgRow) -> Result<StuckLine, sqlx::Error> {
    let unknown = |what: &str| sqlx::Error::Decode(format!("unknown {what}").into());
    let (source, age): (i32, i32) = (row.try_get(0)?, row.try_get(2)?);
    let source = usize::try_from(source).ok().and_then(|n| SOURCES.get(n));
    let age = usize::try_from(age).ok().and_then(|n| Age::ALL.get(n));
    Ok(StuckLine {
        what: source.ok_or_else(|| unknown("kind"))?.what,
        stage: row.try_get(1)?,
        age: *age.ok_or_else(|| unknown("age"))?,
        currency: rows::column(row, 3)?,
        count: row.try_get(4)?,
        amount: row.try_get(5)?,
        oldest_at: row.try_get(6)?,
        due_at: row.try_get(7)?,
        oldest: row.try_get(8)?,
    })
}

/// How the payments of a provider that were started lately stand, of all stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentPayments {
    pub provider: PaymentProvider,
    pub captured: i64,
    pub failed: i64,
    pub expired: i64,
    pub unresolved: i64,
    pub open: i64,
}

/// What became of the payments that were started since a moment; providers without any are left
/// out.
///
/// # Errors
/// The database failed.
pub async fn recent_payments(
    reader: &ScopedReader,
    since: DateTime<Utc>,
) -> Result<Vec<RecentPayments>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT provider, count(captured_at), count(*) FILTER (WHERE status = 'failed'), \
                count(*) FILTER (WHERE status = 'expired'), \
                count(*) FILTER (WHERE status = 'unresolved'), \
                count(*) FILTER (WHERE status IN ('initiated', 'pending', 'authorised')) \
         FROM read_models.payments WHERE initiated_at >= ",
    );
    query.push_bind(since).push(" GROUP BY provider");
    let found = reader.all(&Scope::Platform, query).await?;
    let recent = found.iter().map(|row| {
        Ok(RecentPayments {
            provider: rows::column(row, 0)?,
            captured: row.try_get(1)?,
            failed: row.try_get(2)?,
            expired: row.try_get(3)?,
            unresolved: row.try_get(4)?,
            open: row.try_get(5)?,
        })
    });
    recent.collect()
}
