//! Units as the arguments of one call of the append function.

use super::appended::Sequences;
use super::column::{Bytes, Column, Json, Text};
use super::event_columns::EventColumns;
use super::queued::{Footing, Queued, Size};
use crate::{ClaimKind, Position};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use soko_domain::SubjectId;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection, Row};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A call that was committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Committed {
    /// Before the call.
    pub(super) base: Position,
    pub(super) recorded_at: DateTime<Utc>,
}

/// Units that go together, and the arguments that say so; what is said of a unit or a claim stands
/// at the same place in each of its columns.
#[derive(Debug, Default)]
pub(super) struct Call {
    units: Vec<Queued>,
    events: usize,
    /// About what the arguments take on the wire.
    bytes: usize,
    /// The last sequence of each stream once the units so far are in the log.
    known: Sequences,
    claimed: HashMap<ClaimKind, HashSet<String, RandomState>, RandomState>,

    tenants: Column<Uuid>,
    metadata: Column<Json>,

    rows: EventColumns,

    /// What the database has to compare. Where the event before is certainly there, the unique key
    /// of the streams is enough.
    tail_types: Column<Text>,
    tail_ids: Column<Uuid>,
    tail_sequences: Column<i64>,

    release_kinds: Column<Text>,
    release_values: Column<Text>,
    release_tenants: Column<Uuid>,

    claim_kinds: Column<Text>,
    claim_values: Column<Text>,
    claim_tenants: Column<Uuid>,
    claim_offsets: Column<i32>,
    claim_owners: Column<Text>,
    claim_digests: Column<Bytes>,
    claim_outcomes: Column<Json>,
    claim_command_ids: Column<Uuid>,

    keyed: HashSet<SubjectId, RandomState>,
    key_subjects: Column<Uuid>,
    key_tenants: Column<Uuid>,
    keys: Column<Bytes>,
    erased_subjects: Column<Uuid>,
}

impl Call {
    /// Takes in as many of the units, from the first on, as can go together; gives the others back.
    /// One that stands against an earlier one goes with a later call, when it is known what became
    /// of the earlier. Of an event that `is_there` before one of theirs, the database is not asked.
    pub(super) fn fill(
        &mut self,
        units: Vec<Queued>,
        is_there: impl Fn(&Footing) -> bool,
    ) -> Vec<Queued> {
        let mut units = units.into_iter();
        while let Some(queued) = units.next() {
            if !self.fits(&queued) {
                return std::iter::once(queued).chain(units).collect();
            }
            self.add(&queued, &is_there);
            self.units.push(queued);
        }
        Vec::new()
    }

    pub(super) fn units(&self) -> &[Queued] {
        &self.units
    }

    pub(super) fn into_units(self) -> Vec<Queued> {
        self.units
    }

    pub(super) const fn size(&self) -> Size {
        Size {
            units: self.units.len(),
            events: self.events,
            bytes: self.bytes,
        }
    }

    /// Whether the event that the unit goes on from is there once the call is in the log.
    pub(super) fn has(&self, footing: &Footing) -> bool {
        let last = self.known.get(&footing.stream);
        last.is_some_and(|last| footing.before <= *last)
    }

    /// One statement, which is its own transaction: one round trip.
    pub(super) async fn send(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Committed, sqlx::Error> {
        let arguments = self.arguments().map_err(sqlx::Error::Encode)?;
        let row = sqlx::query_with(
            "SELECT head, recorded FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
             $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)",
            arguments,
        )
        .fetch_one(connection)
        .await?;
        let head: i64 = row.try_get(0)?;
        let events = i64::try_from(self.events).unwrap_or(i64::MAX);
        Ok(Committed {
            base: Position::new(head - events),
            recorded_at: row.try_get(1)?,
        })
    }

