//! Turns at a session, taken before a connection is.
//!
//! The database has refreshes of one session take turns too, but whoever waits there holds a
//! connection: a thief with one token and fifty requests would have all of them.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use uuid::Uuid;

use crate::problem::{Code, Problem, Result};

/// Sessions share them by chance, so that their number is bounded; few ever wait for another's.
const TURNS: usize = 1024;

/// As long as the database lets a request wait for a lock.
const WAIT_MAX: Duration = Duration::from_secs(2);

const COME_BACK_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Turns(Vec<Mutex<()>>);

impl Turns {
    /// In the order in which they asked.
    ///
    /// # Errors
    /// `unavailable` for whoever has waited too long.
    pub(super) async fn take(&self, session_id: Uuid) -> Result<MutexGuard<'_, ()>> {
        // The low bits of these ids are random.
        let number = session_id.as_u128() % TURNS as u128;
        let turn = &self.0[usize::try_from(number).unwrap_or_default()];
        timeout(WAIT_MAX, turn.lock())
            .await
            .map_err(|_| Problem::new(Code::Unavailable).with_retry_after(COME_BACK_AFTER))
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::default()).collect())
    }
}
