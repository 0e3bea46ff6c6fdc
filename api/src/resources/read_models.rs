//! The read models themselves, for those who run them.

use actix_web::web::Data;
use soko_event_log::Position;
use soko_projections::{RebuildError, RebuildOptions, all, status};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query};
use crate::schema::answer;

answer! {
    pub(crate) struct ReadModelStatus {
        pub name: String,
        pub version: i32,
        pub position: Position,
        /// How many events it has still to see.
        pub lag: u64,
        /// Why it stands still, if it does.
        pub stopped: Option<String>,
    }

    pub(crate) struct ReadModelRebuilt {
        pub name: String,
        /// How many events it was built of.
        pub events: u64,
        pub position: Position,
    }
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    asked: Query<Part>,
) -> Result<Page<ReadModelStatus>> {
    caller.permit(Place::platform()).await?;
    let found = status(app.pool()).await?;
    let items = found.into_iter().map(|model| ReadModelStatus {
        lag: model.lag,
        stopped: model.stopped.map(|stopped| stopped.reason),
        name: model.name,
        version: model.version,
        position: model.position,
    });
    Page::within(items, |model| model.name.clone(), &asked, "projections")
}

/// Answers when the new tables have taken over; the old ones serve until then.
pub(crate) async fn rebuild(
    app: Data<App>,
    caller: Caller,
    name: Path<String>,
    command: Command<NoBody>,
) -> Result<Found<ReadModelRebuilt>> {
    caller.permit(Place::platform()).await?;
    let model = all()
        .into_iter()
        .find(|model| model.name() == name.as_str());
    let model = model.ok_or_else(|| Problem::new(Code::NotFound))?;
    if command.conditions.is_dry_run {
        let fault = "a rebuild appends nothing that could be told before";
        return Err(Problem::invalid_parameter("dry_run", fault));
    }
    let rebuilt = model
        .rebuild(app.pool(), &RebuildOptions::default())
        .await?;
    Ok(Found::new(ReadModelRebuilt {
        name: name.0,
        events: rebuilt.events,
        position: rebuilt.position,
    }))
}

impl From<RebuildError> for Problem {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::UnderWay | RebuildError::Outdated(_) => {
                Self::new(Code::StateConflict).with_detail(error)
            }
            RebuildError::Poisoned { .. }
            | RebuildError::Busy
            | RebuildError::Log(_)
            | RebuildError::Rows(_)
            | RebuildError::Database(_) => Self::ours(Code::Unavailable, &error),
        }
    }
}
