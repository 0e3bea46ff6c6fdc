//! What a read model is: a pure fold over rows.

use crate::row::Row;
use soko_event_log::RecordedEvent;
use uuid::Uuid;

/// Which rows an event touches, and what becomes of each.
///
/// Both answers come from the arguments alone (no clock, no randomness, no look-ups), so that
/// folding the same log again gives the same rows. A fold that panics is treated as an event that
/// cannot be folded: the read model stops there until a person skips it.
pub trait ReadModel: Send + Sync + 'static {
    /// Also the name of the table.
    const NAME: &'static str = <Self::Row as Row>::TABLE;
    /// Raised when the fold changes: the table is then built anew, beside the one in use.
    const VERSION: i32;
    /// The types of the streams that it folds; events of others are never seen.
    const STREAMS: &'static [&'static str];
    /// Rows that are kept in memory between batches; for rows that are written once, none.
    const CACHE_ROWS: usize = 2_048;
    /// What a row weighs in memory, roughly: a rebuild keeps as many rows as its memory allows.
    const ROW_BYTES: usize = 512;

    type Key: Clone + Eq + Ord + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static;
    type Row: Row<Key = Self::Key>;

    /// The rows that an event touches, each of them once.
    fn keys(recorded: &RecordedEvent) -> Vec<Self::Key>;

    /// `None` as the answer means that there is no such row (any more).
    fn fold(row: Option<Self::Row>, key: &Self::Key, recorded: &RecordedEvent)
    -> Option<Self::Row>;

    /// Whether the rows of this event cannot have been there before it, so that nobody needs to
    /// look for them.
    fn creates(_recorded: &RecordedEvent) -> bool {
        false
    }

    /// The streams whose events alone make up the row of a key, if the key tells. A question about
    /// the past then reads these instead of the whole log.
    fn sources(_key: &Self::Key) -> Option<Vec<(&'static str, Uuid)>> {
        None
    }
}

/// Whether a read model folds the events of a stream type.
pub(crate) fn folds<M: ReadModel>(stream_type: &str) -> bool {
    M::STREAMS.contains(&stream_type)
}
