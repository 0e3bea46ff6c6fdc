//! What rows were at a moment: folded from the log, without touching a table.

use crate::ReadModel;
use crate::checkpoint::skipped;
use crate::fold::{FoldFailed, Rows, needed};
use soko_event_log::{Entry, LogReader, Position, ReadError};
use sqlx::PgPool;
use std::collections::{BTreeSet, HashSet};

/// Why the past could not be told.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    #[error("the event at {position} cannot be folded: {reason}")]
    Poisoned { position: Position, reason: String },
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<FoldFailed> for AsOfError {
    fn from(FoldFailed { position, reason }: FoldFailed) -> Self {
        Self::Poisoned { position, reason }
    }
}

/// The rows of some keys as they stood after a position, in the order of the keys; `None` for a row
/// that was not there.
///
/// # Errors
/// An event that they are made of cannot be folded, or the log cannot be read.
pub async fn as_of<M: ReadModel>(
    pool: &PgPool,
    keys: &[M::Key],
    position: Position,
) -> Result<Vec<Option<M::Row>>, AsOfError> {
    let skipped = skipped::<M>(&mut *pool.acquire().await?).await?;
    let reader = LogReader::new(pool.clone());
    let wanted: HashSet<&M::Key> = keys.iter().collect();
    let sources: Option<Vec<_>> = keys.iter().map(M::sources).collect();
    let mut rows = Rows::<M>::default();
    if let Some(sources) = sources {
        let streams: BTreeSet<_> = sources.into_iter().flatten().collect();
        let mut entries = Vec::new();
        for (stream_type, stream_id) in streams {
            entries.extend(reader.stream(stream_type, stream_id).await?);
        }
        entries.retain(|entry| entry.position <= position);
        entries.sort_unstable_by_key(|entry| entry.position);
        fold(&mut rows, &entries, &skipped, &wanted)?;
    } else {
        let mut scan = reader.scan(Position::START, position, M::STREAMS).await?;
        while let Some(entries) = scan.next().await? {
            fold(&mut rows, &entries, &skipped, &wanted)?;
        }
    }
    let rows = rows.into_inner();
    Ok(keys
        .iter()
        .map(|key| rows.get(key).cloned().flatten())
        .collect())
}

fn fold<M: ReadModel>(
    rows: &mut Rows<M>,
    entries: &[Entry],
    skipped: &HashSet<Position>,
    wanted: &HashSet<&M::Key>,
) -> Result<(), AsOfError> {
    let events = needed::<M>(entries, skipped)?;
    rows.fold_some(&events, |key| wanted.contains(key))?;
    Ok(())
}
