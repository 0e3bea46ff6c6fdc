//! Vendors: how they come in, and whom the store lets sell.

use actix_web::web::Data;
use soko_commands::handlers::{RegisterVendor, RegisterVendorError, register_vendor};
use soko_domain::vendor::{Seller, Vendor, VendorCommand, VendorError, VendorRole, VendorStatus};
use soko_domain::{
    AccountId, CountryCode, EmailAddress, Personal, PhoneNumber, StoreId, SubjectId, Text, VendorId,
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::Found;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::resources::members::{Members, RoleOfMember};
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
        /// What the vendor is told.
        pub reason: Text<500>,
    }
}

answer! {
    pub(crate) struct VendorRegistered {
        pub vendor_id: VendorId,
    }

    pub(crate) struct VendorDetails {
        pub vendor_id: VendorId,
        pub store_id: StoreId,
        pub name: Text<120>,
        pub email: Option<EmailAddress>,
        pub phone: Option<PhoneNumber>,
        pub country: CountryCode,
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
    let owner = caller.bearer()?.account_id;
    let place = Place::store(command.body.store_id).owned(true);
    let context = caller.permit(place).await?.context(&command);
    let vendor_id = VendorId::from_uuid(Uuid::now_v7());
    let subject = SubjectId::from_uuid(vendor_id.as_uuid());
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
        name: seller.name().clone(),
        email: seller.email().value().cloned(),
        phone: seller.phone().value().cloned(),
        country: seller.country(),
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
    let subject = SubjectId::from_uuid(vendor_id.as_uuid());
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
    let reject = VendorCommand::Reject {
        reason: command.body.reason.clone(),
    };
    execute(&app, &caller, *vendor_id, &command, reject).await
}

pub(crate) async fn suspend(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<Reason>,
) -> Result<Recorded<()>> {
    let suspend = VendorCommand::Suspend {
        reason: command.body.reason.clone(),
    };
    execute(&app, &caller, *vendor_id, &command, suspend).await
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
) -> Result<Found<Members<VendorRole>>> {
    caller.permit(Place::vendor(*vendor_id)).await?;
    let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
    let items = app.named(vendor.state.seller()?.team()).await?;
    Ok(Found::new(Members { items }).with_version(vendor.version))
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
    execute(
        &app,
        &caller,
        vendor_id,
        &command,
        VendorCommand::RemoveMember { account_id },
    )
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
            VendorError::NotRegistered | VendorError::UnknownInvitation => Code::NotFound,
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
