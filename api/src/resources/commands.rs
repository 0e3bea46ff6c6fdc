//! What became of a command, for who lost the answer.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde_json::Value;
use soko_event_log::Position;

use crate::app::App;
use crate::caller::Caller;
use crate::found::Found;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::schema::answer;

answer! {
    pub(crate) struct CommandOutcome {
        pub idempotency_key: String,
        /// `running`, `succeeded` or `refused`.
        pub status: String,
        /// What was answered, or why it was refused.
        pub outcome: Option<Value>,
        pub position: Option<Position>,
        pub recorded_at: Option<DateTime<Utc>>,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    key: Path<String>,
) -> Result<Found<CommandOutcome>> {
    let scope = caller.key_scope(&key);
    let mut found = CommandOutcome {
        idempotency_key: key.0,
        status: "running".to_owned(),
        outcome: None,
        position: None,
        recorded_at: None,
    };
    // Asked first: what ends in between is found below.
    let is_running = app.engine().is_running(&scope, &found.idempotency_key);
    match app
        .engine()
        .outcome_of(&scope, &found.idempotency_key)
        .await?
    {
        Some(stored) => {
            found.position = Some(stored.position);
            found.recorded_at = Some(stored.recorded_at);
            let (status, outcome) = match stored.outcome {
                Ok(outcome) => ("succeeded", outcome),
                Err(refusal) => ("refused", refusal),
            };
            status.clone_into(&mut found.status);
            found.outcome = Some(outcome);
        }
        None if is_running => (),
        None => return Err(Problem::new(Code::NotFound)),
    }
    Ok(Found::new(found))
}
