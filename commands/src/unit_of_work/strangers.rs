//! Aggregates that a unit of work asked for without having taken them.

use crate::lanes::LaneRequest;
use soko_domain::{AggregateId, Decide};
use std::any::Any;
use std::cell::OnceCell;

/// Stands in for each with a state that has no events. What is decided on it is thrown away.
///
/// A linked list, because its states are borrowed while more are added.
#[derive(Default)]
pub(super) struct Strangers {
    first: OnceCell<Box<Stranger>>,
}

struct Stranger {
    request: LaneRequest,
    state: Box<dyn Any>,
    next: Strangers,
}

impl Strangers {
    pub(super) fn meet<A: Decide>(&self, id: A::Id) -> &A {
        let mut place = self;
        loop {
            let stranger = place.first.get_or_init(|| {
                Box::new(Stranger {
                    request: LaneRequest::of::<A>(id, false),
                    state: Box::new(A::default()),
                    next: Self::default(),
                })
            });
            let is_same = stranger.request.key.stream_id == id.as_uuid();
            if let Some(state) = stranger.state.downcast_ref::<A>().filter(|_| is_same) {
                return state;
            }
            place = &stranger.next;
        }
    }

    pub(super) fn requests(&self) -> Vec<LaneRequest> {
        let first = self.first.get();
        std::iter::successors(first, |stranger| stranger.next.first.get())
            .map(|stranger| stranger.request)
            .collect()
    }
}
