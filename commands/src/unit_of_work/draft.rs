//! What a unit of work has decided about one aggregate, before it is accepted.

use crate::lane::Loaded;
use cqrs_es::Aggregate;
use soko_domain::Decide;
use soko_event_log::{CanonicalError, NewEvent};
use std::any::Any;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

pub(crate) trait AnyDraft {
    /// How many events were decided.
    fn len(&self) -> usize;

    /// Writes some of the events down, counted from the first that was decided.
    fn write(&self, range: Range<usize>, events: &mut Vec<NewEvent>) -> Result<(), CanonicalError>;

    /// The lane's state after the events. Whoever holds the old state keeps it.
    fn apply(self: Box<Self>, loaded: Loaded) -> Loaded;

    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

pub(super) struct Draft<A: Decide> {
    id: A::Id,
    version: u64,
    events: Vec<A::Event>,
    /// The state with the events, from when somebody asks for it: most units ask each aggregate
    /// once, and then the lane's own state can be changed in place in the end.
    copy: OnceCell<A>,
}

impl<A: Decide> Draft<A> {
    pub(super) fn new(id: A::Id, version: u64) -> Self {
        Self {
            id,
            version,
            events: Vec::new(),
            copy: OnceCell::new(),
        }
    }

    /// `original` is the lane's state.
    pub(super) fn state<'a>(&'a self, original: &A) -> &'a A {
        self.copy.get_or_init(|| {
            let mut copy = original.clone();
            for event in &self.events {
                Aggregate::apply(&mut copy, event.clone());
            }
            copy
        })
    }

    pub(super) fn stage(&mut self, events: Vec<A::Event>) {
        if let Some(copy) = self.copy.get_mut() {
            for event in &events {
                Aggregate::apply(copy, event.clone());
            }
        }
        if self.events.is_empty() {
            self.events = events;
        } else {
            self.events.extend(events);
        }
    }
}

impl<A: Decide> AnyDraft for Draft<A> {
    fn len(&self) -> usize {
        self.events.len()
    }

    fn write(&self, range: Range<usize>, events: &mut Vec<NewEvent>) -> Result<(), CanonicalError> {
        let first = self.version + 1 + range.start as u64;
        for (sequence, event) in (first..).zip(&self.events[range]) {
            events.push(NewEvent::of::<A>(self.id, sequence, event)?);
        }
        Ok(())
    }

    fn apply(self: Box<Self>, mut loaded: Loaded) -> Loaded {
        loaded.version += self.events.len() as u64;
        if let Some(copy) = self.copy.into_inner() {
            loaded.state = Arc::new(copy);
            return loaded;
        }
        loaded.state = match loaded.state.downcast::<A>() {
            Ok(mut shared) => {
                let state = Arc::make_mut(&mut shared);
                for event in self.events {
                    Aggregate::apply(state, event);
                }
                shared
            }
            // A draft is only ever made of a lane that holds an `A`.
            Err(other) => other,
        };
        loaded
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
