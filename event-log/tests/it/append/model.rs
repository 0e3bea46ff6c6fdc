//! Random units, and what a log that takes one at a time makes of them.

use crate::units::{Log, With, appender, unit};
use futures::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use soko_event_log::{AppendError, Appended, ClaimKind, LogReader, Unit};
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

const CASES: u32 = 60;
const STREAMS: u128 = 5;
const CLAIMS: u8 = 6;
const HEAD: &str = "SELECT position FROM log_head";

/// What is to be tried; where it says `too_far`, the sequence is that much off.
#[derive(Debug, Clone)]
struct Try {
    events: Vec<(u128, i8)>,
    guards: Vec<(u128, i8)>,
    claims: Vec<u8>,
    releases: Vec<u8>,
}

/// The log, in memory, one unit at a time.
#[derive(Debug, Default)]
struct Model {
    head: i64,
    tails: BTreeMap<u128, u64>,
    claims: BTreeSet<String>,
}

/// Why the model refuses a unit; each reason that there is.
#[derive(Debug, Default)]
struct Reasons {
    version: bool,
    guard: bool,
    claims: BTreeSet<String>,
}

#[test]
fn a_log_that_takes_many_at_once_answers_like_one_that_takes_one_at_a_time() {
    let runtime = Runtime::new().unwrap();
    let log = runtime.block_on(Log::start());
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let case = std::cell::Cell::new(0);
    let outcome = runner.run(&vec(a_try(), 1..60), |tries| {
        case.set(case.get() + 1);
        runtime.block_on(compare(&log, case.get(), tries))
    });
    outcome.unwrap();
    assert!(runtime.block_on(log.count(HEAD)) > 0);
}

async fn compare(log: &Log, case: u128, tries: Vec<Try>) -> Result<(), TestCaseError> {
    // Each case has streams and claims of its own.
    let mut model = Model {
        head: log.count(HEAD).await,
        ..Model::default()
    };
    let mut expected = Vec::new();
    let mut tickets = Vec::new();
    for attempt in &tries {
        let unit = model.unit(case, attempt);
        expected.push(model.append(&unit));
        // One that is not even a unit is refused at once.
        tickets.push(log.appender.enqueue(unit));
    }
    for (n, (ticket, expected)) in tickets.into_iter().zip(expected).enumerate() {
        let answer = match ticket {
            Ok(ticket) => ticket.await,
            Err(refused) => Err(refused),
        };
        let agrees = match (&answer, &expected) {
            (Ok(Appended { first, last, .. }), Ok(positions)) => {
                (first.get(), last.get()) == *positions
            }
            (Err(AppendError::VersionConflict), Err(reasons)) => reasons.version,
            (Err(AppendError::GuardMoved), Err(reasons)) => reasons.guard,
            (Err(AppendError::ClaimTaken { value, .. }), Err(reasons)) => {
                reasons.claims.contains(value)
            }
            _ => false,
        };
        prop_assert!(agrees, "{n}: {answer:?}, and not {expected:?}");
    }
    prop_assert_eq!(log.count(HEAD).await, model.head);
    Ok(())
}

impl Model {
    fn unit(&self, case: u128, attempt: &Try) -> Unit {
        let id = |stream: u128| case * 1_000 + stream;
        let mut tails = self.tails.clone();
        let mut events = Vec::new();
        for (stream, too_far) in &attempt.events {
            let tail = tails.entry(id(*stream)).or_default();
            let sequence = (*tail + 1).saturating_add_signed(i64::from(*too_far));
            events.push((id(*stream), sequence));
            *tail = sequence;
        }
        let mut unit = unit(events);
        for (stream, too_far) in &attempt.guards {
            let tail = self.tails.get(&id(*stream)).copied().unwrap_or(0);
            unit = unit.guarding(id(*stream), tail.saturating_add_signed(i64::from(*too_far)));
        }
        let value = |claim: u8| format!("{case}-{claim}");
        for claim in attempt.claims.iter().collect::<BTreeSet<_>>() {
            unit = unit.claiming(ClaimKind::Sku, &value(*claim));
        }
        for release in &attempt.releases {
            unit = unit.releasing(ClaimKind::Sku, &value(*release));
        }
        unit
    }

