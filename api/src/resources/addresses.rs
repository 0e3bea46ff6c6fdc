//! Somebody's address book.

use actix_web::web::Data;
use soko_domain::account::{Account, AccountCommand, Profile};
use soko_domain::{AccountId, Address, AddressId, Personal, SubjectId};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::problem::Result;
use crate::query::{Path, Query};
use crate::recorded::{New, Recorded};
use crate::schema::answer;

answer! {
    pub(crate) struct AddressAdded {
        pub address_id: AddressId,
    }

    pub(crate) struct KnownAddress {
        pub address_id: AddressId,
        pub address: Address,
    }
}

/// In the order in which they were added.
pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    asked: Query<Part>,
) -> Result<Found<Page<KnownAddress>>> {
    let account_id = caller.bearer()?.account_id;
    let account = app.engine().read::<Account>(account_id).await?;
    // Their ids are made as they come, so they are in that order.
    let addresses = of(account.state.profile()?);
    let page = Page::within(addresses, |known| known.address_id, &asked, "addresses")?;
    Ok(Found::new(page).with_version(account.version))
}

pub(super) fn of(profile: &Profile) -> Vec<KnownAddress> {
    let known = profile.addresses().filter_map(|(address_id, address)| {
        let address = address.value()?.clone();
        Some(KnownAddress {
            address_id,
            address,
        })
    });
    known.collect()
}

pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    command: Command<Address>,
) -> Result<New<AddressAdded>> {
    let account_id = caller.bearer()?.account_id;
    let context = caller.permit(Place::own()).await?.context(&command);
    let address_id = AddressId::from_uuid(Uuid::now_v7());
    let address = Personal::new(SubjectId::from(account_id), command.body);
    let add = AccountCommand::AddAddress {
        address_id,
        address,
    };
    let added = app
        .execute_for::<Account, _>(account_id, add, AddressAdded { address_id }, &context)
        .await;
    let recorded: New<AddressAdded> = app
        .recorded_of::<Account, _, _, _>(account_id, added, &context)
        .await?;
    Ok(recorded.at(|added| format!("/me/addresses/{}", added.address_id)))
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    address_id: Path<AddressId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let account_id: AccountId = caller.bearer()?.account_id;
    let context = caller.permit(Place::own()).await?.context(&command);
    let remove = AccountCommand::RemoveAddress {
        address_id: *address_id,
    };
    let removed = app
        .engine()
        .execute::<Account>(account_id, remove, &context)
        .await;
    app.recorded_of::<Account, _, _, _>(account_id, removed, &context)
        .await
}
