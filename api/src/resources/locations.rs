//! Where a store's stock lies.

use actix_web::web::Data;
use soko_domain::store::{Store, StoreCommand};
use soko_domain::{LocationId, StoreId, Text};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::found::{Found, Page, Part};
use crate::problem::Result;
use crate::query::{Path, Query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};

use super::stores::execute;

body! {
    pub(crate) struct NameOfLocation {
        pub name: Text<120>,
    }
}

answer! {
    pub(crate) struct LocationAdded {
        pub location_id: LocationId,
    }

    pub(crate) struct StoreLocation {
        pub location_id: LocationId,
        pub name: Text<120>,
        pub is_main: bool,
    }
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    asked: Query<Part>,
) -> Result<Found<Page<StoreLocation>>> {
    caller.permit(Place::store(*store_id)).await?;
    let store = app.engine().read::<Store>(*store_id).await?;
    let shop = store.state.shop()?;
    let items = shop.locations().map(|(location_id, name)| StoreLocation {
        location_id,
        name: name.clone(),
        is_main: location_id == shop.main_location(),
    });
    let list = format!("locations of {store_id:?}");
    let page = Page::within(items, |location| location.location_id, &asked, &list)?;
    Ok(Found::new(page).with_version(store.version))
}

pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NameOfLocation>,
) -> Result<New<LocationAdded>> {
    let context = caller
        .permit(Place::store(*store_id))
        .await?
        .context(&command);
    let location_id = LocationId::from_uuid(Uuid::now_v7());
    let name = command.body.name;
    let added = app
        .execute_for::<Store, _>(
            *store_id,
            StoreCommand::AddLocation { location_id, name },
            LocationAdded { location_id },
            &context,
        )
        .await;
    app.recorded_of::<Store, _, _, _>(*store_id, added, &context)
        .await
}

pub(crate) async fn rename(
    app: Data<App>,
    caller: Caller,
    path: Path<(StoreId, LocationId)>,
    command: Command<NameOfLocation>,
) -> Result<Recorded<()>> {
    let (store_id, location_id) = path.0;
    let rename = StoreCommand::RenameLocation {
        location_id,
        name: command.body.name.clone(),
    };
    execute(&app, &caller, store_id, &command, rename).await
}
