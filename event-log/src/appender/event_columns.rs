//! The events of a call, in the order in which the database inserts them.

use super::column::{Column, Json, Text, Then};
use crate::NewEvent;
use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use uuid::Uuid;

/// First the events that open a stream, then those that go on with one: ids grow, so each of the
/// first belongs behind the last entry of the index of streams, and PostgreSQL keeps at hand where
/// that is only until something is inserted elsewhere.
#[derive(Debug, Default)]
pub(super) struct EventColumns {
    opening: Rows,
    following: Rows,
}

#[derive(Debug, Default)]
struct Rows {
    /// Among all events of the call, counted from 1.
    places: Column<i32>,
    unit_numbers: Column<i32>,
    stream_types: Column<Text>,
    stream_ids: Column<Uuid>,
    sequences: Column<i64>,
    event_types: Column<Text>,
    event_versions: Column<Text>,
    payloads: Column<Json>,
}

impl EventColumns {
    /// Place and unit are counted from 1.
    pub(super) fn push(&mut self, place: usize, unit: usize, event: &NewEvent) {
        const FIRST: u64 = 1;
        let rows = if event.sequence == FIRST {
            &mut self.opening
        } else {
            &mut self.following
        };
        rows.places.push_count(place);
        rows.unit_numbers.push_count(unit);
        rows.stream_types.push(event.stream_type);
        rows.stream_ids.push(&event.stream_id);
        rows.sequences.push_sequence(event.sequence);
        rows.event_types.push(&event.event_type);
        rows.event_versions.push(&event.event_version);
        rows.payloads.push(&event.payload);
    }

    pub(super) fn add_to(&self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        let (first, then) = (&self.opening, &self.following);
        arguments.add(Then(&first.places, &then.places))?;
        arguments.add(Then(&first.unit_numbers, &then.unit_numbers))?;
        arguments.add(Then(&first.stream_types, &then.stream_types))?;
        arguments.add(Then(&first.stream_ids, &then.stream_ids))?;
        arguments.add(Then(&first.sequences, &then.sequences))?;
        arguments.add(Then(&first.event_types, &then.event_types))?;
        arguments.add(Then(&first.event_versions, &then.event_versions))?;
        arguments.add(Then(&first.payloads, &then.payloads))
    }
}
