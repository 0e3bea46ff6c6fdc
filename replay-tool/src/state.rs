//! What an aggregate was at a moment: its events up to then, folded.

use crate::arguments::Moment;
use crate::error::Failure;
use crate::progress::say;
use serde_json::json;
use soko_domain::{AnyEvent, state_after};
use soko_event_log::{LogReader, RecordedEvent};
use sqlx::PgPool;
use std::process::ExitCode;
use uuid::Uuid;

pub(crate) async fn print(
    pool: &PgPool,
    stream_type: &str,
    id: Uuid,
    moment: &Moment,
) -> Result<ExitCode, Failure> {
    if !AnyEvent::STREAM_TYPES.contains(&stream_type) {
        let names = AnyEvent::STREAM_TYPES.join(", ");
        return Err(Failure::NoSuchName(stream_type.to_owned(), names));
    }
    let mut events = Vec::new();
    for entry in LogReader::new(pool.clone()).stream(stream_type, id).await? {
        let event = entry.event?;
        if is_before(&event, moment) {
            events.push(event);
        }
    }
    let Some(last) = events.last() else {
        return Err(Failure::NotFound {
            what: stream_type.to_owned(),
            id,
        });
    };
    let folded = state_after(stream_type, events.iter().map(|recorded| &recorded.event));
    let state = json!({
        "stream_type": stream_type,
        "stream_id": id,
        "sequence": last.sequence,
        "position": last.position,
        "recorded_at": last.recorded_at,
        "state": folded.map_err(|error| Failure::Output(error.into()))?,
    });
    let text = serde_json::to_string_pretty(&state);
    say(&text.map_err(|error| Failure::Output(error.into()))?);
    Ok(ExitCode::SUCCESS)
}

fn is_before(event: &RecordedEvent, moment: &Moment) -> bool {
    match (moment.as_of, moment.position) {
        (Some(time), _) => event.recorded_at <= time,
        (None, Some(position)) => event.position <= position,
        (None, None) => true,
    }
}
