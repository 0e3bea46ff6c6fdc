//! What can be watched of an appender.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Looked up once: there is a measurement for every unit.
#[derive(Debug)]
pub(super) struct Meters {
    pub(super) units_per_call: Histogram,
    pub(super) events_per_call: Histogram,
    pub(super) call_seconds: Histogram,
    /// From enqueueing to the answer.
    pub(super) unit_seconds: Histogram,
    pub(super) queue_length: Gauge,
    pub(super) appended_events: Counter,
    pub(super) conflicts: Counter,
    pub(super) stopped: Counter,
    pub(super) overloaded: Counter,
    /// Calls that were rolled back and whose units went again apart.
    pub(super) splits: Counter,
    pub(super) retries: Counter,
    /// Calls of which it was not known whether they had been committed.
    pub(super) unknown_outcomes: Counter,
    pub(super) connections: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        Self {
            units_per_call: histogram!("soko_append_units_per_call"),
            events_per_call: histogram!("soko_append_events_per_call"),
            call_seconds: histogram!("soko_append_call_seconds"),
            unit_seconds: histogram!("soko_append_unit_seconds"),
            queue_length: gauge!("soko_append_queue_length"),
            appended_events: counter!("soko_append_events_total"),
            conflicts: counter!("soko_append_conflicts_total"),
            stopped: counter!("soko_append_stopped_total"),
            overloaded: counter!("soko_append_overloaded_total"),
            splits: counter!("soko_append_splits_total"),
            retries: counter!("soko_append_retries_total"),
            unknown_outcomes: counter!("soko_append_unknown_outcomes_total"),
            connections: counter!("soko_append_connections_total"),
        }
    }
}
