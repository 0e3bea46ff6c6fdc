//! A provider's statement beside our books: what only one of them has, and what differs.

use crate::arguments::{Format, WhichStatement};
use crate::cells::shown;
use crate::error::{CHECK_FAILED, Failure};
use crate::progress::say;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use soko_domain::statement::{LineKind, Period, StatementProvider, identified};
use soko_domain::{OrderId, PaymentId, StatementId, StoreId};
use soko_event_log::{LogReader, ScopedReader};
use soko_projections::Within;
use soko_projections::read_models::statements::{
    Booked, Question, Reconciliation, Stated, reconcile, reconcile_with, statement,
};
use sqlx::PgPool;
use std::path::Path;
use std::process::ExitCode;

/// Ends with 1 if there is a difference.
pub(crate) async fn print(
    pool: &PgPool,
    of: &WhichStatement,
    format: Format,
) -> Result<ExitCode, Failure> {
    // The tool sees all: the auditors' login is bound by no policy.
    let reader = ScopedReader::without_wall(pool.clone());
    let (question, found) = match (of.statement, &of.store, &of.provider, &of.file) {
        (None, Some(store), Some(provider), Some(file)) => {
            let store_id = StoreId::from_uuid(*store);
            of_file(pool, &reader, store_id, *provider, file, of).await?
        }
        (Some(id), ..) => loaded(&reader, StatementId::from_uuid(id)).await?,
        // Clap asks for one or the other.
        _ => return Err(Failure::NothingToReconcile),
    };
    match format {
        Format::Text => tell(&question, &found),
        Format::Json => {
            let rows: Vec<_> = rows(&found).collect();
            let text = serde_json::to_string_pretty(&rows);
            say(&text.map_err(|error| Failure::Output(error.into()))?);
        }
        Format::Csv => table(&found)?,
    }
    Ok(if found.has_differences() {
        ExitCode::from(CHECK_FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

/// A statement that was loaded, with all that other statements say of the same period.
async fn loaded(
    reader: &ScopedReader,
    statement_id: StatementId,
) -> Result<(Question, Reconciliation), Failure> {
    let row = statement(reader, Within::Platform, statement_id).await;
    let row = row.map_err(unreadable)?.ok_or(Failure::NotFound {
        what: "statement".to_owned(),
        id: statement_id.as_uuid(),
    })?;
    let question = Question {
        store_id: row.store_id,
        provider: row.provider,
        period: Period {
            from: row.period_from,
            to: row.period_to,
        },
    };
    let found = reconcile(reader, Within::Platform, &question).await;
    Ok((question, found.map_err(unreadable)?))
}

/// A file that nobody needs to have loaded.
async fn of_file(
    pool: &PgPool,
    reader: &ScopedReader,
    store_id: StoreId,
    provider: StatementProvider,
    file: &Path,
    asked: &WhichStatement,
) -> Result<(Question, Reconciliation), Failure> {
    let log = LogReader::new(pool.clone());
    if log.stream("store", store_id.as_uuid()).await?.is_empty() {
        return Err(Failure::NotFound {
            what: "store".to_owned(),
            id: store_id.as_uuid(),
        });
    }
    let unreadable_file = |cause| Failure::File(file.to_owned(), cause);
    let bytes = std::fs::read(file).map_err(unreadable_file)?;
    let lines = soko_gateways::statements::read(provider, &bytes)?;
    let times = || lines.iter().map(|line| line.happened_at);
    let period = Period {
        from: asked
            .from
            .or_else(|| times().min())
            .ok_or(Failure::NoPeriod)?,
        to: asked
            .to
            .or_else(|| times().max())
            .ok_or(Failure::NoPeriod)?,
    };
    let question = Question {
        store_id,
        provider,
        period,
    };
    let stated = identified(store_id, provider, lines).into_iter();
    let stated = stated
        .zip(1_i64..)
        .map(|(line, number)| Stated::of_file(number, line));
    let stated = stated.filter(|line| period.contains(line.at)).collect();
    let found = reconcile_with(reader, Within::Platform, &question, stated).await;
    Ok((question, found.map_err(unreadable)?))
}

fn unreadable(error: sqlx::Error) -> Failure {
    Failure::ReadModel(error.into())
}

fn tell(question: &Question, found: &Reconciliation) {
    let Period { from, to } = question.period;
    say(&format!(
        "{} in store {}, from {} to {}",
        question.provider,
        question.store_id,
        short(from),
        short(to)
    ));
    for tally in &found.tallies {
        let fees = match tally.fees.amount() {
            0 => String::new(),
            _ => format!(", of which {} were kept as fees", tally.fees),
        };
        say(&format!(
            "  {}: {} lines, {}{fees}",
            tally.kind.as_str(),
            tally.lines,
            tally.amount
        ));
    }
    say(&format!("the same on both sides: {}", found.matched));
    say(&format!("ours only: {}", found.ours_only.len()));
    for ours in &found.ours_only {
        say(&format!("  {}", our_side(ours)));
    }
    say(&format!("theirs only: {}", found.theirs_only.len()));
    for theirs in &found.theirs_only {
        say(&format!("  {}", their_side(theirs)));
    }
    say(&format!("amounts differ: {}", found.amounts_differ.len()));
    for (ours, theirs) in &found.amounts_differ {
        say(&format!("  {}", our_side(ours)));
        say(&format!("    they say {}", their_side(theirs)));
    }
}

fn our_side(ours: &Booked) -> String {
    format!(
        "{} {} {} {}, payment {} of order {}",
        short(ours.at),
        ours.kind.as_str(),
        ours.amount,
        ours.reference,
        ours.payment_id,
        ours.order_id
    )
}

fn their_side(theirs: &Stated) -> String {
    let name = theirs.name.as_deref().unwrap_or(&theirs.reference);
    format!(
        "{} {} {} {name}, line {}: {}",
        short(theirs.at),
        theirs.kind.as_str(),
        theirs.amount,
        theirs.number,
        theirs.words
    )
}

fn short(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A difference, in one line; amounts are minor units.
#[derive(Serialize)]
struct Row<'a> {
    list: &'static str,
    kind: LineKind,
    payment_id: Option<PaymentId>,
    order_id: Option<OrderId>,
    our_reference: Option<String>,
    our_amount: Option<i64>,
    our_currency: Option<&'static str>,
    recorded_at: Option<DateTime<Utc>>,
    their_reference: Option<String>,
    their_amount: Option<i64>,
    their_currency: Option<&'static str>,
    happened_at: Option<DateTime<Utc>>,
    words: Option<&'a str>,
}

fn rows(found: &Reconciliation) -> impl Iterator<Item = Row<'_>> {
    let ours = found.ours_only.iter();
    let ours = ours.map(|ours| row("ours_only", ours.kind, Some(ours), None));
    let theirs = found.theirs_only.iter();
    let theirs = theirs.map(|theirs| row("theirs_only", theirs.kind, None, Some(theirs)));
    let both = found.amounts_differ.iter();
    let both =
        both.map(|(ours, theirs)| row("amounts_differ", ours.kind, Some(ours), Some(theirs)));
    ours.chain(theirs).chain(both)
}

fn row<'a>(
    list: &'static str,
    kind: LineKind,
    ours: Option<&'a Booked>,
    theirs: Option<&'a Stated>,
) -> Row<'a> {
    Row {
        list,
        kind,
        payment_id: ours.map(|ours| ours.payment_id),
        order_id: ours.map(|ours| ours.order_id),
        our_reference: ours.map(|ours| ours.reference.clone()),
        our_amount: ours.map(|ours| ours.amount.amount()),
        our_currency: ours.map(|ours| ours.amount.currency().code()),
        recorded_at: ours.map(|ours| ours.at),
        their_reference: theirs.map(|theirs| theirs.reference.clone()),
        their_amount: theirs.map(|theirs| theirs.amount.amount()),
        their_currency: theirs.map(|theirs| theirs.amount.currency().code()),
        happened_at: theirs.map(|theirs| theirs.at),
        words: theirs.map(|theirs| theirs.words.as_str()),
    }
}

fn table(found: &Reconciliation) -> Result<(), Failure> {
    let output = |error: csv::Error| Failure::Output(error.into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for mut row in rows(found) {
        for reference in [&mut row.our_reference, &mut row.their_reference] {
            *reference = reference.as_deref().map(|text| shown(text).into_owned());
        }
        writer.serialize(row).map_err(output)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Failure::Output(error.into_error().into()))?;
    let text = String::from_utf8(bytes).map_err(|error| Failure::Output(error.into()))?;
    say(text.trim_end());
    Ok(())
}
