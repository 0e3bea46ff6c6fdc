//! How an aggregate answers.

use crate::ids::AggregateId;
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer at once, from state alone.
///
/// The engine decides on states that are still on their way to the log, so a decision must not
/// wait, and a refusal must leave the state as it was. `Clone` lets one unit of work give the same
/// aggregate a second command on top of its own first. An error can be written down and read again:
/// a refusal is kept under the idempotency key of its command.
pub trait Decide:
    Aggregate<
        Services = (),
        Command: Clone + Send + Sync,
        Error: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    > + Clone
    + 'static
{
    type Id: AggregateId;

    /// Raised whenever the serialized state changes shape, so that older snapshots are not read.
    const SNAPSHOT_VERSION: u32 = 1;

    /// The events that the command leads to; none if it changes nothing.
    ///
    /// # Errors
    /// The rule that stands in the way.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;
}

/// The body of every aggregate's `Aggregate::handle`: write what `decide` returned.
///
/// # Errors
/// What `decide` refuses with.
pub async fn write_decision<A: Decide>(
    aggregate: &mut A,
    command: A::Command,
    sink: &EventSink<A>,
) -> Result<(), A::Error> {
    for event in aggregate.decide(command)? {
        sink.write(event, aggregate).await;
    }
    Ok(())
}

/// The event, or none where it would say what is so already: a repeated command changes nothing.
pub(crate) fn only_if<E>(is_new: bool, event: E) -> Vec<E> {
    if is_new { vec![event] } else { vec![] }
}
