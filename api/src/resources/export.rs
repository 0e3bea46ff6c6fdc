//! All that is kept about somebody, for them to take away.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use soko_domain::{Account, AccountId};
use soko_event_log::LogReader;
use soko_projections::read_models::members::Members;
use soko_projections::read_models::orders::Orders;

use crate::app::App;
use crate::caller::Caller;
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::resources::addresses::{self, KnownAddress};
use crate::resources::api_keys::{self, MyApiKey};
use crate::resources::me::{self, Me, Membership, MySession};
use crate::resources::order_details::OrderDetails;
use crate::resources::order_views;
use crate::schema::answer;

answer! {
    pub(crate) struct PersonalData {
        pub exported_at: DateTime<Utc>,
        pub account: Me,
        pub addresses: Vec<KnownAddress>,
        pub memberships: Vec<Membership>,
        pub sessions: Vec<MySession>,
        pub api_keys: Vec<MyApiKey>,
        /// The latest first.
        pub orders: Vec<OrderDetails>,
        /// All that ever happened to the account.
        pub history: Vec<Value>,
    }
}

pub(crate) async fn export(app: Data<App>, caller: Caller) -> Result<Found<PersonalData>> {
    let bearer = caller.bearer()?;
    let account_id = bearer.account_id;
    let now = MinPosition::now(&app).await?;
    now.reached_by::<Members>(app.freshness()).await?;
    now.reached_by::<Orders>(app.freshness()).await?;
    let (account, _) = me::of(&app, account_id).await?;
    let profile = app.engine().read::<Account>(account_id).await?;
    let addresses = addresses::of(profile.state.profile()?);
    tracing::info!(account.id = %account_id, "personal data was exported");
    Ok(Found::new(PersonalData {
        exported_at: caller.now(),
        account,
        addresses,
        memberships: me::memberships_of(&app, account_id).await?,
        sessions: me::sessions_of(&app, bearer, caller.now()).await?,
        api_keys: api_keys::of(&app, account_id, caller.now()).await?,
        orders: orders(&app, account_id).await?,
        history: history(&app, account_id).await?,
    }))
}

async fn orders(app: &App, account_id: AccountId) -> Result<Vec<OrderDetails>> {
    let mut orders = Vec::new();
    for found in order_views::orders_of(app, account_id).await? {
        orders.push(order_views::details(app, found).await?);
    }
    Ok(orders)
}

async fn history(app: &App, account_id: AccountId) -> Result<Vec<Value>> {
    let keys = app.vault().keys([account_id.into()]).await?;
    let reader = LogReader::new(app.pool().clone());
    let mut history = Vec::new();
    for entry in reader.stream("account", account_id.as_uuid()).await? {
        let recorded = entry
            .event
            .map_err(|error| Problem::ours(Code::Internal, &*error))?;
        let payload = recorded.event.payload();
        let mut payload = payload.map_err(|error| Problem::ours(Code::Internal, &error))?;
        keys.open_json(&mut payload)?;
        history.push(json!({
            "event": recorded.event.name(),
            "at": recorded.recorded_at,
            "actor": recorded.metadata.actor.to_string(),
            "payload": payload,
        }));
    }
    Ok(history)
}
