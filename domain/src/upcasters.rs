//! Old event shapes lifted to today's.
//!
//! An event that changes its shape gets a new version (in its `event_names!`), an upcaster here,
//! and a golden file in `tests/golden`; the files of its older versions stay, and must be lifted.

use crate::any_event::Written;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use std::sync::LazyLock;

/// Oldest first, so that each lifts what the one before it has made. No event has changed its
/// shape yet.
pub fn upcasters() -> &'static [Box<dyn EventUpcaster>] {
    static UPCASTERS: LazyLock<Vec<Box<dyn EventUpcaster>>> = LazyLock::new(Vec::new);
    &UPCASTERS
}

pub(crate) fn lift(
    upcasters: &[Box<dyn EventUpcaster>],
    written: Written<'_>,
) -> Result<SerializedEvent, serde_json::Error> {
    let event = SerializedEvent {
        aggregate_id: written.stream_id.to_owned(),
        sequence: 0,
        aggregate_type: written.stream_type.to_owned(),
        event_type: written.event_type.to_owned(),
        event_version: written.event_version.to_owned(),
        payload: serde_json::from_str(written.payload)?,
        metadata: serde_json::Value::Null,
    };
    let lifted = upcasters.iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    });
    Ok(lifted)
}
