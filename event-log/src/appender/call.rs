//! Units as the arguments of one call of the append function.

use super::appended::Appended;
use super::queue::{Footing, Queued, Stream};
use crate::{AppendError, ClaimKind, Position};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use sqlx::Arguments as _;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgHasArrayType, PgTypeInfo};
use sqlx::{Encode, PgConnection, Postgres, Row, Type};
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

/// The arguments of a call; what is said of a unit or a claim stands at the same place in each of
/// its lists.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    tenants: Vec<Uuid>,
    metadata: Vec<JsonText<'a>>,

    units: Vec<i32>,
    stream_types: Vec<&'a str>,
    stream_ids: Vec<Uuid>,
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<JsonText<'a>>,

    /// What the database has to compare.
    tails: Tails,
    /// What the unique key of the streams is enough for: the event before is certainly there.
    followed: Tails,

    release_kinds: Vec<&'a str>,
    release_values: Vec<&'a str>,
    release_tenants: Vec<Uuid>,

    claim_kinds: Vec<&'a str>,
    claim_values: Vec<&'a str>,
    claim_tenants: Vec<Uuid>,
    claim_offsets: Vec<i32>,
    claim_owners: Vec<Option<&'a str>>,
    claim_digests: Vec<Option<&'a [u8]>>,
    claim_outcomes: Vec<Option<JsonText<'a>>>,
    claim_command_ids: Vec<Uuid>,

    /// The last sequence of each stream once the units so far are in the log.
    known: HashMap<Stream, u64, RandomState>,
    claimed: HashSet<(ClaimKind, &'a str), RandomState>,
    /// About what all this takes on the wire.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Tails {
    types: Vec<&'static str>,
    ids: Vec<Uuid>,
    sequences: Vec<i64>,
}

/// A unit that cannot be appended as the log stands, by its place.
#[derive(Debug)]
pub(super) struct Blamed {
    pub(super) place: usize,
    pub(super) error: AppendError,
}

/// JSON as it was written; travels as `json`, so that the database parses it once and keeps it.
#[derive(Debug, Clone, Copy)]
struct JsonText<'a>(&'a str);

impl<'a> Call<'a> {
    /// As many of the units, from the first on, as can go together. One that stands against an
    /// earlier one goes with a later call, when it is known what became of the earlier.
    pub(super) fn of(units: &'a [Queued], appended: &Appended) -> (Self, usize) {
        let mut call = Self::default();
        let fitting = units
            .iter()
            .take_while(|queued| {
                let fits = call.fits(queued);
                if fits {
                    call.add(queued, appended);
                }
                fits
            })
            .count();
        (call, fitting)
    }

    pub(super) fn events(&self) -> usize {
        self.units.len()
    }

