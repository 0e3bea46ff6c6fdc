//! Vendors: how they come in, and whom the store lets sell.

use actix_web::web::Data;
use soko_commands::handlers::{
    RegisterVendor, RegisterVendorError, register_vendor, remove_vendor_member,
};
use soko_domain::permission::Permission;
use soko_domain::vendor::{Seller, Vendor, VendorCommand, VendorError, VendorRole, VendorStatus};
use soko_domain::{
    AccountId, CountryCode, EmailAddress, Personal, PhoneNumber, StoreId, SubjectId, Text, VendorId,
};
use soko_projections::Within;
use soko_projections::read_models::{
    self,
    members::{MemberScope, Members},
    vendors::{VendorFilter, Vendors},
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::recorded::{New, Recorded};
use crate::resources::members::{Member, RoleOfMember};
use crate::schema::{answer, body, words};

body! {
    pub(crate) struct NewVendor {
        pub store_id: StoreId,
        pub name: Text<120>,
        pub email: EmailAddress,
        pub phone: PhoneNumber,
        pub country: CountryCode,
    }

    pub(crate) struct ChangeVendor {
        pub name: Option<Text<120>>,
        pub email: Option<EmailAddress>,
        pub phone: Option<PhoneNumber>,
    }

    pub(crate) struct Reason {
        /// What the vendor is told; that none was given if it is left out.
        pub reason: Option<Text<500>>,
    }
}

answer! {
    pub(crate) struct VendorRegistered {
        pub vendor_id: VendorId,
    }

    pub(crate) struct VendorDetails {
        pub vendor_id: VendorId,
        pub store_id: StoreId,
        pub name: String,
        pub email: Option<EmailAddress>,
        pub phone: Option<PhoneNumber>,
        pub country: String,
        pub status: VendorStatus,
    }
}

words! { VendorStatus = "VendorStatus" ["pending", "approved", "rejected", "suspended"] }

/// Whoever registers it becomes its owner; the store decides whether it may sell.
pub(crate) async fn register(
    app: Data<App>,
    caller: Caller,
    command: Command<NewVendor>,
) -> Result<New<VendorRegistered>> {
    let owner = caller.account()?;
    let place = Place::store(command.body.store_id).owned(true);
    let context = caller.permit(place).await?.context(&command);
    let vendor_id = VendorId::from_uuid(Uuid::now_v7());
    let subject = SubjectId::from(vendor_id);
    let NewVendor {
        store_id,
        name,
        email,
        phone,
        country,
    } = command.body;
    let request = RegisterVendor {
        vendor_id,
        store_id,
        name,
        email: Personal::new(subject, email),
        phone: Personal::new(subject, phone),
        country,
        owner,
    };
    let registered = register_vendor(app.engine(), request, &context).await;
    let recorded: New<_> = app
        .recorded_of::<Vendor, _, _, _>(vendor_id, registered, &context)
        .await?;
    Ok(recorded
        .map(|vendor_id| VendorRegistered { vendor_id })
        .at(|registered| format!("/vendors/{}", registered.vendor_id)))
}

query! {
    pub(crate) struct ListVendors {
        /// Those of this store; without it, those that the caller belongs to.
        store: Option<StoreId>,
        /// `pending`, `approved`, `rejected` or `suspended`.
        status: Option<VendorStatus>,
        limit: Limit,
        cursor: Option<Cursor>,
    }
}

/// A store's people see all of its vendors, the platform's people all there are, and everybody
/// those that they belong to.
pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<ListVendors>,
    fresh: MinPosition,
) -> Result<Page<VendorDetails>> {
    fresh.reached_by::<Vendors>(app.freshness()).await?;
    let within = match query.store {
        Some(store_id) => {
            let place = Place::store(store_id);
            if !caller.holds(Permission::ViewVendor, place).await? {
                return Err(Problem::new(Code::NotFound));
            }
            Within::Store(app.standings().tenant_of_store(store_id).await?, store_id)
        }
        None if caller
            .holds(Permission::ViewVendor, Place::platform())
            .await? =>
        {
            Within::Platform
        }
        None => return own(&app, &caller, &query, fresh).await,
    };
    let filter = VendorFilter {
        store_id: query.store,
        status: query.status,
    };
    let list = format!("vendors {:?} {:?}", query.store, query.status);
    let page = query.limit.keyset(query.cursor.as_ref(), &list)?;
    let (vendors, next) = read_models::vendors::vendors(app.reader(), within, filter, page).await?;
    let subjects = vendors.iter().map(|vendor| vendor.email.0.subject());
    let keys = app.vault().keys(subjects).await?;
    let items = vendors.into_iter().map(|vendor| {
        Ok(VendorDetails {
            vendor_id: vendor.vendor_id,
            store_id: vendor.store_id,
            name: vendor.name,
            email: keys.open(&vendor.email.0)?,
            phone: keys.open(&vendor.phone.0)?,
            country: vendor.country,
            status: vendor.status,
        })
    });
    let items = items.collect::<Result<Vec<_>>>()?;
    Ok(Page::of(items, next, &list))
}