    /// In a buffer that need not grow: the database waits for them.
    fn arguments(&self) -> Result<PgArguments, BoxDynError> {
        const NUMBER: usize = 28;
        let mut arguments = PgArguments::default();
        arguments.reserve(NUMBER, self.bytes);
        arguments.add(&self.tenants)?;
        arguments.add(&self.metadata)?;
        self.rows.add_to(&mut arguments)?;
        arguments.add(&self.tail_types)?;
        arguments.add(&self.tail_ids)?;
        arguments.add(&self.tail_sequences)?;
        arguments.add(&self.release_kinds)?;
        arguments.add(&self.release_values)?;
        arguments.add(&self.release_tenants)?;
        arguments.add(&self.claim_kinds)?;
        arguments.add(&self.claim_values)?;
        arguments.add(&self.claim_tenants)?;
        arguments.add(&self.claim_offsets)?;
        arguments.add(&self.claim_owners)?;
        arguments.add(&self.claim_digests)?;
        arguments.add(&self.claim_outcomes)?;
        arguments.add(&self.claim_command_ids)?;
        arguments.add(&self.key_subjects)?;
        arguments.add(&self.key_tenants)?;
        arguments.add(&self.keys)?;
        arguments.add(&self.erased_subjects)?;
        Ok(arguments)
    }

    fn fits(&self, queued: &Queued) -> bool {
        let unit = &queued.unit;
        queued.footings.iter().all(|footing| {
            let known = self.known.get(&footing.stream);
            known.is_none_or(|known| *known == footing.before)
        }) && !unit
            .claims
            .iter()
            .any(|claim| self.is_claimed(claim.kind, &claim.value))
            // The function releases first, then claims.
            && !unit
                .releases
                .iter()
                .any(|release| self.is_claimed(release.kind, &release.value))
            && !unit.keys.iter().any(|key| self.keyed.contains(&key.subject))
    }

    fn is_claimed(&self, kind: ClaimKind, value: &str) -> bool {
        let values = self.claimed.get(&kind);
        values.is_some_and(|values| values.contains(value))
    }

    fn add(&mut self, queued: &Queued, is_there: impl Fn(&Footing) -> bool) {
        let unit = &queued.unit;
        for footing in &queued.footings {
            match self.known.entry(footing.stream) {
                Entry::Occupied(mut known) => {
                    known.insert(footing.after);
                }
                Entry::Vacant(known) => {
                    known.insert(footing.after);
                    if !(footing.is_written() && is_there(footing)) {
                        self.tail_types.push(footing.stream.0);
                        self.tail_ids.push(&footing.stream.1);
                        self.tail_sequences.push_sequence(footing.before);
                    }
                }
            }
        }
        let tenant_id = unit.tenant_id.as_uuid();
        self.tenants.push(&tenant_id);
        self.metadata.push(&queued.metadata);
        self.bytes += queued.bytes;
        let number = self.units.len() + 1;
        for event in &unit.events {
            self.events += 1;
            self.rows.push(self.events, number, event);
        }
        for release in &unit.releases {
            self.release_kinds.push(release.kind.as_str());
            self.release_values.push(&release.value);
            self.release_tenants.push(&tenant_id);
        }
        for claim in &unit.claims {
            let claimed = self.claimed.entry(claim.kind).or_default();
            claimed.insert(claim.value.clone());
            self.claim_kinds.push(claim.kind.as_str());
            self.claim_values.push(&claim.value);
            self.claim_tenants.push(&tenant_id);
            self.claim_offsets.push_count(self.events);
            self.claim_owners.push_option(claim.owner.as_deref());
            self.claim_digests.push_option(claim.digest.as_deref());
            self.claim_outcomes.push_option(claim.outcome.as_deref());
            self.claim_command_ids.push(&unit.metadata.command_id);
        }
        for key in &unit.keys {
            self.keyed.insert(key.subject);
            self.key_subjects.push(&key.subject.as_uuid());
            self.key_tenants.push(&tenant_id);
            self.keys.push(&key.sealed);
        }
        for subject in &unit.erased {
            self.erased_subjects.push(&subject.as_uuid());
        }
    }
}
