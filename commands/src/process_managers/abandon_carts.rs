//! A cart that nobody came back to is abandoned.

use super::{Desk, Effect, FireError, Fired, ProcessManager};
use crate::context::CommandContext;
use crate::error::CommandError;
use crate::timers::Timer;
use async_trait::async_trait;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use soko_domain::cart::{Cart, CartCommand, CartEvent};
use soko_domain::{AnyEvent, CartId};
use soko_event_log::RecordedEvent;

const UNTOUCHED: &str = "untouched";

/// Abandons carts with items that nobody touched for some time.
#[derive(Debug, Clone)]
pub struct AbandonCarts {
    after: TimeDelta,
}

/// What the timer remembers.
#[derive(Debug, Deserialize)]
struct Touched {
    /// The cart's version when it was last touched.
    version: u64,
}

impl AbandonCarts {
    pub const AFTER: TimeDelta = TimeDelta::days(30);

    pub fn after(after: TimeDelta) -> Self {
        Self { after }
    }
}

impl Default for AbandonCarts {
    fn default() -> Self {
        Self::after(Self::AFTER)
    }
}

#[async_trait]
impl ProcessManager for AbandonCarts {
    const NAME: &'static str = "abandon_carts";
    const STREAMS: &'static [&'static str] = &["cart"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        let AnyEvent::Cart(cart_id, event) = &recorded.event else {
            return vec![];
        };
        let cart_id = cart_id.as_uuid();
        match event {
            CartEvent::Started { .. } => vec![],
            CartEvent::ItemAdded { .. }
            | CartEvent::QuantityChanged { .. }
            | CartEvent::ItemRemoved { .. }
            | CartEvent::CouponApplied { .. }
            | CartEvent::CouponRemoved {} => {
                let due_at = recorded.recorded_at + self.after;
                let touched = json!({ "version": recorded.sequence });
                vec![Effect::at(UNTOUCHED, cart_id, due_at).with_details(touched)]
            }
            CartEvent::Cleared {} | CartEvent::CheckedOut { .. } | CartEvent::Abandoned {} => {
                vec![Effect::cancel(UNTOUCHED, cart_id)]
            }
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let Touched { version } = timer.details()?;
        let context = CommandContext {
            expected_version: Some(version),
            ..desk.context(timer, 0)
        };
        let cart_id = CartId::from_uuid(timer.stream_id);
        let abandon = CartCommand::Abandon {};
        match desk
            .engine
            .execute::<Cart>(cart_id, abandon, &context)
            .await
        {
            // Somebody came back just now: that has set the timer anew, or will.
            Ok(_) | Err(CommandError::PreconditionFailed { .. }) => Ok(Fired::Done),
            Err(error) => Err(error.into()),
        }
    }
}