    /// One statement, which is its own transaction: one round trip.
    pub(super) async fn send(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Committed, sqlx::Error> {
        let arguments = self.arguments().map_err(sqlx::Error::Encode)?;
        let row = sqlx::query_with(
            "SELECT head, recorded FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
             $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
            arguments,
        )
        .fetch_one(connection)
        .await?;
        let head: i64 = row.try_get(0)?;
        let events = i64::try_from(self.units.len()).unwrap_or(i64::MAX);
        Ok(Committed {
            base: Position::new(head - events),
            recorded_at: row.try_get(1)?,
        })
    }

    /// In a buffer that need not grow: the database waits for them.
    fn arguments(&self) -> Result<PgArguments, BoxDynError> {
        const NUMBER: usize = 23;
        let mut arguments = PgArguments::default();
        arguments.reserve(NUMBER, self.bytes);
        arguments.add(&self.tenants)?;
        arguments.add(&self.metadata)?;
        arguments.add(&self.units)?;
        arguments.add(&self.stream_types)?;
        arguments.add(&self.stream_ids)?;
        arguments.add(&self.sequences)?;
        arguments.add(&self.event_types)?;
        arguments.add(&self.event_versions)?;
        arguments.add(&self.payloads)?;
        arguments.add(&self.tails.types)?;
        arguments.add(&self.tails.ids)?;
        arguments.add(&self.tails.sequences)?;
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
        Ok(arguments)
    }

    /// The units that stand against what is in the log, after a call was rolled back because of
    /// one. `units` are those of the call.
    pub(super) async fn blame(
        &self,
        units: &[Queued],
        connection: &mut PgConnection,
    ) -> Result<Vec<Blamed>, sqlx::Error> {
        let (moved, taken) = self.in_the_way(connection).await?;
        let mut blamed = Vec::new();
        for (place, queued) in units.iter().enumerate() {
            let has_moved =
                |footing: &&Footing| moved.get(&footing.stream) == Some(&footing.before);
            let moved = queued.footings.iter().find(has_moved);
            let taken = queued
                .unit
                .claims
                .iter()
                .find(|claim| taken.contains(&(claim.kind.as_str(), claim.value.as_str())));
            let error = match (moved, taken) {
                (Some(footing), _) if footing.is_written() => AppendError::VersionConflict,
                (Some(_), _) => AppendError::GuardMoved,
                (None, Some(claim)) => AppendError::ClaimTaken {
                    kind: claim.kind,
                    value: claim.value.clone(),
                },
                (None, None) => continue,
            };
            blamed.push(Blamed { place, error });
        }
        Ok(blamed)
    }

    /// The streams that are not where the call takes them to be, with the sequence that it takes
    /// them to have; and the claims that somebody has.
    async fn in_the_way(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(HashMap<Stream, u64>, HashSet<(&str, &str)>), sqlx::Error> {
        let rows: Vec<(bool, i64)> = sqlx::query_as(
            "SELECT true, s.place
             FROM unnest($1::text[], $2::uuid[], $3::bigint[])
                 WITH ORDINALITY AS s (type, id, sequence, place)
             WHERE s.sequence <> coalesce((
                 SELECT e.sequence FROM events e
                 WHERE e.aggregate_type = s.type AND e.aggregate_id = s.id::text
                     AND e.sequence >= s.sequence
                 ORDER BY e.sequence DESC LIMIT 1
             ), 0)
             UNION ALL
             SELECT false, n.place
             FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS n (kind, value, place)
             JOIN claims c ON c.kind = n.kind AND c.value = n.value
             WHERE NOT EXISTS (
                 SELECT FROM unnest($6::text[], $7::text[], $8::uuid[]) AS r (kind, value, tenant)
                 WHERE r.kind = c.kind AND r.value = c.value AND r.tenant = c.tenant_id
             )",
        )
        .bind([&self.tails.types[..], &self.followed.types].concat())
        .bind([&self.tails.ids[..], &self.followed.ids].concat())
        .bind([&self.tails.sequences[..], &self.followed.sequences].concat())
        .bind(&self.claim_kinds)
        .bind(&self.claim_values)
        .bind(&self.release_kinds)
        .bind(&self.release_values)
        .bind(&self.release_tenants)
        .fetch_all(connection)
        .await?;
        let (mut moved, mut taken) = (HashMap::new(), HashSet::new());
        for (is_stream, place) in rows {
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            if is_stream {
                let split = self.tails.ids.len();
                let (tails, place) = match place.checked_sub(split) {
                    None => (&self.tails, place),
                    Some(place) => (&self.followed, place),
                };
                moved.extend(tails.at(place));
            } else if let (Some(kind), Some(value)) =
                (self.claim_kinds.get(place), self.claim_values.get(place))
            {
                taken.insert((*kind, *value));
            }
        }
        Ok((moved, taken))
    }

    fn fits(&self, queued: &Queued) -> bool {
        let unit = &queued.unit;
        queued.footings.iter().all(|footing| {
            let known = self.known.get(&footing.stream);
            known.is_none_or(|known| *known == footing.before)
        }) && !unit
            .claims
            .iter()
            .any(|claim| self.claimed.contains(&(claim.kind, &*claim.value)))
            // The function releases first, then claims.
            && !unit
                .releases
                .iter()
                .any(|release| self.claimed.contains(&(release.kind, &*release.value)))
    }

    fn add(&mut self, queued: &'a Queued, appended: &Appended) {
        let unit = &queued.unit;
        for footing in &queued.footings {
            match self.known.entry(footing.stream) {
                Entry::Occupied(mut known) => {
                    known.insert(footing.after);
                }
                Entry::Vacant(known) => {
                    known.insert(footing.after);
                    let tails = if footing.is_written() && appended.has(footing) {
                        &mut self.followed
                    } else {
                        &mut self.tails
                    };
                    tails.push(footing.stream, footing.before);
                }
            }
        }
        self.tenants.push(unit.tenant_id.as_uuid());
        self.metadata.push(JsonText(&queued.metadata));
        self.bytes += queued.bytes;
        let number = int(self.tenants.len());
        for event in &unit.events {
            self.units.push(number);
            self.stream_types.push(event.stream_type);
            self.stream_ids.push(event.stream_id);
            self.sequences.push(bigint(event.sequence));
            self.event_types.push(&event.event_type);
            self.event_versions.push(&event.event_version);
            self.payloads.push(JsonText(&event.payload));
        }
        for release in &unit.releases {
            self.release_kinds.push(release.kind.as_str());
            self.release_values.push(&release.value);
            self.release_tenants.push(unit.tenant_id.as_uuid());
        }
        let offset = int(self.units.len());
        for claim in &unit.claims {
            self.claimed.insert((claim.kind, &claim.value));
            self.claim_kinds.push(claim.kind.as_str());
            self.claim_values.push(&claim.value);
            self.claim_tenants.push(unit.tenant_id.as_uuid());
            self.claim_offsets.push(offset);
            self.claim_owners.push(claim.owner.as_deref());
            self.claim_digests.push(claim.digest.as_deref());
            self.claim_outcomes
                .push(claim.outcome.as_deref().map(JsonText));
            self.claim_command_ids.push(unit.metadata.command_id);
        }
    }
}

impl Tails {
    fn push(&mut self, (stream_type, stream_id): Stream, sequence: u64) {
        self.types.push(stream_type);
        self.ids.push(stream_id);
        self.sequences.push(bigint(sequence));
    }

    fn at(&self, place: usize) -> Option<(Stream, u64)> {
        let stream = (*self.types.get(place)?, *self.ids.get(place)?);
        Some((stream, self.sequences.get(place)?.unsigned_abs()))
    }
}

/// A call has a few thousand events.
fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn bigint(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_ARRAY)
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// Fixed in every Postgres.
const JSON: Oid = Oid(114);
const JSON_ARRAY: Oid = Oid(199);
