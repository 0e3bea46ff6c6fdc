//! Who is to blame that a call was rolled back.

use super::appended::Sequences;
use super::column::bigint;
use super::queued::{Footing, Queued, Stream};
use crate::{AppendError, Claim};
use soko_domain::SubjectId;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What is committed against a call: the streams that are not where it takes them to be, with the
/// sequence that it takes them to have; the claims that somebody has; and the subjects that have a
/// key.
#[derive(Debug, Default)]
struct InTheWay<'a> {
    moved: HashMap<Stream, u64>,
    taken: HashSet<(&'a str, &'a str)>,
    keyed: HashSet<SubjectId>,
}

/// The units of a call that stand against what is in the log, by their place, after the call was
/// rolled back because of one.
pub(super) async fn blame(
    units: &[Queued],
    connection: &mut PgConnection,
) -> Result<HashMap<usize, AppendError>, sqlx::Error> {
    let in_the_way = InTheWay::of(units, connection).await?;
    let errors = units.iter().map(|queued| in_the_way.error_of(queued));
    let blamed = errors.enumerate();
    Ok(blamed
        .filter_map(|(place, error)| Some((place, error?)))
        .collect())
}

impl<'a> InTheWay<'a> {
    async fn of(units: &'a [Queued], connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        // Later footings in the same stream stand on the first.
        let mut seen = Sequences::default();
        let footings: Vec<&Footing> = units
            .iter()
            .flat_map(|queued| &queued.footings)
            .filter(|footing| seen.insert(footing.stream, footing.before).is_none())
            .collect();
        let claims: Vec<(&str, &str)> = units
            .iter()
            .flat_map(|queued| &queued.unit.claims)
            .map(|claim| (claim.kind.as_str(), &*claim.value))
            .collect();
        let releases = || {
            units.iter().flat_map(|queued| {
                let tenant_id = queued.unit.tenant_id.as_uuid();
                let release = move |release: &'a crate::Release| {
                    (release.kind.as_str(), &*release.value, tenant_id)
                };
                queued.unit.releases.iter().map(release)
            })
        };
        let keys: Vec<SubjectId> = units
            .iter()
            .flat_map(|queued| &queued.unit.keys)
            .map(|key| key.subject)
            .collect();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT 'stream', s.place
             FROM unnest($1::text[], $2::uuid[], $3::bigint[])
                 WITH ORDINALITY AS s (type, id, sequence, place)
             WHERE s.sequence <> coalesce((
                 SELECT e.sequence FROM events e
                 WHERE e.aggregate_type = s.type AND e.aggregate_id = s.id::text
                     AND e.sequence >= s.sequence
                 ORDER BY e.sequence DESC LIMIT 1
             ), 0)
             UNION ALL
             SELECT 'claim', n.place
             FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS n (kind, value, place)
             JOIN claims c ON c.kind = n.kind AND c.value = n.value
             WHERE NOT EXISTS (
                 SELECT FROM unnest($6::text[], $7::text[], $8::uuid[]) AS r (kind, value, tenant)
                 WHERE r.kind = c.kind AND r.value = c.value AND r.tenant = c.tenant_id
             )
             UNION ALL
             SELECT 'key', n.place
             FROM unnest($9::uuid[]) WITH ORDINALITY AS n (subject_id, place)
             JOIN personal_keys k ON k.subject_id = n.subject_id",
        )
        .bind(footings.iter().map(|f| f.stream.0).collect::<Vec<&str>>())
        .bind(footings.iter().map(|f| f.stream.1).collect::<Vec<Uuid>>())
        .bind(
            footings
                .iter()
                .map(|f| bigint(f.before))
                .collect::<Vec<i64>>(),
        )
        .bind(claims.iter().map(|claim| claim.0).collect::<Vec<&str>>())
        .bind(claims.iter().map(|claim| claim.1).collect::<Vec<&str>>())
        .bind(releases().map(|release| release.0).collect::<Vec<&str>>())
        .bind(releases().map(|release| release.1).collect::<Vec<&str>>())
        .bind(releases().map(|release| release.2).collect::<Vec<Uuid>>())
        .bind(keys.iter().map(SubjectId::as_uuid).collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
        let mut in_the_way = Self::default();
        for (what, place) in rows {
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            match what.as_str() {
                "stream" => {
                    let footing = footings.get(place);
                    let footing = footing.map(|footing| (footing.stream, footing.before));
                    in_the_way.moved.extend(footing);
                }
                "claim" => in_the_way.taken.extend(claims.get(place)),
                _ => in_the_way.keyed.extend(keys.get(place)),
            }
        }
        Ok(in_the_way)
    }

    fn error_of(&self, queued: &Queued) -> Option<AppendError> {
        let has_moved =
            |footing: &&Footing| self.moved.get(&footing.stream) == Some(&footing.before);
        if let Some(footing) = queued.footings.iter().find(has_moved) {
            return Some(if footing.is_written() {
                AppendError::VersionConflict
            } else {
                AppendError::GuardMoved
            });
        }
        let mut claims = queued.unit.claims.iter();
        let is_taken = |claim: &&Claim| self.taken.contains(&(claim.kind.as_str(), &*claim.value));
        if let Some(taken) = claims.find(is_taken) {
            return Some(AppendError::ClaimTaken {
                kind: taken.kind,
                value: taken.value.clone(),
            });
        }
        let mut keys = queued.unit.keys.iter();
        let is_keyed = keys.any(|key| self.keyed.contains(&key.subject));
        is_keyed.then_some(AppendError::KeyMade)
    }
}
