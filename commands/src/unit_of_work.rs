//! Several aggregates, one append.

mod draft;
mod strangers;

pub(crate) use draft::AnyDraft;

use crate::lane::{Loaded, StreamKey};
use crate::lanes::{LaneRequest, key_of};
use draft::Draft;
use soko_domain::{Decide, SubjectId};
use soko_event_log::{CanonicalError, Claim, NewEvent, Release};
use std::cell::Cell;
use strangers::Strangers;

/// What one request decides, over all the aggregates that it touches. Nothing of it shows outside
/// before the whole of it is accepted.
pub struct UnitOfWork<'a> {
    /// In the order of their keys.
    seats: Vec<Seat<'a>>,
    /// Which seat decided how many events, in the order of the decisions.
    steps: Vec<(usize, usize)>,
    claims: Vec<Claim>,
    releases: Vec<Release>,
    erased: Vec<SubjectId>,
    strangers: Strangers,
}

struct Seat<'a> {
    key: StreamKey,
    loaded: &'a Loaded,
    touched: Cell<bool>,
    draft: Option<Box<dyn AnyDraft>>,
}

/// What is left of a unit of work once it gave the lanes back.
pub(crate) struct Drafted {
    pub(crate) lanes: Vec<DraftedLane>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) releases: Vec<Release>,
    pub(crate) erased: Vec<SubjectId>,
}

pub(crate) struct DraftedLane {
    /// Whether the decision depends on it.
    pub(crate) is_touched: bool,
    pub(crate) draft: Option<Box<dyn AnyDraft>>,
}

impl Drafted {
    pub(crate) fn has_effect(&self) -> bool {
        !(self.events.is_empty()
            && self.claims.is_empty()
            && self.releases.is_empty()
            && self.erased.is_empty())
    }
}

impl<'a> UnitOfWork<'a> {
    /// The lanes in the order of their keys.
    pub(crate) fn new(lanes: impl Iterator<Item = (StreamKey, &'a Loaded)>) -> Self {
        let seats = lanes.map(|(key, loaded)| Seat {
            key,
            loaded,
            touched: Cell::new(false),
            draft: None,
        });
        Self {
            seats: seats.collect(),
            steps: Vec::new(),
            claims: Vec::new(),
            releases: Vec::new(),
            erased: Vec::new(),
            strangers: Strangers::default(),
        }
    }

    /// The aggregate as it is, with what this unit has decided so far. Whoever only reads it has
    /// the append refused, and the decision made again, if it moves meanwhile.
    pub fn state<A: Decide>(&self, id: A::Id) -> &A {
        match self.seat::<A>(id) {
            Some((_, seat, state)) => {
                seat.touched.set(true);
                seat.draft::<A>().map_or(state, |draft| draft.state(state))
            }
            None => self.strangers.meet::<A>(id),
        }
    }

    /// How many events the aggregate has, without those that this unit has decided. As with
    /// [`Self::state`], the decision depends on it.
    pub fn version<A: Decide>(&self, id: A::Id) -> u64 {
        if let Some((_, seat, _)) = self.seat::<A>(id) {
            seat.touched.set(true);
            seat.loaded.version
        } else {
            self.strangers.meet::<A>(id);
            0
        }
    }

    /// Asks an aggregate, which sees what this unit has decided so far.
    ///
    /// # Errors
    /// What the aggregate refuses with; then this command has no effect, and the unit may go on.
    pub fn execute<A: Decide>(&mut self, id: A::Id, command: A::Command) -> Result<(), A::Error> {
        let events = self.state::<A>(id).decide(command)?;
        if events.is_empty() {
            return Ok(());
        }
        let Some((index, ..)) = self.seat::<A>(id) else {
            return Ok(());
        };
        self.steps.push((index, events.len()));
        let seat = &mut self.seats[index];
        let draft = seat
            .draft
            .get_or_insert_with(|| Box::new(Draft::<A>::new(id, seat.loaded.version)));
        if let Some(draft) = draft.as_any_mut().downcast_mut::<Draft<A>>() {
            draft.stage(events);
        }
        Ok(())
    }

    /// Has these aggregates taken, so that the rest of the decision finds them. Only needed where
    /// they could not be named in [`Lanes`](crate::Lanes): to call it before the first of them is
    /// used saves deciding again for each.
    pub fn require<A: Decide>(&self, ids: impl IntoIterator<Item = A::Id>) {
        for id in ids {
            if self.seat::<A>(id).is_none() {
                self.strangers.meet::<A>(id);
            }
        }
    }

    /// Claims what must be unique in the whole system, together with the events.
    pub fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    /// Gives back what was claimed.
    pub fn release(&mut self, release: Release) {
        self.releases.push(release);
    }

    /// Destroys the key of what is personal of the subject, together with the events.
    pub fn erase(&mut self, subject: SubjectId) {
        self.erased.push(subject);
    }

    /// The aggregates that were asked for and are not taken. If there is one, what was decided
    /// means nothing.
    pub(crate) fn missing(&self) -> Vec<LaneRequest> {
        self.strangers.requests()
    }

    /// Whether what was found rests on the aggregate of this seat.
    pub(crate) fn is_touched(&self, index: usize) -> bool {
        self.seats[index].touched.get()
    }

    /// Of a refused unit nothing is left but what it depended on.
    pub(crate) fn into_drafted(mut self, is_accepted: bool) -> Result<Drafted, CanonicalError> {
        if !is_accepted {
            self.steps.clear();
            self.claims.clear();
            self.releases.clear();
            self.erased.clear();
            self.seats.iter_mut().for_each(|seat| seat.draft = None);
        }
        let mut events = Vec::with_capacity(self.steps.iter().map(|(_, count)| count).sum());
        let mut written = vec![0; self.seats.len()];
        for (index, count) in self.steps {
            if let Some(draft) = &self.seats[index].draft {
                let from = written[index];
                draft.write(from..from + count, &mut events)?;
                written[index] += count;
            }
        }
        let lanes = self.seats.into_iter();
        Ok(Drafted {
            lanes: lanes
                .map(|seat| DraftedLane {
                    is_touched: seat.touched.get(),
                    draft: seat.draft,
                })
                .collect(),
            events,
            claims: self.claims,
            releases: self.releases,
            erased: self.erased,
        })
    }

    fn seat<A: Decide>(&self, id: A::Id) -> Option<(usize, &Seat<'a>, &'a A)> {
        let key = key_of::<A>(id);
        let index = self
            .seats
            .binary_search_by(|seat| seat.key.cmp(&key))
            .ok()?;
        let seat = &self.seats[index];
        let state = seat.loaded.state.downcast_ref::<A>()?;
        Some((index, seat, state))
    }
}

impl Seat<'_> {
    fn draft<A: Decide>(&self) -> Option<&Draft<A>> {
        self.draft.as_ref()?.as_any().downcast_ref()
    }
}
