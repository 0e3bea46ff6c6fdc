//! How payments went: what came of them, and how fast, by provider and hour.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Duration, Utc};
use soko_domain::payment::PaymentProvider;
use soko_domain::{Currency, StoreId};
use soko_projections::Within;
use soko_projections::read_models::payments::{
    Payments, PaymentsLine, PaymentsQuery, PaymentsReportError, report,
};
use soko_projections::read_models::sales::Interval;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Query, query};
use crate::resources::reports::{IntervalName, period};
use crate::schema::answer;
use crate::sheet::{Sheet, Sheets};

/// What is covered where nobody says from when.
const PERIOD: Duration = Duration::days(1);

query! {
    pub(crate) struct OfPayments {
        /// Only of this store.
        store: Option<StoreId>,
        /// From the hour in which this lies; a day before the end if left out.
        from: Option<DateTime<Utc>>,
        /// To the end of the hour in which this lies, or to this if it is a full hour; now if left
        /// out.
        to: Option<DateTime<Utc>>,
        /// How long each line covers; an hour if left out.
        interval: Option<IntervalName>,
        /// Whose days, weeks and months they are, such as Africa/Nairobi; UTC if left out.
        time_zone: Option<String>,
    }
}

answer! {
    pub(crate) struct PaymentsReport {
        /// What is covered, in full hours: payments that were started then.
        pub from: DateTime<Utc>,
        pub to: DateTime<Utc>,
        pub items: Vec<PaymentsOfPeriod>,
    }

    /// The payments of a provider that were started within an hour or the like, by how they stand
    /// now.
    pub(crate) struct PaymentsOfPeriod {
        pub start: DateTime<Utc>,
        pub provider: PaymentProvider,
        pub currency: Currency,
        /// Each is in one of the counts that follow.
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
        /// The captured among the captured, failed and expired, in basis points, rounded down; null
        /// while there are none.
        pub success_rate_bps: Option<i64>,
        /// From the start to the money being there: of half of the captured, and of 19 in 20.
        pub latency_median_ms: Option<i64>,
        pub latency_p95_ms: Option<i64>,
        /// In minor units.
        pub amount_captured: i64,
        pub amount_refunded: i64,
    }
}

pub(crate) async fn payments(
    app: Data<App>,
    caller: Caller,
    query: Query<OfPayments>,
    min_position: MinPosition,
    request: HttpRequest,
) -> Result<Sheet<PaymentsReport>> {
    let within = within(&caller, query.store).await?;
    min_position.reached_by::<Payments>(app.freshness()).await?;
    let (from, to) = period(query.from, query.to, PERIOD, caller.now())?;
    let time_zone = query.time_zone.clone();
    let question = PaymentsQuery {
        from,
        to,
        interval: query.interval.map_or(Interval::Hour, |interval| interval.0),
        time_zone: time_zone.unwrap_or_else(|| "UTC".to_owned()),
    };
    let lines = report(app.reader(), within, &question).await?;
    let items = lines.into_iter().map(PaymentsOfPeriod::from).collect();
    let answer = PaymentsReport { from, to, items };
    Ok(Sheet::asked_for(&request, answer))
}

/// A store's, or everything there is.
pub(super) async fn within(caller: &Caller, store_id: Option<StoreId>) -> Result<Within> {
    let Some(store_id) = store_id else {
        caller.permit(Place::platform()).await?;
        return Ok(Within::Platform);
    };
    let permit = caller.permit(Place::store(store_id)).await?;
    Ok(Within::Store(permit.tenant_id(), store_id))
}

impl Sheets for PaymentsReport {
    type Line = PaymentsOfPeriod;

    const FILE_NAME: &'static str = "payments.csv";

    fn lines(&self) -> &[PaymentsOfPeriod] {
        &self.items
    }
}

impl From<PaymentsLine> for PaymentsOfPeriod {
    fn from(line: PaymentsLine) -> Self {
        let success_rate_bps = line.success_rate_bps();
        let PaymentsLine {
            start,
            provider,
            currency,
            started,
            captured,
            failed,
            expired,
            cancelled,
            unresolved,
            open,
            latency_median_ms,
            latency_p95_ms,
            amount_captured,
            amount_refunded,
        } = line;
        Self {
            start,
            provider,
            currency,
            started,
            captured,
            failed,
            expired,
            cancelled,
            unresolved,
            open,
            success_rate_bps,
            latency_median_ms,
            latency_p95_ms,
            amount_captured,
            amount_refunded,
        }
    }
}

impl From<PaymentsReportError> for Problem {
    fn from(error: PaymentsReportError) -> Self {
        let parameter = match &error {
            PaymentsReportError::NoSuchTimeZone(_) => "time_zone",
            PaymentsReportError::TooLong => "from",
            PaymentsReportError::EndsBeforeItBegins => "to",
            PaymentsReportError::Database(_) => return Self::ours(Code::Unavailable, &error),
        };
        Self::invalid_parameter(parameter, error)
    }
}
