//! The same key, the same answer.
//!
//! A keyed command claims its key in the same unit that holds its events, with the answer as the
//! claim's outcome; a refused one claims its key alone. So the claim's primary key finds every
//! repeat, and a first attempt needs no look-up. The keys that this node has seen lately are
//! looked up first all the same: a repeat that is found only on append would stop what others have
//! decided on top of it.

use crate::context::IdempotencyKey;
use crate::error::Stopped;
use lru::LruCache;
use soko_event_log::{Claim, ClaimKind};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many that two commands seldom meet in the same one.
const SHARDS: usize = 16;

/// How many keys each shard remembers to have seen.
const KNOWN_PER_SHARD_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8191);

/// The keys in use, and those used lately.
pub(crate) struct Keys {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

struct Shard {
    running: HashMap<Arc<str>, [u8; 32]>,
    /// Hashes are enough: one that two keys share costs one of them a look-up.
    known: LruCache<u64, ()>,
}

/// A key in use, until it is dropped.
pub(crate) struct Running<'a> {
    keys: &'a Keys,
    hash: u64,
    name: Arc<str>,
    digest: [u8; 32],
    /// Whether the key may have an outcome already.
    pub(crate) is_known: bool,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    running: HashMap::new(),
                    known: LruCache::new(KNOWN_PER_SHARD_MAX),
                })
            }),
            hasher: RandomState::new(),
        }
    }

    /// Takes a key into use.
    pub(crate) fn enter(&self, key: &IdempotencyKey) -> Result<Running<'_>, Stopped> {
        let name: Arc<str> = claim_value(&key.scope, &key.key).into();
        let hash = self.hasher.hash_one(&name);
        let mut shard = self.shard(hash);
        match shard.running.entry(Arc::clone(&name)) {
            Entry::Occupied(running) if *running.get() != key.digest => {
                return Err(Stopped::IdempotencyMismatch);
            }
            Entry::Occupied(_) => return Err(Stopped::InProgress),
            Entry::Vacant(place) => place.insert(key.digest),
        };
        let is_known = shard.known.get(&hash).is_some();
        drop(shard);
        Ok(Running {
            keys: self,
            hash,
            name,
            digest: key.digest,
            is_known,
        })
    }

    pub(crate) fn is_running(&self, scope: &str, key: &str) -> bool {
        let name = claim_value(scope, key);
        let shard = self.shard(self.hasher.hash_one(name.as_str()));
        shard.running.contains_key(name.as_str())
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        // Nothing that is done under this lock can leave a shard half changed.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running<'_> {
    /// The name under which the key is claimed.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_same_request(&self, digest: Option<&[u8]>) -> bool {
        digest == Some(self.digest.as_slice())
    }

    pub(crate) fn claim(&self, outcome: String) -> Claim {
        Claim {
            kind: ClaimKind::IdempotencyKey,
            value: self.name.as_ref().to_owned(),
            owner: None,
            digest: Some(self.digest.to_vec()),
            outcome: Some(outcome),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut shard = self.keys.shard(self.hash);
        shard.running.remove(&self.name);
        // Even if it is not known what became of it: its append may still be on its way.
        shard.known.put(self.hash, ());
    }
}

/// A key has no spaces, so the last one ends the scope.
pub(crate) fn claim_value(scope: &str, key: &str) -> String {
    format!("{scope} {key}")
}
