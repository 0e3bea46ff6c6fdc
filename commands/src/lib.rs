//! Carries out commands: decides on aggregates in memory, and appends what they decide.
//!
//! It has no rules of its own (those are the aggregates') and never reads a read model to decide.

mod append;
mod committed;
mod context;
mod engine;
mod error;
pub mod handlers;
mod idempotency;
mod lane;
mod lanes;
mod snapshots;
mod tails;
mod unit_of_work;

pub use append::{Append, Pending};
pub use committed::{Committed, Snapshot};
pub use context::{CommandContext, IdempotencyKey};
pub use engine::{Engine, EngineOptions, StoredOutcome};
pub use error::{CommandError, Failure};
pub use lanes::Lanes;
pub use unit_of_work::UnitOfWork;
