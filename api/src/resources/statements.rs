//! What providers say they moved, loaded as their files.

mod differences;

pub(crate) use differences::differences;

use actix_web::web::{self, Data};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_commands::handlers::{LoadStatement, LoadStatementError, LoadedStatement, load_statement};
use soko_domain::statement::{
    LineKind, Opening, Period, StatementError, StatementLine, StatementProvider, Tally,
};
use soko_domain::{Money, Statement, StatementId, StoreId};
use soko_gateways::statements::{FileFault, Wrong, read};
use soko_projections::Within;
use soko_projections::read_models::payments::{PaymentMoves, Payments};
use soko_projections::read_models::statements::{
    self as found, Question, Statement as Row, StatementLines, Statements, known_before, reconcile,
};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::{Found, Page, Part};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query, query};
use crate::recorded::New;
use crate::schema::{answer, words};
use crate::upload::{File, Upload};

words! {
    StatementProvider = "StatementProvider" ["mpesa", "paynow", "paystack", "stripe"],
    LineKind = "StatementLineKind" ["capture", "refund", "chargeback", "payout", "fee", "other"],
}

query! {
    pub(crate) struct OfLoading {
        /// Whose statement it is.
        pub provider: StatementProvider,
        /// From when it covers; its first line if left out.
        pub from: Option<DateTime<Utc>>,
        /// Up to when it covers; its last line if left out, and then what it lacks at its end is not found.
        pub to: Option<DateTime<Utc>>,
    }
}

answer! {
    pub(crate) struct StatementLoaded {
        pub statement_id: StatementId,
        pub store_id: StoreId,
        pub provider: StatementProvider,
        pub from: DateTime<Utc>,
        pub to: DateTime<Utc>,
        pub lines: u32,
        pub sums: Vec<SumOfLines>,
    }

    /// What the lines of one kind in one currency come to.
    pub(crate) struct SumOfLines {
        pub kind: LineKind,
        pub lines: u32,
        /// What came is above zero.
        pub amount: Money,
        /// What the provider kept, where that stands in the same lines.
        pub fees: Money,
    }

    pub(crate) struct StatementDetails {
        pub statement_id: StatementId,
        pub store_id: StoreId,
        pub provider: StatementProvider,
        pub from: DateTime<Utc>,
        pub to: DateTime<Utc>,
        /// How many the file has.
        pub lines: i64,
        /// How many of them are recorded: fewer if the loading broke off. The same file, loaded
        /// again, goes on from there.
        pub recorded: i64,
        /// Once all are recorded.
        pub sums: Vec<SumOfLines>,
        pub opened_at: DateTime<Utc>,
        pub closed_at: Option<DateTime<Utc>>,
    }

    pub(crate) struct StatementSummary {
        pub statement: StatementDetails,
        /// How many of its lines were in an earlier statement, and count once.
        pub known_before: i64,
        /// How many movements of the period are the same on both sides.
        pub matched: u64,
        /// How many movements are in our books only.
        pub ours_only: u64,
        /// How many movements are in the provider's only.
        pub theirs_only: u64,
        /// How many movements are in both, with other amounts.
        pub amounts_differ: u64,
    }
}

/// The file is read only when it is known that the caller may load it.
pub(crate) async fn load(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    query: Query<OfLoading>,
    upload: Upload,
) -> Result<New<StatementLoaded>> {
    let permit = caller.permit(Place::store(*store_id)).await?;
    let File { bytes, conditions } = upload.read().await?;
    let context = permit.context_with(&conditions);
    let provider = query.provider;
    let parsed = web::block(move || {
        let digest = hex::encode(Sha256::digest(&bytes));
        read(provider, &bytes).map(|lines| (lines, digest))
    });
    let parsed = parsed
        .await
        .map_err(|error| Problem::ours(Code::Unavailable, &error))?;
    let (lines, digest) = parsed?;
    let opening = Opening {
        store_id: *store_id,
        provider,
        digest: digest
            .parse()
            .map_err(|error| Problem::ours(Code::Internal, &error))?,
        period: period(&query, &lines)?,
        lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
    };
    let statement_id = opening.statement_id();
    let request = LoadStatement { opening, lines };
    let done = load_statement(app.engine(), request, &context).await;
    let recorded: New<LoadedStatement> = app
        .recorded_of::<Statement, _, _, _>(statement_id, done, &context)
        .await?;
    Ok(recorded
        .map(|loaded| StatementLoaded {
            statement_id: loaded.statement_id,
            store_id: loaded.store_id,
            provider: loaded.provider,
            from: loaded.period.from,
            to: loaded.period.to,
            lines: loaded.lines,
            sums: loaded.tallies.into_iter().map(SumOfLines::from).collect(),
        })
        .at(|loaded| format!("/statements/{}", loaded.statement_id)))
}

