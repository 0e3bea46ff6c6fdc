//! How often a command is tried, and how long it pauses in between.

use super::counters::Counters;
use crate::error::Stopped;
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// How often a command may lose against other writers.
const CONFLICTS_MAX: u32 = 10;

/// How often a command may be stopped because one before it failed. Such a stop costs little, and
/// a busy lane can have several in a row.
const STOPS_MAX: u32 = 100;

/// The first pause after a conflict; it doubles each time.
const PAUSE: Duration = Duration::from_millis(1);

/// How often the pause doubles.
const DOUBLINGS_MAX: u32 = 6;

pub(super) struct Tries<'a> {
    conflicts: u32,
    stops: u32,
    seed: u64,
    counters: &'a Counters,
}

impl<'a> Tries<'a> {
    /// The pauses differ by command, so that those who met once do not meet again.
    pub(super) fn new(command_id: Uuid, counters: &'a Counters) -> Self {
        let (high, low) = command_id.as_u64_pair();
        Self {
            conflicts: 0,
            stops: 0,
            seed: high ^ low,
            counters,
        }
    }

    /// Another writer was faster: pauses, unless that has happened too often.
    pub(super) async fn after_conflict(&mut self) -> Result<(), Stopped> {
        self.counters.conflicts.increment(1);
        self.conflicts += 1;
        if self.conflicts > CONFLICTS_MAX {
            return Err(Stopped::Conflict);
        }
        sleep(self.pause()).await;
        Ok(())
    }

    /// One before it in the lane failed: the next try can be made at once.
    pub(super) fn after_stop(&mut self) -> Result<(), Stopped> {
        self.counters.stops.increment(1);
        self.stops += 1;
        if self.stops > STOPS_MAX {
            return Err(Stopped::Conflict);
        }
        Ok(())
    }

    /// Between half and one and a half times what the number of conflicts asks for.
    fn pause(&mut self) -> Duration {
        // A step of splitmix64.
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let percent = u32::try_from((mixed >> 32) % 100).unwrap_or_default() + 50;
        let doublings = (self.conflicts - 1).min(DOUBLINGS_MAX);
        PAUSE * (1 << doublings) * percent / 100
    }
}
