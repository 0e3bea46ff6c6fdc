//! What crosses time, or the outside world: processes that outlive a request.
//!
//! A process manager reacts to events by setting and cancelling timers, and does so as a pure
//! function; what it reacted to and its timers are written in one transaction, so nothing is set
//! twice or forgotten. A timer that is due, which it may be at once, fires: the manager sends
//! commands, or asks the outside world. Every command carries an idempotency key made of the
//! manager's name and the position of the event behind the timer, so a crash at any point repeats
//! nothing. A timer that fails fires again, later and later, until it succeeds.
//!
//! One runner of a manager is active, wherever it runs; the others stand by.

mod checkpoint;
mod effects;
mod firing;
mod runner;

pub mod abandon_carts;
pub mod carry_payments;
pub mod pay_out_vendors;
pub mod send_payouts;
pub mod settle_vendors;

pub use abandon_carts::AbandonCarts;
pub use carry_payments::CarryPayments;
pub use checkpoint::{ManagerLag, ManagerStatus, SkipError, lags, skip_event, statuses};
pub use effects::{Effect, EffectError};
pub use firing::{Desk, FireError, Fired};
pub use pay_out_vendors::PayOutVendors;
pub use runner::{RunnerOptions, Workplace, run};
pub use send_payouts::SendPayouts;
pub use settle_vendors::SettleVendors;

use crate::timers::Timer;
use async_trait::async_trait;
use soko_event_log::RecordedEvent;

/// A process that outlives a request.
#[async_trait]
pub trait ProcessManager: Send + Sync + 'static {
    /// Also what its commands are signed with, and the scope of their idempotency keys. It stays
    /// the same for ever.
    const NAME: &'static str;

    /// The types of the streams that it reacts to.
    const STREAMS: &'static [&'static str];

    /// Where it starts when it runs for the first time.
    const START: Start = Start::Beginning;

    /// What follows from an event: from nothing but the event, and the same each time.
    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect>;

    /// Does what a timer was set for. It may be done more than once: commands are sent with the
    /// contexts that the desk makes for the timer, and what is asked of others carries a key of its
    /// own.
    ///
    /// # Errors
    /// Whatever keeps it from being done now: it is tried again, later and later.
    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError>;
}

/// Where a process manager starts that has not run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It catches up with all that ever happened.
    Beginning,
    /// What has happened before does not concern it.
    Head,
}
