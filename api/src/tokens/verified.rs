//! Tokens that were verified in full already: a signature costs more than all else that most
//! requests need.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::Bearer;

/// Tokens remembered; each takes about 150 bytes.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// What stays true of a token for as long as the keys are the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasting {
    pub bearer: Bearer,
    pub not_before: i64,
    pub expires_at: i64,
}

/// By the SHA-256 of the token, so that no token is kept in memory.
pub(super) struct Verified(Mutex<LruCache<[u8; 32], Lasting>>);

impl Default for Verified {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(TOKENS_MAX)))
    }
}

impl Verified {
    pub(super) fn get(&self, digest: &[u8; 32]) -> Option<Lasting> {
        self.tokens().get(digest).copied()
    }

    pub(super) fn put(&self, digest: [u8; 32], lasting: Lasting) {
        self.tokens().put(digest, lasting);
    }

    pub(super) fn forget_all(&self) {
        self.tokens().clear();
    }

    fn tokens(&self) -> MutexGuard<'_, LruCache<[u8; 32], Lasting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
