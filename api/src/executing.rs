//! Commands as handlers give them, and their answers as clients get them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use soko_commands::{CommandContext, CommandError, Committed, Lanes};
use soko_domain::{AggregateId, Decide};
use soko_event_log::LogReader;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Problem, Result};
use crate::recorded::Recorded;
use crate::schema::answer;

/// Changes that are told of to somebody whose version is old.
const CHANGES_MAX: usize = 50;

answer! {
    /// What has changed since the version that was expected.
    struct Change {
        pub version: u64,
        pub event: String,
        pub at: chrono::DateTime<chrono::Utc>,
        pub actor: String,
    }
}

impl App {
    /// Several commands to one aggregate: all of it happens, or nothing.
    pub(crate) async fn execute_all<A: Decide>(
        &self,
        id: A::Id,
        commands: impl IntoIterator<Item = A::Command>,
        context: &CommandContext,
    ) -> std::result::Result<Committed<()>, CommandError<A::Error>> {
        let commands: Vec<A::Command> = commands.into_iter().collect();
        let decide = |unit: &mut soko_commands::UnitOfWork<'_>| {
            commands
                .iter()
                .try_for_each(|command| unit.execute::<A>(id, command.clone()))
        };
        self.engine()
            .transact(context, Lanes::new().with::<A>(id), decide)
            .await
    }

    /// One command to one aggregate, and what to answer: the same again for the same idempotency
    /// key.
    pub(crate) async fn execute_for<A: Decide, T>(
        &self,
        id: A::Id,
        command: A::Command,
        value: T,
        context: &CommandContext,
    ) -> std::result::Result<Committed<T>, CommandError<A::Error>>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync,
    {
        let decide = |unit: &mut soko_commands::UnitOfWork<'_>| {
            unit.execute::<A>(id, command.clone())?;
            Ok(value.clone())
        };
        self.engine()
            .transact(context, Lanes::new().with::<A>(id), decide)
            .await
    }

    /// The answer to a command about this aggregate, with its version; or why there is none, with
    /// what has changed since the version that was expected.
    pub(crate) async fn recorded_of<A: Decide, T, R, S>(
        &self,
        id: A::Id,
        outcome: std::result::Result<Committed<T>, CommandError<R>>,
        context: &CommandContext,
    ) -> Result<Recorded<T, S>>
    where
        R: std::error::Error + 'static,
        Problem: From<R>,
    {
        match outcome {
            Ok(committed) => {
                let version = committed
                    .versions
                    .iter()
                    .find(|(stream_type, stream_id, _)| {
                        *stream_type == A::TYPE && *stream_id == id.as_uuid()
                    });
                let version = version.map(|(.., version)| *version);
                let recorded = Recorded::new(committed, context.dry_run).with_version(version);
                if context.dry_run || recorded.has_position() {
                    return Ok(recorded);
                }
                // Nothing had to change. What it rests on stands somewhere up to here.
                let head = LogReader::new(self.pool().clone()).head().await?;
                Ok(recorded.at_position(head))
            }
            Err(error) => {
                let stale = match &error {
                    CommandError::PreconditionFailed {
                        stream_type,
                        stream_id,
                        expected,
                        ..
                    } => Some((*stream_type, *stream_id, *expected)),
                    _ => None,
                };
                let problem = <Problem as From<CommandError<R>>>::from(error);
                let Some((stream_type, stream_id, expected)) = stale else {
                    return Err(problem);
                };
                let changes = self.changes_since(stream_type, stream_id, expected).await?;
                Err(problem.with_member("changes", changes))
            }
        }
    }

    /// Without what was changed to: that is for who may read it.
    async fn changes_since(
        &self,
        stream_type: &str,
        stream_id: Uuid,
        version: u64,
    ) -> Result<Vec<Change>> {
        let reader = LogReader::new(self.pool().clone());
        let entries = reader.stream(stream_type, stream_id).await?;
        let events = entries.iter().filter_map(|entry| entry.event.as_ref().ok());
        let newer = events
            .filter(|recorded| recorded.sequence > version)
            .take(CHANGES_MAX);
        let changes = newer.map(|recorded| Change {
            version: recorded.sequence,
            event: recorded.event.name().to_owned(),
            at: recorded.recorded_at,
            actor: recorded.metadata.actor.to_string(),
        });
        Ok(changes.collect())
    }
}

/// For what need not happen: only that it could not be tried is a problem.
///
/// # Errors
/// Every [`CommandError`] but a refusal.
pub(crate) fn unless_refused<R>(
    outcome: std::result::Result<Committed<()>, CommandError<R>>,
) -> Result<()>
where
    R: std::error::Error + 'static,
    Problem: From<R>,
{
    match outcome {
        Ok(_) | Err(CommandError::Rejected { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl From<soko_event_log::ReadError> for Problem {
    fn from(cause: soko_event_log::ReadError) -> Self {
        match cause {
            soko_event_log::ReadError::Database(error) => error.into(),
            other => Self::ours(crate::problem::Code::Internal, &other),
        }
    }
}
