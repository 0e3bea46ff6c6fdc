//! A vendor's statement: what it sold, what went back, what it was paid, and what it was owed after
//! each; JSON, or CSV for a spreadsheet.

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Duration, Utc};
use soko_domain::{Currency, OrderId, PayoutId, RefundId, VendorId};
use soko_projections::read_models::account_moves::{AccountMoves, StatementEntry, statement};
use soko_projections::{Keyset, Within};

use super::balances::currency;
use crate::app::App;
use crate::caller::{Caller, Place};
use crate::fresh::MinPosition;
use crate::operation::{Answer, Operation};
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, cursor, query};
use crate::schema::answer;

/// What is covered where nobody says from when.
const PERIOD: Duration = Duration::days(30);

/// A spreadsheet is asked for at once.
const CSV_LINES_MAX: i64 = 10_000;

query! {
    pub(crate) struct OfVendorStatement {
        /// 30 days before the end if left out.
        pub from: Option<DateTime<Utc>>,
        /// Before this; now if left out.
        pub to: Option<DateTime<Utc>>,
        /// How many lines on a page of JSON; CSV has all.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

answer! {
    /// Amounts are minor units of the currency.
    pub(crate) struct VendorStatement {
        pub vendor_id: VendorId,
        pub currency: Currency,
        pub from: DateTime<Utc>,
        pub to: DateTime<Utc>,
        /// What the vendor was owed when the period began.
        pub opening_balance: i64,
        /// And when it ended.
        pub closing_balance: i64,
        pub items: Vec<VendorStatementLine>,
        pub next_cursor: Option<String>,
    }

    pub(crate) struct VendorStatementLine {
        pub at: DateTime<Utc>,
        /// `sale`, `refund`, `payout` or `payout_returned`.
        pub kind: String,
        pub order_id: Option<OrderId>,
        pub refund_id: Option<RefundId>,
        pub payout_id: Option<PayoutId>,
        /// Of a payout.
        pub reference: Option<String>,
        pub currency: Currency,
        /// What the buyer paid; of a refund, less than nothing.
        pub gross: i64,
        /// What the store made up for of what was taken off.
        pub subsidy: i64,
        /// What the store kept of both.
        pub commission: i64,
        pub commission_tax: i64,
        /// What the vendor is owed more by this, or less.
        pub amount: i64,
        /// What it was owed after this.
        pub balance: i64,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    query: Query<OfVendorStatement>,
    fresh: MinPosition,
    request: HttpRequest,
) -> Result<InForm> {
    let permit = caller.permit(Place::vendor(*vendor_id)).await?;
    let within = Within::Vendor(permit.tenant_id(), *vendor_id);
    let asked = &query.0;
    let to = asked.to.unwrap_or(caller.now());
    let from = asked.from.unwrap_or(to - PERIOD);
    if to <= from {
        return Err(Problem::invalid_parameter("to", "must be after from"));
    }
    fresh.reached_by::<AccountMoves>(app.freshness()).await?;
    let currency = currency(&app, *vendor_id).await?;
    let is_csv = accepts_csv(&request);
    // Of a period that ends now, each page has another end.
    let list = format!("statement {vendor_id:?} {:?} {:?}", asked.from, asked.to);
    let page = if is_csv {
        Keyset::first(CSV_LINES_MAX)
    } else {
        let key = asked.cursor.as_ref().map(|cursor| cursor.key(&list));
        Keyset {
            after: key.transpose()?,
            limit: asked.limit.rows(),
        }
    };
    let found = statement(app.reader(), within, *vendor_id, (from, to), page).await?;
    if is_csv && found.next.is_some() {
        let fault = format!("more than {CSV_LINES_MAX} lines: ask for a shorter period");
        return Err(Problem::invalid_parameter("from", fault));
    }
    let items = found.items.into_iter().map(|entry| line(entry, currency));
    let statement = VendorStatement {
        vendor_id: *vendor_id,
        currency,
        from,
        to,
        opening_balance: found.opening,
        closing_balance: found.closing,
        items: items.collect(),
        next_cursor: found.next.map(|position| cursor(&list, &position)),
    };
    Ok(InForm { statement, is_csv })
}

fn line(
    StatementEntry { line, balance }: StatementEntry,
    currency: Currency,
) -> VendorStatementLine {
    VendorStatementLine {
        at: line.at,
        kind: line.kind,
        order_id: line.order_id,
        refund_id: line.refund_id,
        payout_id: line.payout_id,
        reference: line.reference,
        currency,
        gross: line.gross,
        subsidy: line.subsidy,
        commission: line.commission,
        commission_tax: line.commission_tax,
        amount: line.amount,
        balance,
    }
}

fn accepts_csv(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/csv"))
}

/// In the form that was asked for.
pub(crate) struct InForm {
    statement: VendorStatement,
    is_csv: bool,
}

impl actix_web::Responder for InForm {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        if !self.is_csv {
            return HttpResponse::Ok().json(self.statement);
        }
        let attachment = "attachment; filename=\"statement.csv\"";
        match csv(self.statement.items) {
            Ok(text) => HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((CONTENT_DISPOSITION, attachment))
                .body(text),
            Err(error) => Problem::ours(Code::Internal, &error).response(None),
        }
    }
}

impl Answer for InForm {
    fn describe(operation: &mut Operation<'_>) {
        let about = "JSON, or CSV if asked.";
        operation.gives::<VendorStatement>(actix_web::http::StatusCode::OK, about);
    }
}

fn csv(items: Vec<VendorStatementLine>) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for mut item in items {
        item.reference = item.reference.map(harmless);
        writer.serialize(item)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// People type references, and a spreadsheet takes what begins so for a formula (OWASP, CSV
/// injection).
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reference_is_a_formula() {
        for text in ["=1+1", "+254712345678", "-1", "@SUM(A1)"] {
            assert_eq!(harmless(text.to_owned()), format!("'{text}"));
        }
        assert_eq!(harmless("KCB-1".to_owned()), "KCB-1");
    }
}