/// As it was asked for, or from the first line to the last.
fn period(asked: &OfLoading, lines: &[StatementLine]) -> Result<Period> {
    let times = || lines.iter().map(|line| line.happened_at);
    let needed = |name| {
        let message = "is needed where the statement has no lines";
        Problem::invalid_parameter(name, message)
    };
    Ok(Period {
        from: asked
            .from
            .or_else(|| times().min())
            .ok_or_else(|| needed("from"))?,
        to: asked
            .to
            .or_else(|| times().max())
            .ok_or_else(|| needed("to"))?,
    })
}

/// Latest first.
pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    part: Query<Part>,
    min_position: MinPosition,
) -> Result<Page<StatementDetails>> {
    let permit = caller.permit(Place::store(*store_id)).await?;
    min_position
        .reached_by::<Statements>(app.freshness())
        .await?;
    let within = Within::Store(permit.tenant_id(), *store_id);
    let list = format!("statements {within:?}");
    let page = part.limit.keyset(part.cursor.as_ref(), &list)?;
    let found = found::statements(app.reader(), within, page).await?;
    let items = found.items.into_iter().map(StatementDetails::from);
    Ok(Page::of(items, found.next, &list))
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    statement_id: Path<StatementId>,
    min_position: MinPosition,
) -> Result<Found<StatementSummary>> {
    let (row, within) = seen(&app, &caller, *statement_id, min_position).await?;
    let known_before = known_before(app.reader(), within, &row).await?;
    let question = question_of(&row);
    let compared = reconcile(app.reader(), within, &question).await?;
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Found::new(StatementSummary {
        statement: row.into(),
        known_before,
        matched: count(compared.matched),
        ours_only: count(compared.ours_only.len()),
        theirs_only: count(compared.theirs_only.len()),
        amounts_differ: count(compared.amounts_differ.len()),
    }))
}

/// The statement, and where the caller may look for what is beside it.
async fn seen(
    app: &App,
    caller: &Caller,
    statement_id: StatementId,
    min_position: MinPosition,
) -> Result<(Row, Within)> {
    let statement = app.engine().read::<Statement>(statement_id).await?;
    let sheet = statement.state.sheet();
    let store_id = sheet.map_err(|_| Problem::new(Code::NotFound))?.store_id();
    let permit = caller.permit(Place::store(store_id)).await?;
    let freshness = app.freshness();
    min_position.reached_by::<Statements>(freshness).await?;
    min_position.reached_by::<StatementLines>(freshness).await?;
    min_position.reached_by::<Payments>(freshness).await?;
    min_position.reached_by::<PaymentMoves>(freshness).await?;
    let within = Within::Store(permit.tenant_id(), store_id);
    let row = found::statement(app.reader(), within, statement_id).await?;
    let row = row.ok_or_else(|| Problem::new(Code::ProjectionBehind))?;
    Ok((row, within))
}

fn question_of(row: &Row) -> Question {
    Question {
        store_id: row.store_id,
        provider: row.provider,
        period: Period {
            from: row.period_from,
            to: row.period_to,
        },
    }
}

impl From<Tally> for SumOfLines {
    fn from(tally: Tally) -> Self {
        let Tally {
            kind,
            lines,
            amount,
            fees,
        } = tally;
        Self {
            kind,
            lines,
            amount,
            fees,
        }
    }
}

impl From<Row> for StatementDetails {
    fn from(row: Row) -> Self {
        Self {
            statement_id: row.statement_id,
            store_id: row.store_id,
            provider: row.provider,
            from: row.period_from,
            to: row.period_to,
            lines: row.lines,
            recorded: row.recorded,
            sums: row.tallies.0.into_iter().map(SumOfLines::from).collect(),
            opened_at: row.opened_at,
            closed_at: row.closed_at,
        }
    }
}

/// The place is a line of the file and the name of its column, as if it were JSON.
impl From<FileFault> for Problem {
    fn from(fault: FileFault) -> Self {
        if fault.wrong == Wrong::TooManyBytes {
            return Self::new(Code::BodyTooLarge).with_detail(fault.wrong);
        }
        let column = fault
            .column
            .map(|name| name.replace('~', "~0").replace('/', "~1"));
        let column = column.map(|name| format!("/{name}")).unwrap_or_default();
        Self::invalid_at(format!("/{}{column}", fault.line), fault.wrong)
    }
}

impl From<LoadStatementError> for Problem {
    fn from(error: LoadStatementError) -> Self {
        match error {
            LoadStatementError::Store(store) => store.into(),
            LoadStatementError::Statement(statement) => statement.into(),
        }
    }
}

impl From<StatementError> for Problem {
    fn from(error: StatementError) -> Self {
        let code = match error {
            StatementError::NotOpened => Code::NotFound,
            StatementError::AlreadyOpened => Code::AlreadyExists,
            StatementError::PeriodEndsBeforeItBegins => {
                return Self::invalid_parameter("to", error);
            }
            StatementError::OutsideOfPeriod { .. } => {
                return Self::invalid_parameter("from", error);
            }
            StatementError::SumTooLarge { .. } => return Self::invalid_at("", error),
            StatementError::LinesMissing { .. }
            | StatementError::TooManyLines { .. }
            | StatementError::Unfinished { .. } => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
