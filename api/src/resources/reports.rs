//! Reports for those who run stores: JSON, or CSV for a spreadsheet.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Duration, Utc};
use soko_domain::{Currency, ProductId, StoreId, VendorId};
use soko_projections::Within;
use soko_projections::read_models::sales::{
    GroupBy, Interval, ReportError, Sales, SalesLine, SalesQuery, report,
};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Parameter, Query, query};
use crate::schema::answer;
use crate::sheet::{Sheet, Sheets};

const HOUR: Duration = Duration::hours(1);

/// What is covered where nobody says from when.
const PERIOD: Duration = Duration::days(30);

query! {
    pub(crate) struct OfSales {
        /// From the hour in which this lies; 30 days before the end if left out.
        pub from: Option<DateTime<Utc>>,
        /// To the end of the hour in which this lies, or to this if it is a full hour; now if left
        /// out.
        pub to: Option<DateTime<Utc>>,
        /// How long each line covers.
        pub interval: Option<IntervalName>,
        /// Whose days, weeks and months they are, such as Africa/Nairobi; UTC if left out.
        pub time_zone: Option<String>,
        /// What tells lines apart: store, vendor, product, with commas between.
        pub group_by: Option<Groups>,
        /// Only of this store.
        pub store: Option<StoreId>,
        /// Only of this vendor.
        pub vendor: Option<VendorId>,
        /// Only of this product.
        pub product: Option<ProductId>,
    }
}

answer! {
    pub(crate) struct SalesReport {
        /// What is covered, in full hours.
        pub from: DateTime<Utc>,
        pub to: DateTime<Utc>,
        pub items: Vec<SalesOfPeriod>,
    }

    /// Amounts are minor units of the currency; `net` and `tax` make `gross`.
    pub(crate) struct SalesOfPeriod {
        pub start: DateTime<Utc>,
        pub store_id: Option<StoreId>,
        pub vendor_id: Option<VendorId>,
        pub product_id: Option<ProductId>,
        pub currency: Currency,
        pub orders: i64,
        pub units: i64,
        pub net: i64,
        pub tax: i64,
        pub gross: i64,
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct IntervalName(pub(super) Interval);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups(GroupBy);

pub(crate) async fn sales(
    app: Data<App>,
    caller: Caller,
    query: Query<OfSales>,
    min_position: MinPosition,
    request: HttpRequest,
) -> Result<Sheet<SalesReport>> {
    let asked = &query.0;
    let within = match (asked.store, asked.vendor) {
        (_, Some(vendor_id)) => {
            let permit = caller.permit(Place::vendor(vendor_id)).await?;
            Within::Vendor(permit.tenant_id(), vendor_id)
        }
        (Some(store_id), None) => {
            let permit = caller.permit(Place::store(store_id)).await?;
            Within::Store(permit.tenant_id(), store_id)
        }
        (None, None) => {
            caller.permit(Place::platform()).await?;
            Within::Platform
        }
    };
    min_position.reached_by::<Sales>(app.freshness()).await?;
    let (from, to) = period(asked.from, asked.to, PERIOD, caller.now())?;
    let question = SalesQuery {
        from,
        to,
        interval: asked.interval.map_or(Interval::Day, |interval| interval.0),
        time_zone: asked.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        group_by: asked
            .group_by
            .map_or_else(GroupBy::default, |groups| groups.0),
        store_id: asked.store,
        vendor_id: asked.vendor,
        product_id: asked.product,
    };
    let lines = report(app.reader(), within, &question).await?;
    let items = lines.into_iter().map(SalesOfPeriod::from).collect();
    Ok(Sheet::asked_for(&request, SalesReport { from, to, items }))
}

impl Sheets for SalesReport {
    type Line = SalesOfPeriod;

    const FILE_NAME: &'static str = "sales.csv";

    fn lines(&self) -> &[SalesOfPeriod] {
        &self.items
    }
}

/// Counted is by the hour, so a period is widened to full hours; the answer says so. `length` is how
/// long it is where nobody says from when.
pub(super) fn period(
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    length: Duration,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let to = to.unwrap_or(now);
    let from = from.unwrap_or(to - length);
    if to <= from {
        return Err(Problem::invalid_parameter("to", "must be after from"));
    }
    let out_of_range = || Problem::invalid_parameter("from", "is no time that is counted");
    let start = hour_of(from).ok_or_else(out_of_range)?;
    let end = hour_of(to).ok_or_else(out_of_range)?;
    let end = if end < to { end + HOUR } else { end };
    Ok((start, end))
}

fn hour_of(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(HOUR.num_seconds()), 0)
}

impl From<SalesLine> for SalesOfPeriod {
    fn from(line: SalesLine) -> Self {
        let SalesLine {
            start,
            store_id,
            vendor_id,
            product_id,
            currency,
            orders,
            units,
            net,
            tax,
            gross,
        } = line;
        Self {
            start,
            store_id,
            vendor_id,
            product_id,
            currency,
            orders,
            units,
            net,
            tax,
            gross,
        }
    }
}

impl Parameter for IntervalName {
    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        match text {
            Some("hour") => Ok(Self(Interval::Hour)),
            Some("day") => Ok(Self(Interval::Day)),
            Some("week") => Ok(Self(Interval::Week)),
            Some("month") => Ok(Self(Interval::Month)),
            _ => Err("must be hour, day, week or month".to_owned()),
        }
    }

    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "enum": ["hour", "day", "week", "month"] })
    }
}

impl Parameter for Groups {
    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        let mut groups = GroupBy::default();
        for name in text.unwrap_or_default().split(',') {
            match name {
                "store" => groups.store = true,
                "vendor" => groups.vendor = true,
                "product" => groups.product = true,
                _ => return Err("must be store, vendor, product, with commas between".to_owned()),
            }
        }
        Ok(Self(groups))
    }

    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "examples": ["vendor", "store,product"] })
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        let parameter = match &error {
            ReportError::NoSuchTimeZone(_) | ReportError::OffTheHour(_) => "time_zone",
            ReportError::NotAFullHour | ReportError::TooLong => "from",
            ReportError::EndsBeforeItBegins => "to",
            ReportError::Database(_) => return Self::ours(Code::Unavailable, &error),
        };
        Self::invalid_parameter(parameter, error)
    }
}
