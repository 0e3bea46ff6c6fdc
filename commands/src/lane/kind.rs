//! What can be done to a lane without knowing its aggregate's type.

use crate::error::Failure;
use crate::snapshots::{Snapshots, StoredState};
use cqrs_es::Aggregate;
use futures::future::{BoxFuture, FutureExt};
use soko_domain::Decide;
use soko_event_log::Loader;
use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use uuid::Uuid;

/// An aggregate's state, shared with those who read it: the next command changes it in place if
/// nobody does, and a copy of it if somebody does.
pub(crate) type SharedState = Arc<dyn Any + Send + Sync>;

/// A state as the log has it.
pub(crate) struct Found {
    pub(crate) state: SharedState,
    pub(crate) version: u64,
    /// The version of the snapshot it was built on; 0 if there was none.
    pub(crate) snapshot: u64,
    /// Its length in bytes.
    pub(crate) snapshot_bytes: usize,
}

/// One kind of aggregate.
pub(crate) trait LaneKind: Any + Send + Sync {
    /// The schema version of its snapshots.
    fn snapshot_version(&self) -> u32;

    /// The state of an aggregate that has no events.
    fn fresh(&self) -> SharedState;

    /// Reads the newest usable snapshot and the events after it.
    fn load<'a>(
        &'a self,
        id: Uuid,
        loader: &'a Loader,
        snapshots: &'a Snapshots,
    ) -> BoxFuture<'a, Result<Found, Failure>>;

    fn write(&self, state: &SharedState) -> Result<String, serde_json::Error>;
}

pub(crate) fn kind_of<A: Decide>() -> &'static dyn LaneKind {
    &Of::<A>(PhantomData)
}

struct Of<A>(PhantomData<fn() -> A>);

impl<A: Decide> LaneKind for Of<A> {
    fn snapshot_version(&self) -> u32 {
        A::SNAPSHOT_VERSION
    }

    fn fresh(&self) -> SharedState {
        Arc::new(A::default())
    }

    fn load<'a>(
        &'a self,
        id: Uuid,
        loader: &'a Loader,
        snapshots: &'a Snapshots,
    ) -> BoxFuture<'a, Result<Found, Failure>> {
        load::<A>(id, loader, snapshots).boxed()
    }

    fn write(&self, state: &SharedState) -> Result<String, serde_json::Error> {
        match state.downcast_ref::<A>() {
            Some(state) => serde_json::to_string(state),
            None => Err(serde::ser::Error::custom("the state is of another type")),
        }
    }
}

async fn load<A: Decide>(
    id: Uuid,
    loader: &Loader,
    snapshots: &Snapshots,
) -> Result<Found, Failure> {
    if let Some(snapshot) = snapshots.find::<A>(id).await? {
        // From the snapshot's own last event on: that it is there shows that the snapshot is of
        // this log, and not left over from one that was restored to an earlier moment.
        let mut events = loader
            .load::<A>(A::Id::from(id), snapshot.sequence - 1)
            .await?
            .into_iter();
        if events
            .next()
            .is_some_and(|(first, _)| first == snapshot.sequence)
        {
            return Ok(fold(snapshot, events));
        }
        tracing::warn!(
            stream.kind = A::TYPE,
            stream.id = %id,
            sequence = snapshot.sequence,
            "a snapshot is ahead of its stream and is not used"
        );
    }
    let events = loader.load::<A>(A::Id::from(id), 0).await?;
    Ok(fold(StoredState::<A>::default(), events))
}

fn fold<A: Decide>(
    snapshot: StoredState<A>,
    events: impl IntoIterator<Item = (u64, A::Event)>,
) -> Found {
    let StoredState {
        mut state,
        sequence,
        bytes,
    } = snapshot;
    let mut version = sequence;
    for (sequence, event) in events {
        Aggregate::apply(&mut state, event);
        version = sequence;
    }
    Found {
        state: Arc::new(state),
        version,
        snapshot: sequence,
        snapshot_bytes: bytes,
    }
}
