//! A store loads what its provider says it moved, line by line.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::statement::{
    IdentifiedLine, Opening, Period, StatementCommand, StatementError, StatementLine,
    StatementProvider, Tally, identified, tallies,
};
use soko_domain::store::StoreError;
use soko_domain::{Statement, StatementId, Store, StoreId};

/// How many lines are appended at once: few enough that nobody who sells waits for them.
const LINES_PER_UNIT: usize = 250;

#[derive(Debug, Clone)]
pub struct LoadStatement {
    pub opening: Opening,
    /// All of them, in the order of the file.
    pub lines: Vec<StatementLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedStatement {
    pub statement_id: StatementId,
    pub store_id: StoreId,
    pub provider: StatementProvider,
    pub period: Period,
    pub lines: u32,
    pub tallies: Vec<Tally>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadStatementError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// A large file is appended in several units, each of which can be repeated: whatever breaks off on
/// the way, the same file loaded again goes on where it stopped, and a file that is loaded already
/// is answered as it was. The first unit has the idempotency key, so that the same key with another
/// file is found before anything of it is recorded.
///
/// # Errors
/// [`LoadStatementError`], and every other [`CommandError`]. What is wrong with the lines is found
/// before any is recorded.
pub async fn load_statement(
    engine: &Engine,
    request: LoadStatement,
    context: &CommandContext,
) -> Result<Committed<LoadedStatement>, CommandError<LoadStatementError>> {
    let LoadStatement { opening, lines } = request;
    let statement_id = opening.statement_id();
    let lines = identified(opening.store_id, opening.provider, lines);
    let at_first = if context.dry_run {
        lines.len()
    } else {
        LINES_PER_UNIT.min(lines.len())
    };
    // Made before the store is held, for that takes a while with many lines.
    let answer = answer(&opening, &lines);
    let touched = Lanes::new()
        .with::<Statement>(statement_id)
        .with::<Store>(opening.store_id);
    let mut loaded = engine
        .transact(context, touched, |unit| {
            if !shelf::is_store_of(unit, opening.store_id, context.tenant_id) {
                return Err(StoreError::NotOpened.into());
            }
            let answer = answer.clone()?;
            let open = StatementCommand::Open(opening.clone());
            unit.execute::<Statement>(statement_id, open)?;
            record(unit, statement_id, 0, &lines[..at_first])?;
            if at_first == lines.len() {
                unit.execute::<Statement>(statement_id, StatementCommand::Close {})?;
            }
            Ok::<_, LoadStatementError>(answer)
        })
        .await?;
    if context.dry_run {
        return Ok(loaded);
    }
    let rest = CommandContext {
        idempotency: None,
        expected_version: None,
        causation: loaded.position.or(context.causation),
        ..context.clone()
    };
    if loaded.replayed && at_first < lines.len() {
        // Of the first unit alone: what it stands for now lies further on.
        loaded.position = None;
    }
    let mut from = recorded(engine, statement_id).await?.max(at_first);
    while from < lines.len() {
        let to = from.saturating_add(LINES_PER_UNIT).min(lines.len());
        let touched = Lanes::new().with::<Statement>(statement_id);
        let next = engine
            .transact(&rest, touched, |unit| {
                record(unit, statement_id, from, &lines[from..to])?;
                if to == lines.len() {
                    unit.execute::<Statement>(statement_id, StatementCommand::Close {})?;
                }
                Ok::<_, LoadStatementError>(())
            })
            .await?;
        loaded.position = next.position.or(loaded.position);
        loaded.recorded_at = next.recorded_at.or(loaded.recorded_at);
        loaded.versions = next.versions;
        from = to;
    }
    Ok(loaded)
}

/// `from` lines of the file come before these.
fn record(
    unit: &mut UnitOfWork<'_>,
    statement_id: StatementId,
    from: usize,
    lines: &[IdentifiedLine],
) -> Result<(), StatementError> {
    let command = StatementCommand::Record {
        first: u32::try_from(from).unwrap_or(u32::MAX).saturating_add(1),
        lines: lines.to_vec(),
    };
    unit.execute::<Statement>(statement_id, command)
}

/// How many are there already.
async fn recorded(
    engine: &Engine,
    statement_id: StatementId,
) -> Result<usize, CommandError<LoadStatementError>> {
    let found = engine.read::<Statement>(statement_id).await;
    let found = found.map_err(|error| error.map_rejection(|never| match never {}))?;
    let sheet = found.state.sheet();
    let recorded = sheet.map_or(0, soko_domain::statement::Sheet::recorded);
    Ok(usize::try_from(recorded).unwrap_or(usize::MAX))
}

/// What the file comes to, if it can be a statement at all.
fn answer(opening: &Opening, lines: &[IdentifiedLine]) -> Result<LoadedStatement, StatementError> {
    for (IdentifiedLine { line, .. }, number) in lines.iter().zip(1..) {
        if !opening.period.contains(line.happened_at) {
            return Err(StatementError::OutsideOfPeriod { number });
        }
    }
    let movements = lines.iter().map(|identified| identified.line.movement());
    let number = opening.lines;
    Ok(LoadedStatement {
        statement_id: opening.statement_id(),
        store_id: opening.store_id,
        provider: opening.provider,
        period: opening.period,
        lines: opening.lines,
        tallies: tallies(movements).map_err(|_| StatementError::SumTooLarge { number })?,
    })
}
