//! One try: takes the lanes, decides, and hands what was decided to the appender.

mod seats;

pub(super) use seats::Seats;

use super::Inner;
use super::run::{Rule, Ruling};
use crate::append::Pending;
use crate::committed::Committed;
use crate::context::CommandContext;
use crate::error::{Failure, Stopped};
use crate::idempotency::Running;
use crate::lane::{Loaded, Seen};
use crate::lanes::LaneRequest;
use crate::snapshots::Taken;
use crate::unit_of_work::{Drafted, UnitOfWork};
use serde_json::{Value, json};
use soko_domain::SubjectId;
use soko_event_log::{AppendError, EpochMark, Guard, NewEvent, NewKey, Sealer, Unit};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

/// When a caller may come back who found a lane too busy.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A lane that is taken, with its state.
pub(super) type Turn<'a> = MutexGuard<'a, Option<Loaded>>;

/// What a try came to.
pub(super) enum Step {
    /// The decision needs more aggregates than were taken.
    Missing(Vec<LaneRequest>),
    /// What is personal in its events is of subjects whose keys are not at hand.
    Keyless(BTreeSet<SubjectId>),
    /// There is nothing to append: what the answer rests on is to be looked at first.
    Look { seen: Vec<Seen>, answer: Answer },
    /// It is on its way into the log.
    Sent(Sent),
}

pub(super) enum Answer {
    Decided {
        committed: Committed<()>,
        is_accepted: bool,
    },
    Precondition(Stopped),
}

pub(super) struct Sent {
    pub(super) pending: Pending,
    /// What was read and not written.
    pub(super) guarded: Vec<Seen>,
    pub(super) written: Written,
}

/// What is true once the unit is durable.
pub(super) struct Written {
    /// Without its position.
    pub(super) committed: Committed<()>,
    pub(super) is_accepted: bool,
    /// Whether there is more in the unit than the idempotency key.
    pub(super) has_effect: bool,
    /// Whether somebody's key is destroyed with it.
    pub(super) has_erased: bool,
    pub(super) taken: Vec<Taken>,
}

impl Inner {
    pub(super) async fn attempt(
        &self,
        context: &CommandContext,
        seats: &Seats,
        running: Option<&Running<'_>>,
        rule: Rule<'_>,
        sealer: &Sealer<'_>,
        deadline: Instant,
    ) -> Result<Step, Stopped> {
        let mut turns = self.take_turns(seats, deadline).await?;
        // No await from here to the end: a caller that goes away cannot leave anything half done.
        self.decide(context, seats, &mut turns, running, rule, sealer)
    }

