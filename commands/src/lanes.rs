//! Which aggregates a unit of work is about.

use crate::lane::{LaneKind, StreamKey, kind_of};
use soko_domain::{AggregateId, Decide};

/// The aggregates that a unit of work touches; the first is the one that `If-Match` is about.
///
/// The engine takes what is named before it decides. An aggregate that turns out to be needed
/// besides is taken as well and the decision made again, so name what can be named.
#[derive(Default)]
pub struct Lanes {
    requests: Vec<LaneRequest>,
}

#[derive(Clone, Copy)]
pub(crate) struct LaneRequest {
    pub(crate) key: StreamKey,
    pub(crate) kind: &'static dyn LaneKind,
    /// The aggregate has no events yet, so there is nothing to load.
    pub(crate) is_new: bool,
}

impl Lanes {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with<A: Decide>(self, id: A::Id) -> Self {
        self.and(LaneRequest::of::<A>(id, false))
    }

    /// An aggregate whose id was made for this command: it is not looked for in the log, which
    /// saves a round trip. Should it exist after all, that is found on append.
    #[must_use]
    pub fn with_new<A: Decide>(self, id: A::Id) -> Self {
        self.and(LaneRequest::of::<A>(id, true))
    }

    #[must_use]
    pub fn with_all<A: Decide>(self, ids: impl IntoIterator<Item = A::Id>) -> Self {
        ids.into_iter().fold(self, Self::with::<A>)
    }

    fn and(mut self, request: LaneRequest) -> Self {
        self.requests.push(request);
        self
    }

    pub(crate) fn into_requests(self) -> Vec<LaneRequest> {
        self.requests
    }
}

impl LaneRequest {
    pub(crate) fn of<A: Decide>(id: A::Id, is_new: bool) -> Self {
        Self {
            key: key_of::<A>(id),
            kind: kind_of::<A>(),
            is_new,
        }
    }
}

pub(crate) fn key_of<A: Decide>(id: A::Id) -> StreamKey {
    StreamKey {
        stream_type: A::TYPE,
        stream_id: id.as_uuid(),
    }
}
