//! Money that is stuck, as it is now.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::{Currency, StoreId};
use soko_projections::radar::{self, Age, Stuck, StuckLine};
use soko_projections::read_models::orders::Orders;
use soko_projections::read_models::payments::{PaymentRefunds, Payments};
use soko_projections::read_models::payouts::Payouts;
use uuid::Uuid;

use crate::app::App;
use crate::caller::Caller;
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::problem::Result;
use crate::query::{Query, query};
use crate::resources::payment_reports::within;
use crate::schema::{answer, words};

query! {
    pub(crate) struct OfStore {
        /// Only of this store.
        store: Option<StoreId>,
    }
}

words! {
    Age = "StuckFor" ["under_1m", "under_5m", "under_1h", "under_1d", "older"],
    Stuck = "StuckKind" [
        "payment", "refund", "credit", "reference", "dispute", "money_of_dead_order", "callback",
        "unconfirmed_callback", "unaccepted_order", "payout",
    ],
}

answer! {
    pub(crate) struct StuckMoney {
        pub at: DateTime<Utc>,
        /// Kind by kind. What is of a dead order is among the refunds or credits as well.
        pub items: Vec<StuckThings>,
    }

    /// All of one kind, stage, age and currency.
    pub(crate) struct StuckThings {
        pub kind: Stuck,
        /// How far they have come, such as `pending` or `unresolved`.
        pub stage: String,
        /// For how long they have been there.
        pub age: Age,
        /// Null of callbacks.
        pub currency: Option<Currency>,
        pub count: i64,
        /// In minor units.
        pub amount: Option<i64>,
        /// Since when the oldest is there.
        pub oldest_at: DateTime<Utc>,
        /// The first moment by which somebody is to have done something about one of them.
        pub due_at: Option<DateTime<Utc>>,
        /// The oldest five at most: callbacks of callbacks, orders of orders, payouts of payouts, else
        /// payments.
        pub oldest: Vec<Uuid>,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    query: Query<OfStore>,
    fresh: MinPosition,
) -> Result<Found<StuckMoney>> {
    let within = within(&caller, query.store).await?;
    fresh.reached_by::<Payments>(app.freshness()).await?;
    fresh.reached_by::<PaymentRefunds>(app.freshness()).await?;
    fresh.reached_by::<Orders>(app.freshness()).await?;
    fresh.reached_by::<Payouts>(app.freshness()).await?;
    let at = caller.now();
    let lines = radar::stuck(app.reader(), within, at).await?;
    let items = lines.into_iter().map(StuckThings::from).collect();
    Ok(Found::new(StuckMoney { at, items }))
}

impl From<StuckLine> for StuckThings {
    fn from(line: StuckLine) -> Self {
        Self {
            kind: line.what,
            stage: line.stage,
            age: line.age,
            currency: line.currency,
            count: line.count,
            amount: line.amount,
            oldest_at: line.oldest_at,
            due_at: line.due_at,
            oldest: line.oldest,
        }
    }
}
