//! What was looked up a moment ago, for the sake of those who ask often.
//!
//! What is forgotten stays forgotten: whoever began to look before a change and ends after it may
//! have seen what was there before, and keeps nothing.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

/// What another node has changed is seen here within this time.
const KEPT_FOR: Duration = Duration::from_secs(1);

const KEPT_MAX: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// Values that are good for a second, or until they are forgotten.
pub struct ShortMemory<K: Hash + Eq, V>(Mutex<Kept<K, V>>);

struct Kept<K: Hash + Eq, V> {
    values: LruCache<K, (Instant, V)>,
    times_forgotten: u64,
}

/// When somebody began to look.
#[derive(Debug, Clone, Copy)]
pub struct Since(u64);

impl<K: Hash + Eq, V: Clone> ShortMemory<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        let mut kept = self.kept();
        let (since, value) = kept.values.get(key)?;
        (since.elapsed() < KEPT_FOR).then(|| value.clone())
    }

    /// To be called before a value is looked up that is to be kept.
    pub fn begin(&self) -> Since {
        Since(self.kept().times_forgotten)
    }

    /// Unless something was forgotten since it was looked for.
    pub fn keep(&self, key: K, value: V, since: Since) {
        let mut kept = self.kept();
        if kept.times_forgotten == since.0 {
            kept.values.put(key, (Instant::now(), value));
        }
    }

    /// Called when a change has been made, before it is answered.
    pub fn forget_all(&self) {
        let mut kept = self.kept();
        kept.times_forgotten = kept.times_forgotten.wrapping_add(1);
        kept.values.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> Default for ShortMemory<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            values: LruCache::new(KEPT_MAX),
            times_forgotten: 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_is_known_until_it_is_forgotten() {
        let memory = ShortMemory::default();
        memory.keep("amina", "staff", memory.begin());
        assert_eq!(memory.get(&"amina"), Some("staff"));
        assert_eq!(memory.get(&"juma"), None);
        memory.forget_all();
        assert_eq!(memory.get(&"amina"), None);
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_kept_after_it() {
        let memory = ShortMemory::default();
        let since = memory.begin();
        memory.forget_all();
        memory.keep("amina", "staff", since);
        assert_eq!(memory.get(&"amina"), None);
    }
}