    fn decide(
        &self,
        context: &CommandContext,
        seats: &Seats,
        turns: &mut [Turn<'_>],
        running: Option<&Running<'_>>,
        rule: Rule<'_>,
        sealer: &Sealer<'_>,
    ) -> Result<Step, Stopped> {
        if let Some(step) = precondition(context, seats, turns) {
            return Ok(step);
        }
        let states = turns.iter().filter_map(|turn| turn.as_ref());
        let mut unit = UnitOfWork::new(seats.keys().zip(states));
        let ruling = rule(&mut unit, running.is_some())?;
        let missing = unit.missing();
        if !missing.is_empty() {
            return Ok(Step::Missing(missing));
        }
        let mut drafted = unit
            .into_drafted(ruling.is_accepted)
            .map_err(Failure::from)?;
        let seen = seats.seen(turns, |index| drafted.lanes[index].is_touched);
        if context.dry_run || (running.is_none() && !drafted.has_effect()) {
            return Ok(look(seen, &drafted, ruling.is_accepted));
        }
        let keys = match sealer.seal(&mut drafted.events) {
            Ok(keys) => keys,
            Err(subjects) => return Ok(Step::Keyless(subjects)),
        };
        self.send(context, turns, running, ruling, (drafted, keys), seen)
    }

    /// Enqueues the unit, and lets the lanes go on from what it decided.
    fn send(
        &self,
        context: &CommandContext,
        turns: &mut [Turn<'_>],
        running: Option<&Running<'_>>,
        ruling: Ruling,
        (drafted, keys): (Drafted, Vec<NewKey>),
        seen: Vec<Seen>,
    ) -> Result<Step, Stopped> {
        let has_effect = drafted.has_effect();
        let Drafted {
            lanes,
            events,
            mut claims,
            releases,
            erased,
        } = drafted;
        let has_erased = !erased.is_empty();
        if let (Some(running), Some(outcome)) = (running, ruling.outcome) {
            // First, so that a repeat is found to be one before another of its claims is.
            claims.insert(0, running.claim(outcome));
        }
        let is_written = |seen: &Seen| lanes[seen.seat].draft.is_some();
        let pending = self.append.enqueue(Unit {
            tenant_id: context.tenant_id,
            metadata: context.metadata(),
            events,
            claims,
            releases,
            guards: seen
                .iter()
                .filter(|seen| !is_written(seen))
                .map(guard)
                .collect(),
            epochs: seen
                .iter()
                .map(|seen| EpochMark {
                    cell: seen.lane.epoch_cell(),
                    epoch: seen.epoch,
                    writes: is_written(seen),
                })
                .collect(),
            keys,
            erased,
        });
        let pending = pending.map_err(cannot_append)?;
        let mut versions = Vec::with_capacity(seen.len());
        let mut guarded = Vec::new();
        let mut taken = Vec::new();
        let mut drafts: Vec<_> = lanes.into_iter().map(|lane| lane.draft).collect();
        for seen in seen {
            let key = seen.lane.key;
            let Some(draft) = drafts[seen.seat].take() else {
                versions.push((key.stream_type, key.stream_id, seen.version));
                guarded.push(seen);
                continue;
            };
            seen.lane.wait_for(pending.number);
            // Taken out meanwhile: should applying panic, the lane is left empty, not wrong.
            let turn = &mut turns[seen.seat];
            if let Some(loaded) = turn.take() {
                let mut loaded = draft.apply(loaded);
                versions.push((key.stream_type, key.stream_id, loaded.version));
                taken.extend(self.snapshot(&seen.lane, &mut loaded));
                **turn = Some(loaded);
            }
        }
        Ok(Step::Sent(Sent {
            pending,
            guarded,
            written: Written {
                committed: Committed::unplaced(versions),
                is_accepted: ruling.is_accepted,
                has_effect,
                has_erased,
                taken,
            },
        }))
    }
}

pub(super) fn too_busy() -> Stopped {
    Stopped::Overloaded {
        retry_after: RETRY_AFTER,
    }
}

pub(super) fn cannot_append(error: AppendError) -> Stopped {
    match error {
        AppendError::Overloaded { retry_after } => Stopped::Overloaded { retry_after },
        error => Failure::Append(error).into(),
    }
}

/// Whether the first aggregate has the version that the caller wants to change.
fn precondition(context: &CommandContext, seats: &Seats, turns: &[Turn<'_>]) -> Option<Step> {
    let expected = context.expected_version?;
    let primary = seats.primary()?;
    let actual = turns[primary].as_ref()?.version;
    if actual == expected {
        return None;
    }
    let seen = seats.seen(turns, |index| index == primary);
    let key = seen.first()?.lane.key;
    Some(Step::Look {
        seen,
        answer: Answer::Precondition(Stopped::PreconditionFailed {
            stream_type: key.stream_type,
            stream_id: key.stream_id,
            expected,
            actual,
        }),
    })
}

fn look(seen: Vec<Seen>, drafted: &Drafted, is_accepted: bool) -> Step {
    let versions = seen
        .iter()
        .map(|seen| {
            let key = seen.lane.key;
            let decided = drafted.lanes[seen.seat].draft.as_ref();
            let decided = decided.map_or(0, |draft| draft.len() as u64);
            (key.stream_type, key.stream_id, seen.version + decided)
        })
        .collect();
    Step::Look {
        seen,
        answer: Answer::Decided {
            committed: Committed {
                dry_run_events: drafted.events.iter().map(show).collect(),
                ..Committed::unplaced(versions)
            },
            is_accepted,
        },
    }
}

fn guard(seen: &Seen) -> Guard {
    Guard {
        stream_type: seen.lane.key.stream_type,
        stream_id: seen.lane.key.stream_id,
        sequence: seen.version,
    }
}

/// An event that a dry run would have appended.
fn show(event: &NewEvent) -> Value {
    json!({
        "stream_type": event.stream_type,
        "stream_id": event.stream_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "payload": serde_json::from_str::<Value>(&event.payload).unwrap_or_default(),
    })
}
