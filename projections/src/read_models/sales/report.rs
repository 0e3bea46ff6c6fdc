//! Sales by time, in somebody's time zone, and by who sold what.

use crate::query::{Within, time_zone};
use chrono::{DateTime, Utc};
use soko_domain::{Currency, ProductId, StoreId, VendorId};
use soko_event_log::ScopedReader;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesQuery {
    /// From this moment, up to that one: both at the start of an hour.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub interval: Interval,
    /// An IANA name, such as `Africa/Nairobi`: whose days, weeks and months they are.
    pub time_zone: String,
    pub group_by: GroupBy,
    pub store_id: Option<StoreId>,
    pub vendor_id: Option<VendorId>,
    pub product_id: Option<ProductId>,
}

/// How long each line covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    Hour,
    Day,
    /// From Monday on (ISO 8601).
    Week,
    Month,
}

/// What else tells lines apart; the currency always does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupBy {
    pub store: bool,
    pub vendor: bool,
    pub product: bool,
}

/// One line of a report; amounts are minor units, and may be negative where more was cancelled
/// than sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesLine {
    pub start: DateTime<Utc>,
    /// If it was grouped by.
    pub store_id: Option<StoreId>,
    pub vendor_id: Option<VendorId>,
    pub product_id: Option<ProductId>,
    pub currency: Currency,
    /// Each order once in a line, however many of its products the line covers.
    pub orders: i64,
    pub units: i64,
    /// net + tax = gross
    pub net: i64,
    pub tax: i64,
    pub gross: i64,
}

/// Why there is no such report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{0:?} is not a time zone")]
    NoSuchTimeZone(String),
    /// Hours are the smallest that is counted.
    #[error("a report begins and ends with a full hour")]
    NotAFullHour,
    /// Its days would begin in the middle of what is counted. No country of Africa has such a one.
    #[error("the hours of {0:?} do not begin with those of UTC")]
    OffTheHour(String),
    #[error("a report ends after it begins")]
    EndsBeforeItBegins,
    #[error("the report would have more than {} lines", SalesQuery::LINES_MAX)]
    TooLong,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl SalesQuery {
    pub const LINES_MAX: usize = 50_000;
}

impl Interval {
    /// As `date_trunc` calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// The sales of a period, in the order of time; lines without sales are left out.
///
/// # Errors
/// The question cannot be answered, or the database failed.
pub async fn report(
    reader: &ScopedReader,
    within: Within,
    asked: &SalesQuery,
) -> Result<Vec<SalesLine>, ReportError> {
    check(reader, asked).await?;
    let mut query = QueryBuilder::<Postgres>::new("SELECT date_trunc(");
    query.push_bind(asked.interval.name());
    query.push(", hour, ").push_bind(asked.time_zone.clone());
    query.push(") AS start");
    let GroupBy {
        store,
        vendor,
        product,
    } = asked.group_by;
    let keys = [
        ("store_id", store),
        ("vendor_id", vendor),
        ("product_id", product),
    ];
    for (column, is_key) in keys {
        query.push(", ");
        query.push(if is_key { column } else { "NULL::uuid" });
    }
    query
        .push(", currency, sum(")
        .push(orders_column(within, asked));
    query.push(
        ")::bigint, sum(units)::bigint, sum(net)::bigint, sum(tax)::bigint, sum(gross)::bigint \
         FROM read_models.sales WHERE hour >= ",
    );
    query
        .push_bind(asked.from)
        .push(" AND hour < ")
        .push_bind(asked.to);
    within.and(&mut query);
    let only = [
        ("store_id", asked.store_id.map(|id| id.as_uuid())),
        ("vendor_id", asked.vendor_id.map(|id| id.as_uuid())),
        ("product_id", asked.product_id.map(|id| id.as_uuid())),
    ];
    for (column, id) in only {
        if let Some(id) = id {
            query.push(" AND ").push(column).push(" = ").push_bind(id);
        }
    }
    query.push(" GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 LIMIT ");
    query.push_bind(i64::try_from(SalesQuery::LINES_MAX + 1).unwrap_or(i64::MAX));
    let found = reader.all(&within.scope(), query).await?;
    if found.len() > SalesQuery::LINES_MAX {
        return Err(ReportError::TooLong);
    }
    Ok(found.iter().map(line).collect::<Result<_, _>>()?)
}

/// The count that may be added up over all rows of a line: each of its orders is in it once.
fn orders_column(within: Within, asked: &SalesQuery) -> &'static str {
    let is_of_vendor = matches!(within, Within::Vendor(..)) || asked.vendor_id.is_some();
    if asked.group_by.product || asked.product_id.is_some() {
        "product_orders"
    } else if asked.group_by.vendor || is_of_vendor {
        "vendor_orders"
    } else {
        "store_orders"
    }
}

async fn check(reader: &ScopedReader, asked: &SalesQuery) -> Result<(), ReportError> {
    let is_full_hour = |time: DateTime<Utc>| time == super::hour_of(time);
    if !is_full_hour(asked.from) || !is_full_hour(asked.to) {
        return Err(ReportError::NotAFullHour);
    }
    if asked.to <= asked.from {
        return Err(ReportError::EndsBeforeItBegins);
    }
    let no_such_time_zone = || ReportError::NoSuchTimeZone(asked.time_zone.clone());
    let offset_minutes = time_zone::offset_minutes(reader, &asked.time_zone, asked.from).await?;
    match offset_minutes {
        Some(0) => Ok(()),
        Some(_) => Err(ReportError::OffTheHour(asked.time_zone.clone())),
        None => Err(no_such_time_zone()),
    }
}

fn line(row: &PgRow) -> Result<SalesLine, sqlx::Error> {
    let id = |index| row.try_get::<Option<uuid::Uuid>, _>(index);
    let currency: &str = row.try_get(4)?;
    Ok(SalesLine {
        start: row.try_get(0)?,
        store_id: id(1)?.map(StoreId::from_uuid),
        vendor_id: id(2)?.map(VendorId::from_uuid),
        product_id: id(3)?.map(ProductId::from_uuid),
        currency: currency
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        orders: row.try_get(5)?,
        units: row.try_get(6)?,
        net: row.try_get(7)?,
        tax: row.try_get(8)?,
        gross: row.try_get(9)?,
    })
}
