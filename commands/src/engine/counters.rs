//! What the engine counts.

use metrics::{Counter, counter};

pub(super) struct Counters {
    pub(super) accepted: Counter,
    pub(super) refused: Counter,
    pub(super) replayed: Counter,
    pub(super) failed: Counter,
    /// Tries made again because another writer had moved what was decided on.
    pub(super) conflicts: Counter,
    /// Tries made again because something before them in the same lane failed.
    pub(super) stops: Counter,
    /// States read from the log.
    pub(super) loads: Counter,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            accepted: counter!("soko_commands_total", "outcome" => "accepted"),
            refused: counter!("soko_commands_total", "outcome" => "refused"),
            replayed: counter!("soko_commands_total", "outcome" => "replayed"),
            failed: counter!("soko_commands_total", "outcome" => "failed"),
            conflicts: counter!("soko_command_retries_total", "cause" => "conflict"),
            stops: counter!("soko_command_retries_total", "cause" => "stopped"),
            loads: counter!("soko_lane_loads_total"),
        }
    }

    pub(super) fn decided(&self, is_accepted: bool) {
        if is_accepted {
            self.accepted.increment(1);
        } else {
            self.refused.increment(1);
        }
    }
}
