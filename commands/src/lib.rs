//! Carries out commands: decides on aggregates in memory, and appends what they decide.
//!
//! It has no rules of its own (those are the aggregates') and never reads a read model to decide.

mod append;
mod clock;
mod committed;
mod context;
mod engine;
mod error;
pub mod handlers;
mod idempotency;
mod lane;
mod lanes;
pub mod payments;
pub mod process_managers;
mod snapshots;
mod tails;
mod timers;
mod unit_of_work;

pub use append::{Append, Pending};
pub use clock::Clock;
pub use committed::{Committed, Snapshot};
pub use context::{CommandContext, IdempotencyKey};
pub use engine::{Engine, EngineOptions, StoredOutcome};
pub use error::{CommandError, Failure};
pub use lanes::Lanes;
pub use timers::Timer;
pub use unit_of_work::UnitOfWork;
