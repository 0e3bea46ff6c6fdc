//! Keys that were looked up a moment ago.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::Grant;

/// A key that was revoked on another node is good here for that long at the most.
const KEPT_FOR: Duration = Duration::from_secs(1);

const KEPT_MAX: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// By the SHA-256 of the key.
pub(super) struct Kept(Mutex<LruCache<[u8; 32], (Instant, Grant)>>);

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT_MAX)))
    }
}

impl Kept {
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Grant> {
        let mut grants = self.grants();
        let (since, grant) = grants.get(hash)?;
        (since.elapsed() < KEPT_FOR).then(|| grant.clone())
    }

    pub(super) fn put(&self, hash: [u8; 32], grant: Grant) {
        self.grants().put(hash, (Instant::now(), grant));
    }

    pub(super) fn forget_all(&self) {
        self.grants().clear();
    }

    fn grants(&self) -> MutexGuard<'_, LruCache<[u8; 32], (Instant, Grant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
