//! Who works in a store.

use actix_web::web::Data;
use soko_domain::store::{Store, StoreCommand, StoreRole};
use soko_domain::{AccountId, StoreId};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::problem::Result;
use crate::query::{Path, Query};
use crate::recorded::Recorded;

use super::members::{Member, NewMember, RoleOfMember};
use super::stores::execute;

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    asked: Query<Part>,
) -> Result<Found<Page<Member<StoreRole>>>> {
    caller.permit(Place::store(*store_id)).await?;
    let store = app.engine().read::<Store>(*store_id).await?;
    let list = format!("members of {store_id:?}");
    let page = app.named(store.state.shop()?.team(), &asked, &list).await?;
    Ok(Found::new(page).with_version_for_changes(store.version))
}

pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NewMember<StoreRole>>,
) -> Result<Recorded<()>> {
    // Before anything is told of who exists.
    caller.permit(Place::store(*store_id)).await?;
    let account_id = app.account_of(&command.body.email).await?;
    let add = StoreCommand::AddMember {
        account_id,
        role: command.body.role,
    };
    execute(&app, &caller, *store_id, &command, add).await
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    path: Path<(StoreId, AccountId)>,
    command: Command<RoleOfMember<StoreRole>>,
) -> Result<Recorded<()>> {
    let (store_id, account_id) = path.0;
    let change = StoreCommand::ChangeMemberRole {
        account_id,
        role: command.body.role,
    };
    execute(&app, &caller, store_id, &command, change).await
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    path: Path<(StoreId, AccountId)>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (store_id, account_id) = path.0;
    execute(
        &app,
        &caller,
        store_id,
        &command,
        StoreCommand::RemoveMember { account_id },
    )
    .await
}
