//! The case file of a payment: what happened, what was asked of its provider and what the provider
//! told, in one order of time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use soko_domain::payment::PaymentEvent;
use soko_domain::{AnyEvent, PaymentId};
use soko_event_log::{Entry, Position, Scope, ScopedReader};
use sqlx::{QueryBuilder, Row};
use std::collections::HashSet;
use uuid::Uuid;

/// So many calls and callbacks are shown; a payment has a dozen.
const EVIDENCE_MAX: i64 = 1_000;

#[derive(Debug, Clone, PartialEq)]
pub struct CaseItem {
    pub at: DateTime<Utc>,
    pub what: CaseFact,
}

#[derive(Debug, Clone, PartialEq)]
pub enum CaseFact {
    Event {
        name: &'static str,
        position: Position,
        actor: String,
        causation: Option<Position>,
        /// As it stands in the log: what is personal is sealed.
        data: Value,
    },
    Call {
        /// Such as `start`, `ask` or `refund`.
        kind: String,
        operation_id: Uuid,
        took: TimeDelta,
        outcome: String,
        words: String,
    },
    Callback {
        arrival: Arrival,
        /// `None` while it waits.
        verdict: Option<String>,
        attempts: i32,
    },
}

/// How a callback came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    First,
    /// The same came before.
    Doubled,
    /// The payment had been given up.
    Late,
    /// Nothing of it is believed.
    Refused,
}

impl Arrival {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Doubled => "doubled",
            Self::Late => "late",
            Self::Refused => "refused",
        }
    }
}

/// `entries` are those of the payment's stream.
///
/// # Errors
/// The database failed.
pub async fn case_file(
    reader: &ScopedReader,
    scope: &Scope,
    payment_id: PaymentId,
    entries: &[Entry],
) -> Result<Vec<CaseItem>, sqlx::Error> {
    let given_up = given_up(entries);
    let mut items: Vec<CaseItem> = entries.iter().filter_map(event).collect();
    items.extend(calls(reader, scope, payment_id).await?);
    items.extend(callbacks(reader, scope, payment_id, given_up).await?);
    // Stable: events of one moment stay in their order.
    items.sort_by_key(|item| item.at);
    Ok(items)
}

fn event(entry: &Entry) -> Option<CaseItem> {
    let recorded = entry.event.as_ref().ok()?;
    Some(CaseItem {
        at: recorded.recorded_at,
        what: CaseFact::Event {
            name: recorded.event.name(),
            position: recorded.position,
            actor: recorded.metadata.actor.to_string(),
            causation: recorded.metadata.causation,
            data: recorded.event.payload().ok()?,
        },
    })
}

/// When the payment first came to an end without money.
fn given_up(entries: &[Entry]) -> Option<DateTime<Utc>> {
    entries.iter().find_map(|entry| {
        let recorded = entry.event.as_ref().ok()?;
        let AnyEvent::Payment(_, event) = &recorded.event else {
            return None;
        };
        let is_end = matches!(
            event,
            PaymentEvent::Failed { .. } | PaymentEvent::Expired {} | PaymentEvent::Cancelled { .. }
        );
        is_end.then_some(recorded.recorded_at)
    })
}

async fn calls(
    reader: &ScopedReader,
    scope: &Scope,
    payment_id: PaymentId,
) -> Result<Vec<CaseItem>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "SELECT began_at, kind, operation_id, took_ms, outcome, words FROM provider_calls \
         WHERE payment_id = ",
    );
    query
        .push_bind(payment_id.as_uuid())
        .push(" ORDER BY began_at LIMIT ")
        .push_bind(EVIDENCE_MAX);
    let rows = reader.all(scope, query).await?;
    let calls = rows.iter().map(|row| {
        Ok(CaseItem {
            at: row.try_get("began_at")?,
            what: CaseFact::Call {
                kind: row.try_get("kind")?,
                operation_id: row.try_get("operation_id")?,
                took: TimeDelta::milliseconds(row.try_get::<i32, _>("took_ms")?.into()),
                outcome: row.try_get("outcome")?,
                words: row.try_get("words")?,
            },
        })
    });
    calls.collect()
}

async fn callbacks(
    reader: &ScopedReader,
    scope: &Scope,
    payment_id: PaymentId,
    given_up: Option<DateTime<Utc>>,
) -> Result<Vec<CaseItem>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "SELECT received_at, digest, verdict, attempts FROM provider_callbacks WHERE payment_id = ",
    );
    query
        .push_bind(payment_id.as_uuid())
        .push(" ORDER BY received_at LIMIT ")
        .push_bind(EVIDENCE_MAX);
    let rows = reader.all(scope, query).await?;
    let mut seen = HashSet::new();
    let callbacks = rows.iter().map(|row| {
        let (at, digest): (DateTime<Utc>, Vec<u8>) =
            (row.try_get("received_at")?, row.try_get("digest")?);
        let verdict: Option<String> = row.try_get("verdict")?;
        let is_refused = verdict
            .as_deref()
            .is_some_and(|text| text.starts_with("refused"));
        let arrival = if is_refused {
            Arrival::Refused
        } else if !seen.insert(digest) {
            Arrival::Doubled
        } else if given_up.is_some_and(|end| at > end) {
            Arrival::Late
        } else {
            Arrival::First
        };
        Ok(CaseItem {
            at,
            what: CaseFact::Callback {
                arrival,
                verdict,
                attempts: row.try_get("attempts")?,
            },
        })
    });
    callbacks.collect()
}