    fn append(&mut self, unit: &Unit) -> Result<(i64, i64), Reasons> {
        let tail = |stream| self.tails.get(&stream).copied().unwrap_or(0);
        let mut reasons = Reasons::default();
        let mut tails = BTreeMap::new();
        for event in &unit.events {
            let stream = event.stream_id.as_u128();
            let before = tails.entry(stream).or_insert_with(|| tail(stream));
            reasons.version |= event.sequence != *before + 1;
            *before = event.sequence;
        }
        for guard in &unit.guards {
            let stream = guard.stream_id.as_u128();
            let is_moved = tail(stream) != guard.sequence;
            reasons.guard |= is_moved;
            // What it also writes, it cannot have found otherwise than it read it.
            reasons.version |= is_moved && tails.contains_key(&stream);
            let disagree = |other: &&soko_event_log::Guard| {
                other.stream_id == guard.stream_id && other.sequence != guard.sequence
            };
            reasons.version |= unit.guards.iter().any(|other| disagree(&other));
        }
        let released: BTreeSet<&String> = unit.releases.iter().map(|r| &r.value).collect();
        for claim in &unit.claims {
            if self.claims.contains(&claim.value) && !released.contains(&claim.value) {
                reasons.claims.insert(claim.value.clone());
            }
        }
        if reasons.version || reasons.guard || !reasons.claims.is_empty() {
            return Err(reasons);
        }
        self.tails.extend(tails);
        self.claims.retain(|claim| !released.contains(claim));
        self.claims
            .extend(unit.claims.iter().map(|claim| claim.value.clone()));
        let first = self.head + 1;
        self.head += i64::try_from(unit.events.len()).unwrap();
        Ok((first, self.head))
    }
}

fn a_try() -> impl Strategy<Value = Try> {
    let off = || prop_oneof![12 => Just(0_i8), 1 => Just(-1), 1 => Just(1)];
    (
        vec((0..STREAMS, off()), 0..4),
        vec((0..STREAMS, off()), 0..2),
        vec(0..CLAIMS, 0..2),
        vec(0..CLAIMS, 0..2),
    )
        .prop_map(|(events, guards, claims, releases)| Try {
            events,
            guards,
            claims,
            releases,
        })
}

/// Whatever two nodes do to the same streams, and whoever wins.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_compete_for_streams_leave_every_stream_dense() {
    let log = Log::start().await;
    let nodes = [log.appender.clone(), appender(&log.database).await];
    let writers = (0..8_u64).map(|writer| {
        let node = nodes[usize::from(writer % 2 == 1)].clone();
        tokio::spawn(async move {
            let (mut won, mut next) = (0_u64, [1_u64; 3]);
            for round in 0..60_u64 {
                let stream = usize::try_from((round * 7 + writer) % 3).unwrap();
                let unit = unit([
                    (stream as u128, next[stream]),
                    (100 + u128::from(writer), won + 1),
                ]);
                match node.enqueue(unit).unwrap().await {
                    Ok(_) => won += 1,
                    Err(AppendError::VersionConflict) => (),
                    Err(error) => panic!("{error}"),
                }
                next[stream] += 1;
            }
            won
        })
    });
    let won: u64 = join_all(writers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    let holes = "SELECT count(*) FROM (
                     SELECT sequence <> row_number() OVER (
                         PARTITION BY aggregate_type, aggregate_id ORDER BY position
                     ) AS is_hole FROM events
                 ) e WHERE is_hole";
    assert_eq!(log.count(holes).await, 0);
    let head = LogReader::new(log.pool().clone()).head().await.unwrap();
    assert_eq!(head.get().cast_unsigned(), won * 2);
    assert!(won > 0);
}