/// Few enough to be read one by one.
async fn own(
    app: &App,
    caller: &Caller,
    query: &ListVendors,
    fresh: MinPosition,
) -> Result<Page<VendorDetails>> {
    fresh.reached_by::<Members>(app.freshness()).await?;
    let account_id = caller.account()?;
    let memberships = read_models::members::memberships(app.reader(), account_id).await?;
    let mut items = vec![];
    for membership in memberships
        .iter()
        .filter(|member| member.scope == MemberScope::Vendor)
    {
        let vendor_id = VendorId::from_uuid(membership.scope_id);
        let vendor = app.engine().read::<Vendor>(vendor_id).await?;
        let details = details(vendor_id, vendor.state.seller()?);
        if query.status.is_none_or(|status| status == details.status) {
            items.push(details);
        }
    }
    let list = format!("own vendors {:?}", query.status);
    let asked = Part {
        limit: query.limit,
        cursor: query.cursor.clone(),
    };
    Page::within(items, |vendor| vendor.vendor_id, &asked, &list)
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
) -> Result<Found<VendorDetails>> {
    caller.permit(Place::vendor(*vendor_id)).await?;
    let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
    let details = details(*vendor_id, vendor.state.seller()?);
    Ok(Found::new(details).with_version(vendor.version))
}

fn details(vendor_id: VendorId, seller: &Seller) -> VendorDetails {
    VendorDetails {
        vendor_id,
        store_id: seller.store_id(),
        name: seller.name().to_string(),
        email: seller.email().value().cloned(),
        phone: seller.phone().value().cloned(),
        country: seller.country().to_string(),
        status: seller.status(),
    }
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<ChangeVendor>,
) -> Result<Recorded<()>> {
    caller.permit(Place::vendor(*vendor_id)).await?;
    let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
    let seller = vendor.state.seller()?;
    let subject = SubjectId::from(*vendor_id);
    let ChangeVendor { name, email, phone } = &command.body;
    let change = VendorCommand::ChangeDetails {
        name: name.clone().unwrap_or_else(|| seller.name().clone()),
        email: email.clone().map_or_else(
            || seller.email().clone(),
            |email| Personal::new(subject, email),
        ),
        phone: phone.clone().map_or_else(
            || seller.phone().clone(),
            |phone| Personal::new(subject, phone),
        ),
    };
    execute(&app, &caller, *vendor_id, &command, change).await
}

pub(crate) async fn approve(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    execute(&app, &caller, *vendor_id, &command, VendorCommand::Approve).await
}

pub(crate) async fn reject(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<Reason>,
) -> Result<Recorded<()>> {
    let reason = reason(&command.body);
    let reject = VendorCommand::Reject { reason };
    execute(&app, &caller, *vendor_id, &command, reject).await
}

pub(crate) async fn suspend(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<Reason>,
) -> Result<Recorded<()>> {
    let reason = reason(&command.body);
    let suspend = VendorCommand::Suspend { reason };
    execute(&app, &caller, *vendor_id, &command, suspend).await
}

fn reason(body: &Reason) -> Text<500> {
    const NONE: Text<500> = Text::literal("no reason given");
    body.reason.clone().unwrap_or(NONE)
}

pub(crate) async fn reinstate(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    execute(
        &app,
        &caller,
        *vendor_id,
        &command,
        VendorCommand::Reinstate,
    )
    .await
}

pub(crate) async fn members(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    asked: Query<Part>,
) -> Result<Found<Page<Member<VendorRole>>>> {
    caller.permit(Place::vendor(*vendor_id)).await?;
    let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
    let list = format!("members of {vendor_id:?}");
    let page = app
        .named(vendor.state.seller()?.team(), &asked, &list)
        .await?;
    Ok(Found::new(page).with_version_for_changes(vendor.version))
}

pub(crate) async fn change_member(
    app: Data<App>,
    caller: Caller,
    path: Path<(VendorId, AccountId)>,
    command: Command<RoleOfMember<VendorRole>>,
) -> Result<Recorded<()>> {
    let (vendor_id, account_id) = path.0;
    let change = VendorCommand::ChangeMemberRole {
        account_id,
        role: command.body.role,
    };
    execute(&app, &caller, vendor_id, &command, change).await
}

pub(crate) async fn remove_member(
    app: Data<App>,
    caller: Caller,
    path: Path<(VendorId, AccountId)>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (vendor_id, account_id) = path.0;
    let context = caller
        .permit(Place::vendor(vendor_id))
        .await?
        .context(&command);
    let removed = remove_vendor_member(app.engine(), vendor_id, account_id, &context).await;
    app.standings().forget();
    app.recorded_of::<Vendor, _, _, _>(vendor_id, removed, &context)
        .await
}

pub(super) async fn execute<T>(
    app: &App,
    caller: &Caller,
    vendor_id: VendorId,
    command: &Command<T>,
    vendor_command: VendorCommand,
) -> Result<Recorded<()>> {
    let context = caller
        .permit(Place::vendor(vendor_id))
        .await?
        .context(command);
    let done = app
        .engine()
        .execute::<Vendor>(vendor_id, vendor_command, &context)
        .await;
    app.standings().forget();
    app.recorded_of::<Vendor, _, _, _>(vendor_id, done, &context)
        .await
}

impl From<RegisterVendorError> for Problem {
    fn from(error: RegisterVendorError) -> Self {
        match error {
            RegisterVendorError::Store(store) => store.into(),
            RegisterVendorError::Vendor(vendor) => vendor.into(),
        }
    }
}

impl From<VendorError> for Problem {
    fn from(error: VendorError) -> Self {
        let code = match error {
            VendorError::Team(team) => return team.into(),
            // As if it were another's.
            VendorError::NotRegistered => return Self::new(Code::NotFound),
            VendorError::UnknownInvitation => Code::NotFound,
            VendorError::AlreadyRegistered | VendorError::AlreadyInvited { .. } => {
                Code::AlreadyExists
            }
            VendorError::WrongStatus { .. }
            | VendorError::InvitationAccepted
            | VendorError::InvitationExpired => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
