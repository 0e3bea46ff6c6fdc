//! What happened to one order or payment, and what happened with it.
//!
//! An order's story is told by its own events, its payment's, and whatever else was decided in the
//! same units of work: stock that was held for it, a cart that became it.

use crate::arguments::{Format, Subject};
use crate::cells::shown;
use crate::error::Failure;
use crate::names::Names;
use crate::progress::say;
use crate::story::{Sentence, sentence};
use chrono::{DateTime, Utc};
use serde::Serialize;
use soko_domain::order::OrderEvent;
use soko_domain::payment::PaymentEvent;
use soko_domain::{AccountId, AnyEvent, PaymentId};
use soko_event_log::{Actor, Entry, LogReader, Position, RecordedEvent, Scope, ScopedReader};
use soko_projections::case_file::{CaseFact, CaseItem, case_file};
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

/// No unit of work has more events on either side of one of its own.
const UNIT_EVENTS_MAX: i64 = 256;

/// One line of the story.
#[derive(Debug, Clone, Serialize)]
struct Line {
    /// Of an event: what a provider was asked or told is not in the log.
    position: Option<Position>,
    at: String,
    stream: String,
    /// Its name, or what a provider was asked for, or how its callback came.
    event: String,
    who: String,
    what: String,
    /// Signed minor units with their currency, where money is meant.
    amount: Option<String>,
    /// The event, or the request, that led to it.
    why: String,
}

