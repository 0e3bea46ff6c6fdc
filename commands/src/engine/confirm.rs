//! Whether an answer may be given that nothing was appended for.
//!
//! A refusal, or a command without effect, rests on states in memory. Those may not be durable
//! yet, and another node may have moved their streams. The answer stands if there was a moment,
//! between the command and the answer, at which each of the streams ended where the decision saw
//! it end. That moment is when the decision took its turn:
//!
//! * what was queued before it has become durable, or the epoch would have moved;
//! * a stream that still ends there now has not been moved by anybody;
//! * a stream that has moved on, but not beyond what this node itself queued after the decision,
//!   has not been moved by another node if that became durable too: the unique key would have
//!   refused it.

use super::Inner;
use super::attempt::too_busy;
use super::tries::Tries;
use crate::error::Stopped;
use crate::lane::{Seen, SharedState};
use crate::lanes::LaneRequest;
use std::sync::Arc;
use tokio::time::Instant;

/// What became of what a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Stands,
    /// Something that was queued before it failed.
    Stopped,
    /// Another node has moved a stream.
    Moved,
}

impl Inner {
    /// Drops what it finds to be stale, so that the next try reads it from the log.
    pub(super) async fn confirm(&self, seen: &[Seen]) -> Result<Standing, Stopped> {
        let Some(last) = seen.iter().map(|seen| seen.ticket).max() else {
            return Ok(Standing::Stands);
        };
        self.append.settled(last).await;
        if seen.iter().any(Seen::is_void) {
            return Ok(Standing::Stopped);
        }
        let streams = seen.iter().map(|seen| seen.lane.key).collect();
        let tails = self.tails.read(streams).await?;
        let mut standing = Standing::Stands;
        for (seen, tail) in seen.iter().zip(tails) {
            if tail != seen.version && self.has_moved(seen, tail).await? {
                standing = Standing::Moved;
            }
        }
        Ok(standing)
    }

    /// Whether it was another node that moved a stream.
    async fn has_moved(&self, seen: &Seen, tail: u64) -> Result<bool, Stopped> {
        let deadline = Instant::now() + self.options.patience;
        let mut turn = seen
            .lane
            .take(self.options.waiting_per_lane_max, deadline)
            .await
            .map_err(|_| too_busy())?;
        if seen.is_void() {
            return Ok(true);
        }
        let may_be_ours = |version| seen.version < tail && tail <= version;
        match turn.as_ref() {
            Some(loaded) if loaded.epoch == seen.epoch && may_be_ours(loaded.version) => {
                let ticket = seen.lane.ticket();
                drop(turn);
                self.append.settled(ticket).await;
                Ok(seen.is_void())
            }
            _ => {
                seen.lane.invalidate(&mut turn);
                Ok(true)
            }
        }
    }

    pub(super) async fn read(&self, request: LaneRequest) -> Result<(SharedState, u64), Stopped> {
        let lane = self.lanes.lane(request.key, request.kind);
        let deadline = Instant::now() + self.options.patience;
        let mut tries = Tries::new(request.key.stream_id, &self.counters);
        loop {
            let mut turn = lane
                .take(self.options.waiting_per_lane_max, deadline)
                .await
                .map_err(|_| too_busy())?;
            self.ensure_loaded(&lane, &mut turn, false).await?;
            let Some(loaded) = turn.as_ref() else {
                return Err(Stopped::Conflict);
            };
            let state = Arc::clone(&loaded.state);
            let seen = Seen::new(0, &lane, loaded);
            drop(turn);
            let version = seen.version;
            match self.confirm(&[seen]).await? {
                Standing::Stands => return Ok((state, version)),
                Standing::Stopped => tries.after_stop()?,
                Standing::Moved => tries.after_conflict().await?,
            }
        }
    }
}
