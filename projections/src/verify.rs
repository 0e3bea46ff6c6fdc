//! Whether a read model's table is what the log says: replayed from zero, compared row by row.
//!
//! Nothing is written. What does not fit in memory is replayed in several passes over the log, each
//! for a share of the keys.

use crate::ReadModel;
use crate::checkpoint::skipped;
use crate::connection::connect;
use crate::fold::{FoldFailed, Rows, needed};
use crate::row::{Column, FieldSink, Row, RowError};
use crate::row_store::{RowStore, Schema, StoreError};
use soko_event_log::{LogReader, Position, ReadError};
use sqlx::{PgConnection, PgPool};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Differences that are named; all are counted.
const DIFFERENCES_NAMED_MAX: usize = 20;

/// How to verify.
pub struct VerifyOptions {
    /// What the replayed rows in memory may weigh, roughly.
    pub memory_bytes: usize,
    /// Is told now and then how far the replay is, and where it goes, over all passes.
    pub on_progress: Box<dyn Fn(u64, u64) + Send + Sync>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * 1024 * 1024,
            on_progress: Box::new(|_, _| ()),
        }
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub model: &'static str,
    pub version: i32,
    /// The position of the table, and of the replay.
    pub position: Position,
    /// Rows in the table.
    pub rows: u64,
    /// Rows that are not as they should be.
    pub differences: u64,
    /// The first of them.
    pub named: Vec<Difference>,
}

impl Verification {
    pub const fn is_equal(&self) -> bool {
        self.differences == 0
    }
}

/// One row that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    pub key: String,
    pub kind: DifferenceKind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The replay has it, the table does not.
    Missing,
    /// The table has it, the replay does not.
    Surplus,
    /// Both have it; these columns differ.
    Different { columns: Vec<&'static str> },
}

/// Why nothing can be said of the table.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the table was built by version {found}, this program has version {expected}")]
    OtherVersion { found: i32, expected: i32 },
    #[error("nothing has been folded yet")]
    NeverFolded,
    #[error("the event at {position} cannot be folded: {reason}")]
    Poisoned { position: Position, reason: String },
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    #[error("the rows could not be read")]
    Rows(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<FoldFailed> for VerifyError {
    fn from(FoldFailed { position, reason }: FoldFailed) -> Self {
        Self::Poisoned { position, reason }
    }
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Rows(Box::new(error))
    }
}

impl From<RowError> for VerifyError {
    fn from(error: RowError) -> Self {
        Self::Rows(Box::new(error))
    }
}

/// Compares a model's table with a replay of the log up to exactly the table's position.
///
/// # Errors
/// An event cannot be folded, or something could not be read.
pub(crate) async fn verify<M: ReadModel>(
    pool: &PgPool,
    options: &VerifyOptions,
) -> Result<Verification, VerifyError> {
    let mut connection = connect(pool, &format!("verify {}", M::NAME)).await?;
    let position = snapshot::<M>(&mut connection).await?;
    let rows: i64 = sqlx::query_scalar(&format!(
        "SELECT count(*) FROM {}.{}",
        Schema::Live.name(),
        M::NAME
    ))
    .fetch_one(&mut connection)
    .await?;
    let rows = rows.unsigned_abs();
    let weight = usize::try_from(rows)
        .unwrap_or(usize::MAX)
        .saturating_mul(M::ROW_BYTES);
    let passes = u64::try_from(weight / options.memory_bytes.max(1)).unwrap_or(u64::MAX) + 1;
    let mut found = Found::default();
    for pass in 0..passes {
        let share = Share { pass, passes };
        let replayed = replay::<M>(pool, position, share, options).await?;
        compare(&mut connection, replayed, share, &mut found).await?;
    }
    found.named.sort_unstable();
    found.named.truncate(DIFFERENCES_NAMED_MAX);
    Ok(Verification {
        model: M::NAME,
        version: M::VERSION,
        position,
        rows,
        differences: found.count,
        named: found.named,
    })
}