pub(crate) async fn print(
    pool: &PgPool,
    names: &Names,
    of: Subject,
    id: Uuid,
    format: Format,
) -> Result<ExitCode, Failure> {
    let log = LogReader::new(pool.clone());
    let events = story_of(&log, of, id).await?;
    let names = names.of(&log, events.values()).await?;
    let mut lines: Vec<Line> = events.values().map(|event| line(event, &names)).collect();
    lines.extend(evidence(pool, &log, &events).await?);
    // Stable: events stay in the order of the log.
    lines.sort_by(|one, other| one.at.cmp(&other.at));
    match format {
        Format::Text => tell(of, id, &lines),
        Format::Json => {
            let json = serde_json::to_string_pretty(&lines);
            say(&json.map_err(|error| Failure::Output(error.into()))?);
        }
        Format::Csv => say(csv(&lines)?.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What the providers of these payments were asked, and what they told.
async fn evidence(pool: &PgPool, log: &LogReader, events: &Events) -> Result<Vec<Line>, Failure> {
    let reader = ScopedReader::without_wall(pool.clone());
    let payments: BTreeSet<_> = events
        .values()
        .filter_map(|recorded| match &recorded.event {
            AnyEvent::Payment(payment_id, _) => Some(*payment_id),
            _ => None,
        })
        .collect();
    let mut lines = Vec::new();
    for payment_id in payments {
        let entries = log.stream("payment", payment_id.as_uuid()).await?;
        let items = case_file(&reader, &Scope::Platform, payment_id, &entries).await;
        let items = items.map_err(|error| Failure::ReadModel(Box::new(error)))?;
        lines.extend(items.into_iter().filter_map(|item| told(payment_id, item)));
    }
    Ok(lines)
}

/// `None` of an event, which has a line of its own.
fn told(payment_id: PaymentId, item: CaseItem) -> Option<Line> {
    let (event, what) = match item.what {
        CaseFact::Event { .. } => return None,
        CaseFact::Call {
            kind,
            took,
            outcome,
            words,
            ..
        } => {
            let words = if words.is_empty() {
                words
            } else {
                format!(" ({words})")
            };
            let took = took.num_milliseconds();
            (
                format!("provider {kind}"),
                format!("the provider was asked: {outcome}{words}, after {took} ms"),
            )
        }
        CaseFact::Callback {
            arrival, verdict, ..
        } => {
            let verdict = verdict.unwrap_or_else(|| "it waits".to_owned());
            (
                format!("callback {}", arrival.as_str()),
                format!("the provider called back: {verdict}"),
            )
        }
    };
    Some(Line {
        position: None,
        at: at(item.at),
        stream: format!("payment {payment_id}"),
        event,
        who: "the provider".to_owned(),
        what,
        amount: None,
        why: "payment".to_owned(),
    })
}

fn at(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

type Events = BTreeMap<Position, Arc<RecordedEvent>>;

async fn story_of(log: &LogReader, of: Subject, id: Uuid) -> Result<Events, Failure> {
    let own_type = match of {
        Subject::Order => "order",
        Subject::Payment => "payment",
    };
    let own = decoded(log.stream(own_type, id).await?)?;
    if own.is_empty() {
        return Err(Failure::NotFound {
            what: own_type.to_owned(),
            id,
        });
    }
    let mut events = Events::new();
    for (stream_type, stream_id) in other_side(&own) {
        for event in decoded(log.stream(stream_type, stream_id).await?)? {
            events.insert(event.position, event);
        }
    }
    events.extend(own.into_iter().map(|event| (event.position, event)));
    let mut units = BTreeSet::new();
    let own_positions: Vec<_> = events
        .values()
        .map(|event| (event.position, event.metadata.command_id))
        .collect();
    for (position, command_id) in own_positions {
        if units.insert(command_id) {
            for event in unit_around(log, position, command_id).await? {
                events.insert(event.position, event);
            }
        }
    }
    Ok(events)
}

/// The payments of an order, the order of a payment.
fn other_side(own: &[Arc<RecordedEvent>]) -> BTreeSet<(&'static str, Uuid)> {
    own.iter()
        .filter_map(|recorded| match &recorded.event {
            AnyEvent::Order(_, OrderEvent::Placed(placement)) => {
                Some(("payment", placement.payment_id.as_uuid()))
            }
            AnyEvent::Order(
                _,
                OrderEvent::Paid { payment_id, .. }
                | OrderEvent::PartlyPaid { payment_id, .. }
                | OrderEvent::PaymentAttempted { payment_id, .. },
            ) => Some(("payment", payment_id.as_uuid())),
            AnyEvent::Payment(_, PaymentEvent::Initiated { order_id, .. }) => {
                Some(("order", order_id.as_uuid()))
            }
            _ => None,
        })
        .collect()
}

/// The events of one unit of work: they stand side by side in the log.
async fn unit_around(
    log: &LogReader,
    position: Position,
    command_id: Uuid,
) -> Result<Vec<Arc<RecordedEvent>>, Failure> {
    let after = Position::new((position.get() - UNIT_EVENTS_MAX).max(0));
    let neighbours = log
        .read(after, usize::try_from(2 * UNIT_EVENTS_MAX).unwrap_or(0))
        .await?;
    let of_unit = |entry: Entry| {
        entry
            .event
            .ok()
            .filter(|e| e.metadata.command_id == command_id)
    };
    Ok(neighbours.into_iter().filter_map(of_unit).collect())
}

fn decoded(entries: Vec<Entry>) -> Result<Vec<Arc<RecordedEvent>>, Failure> {
    entries.into_iter().map(|entry| Ok(entry.event?)).collect()
}

fn line(recorded: &RecordedEvent, names: &BTreeMap<AccountId, String>) -> Line {
    let Sentence { what, amount } = sentence(&recorded.event);
    let metadata = &recorded.metadata;
    let who = match &metadata.actor {
        Actor::Account(id) => match names.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_string(),
        },
        Actor::Guest => "a guest".to_owned(),
        Actor::System(name) => format!("Soko ({name})"),
    };
    let who = match metadata.api_key {
        Some(key) => format!("{who} by API key {key}"),
        None => who,
    };
    let why = match (metadata.causation, &metadata.request_id) {
        (Some(position), _) => format!("event {position}"),
        (None, Some(request_id)) => format!("request {request_id}"),
        (None, None) => format!("correlation {}", metadata.correlation),
    };
    Line {
        position: Some(recorded.position),
        at: at(recorded.recorded_at),
        stream: format!(
            "{} {}",
            recorded.event.stream_type(),
            recorded.event.stream_id()
        ),
        event: recorded.event.name().to_owned(),
        who,
        what,
        amount: amount.map(|amount| amount.to_string()),
        why,
    }
}

fn tell(of: Subject, id: Uuid, lines: &[Line]) {
    let subject = match of {
        Subject::Order => "order",
        Subject::Payment => "payment",
    };
    say(&format!(
        "The history of {subject} {id}: {} events\n",
        lines.len()
    ));
    for line in lines {
        let Line {
            at,
            position,
            event,
            what,
            who,
            why,
            ..
        } = line;
        let amount = line.amount.as_deref().unwrap_or_default();
        let position = position.map(|position| format!("#{position}"));
        let position = position.unwrap_or_default();
        say(&format!(
            "{at}  {position:<9} {event:<24} {amount:>16}  {what}"
        ));
        say(&format!("{:26}{:9} by {who}, because of {why}", "", ""));
    }
}

fn csv(lines: &[Line]) -> Result<String, Failure> {
    let output = |error: csv::Error| Failure::Output(error.into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        // Names are what people call themselves.
        let line = Line {
            who: shown(&line.who).into_owned(),
            what: shown(&line.what).into_owned(),
            why: shown(&line.why).into_owned(),
            ..line.clone()
        };
        writer.serialize(line).map_err(output)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Failure::Output(error.into()))?;
    String::from_utf8(bytes).map_err(|error| Failure::Output(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_name_is_a_formula_in_an_auditors_spreadsheet() {
        let line = Line {
            position: Some(Position::new(7)),
            at: "2026-11-21T12:00:00.000Z".to_owned(),
            stream: "order 1".to_owned(),
            event: "order.placed".to_owned(),
            who: "=HYPERLINK(\"https://soko.test\") (1)".to_owned(),
            what: "placed".to_owned(),
            amount: Some("KES 1300.00".to_owned()),
            why: "request 1".to_owned(),
        };
        let text = csv(&[line]).unwrap();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let row = rows.records().next().unwrap().unwrap();
        assert_eq!(&row[4], "'=HYPERLINK(\"https://soko.test\") (1)");
        assert_eq!(&row[6], "KES 1300.00");
    }
}
