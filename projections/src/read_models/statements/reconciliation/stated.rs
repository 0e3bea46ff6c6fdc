//! The provider's side.

use super::super::StatementLine as Row;
use super::Question;
use crate::query::{Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::statement::{IdentifiedLine, LineKind};
use soko_domain::{Money, StatementId, StatementLineId};
use soko_event_log::ScopedReader;
use sqlx::{Postgres, QueryBuilder};

/// A movement as a provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    pub line_id: StatementLineId,
    /// That it was first in; `None` if it is in a file that nobody has loaded.
    pub statement_id: Option<StatementId>,
    /// Its number there, from 1.
    pub number: i64,
    pub kind: LineKind,
    /// What came to the store is above zero.
    pub amount: Money,
    /// What was kept of it, if anything was.
    pub fee: Option<Money>,
    pub reference: String,
    pub name: Option<String>,
    pub other_name: Option<String>,
    pub at: DateTime<Utc>,
    pub words: String,
}

impl Stated {
    /// Of a file that nobody has loaded.
    pub fn of_file(number: i64, IdentifiedLine { line_id, line }: IdentifiedLine) -> Self {
        Self {
            line_id,
            statement_id: None,
            number,
            kind: line.kind,
            amount: line.amount,
            fee: line.fee,
            reference: line.reference.to_string(),
            name: line.name.as_ref().map(ToString::to_string),
            other_name: line.other_name.as_ref().map(ToString::to_string),
            at: line.happened_at,
            words: line.words.to_string(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.name.iter().chain(&self.other_name);
        names.map(String::as_str)
    }

    /// In a list.
    pub fn place(&self) -> (DateTime<Utc>, StatementLineId) {
        (self.at, self.line_id)
    }
}

impl From<Row> for Stated {
    fn from(row: Row) -> Self {
        let money = |amount| Money::new(amount, row.currency);
        Self {
            line_id: row.line_id,
            statement_id: Some(row.statement_id),
            number: row.number,
            kind: row.kind,
            amount: money(row.amount),
            fee: (row.fee != 0).then(|| money(row.fee)),
            reference: row.reference,
            name: row.name,
            other_name: row.other_name,
            at: row.happened_at,
            words: row.words,
        }
    }
}

pub(super) async fn in_period(
    reader: &ScopedReader,
    within: Within,
    question: &Question,
) -> Result<Vec<Stated>, sqlx::Error> {
    let mut query = of_provider(within, question);
    query.push(" AND happened_at BETWEEN ");
    query.push_bind(question.period.from).push(" AND ");
    query.push_bind(question.period.to);
    found(reader, within, query).await
}

/// Those that go by one of the names.
pub(super) async fn outside_of_period(
    reader: &ScopedReader,
    within: Within,
    question: &Question,
    names: Vec<String>,
) -> Result<Vec<Stated>, sqlx::Error> {
    let mut query = of_provider(within, question);
    query.push(" AND (name = ANY (").push_bind(names.clone());
    query.push(") OR other_name = ANY (").push_bind(names);
    query.push(")) AND NOT happened_at BETWEEN ");
    query.push_bind(question.period.from).push(" AND ");
    query.push_bind(question.period.to);
    found(reader, within, query).await
}

fn of_provider(within: Within, question: &Question) -> QueryBuilder<'static, Postgres> {
    let mut query = QueryBuilder::new(rows::select::<Row>());
    query.push(" WHERE store_id = ");
    query.push_bind(question.store_id.as_uuid());
    query.push(" AND provider = ");
    query.push_bind(question.provider.as_str());
    within.and(&mut query);
    query
}

async fn found(
    reader: &ScopedReader,
    within: Within,
    query: QueryBuilder<'_, Postgres>,
) -> Result<Vec<Stated>, sqlx::Error> {
    let found: Vec<Row> = rows::all(query, reader, &within.scope()).await?;
    Ok(found.into_iter().map(Stated::from).collect())
}
