//! The three lists that remain: page by page as JSON, or as a whole for a spreadsheet.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::payment::PaymentProvider;
use soko_domain::statement::LineKind;
use soko_domain::{Money, OrderId, PaymentId, StatementId};
use soko_projections::read_models::statements::{Booked, Reconciliation, Stated, reconcile};
use std::borrow::Cow;
use uuid::Uuid;

use super::{question_of, seen};
use crate::app::App;
use crate::caller::Caller;
use crate::found::{Page, Part};
use crate::fresh::MinPosition;
use crate::operation::{Answer, Operation};
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::schema::{answer, words};

/// Which movements are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceList {
    OursOnly,
    TheirsOnly,
    AmountsDiffer,
}

words! { DifferenceList = "DifferenceList" ["ours_only", "theirs_only", "amounts_differ"] }

query! {
    pub(crate) struct OfDifferences {
        /// What only our books have, what only the provider's have, or what differs.
        pub list: DifferenceList,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

answer! {
    pub(crate) struct StatementDifference {
        pub list: DifferenceList,
        pub kind: LineKind,
        /// What our books have, if they have it.
        pub ours: Option<OurMovement>,
        /// What the provider says, if it says anything.
        pub theirs: Option<TheirMovement>,
    }

    pub(crate) struct OurMovement {
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        /// What came is above zero.
        pub amount: Money,
        pub reference: String,
        pub recorded_at: DateTime<Utc>,
    }

    pub(crate) struct TheirMovement {
        /// The statement that it was first in, and its number there.
        pub statement_id: Option<StatementId>,
        pub number: i64,
        /// What came is above zero.
        pub amount: Money,
        pub reference: String,
        /// By which our books would know it, the surer first.
        pub name: Option<String>,
        pub other_name: Option<String>,
        pub happened_at: DateTime<Utc>,
        /// The provider's word for it.
        pub words: String,
    }
}

pub(crate) async fn differences(
    app: Data<App>,
    caller: Caller,
    statement_id: Path<StatementId>,
    query: Query<OfDifferences>,
    min_position: MinPosition,
    request: HttpRequest,
) -> Result<Differences> {
    let (row, within) = seen(&app, &caller, *statement_id, min_position).await?;
    let compared = reconcile(app.reader(), within, &question_of(&row)).await?;
    let found = of_list(compared, query.list);
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/csv")) {
        let all = found.into_iter().map(|(_, difference)| difference);
        return Ok(Differences::Table(query.list, all.collect()));
    }
    let part = Part {
        limit: query.limit,
        cursor: query.0.cursor,
    };
    let list = format!("differences {statement_id:?} {:?}", query.0.list);
    let page = Page::within(found, |(place, _)| *place, &part, &list)?;
    Ok(Differences::Page(Page {
        items: page.items.into_iter().map(|(_, one)| one).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Its time, and what tells it from others of the same moment.
type PlaceInList = (DateTime<Utc>, Uuid, i64);

fn of_list(
    compared: Reconciliation,
    list: DifferenceList,
) -> Vec<(PlaceInList, StatementDifference)> {
    let of_ours = |ours: &Booked| (ours.at, ours.payment_id.as_uuid(), ours.position);
    match list {
        DifferenceList::OursOnly => {
            let all = compared.ours_only.into_iter();
            all.map(|ours| (of_ours(&ours), difference(list, Some(ours), None)))
                .collect()
        }
        DifferenceList::TheirsOnly => {
            let all = compared.theirs_only.into_iter();
            all.map(|theirs| {
                let place = (theirs.at, theirs.line_id.as_uuid(), 0);
                (place, difference(list, None, Some(theirs)))
            })
            .collect()
        }
        DifferenceList::AmountsDiffer => {
            let all = compared.amounts_differ.into_iter();
            all.map(|(ours, theirs)| (of_ours(&ours), difference(list, Some(ours), Some(theirs))))
                .collect()
        }
    }
}

fn difference(
    list: DifferenceList,
    ours: Option<Booked>,
    theirs: Option<Stated>,
) -> StatementDifference {
    let kind = ours.as_ref().map(|ours| ours.kind);
    let kind = kind.or(theirs.as_ref().map(|theirs| theirs.kind));
    StatementDifference {
        list,
        kind: kind.unwrap_or(LineKind::Other),
        ours: ours.map(|ours| OurMovement {
            payment_id: ours.payment_id,
            order_id: ours.order_id,
            provider: ours.provider,
            amount: ours.amount,
            reference: ours.reference,
            recorded_at: ours.at,
        }),
        theirs: theirs.map(|theirs| TheirMovement {
            statement_id: theirs.statement_id,
            number: theirs.number,
            amount: theirs.amount,
            reference: theirs.reference,
            name: theirs.name,
            other_name: theirs.other_name,
            happened_at: theirs.at,
            words: theirs.words,
        }),
    }
}

/// In the form that was asked for.
pub(crate) enum Differences {
    Page(Page<StatementDifference>),
    Table(DifferenceList, Vec<StatementDifference>),
}

impl Responder for Differences {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let (list, all) = match self {
            Self::Page(page) => return page.respond_to(request),
            Self::Table(list, all) => (list, all),
        };
        let name = match list {
            DifferenceList::OursOnly => "attachment; filename=\"ours_only.csv\"",
            DifferenceList::TheirsOnly => "attachment; filename=\"theirs_only.csv\"",
            DifferenceList::AmountsDiffer => "attachment; filename=\"amounts_differ.csv\"",
        };
        match table(&all) {
            Ok(text) => HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((CONTENT_DISPOSITION, name))
                .body(text),
            Err(error) => Problem::ours(Code::Internal, &error).response(None),
        }
    }
}

impl Answer for Differences {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<Page<StatementDifference>>(
            StatusCode::OK,
            "One page of the list; all of it as CSV if asked.",
        );
    }
}

/// Amounts in minor units, as in JSON.
#[derive(Serialize)]
struct TableRow<'a> {
    kind: LineKind,
    payment_id: Option<PaymentId>,
    order_id: Option<OrderId>,
    our_reference: Option<Cow<'a, str>>,
    our_amount: Option<i64>,
    our_currency: Option<&'static str>,
    recorded_at: Option<DateTime<Utc>>,
    their_reference: Option<Cow<'a, str>>,
    their_name: Option<Cow<'a, str>>,
    their_amount: Option<i64>,
    their_currency: Option<&'static str>,
    happened_at: Option<DateTime<Utc>>,
    words: Option<Cow<'a, str>>,
}

fn table(all: &[StatementDifference]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for one in all {
        let (ours, theirs) = (one.ours.as_ref(), one.theirs.as_ref());
        writer.serialize(TableRow {
            kind: one.kind,
            payment_id: ours.map(|ours| ours.payment_id),
            order_id: ours.map(|ours| ours.order_id),
            our_reference: ours.map(|ours| shown(&ours.reference)),
            our_amount: ours.map(|ours| ours.amount.amount()),
            our_currency: ours.map(|ours| ours.amount.currency().code()),
            recorded_at: ours.map(|ours| ours.recorded_at),
            their_reference: theirs.map(|theirs| shown(&theirs.reference)),
            their_name: theirs.and_then(|theirs| theirs.name.as_deref().map(shown)),
            their_amount: theirs.map(|theirs| theirs.amount.amount()),
            their_currency: theirs.map(|theirs| theirs.amount.currency().code()),
            happened_at: theirs.map(|theirs| theirs.happened_at),
            words: theirs.map(|theirs| shown(&theirs.words)),
        })?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection). References come from
/// files, and from whoever takes cash.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn shown(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soko_domain::Currency;

    #[test]
    fn a_table_has_both_sides_and_no_formulas() {
        let theirs = TheirMovement {
            statement_id: None,
            number: 1,
            amount: Money::new(-500, Currency::Kes),
            reference: "=1+1".to_owned(),
            name: None,
            other_name: None,
            happened_at: DateTime::UNIX_EPOCH,
            words: "Reversal".to_owned(),
        };
        let one = StatementDifference {
            list: DifferenceList::TheirsOnly,
            kind: LineKind::Refund,
            ours: None,
            theirs: Some(theirs),
        };
        let text = String::from_utf8(table(&[one]).unwrap()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "refund,,,,,,,'=1+1,,-500,KES,1970-01-01T00:00:00Z,Reversal"
        );
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
    }
}