/// Fixes what the connection sees, table and checkpoint together; the answer is the checkpoint.
async fn snapshot<M: ReadModel>(connection: &mut PgConnection) -> Result<Position, VerifyError> {
    // The lock comes before the snapshot is taken, so that no switch can fall between them.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
    let lock = format!(
        "LOCK TABLE {}.{} IN ACCESS SHARE MODE",
        Schema::Live.name(),
        M::NAME
    );
    for statement in [begin, lock] {
        sqlx::query(&statement).execute(&mut *connection).await?;
    }
    let recorded: Option<(i32, i64)> =
        sqlx::query_as("SELECT version, position FROM projections WHERE name = $1")
            .bind(M::NAME)
            .fetch_optional(connection)
            .await?;
    let (version, position) = recorded.ok_or(VerifyError::NeverFolded)?;
    if version == M::VERSION {
        Ok(Position::new(position))
    } else {
        Err(VerifyError::OtherVersion {
            found: version,
            expected: M::VERSION,
        })
    }
}

/// Which of the keys a pass is about.
#[derive(Debug, Clone, Copy)]
struct Share {
    pass: u64,
    passes: u64,
}

impl Share {
    fn has(self, key: &impl Hash) -> bool {
        if self.passes == 1 {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() % self.passes == self.pass
    }
}

async fn replay<M: ReadModel>(
    pool: &PgPool,
    until: Position,
    share: Share,
    options: &VerifyOptions,
) -> Result<Rows<M>, VerifyError> {
    let skipped: HashSet<Position> = skipped::<M>(&mut *pool.acquire().await?).await?;
    let reader = LogReader::new(pool.clone());
    let length = until.distance_from(Position::START);
    let mut scan = reader.scan(Position::START, until, M::STREAMS).await?;
    let mut rows = Rows::default();
    while let Some(entries) = scan.next().await? {
        let events = needed::<M>(&entries, &skipped)?;
        rows.fold_some(&events, |key| share.has(key))?;
        if let Some(last) = entries.last() {
            let done = share.pass * length + last.position.distance_from(Position::START);
            (options.on_progress)(done, share.passes * length);
        }
    }
    Ok(rows)
}

#[derive(Debug, Default)]
struct Found {
    count: u64,
    named: Vec<Difference>,
}

impl Found {
    fn add(&mut self, key: &impl std::fmt::Debug, kind: DifferenceKind) {
        self.count += 1;
        if self.named.len() < DIFFERENCES_NAMED_MAX {
            self.named.push(Difference {
                key: format!("{key:?}"),
                kind,
            });
        }
    }
}

async fn compare<M: ReadModel>(
    connection: &mut PgConnection,
    replayed: Rows<M>,
    share: Share,
    found: &mut Found,
) -> Result<(), VerifyError> {
    let mut replayed = replayed.into_inner();
    let store = RowStore::<M::Row>::new(Schema::Live);
    let mut live = store.copy_out(connection).await?;
    while let Some(row) = live.next().await? {
        let key = row.key();
        if !share.has(&key) {
            continue;
        }
        match replayed.remove(&key).flatten() {
            None => found.add(&key, DifferenceKind::Surplus),
            Some(expected) if expected == row => (),
            Some(expected) => {
                // An event's time may be finer than its column is.
                let columns = different_columns(&expected, &row)?;
                if !columns.is_empty() {
                    found.add(&key, DifferenceKind::Different { columns });
                }
            }
        }
    }
    let mut missing: Vec<_> = replayed
        .into_iter()
        .filter_map(|(key, row)| row.map(|_| key))
        .collect();
    missing.sort_unstable();
    for key in missing {
        found.add(&key, DifferenceKind::Missing);
    }
    Ok(())
}

fn different_columns<R: Row>(left: &R, right: &R) -> Result<Vec<&'static str>, RowError> {
    let (mut left_fields, mut right_fields) = (Texts::default(), Texts::default());
    left.encode(&mut left_fields)?;
    right.encode(&mut right_fields)?;
    let fields = left_fields.0.iter().zip(&right_fields.0);
    let columns = R::COLUMNS.iter().zip(fields);
    Ok(columns
        .filter(|(_, (left, right))| left != right)
        .map(|(column, _)| column.name)
        .collect())
}

/// The bytes of each field.
#[derive(Default)]
struct Texts(Vec<Option<Vec<u8>>>);

impl FieldSink for Texts {
    fn field(&mut self, value: &impl Column) -> Result<(), RowError> {
        let mut bytes = Vec::new();
        let is_there = value.encode(&mut bytes)?;
        self.0.push(is_there.then_some(bytes));
        Ok(())
    }
}
