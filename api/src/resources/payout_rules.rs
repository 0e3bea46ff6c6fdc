//! How a store pays its vendors out. What is on hold already stays so, whatever the rules become.

use actix_web::web::Data;
use soko_domain::StoreId;
use soko_domain::store::{PayoutRules, PayoutRulesError, PayoutSchedule, Store, StoreCommand};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::found::Found;
use crate::problem::{Problem, Result};
use crate::query::Path;
use crate::recorded::Recorded;
use crate::resources::stores::execute;
use crate::schema::{answer, body, words};

words! { PayoutSchedule = "PayoutSchedule" ["none", "daily", "weekly"] }

body! {
    pub(crate) struct NewPayoutRules {
        /// How many days what was sold is kept back, from when its order was paid: at most 90.
        pub hold_days: u16,
        /// What is more than this is approved by somebody else than who asked for it; in minor units
        /// of the store's currency, and 0 if left out: every payout is.
        pub four_eyes_above: Option<i64>,
        /// When vendors are paid out without asking: at midnight UTC, each day or on Mondays.
        pub schedule: Option<PayoutSchedule>,
    }
}

answer! {
    pub(crate) struct StorePayoutRules {
        pub hold_days: u16,
        /// In minor units of the store's currency.
        pub four_eyes_above: i64,
        pub schedule: PayoutSchedule,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
) -> Result<Found<StorePayoutRules>> {
    caller.permit(Place::store(*store_id)).await?;
    let store = app.engine().read::<Store>(*store_id).await?;
    let PayoutRules {
        hold_days,
        four_eyes_above,
        schedule,
    } = store.state.shop()?.payout_rules();
    let rules = StorePayoutRules {
        hold_days,
        four_eyes_above,
        schedule,
    };
    Ok(Found::new(rules).with_version(store.version))
}

/// All of them, in place of those that there were.
pub(crate) async fn set(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NewPayoutRules>,
) -> Result<Recorded<()>> {
    let asked = &command.body;
    let rules = PayoutRules {
        hold_days: asked.hold_days,
        four_eyes_above: asked.four_eyes_above.unwrap_or_default(),
        schedule: asked.schedule.unwrap_or_default(),
    };
    let change = StoreCommand::ChangePayoutRules(rules);
    execute(&app, &caller, *store_id, &command, change).await
}

impl From<PayoutRulesError> for Problem {
    fn from(error: PayoutRulesError) -> Self {
        let pointer = match error {
            PayoutRulesError::HeldTooLong { .. } => "/hold_days",
            PayoutRulesError::OutOfRange { .. } => "/four_eyes_above",
        };
        Self::invalid_at(pointer, error)
    }
}
