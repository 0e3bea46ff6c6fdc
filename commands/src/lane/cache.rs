//! The lanes in use, and as many of those used last as there is room for.

use super::{Lane, LaneKind, StreamKey};
use crate::append::Append;
use lru::LruCache;
use metrics::{Gauge, gauge};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many that two commands seldom look for their lanes in the same one at once.
const SHARDS: usize = 16;

/// How many of the oldest lanes are looked at for one that can go. If all are in use, the cache
/// grows: what is in use is bounded by the appender's queue.
const EVICTION_TRIES: usize = 8;

pub(crate) struct LaneCache {
    shards: [Mutex<LruCache<StreamKey, Arc<Lane>>>; SHARDS],
    lanes_per_shard_max: usize,
    append: Arc<dyn Append>,
    size: Gauge,
}

impl LaneCache {
    pub(crate) fn new(lanes_max: usize, append: Arc<dyn Append>) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(LruCache::unbounded())),
            lanes_per_shard_max: lanes_max.div_ceil(SHARDS).max(1),
            append,
            size: gauge!("soko_lanes"),
        }
    }

    /// The lane of an aggregate: there is never more than one that somebody uses.
    pub(crate) fn lane(&self, key: StreamKey, kind: &'static dyn LaneKind) -> Arc<Lane> {
        // Dropped after the lock is given back: a state can be large.
        let mut evicted = Vec::new();
        let mut shard = self.shard(&key);
        if let Some(lane) = shard.get(&key) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::new(key, kind));
        shard.push(key, Arc::clone(&lane));
        self.size.increment(1.0);
        for _ in 0..EVICTION_TRIES {
            if shard.len() <= self.lanes_per_shard_max {
                break;
            }
            let Some((key, oldest)) = shard.pop_lru() else {
                break;
            };
            if self.is_idle(&oldest) {
                evicted.push(oldest);
                self.size.decrement(1.0);
            } else {
                shard.push(key, oldest);
            }
        }
        drop(shard);
        lane
    }

    /// Nobody else holds it, and nothing that it decided is still on its way.
    fn is_idle(&self, lane: &Arc<Lane>) -> bool {
        Arc::strong_count(lane) == 1 && self.append.is_settled(lane.ticket())
    }

    fn shard(&self, key: &StreamKey) -> MutexGuard<'_, LruCache<StreamKey, Arc<Lane>>> {
        // The end of an id is random, whatever its beginning says.
        let index = usize::from(key.stream_id.as_bytes()[15]) % SHARDS;
        lock(&self.shards[index])
    }
}

/// Nothing that is done under these locks can leave a cache half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
