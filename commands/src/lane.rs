//! One aggregate in memory, with what is queued.

mod cache;
mod kind;

pub(crate) use cache::LaneCache;
pub(crate) use kind::{LaneKind, SharedState, kind_of};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// Names a stream, and so the aggregate whose history it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamKey {
    pub stream_type: &'static str,
    pub stream_id: Uuid,
}

/// One aggregate in use. Commands take turns in it, each deciding on the state that the one before
/// it left, which need not be durable yet.
pub(crate) struct Lane {
    pub(crate) key: StreamKey,
    pub(crate) kind: &'static dyn LaneKind,
    /// Moves when a state that was decided here turns out not to become durable, or when another
    /// node has moved the stream: whatever was built on it is void. Shared with the appender.
    epoch: Arc<AtomicU64>,
    /// The number of the last append that this lane is waiting for; 0 before the first.
    ticket: AtomicU64,
    /// One more than the epoch of the loaded state; 0 if none is loaded. A hint, to be had without
    /// taking the lane.
    warm: AtomicU64,
    /// How many wait for their turn.
    waiting: AtomicUsize,
    /// How long the newest snapshot is in bytes, as far as it is known.
    snapshot_bytes: AtomicUsize,
    turn: Mutex<Option<Loaded>>,
}

/// A state, and what it stands on.
pub(crate) struct Loaded {
    pub(crate) state: SharedState,
    /// The sequence of the last event applied.
    pub(crate) version: u64,
    /// The lane's epoch before the state was read from the log.
    pub(crate) epoch: u64,
    /// The version of the newest snapshot that was taken, or is about to be.
    pub(crate) snapshot: u64,
}

/// What a decision knew of a lane.
pub(crate) struct Seen {
    /// The lane's place among those of the unit.
    pub(crate) seat: usize,
    pub(crate) lane: Arc<Lane>,
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    pub(crate) ticket: u64,
}

impl Seen {
    /// Call it while the lane is taken.
    pub(crate) fn new(seat: usize, lane: &Arc<Lane>, loaded: &Loaded) -> Self {
        Self {
            seat,
            lane: Arc::clone(lane),
            version: loaded.version,
            epoch: loaded.epoch,
            ticket: lane.ticket(),
        }
    }

    /// Whether what was decided may rest on something that did not become durable.
    pub(crate) fn is_void(&self) -> bool {
        self.lane.epoch() != self.epoch
    }
}

/// Too many wait for the lane, or it could not be had in time.
#[derive(Debug)]
pub(crate) struct Busy;

impl Lane {
    fn new(key: StreamKey, kind: &'static dyn LaneKind) -> Self {
        Self {
            key,
            kind,
            epoch: Arc::default(),
            ticket: AtomicU64::new(0),
            warm: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            snapshot_bytes: AtomicUsize::new(0),
            turn: Mutex::new(None),
        }
    }

    /// Waits for its turn, behind at most `waiting_max` others.
    pub(crate) async fn take(
        &self,
        waiting_max: usize,
        deadline: Instant,
    ) -> Result<MutexGuard<'_, Option<Loaded>>, Busy> {
        if let Ok(turn) = self.turn.try_lock() {
            return Ok(turn);
        }
        let _waiting = Waiting::enter(&self.waiting, waiting_max)?;
        timeout_at(deadline, self.turn.lock())
            .await
            .map_err(|_| Busy)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn epoch_cell(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.epoch)
    }

    pub(crate) fn ticket(&self) -> u64 {
        self.ticket.load(Ordering::Acquire)
    }

    /// Call it while the lane is taken.
    pub(crate) fn wait_for(&self, ticket: u64) {
        self.ticket.store(ticket, Ordering::Release);
    }

    /// Whether a state is loaded that is not known to be void.
    pub(crate) fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Acquire) == self.epoch() + 1
    }

    /// Whether a state was loaded here and not dropped in an orderly way.
    pub(crate) fn was_filled(&self) -> bool {
        self.warm.load(Ordering::Acquire) != 0
    }

    pub(crate) fn snapshot_bytes(&self) -> usize {
        self.snapshot_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_snapshot_bytes(&self, bytes: usize) {
        self.snapshot_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing was ever decided here.
    pub(crate) fn is_unused(&self) -> bool {
        self.ticket() == 0 && self.epoch() == 0
    }

    pub(crate) fn fill(&self, turn: &mut Option<Loaded>, loaded: Loaded) {
        self.warm.store(loaded.epoch + 1, Ordering::Release);
        *turn = Some(loaded);
    }

    pub(crate) fn empty(&self, turn: &mut Option<Loaded>) {
        self.warm.store(0, Ordering::Release);
        *turn = None;
    }

    /// Drops a state that the log has left behind, and stops what was decided on it.
    pub(crate) fn invalidate(&self, turn: &mut Option<Loaded>) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.empty(turn);
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, .. } = self;
        write!(f, "Lane({} {})", key.stream_type, key.stream_id)
    }
}

/// Counts one who waits, for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Result<Self, Busy> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < max {
            Ok(waiting)
        } else {
            Err(Busy)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
