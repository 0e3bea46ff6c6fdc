//! Somebody wants to be forgotten.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::CommandContext;
use soko_commands::handlers::{erase_account, remove_vendor_member};
use soko_domain::store::{Store, StoreCommand};
use soko_domain::tenant::{Tenant, TenantCommand};
use soko_domain::{Account, AccountId, StoreId, TeamError, TenantId, Vendor, VendorId};
use soko_event_log::Actor;
use soko_projections::read_models::members::{Member, MemberScope, Members, memberships};
use soko_projections::read_models::orders::Orders;
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::executing::unless_refused;
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::recorded::Recorded;
use crate::resources::order_views::orders_of;
use crate::schema::answer;

answer! {
    pub(crate) struct Erasure {
        pub account_id: AccountId,
        /// What held something personal, which nobody can read any more.
        pub touched: Vec<TouchedStream>,
    }

    pub(crate) struct TouchedStream {
        /// `account` or `order`.
        pub stream_type: String,
        pub stream_id: Uuid,
    }
}

/// They leave every team first, so that nobody is left in one who can no longer come in. What is
/// not the person's alone has to be handed over before: a business whose last owner they are, a
/// role on the platform.
pub(crate) async fn erase(
    app: Data<App>,
    caller: Caller,
    command: Command<NoBody>,
) -> Result<Recorded<Erasure>> {
    let account_id = caller.bearer()?.account_id;
    let context = caller.permit(Place::own()).await?.context(&command);
    // Whoever is forgotten is forgotten everywhere: nothing may be overlooked.
    let now = MinPosition::now(&app).await?;
    now.reached_by::<Members>(app.freshness()).await?;
    now.reached_by::<Orders>(app.freshness()).await?;
    let account = app.engine().read::<Account>(account_id).await?;
    if let Some(role) = account.state.platform_roles().next() {
        let held = format!("hand over the role first: {role} of the platform");
        return Err(Problem::new(Code::StateConflict).with_detail(held));
    }
    let teams = memberships(app.reader(), account_id).await?;
    for team in &teams {
        may_leave(&app, team).await?;
    }
    let touched = touched(&app, account_id).await?;
    if !context.dry_run {
        for team in &teams {
            leave(&app, team, &context).await?;
        }
    }
    let erased = erase_account(app.engine(), account_id, &context).await;
    app.standings().forget();
    // Else it would take this node a moment, too.
    let _ = app.sessions().learn_ended(caller.now()).await;
    app.api_keys().look_again();
    let recorded: Recorded<()> = app
        .recorded_of::<Account, _, _, _>(account_id, erased, &context)
        .await?;
    if !context.dry_run {
        tracing::info!(account.id = %account_id, "an account was erased");
    }
    Ok(recorded.map(|()| Erasure {
        account_id,
        touched,
    }))
}

async fn touched(app: &App, account_id: AccountId) -> Result<Vec<TouchedStream>> {
    let stream = |stream_type: &str, stream_id| TouchedStream {
        stream_type: stream_type.to_owned(),
        stream_id,
    };
    let orders = orders_of(app, account_id).await?;
    let orders = orders
        .iter()
        .map(|found| stream("order", found.order.order_id.as_uuid()));
    let account = stream("account", account_id.as_uuid());
    Ok(std::iter::once(account).chain(orders).collect())
}

async fn may_leave(app: &App, team: &Member) -> Result<()> {
    let (account_id, id) = (team.account_id, team.scope_id);
    let may_leave = match team.scope {
        MemberScope::Tenant => {
            let tenant = app.engine().read::<Tenant>(TenantId::from_uuid(id)).await?;
            tenant.state.business()?.team().may_remove(account_id)
        }
        MemberScope::Store => Ok(()),
        MemberScope::Vendor => {
            let vendor = app.engine().read::<Vendor>(VendorId::from_uuid(id)).await?;
            vendor.state.seller()?.team().may_remove(account_id)
        }
    };
    match may_leave {
        // Whoever has left since is not in it.
        Ok(()) | Err(TeamError::NotMember { .. }) => Ok(()),
        Err(error) => {
            let owned = format!("hand over the {} first: {error}", team.scope);
            Err(Problem::new(Code::StateConflict)
                .with_detail(owned)
                .with_member(
                    "owned",
                    serde_json::json!({ "scope": team.scope, "id": id }),
                ))
        }
    }
}

/// A team that takes no changes any more, of a vendor that was turned away for instance, keeps a
/// member whom nobody can be.
async fn leave(app: &App, team: &Member, erasure: &CommandContext) -> Result<()> {
    let account_id = team.account_id;
    let context = &leaving(team, erasure, erasure.now);
    match team.scope {
        MemberScope::Tenant => {
            let id = TenantId::from_uuid(team.scope_id);
            let remove = TenantCommand::RemoveMember { account_id };
            unless_refused(app.engine().execute::<Tenant>(id, remove, context).await)
        }
        MemberScope::Store => {
            let id = StoreId::from_uuid(team.scope_id);
            let remove = StoreCommand::RemoveMember { account_id };
            unless_refused(app.engine().execute::<Store>(id, remove, context).await)
        }
        MemberScope::Vendor => {
            let id = VendorId::from_uuid(team.scope_id);
            unless_refused(remove_vendor_member(app.engine(), id, account_id, context).await)
        }
    }
}

/// Caused by the same request, within the team's business.
fn leaving(team: &Member, erasure: &CommandContext, now: DateTime<Utc>) -> CommandContext {
    let actor = Actor::Account(team.account_id);
    let mut context = CommandContext::new(team.tenant_id, actor, Uuid::now_v7(), now);
    context.correlation = erasure.correlation;
    context.request_id.clone_from(&erasure.request_id);
    context
}
