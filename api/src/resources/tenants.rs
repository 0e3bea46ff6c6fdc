//! Businesses that run stores.

use actix_web::web::Data;
use soko_commands::Lanes;
use soko_domain::permission::Permission;
use soko_domain::tenant::{Tenant, TenantCommand, TenantError, TenantRole};
use soko_domain::{AccountId, TenantId, Text};
use soko_projections::read_models::{
    self,
    members::Members,
    tenants::{Tenants, TenantsOf},
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
use crate::resources::members::{Member, NewMember, RoleOfMember};
use crate::schema::{answer, body};

body! {
    pub(crate) struct CreateTenant {
        pub name: Text<120>,
    }

    pub(crate) struct ChangeTenant {
        pub name: Option<Text<120>>,
    }
}

answer! {
    pub(crate) struct TenantCreated {
        pub tenant_id: TenantId,
    }

    pub(crate) struct TenantDetails {
        pub tenant_id: TenantId,
        pub name: String,
    }
}

/// Whoever creates it becomes its owner.
pub(crate) async fn create(
    app: Data<App>,
    caller: Caller,
    command: Command<CreateTenant>,
) -> Result<New<TenantCreated>> {
    let owner = caller.account()?;
    let tenant_id = TenantId::from_uuid(Uuid::now_v7());
    let context = caller
        .permit(Place::own())
        .await?
        .within(tenant_id)
        .context(&command);
    let created = app.engine().transact(
        &context,
        Lanes::new().with_new::<Tenant>(tenant_id),
        |unit| {
            let name = command.body.name.clone();
            unit.execute::<Tenant>(tenant_id, TenantCommand::Create { name, owner })?;
            Ok::<_, TenantError>(TenantCreated { tenant_id })
        },
    );
    let created = created.await;
    app.standings().forget();
    let recorded = app
        .recorded_of::<Tenant, _, _, _>(tenant_id, created, &context)
        .await?;
    Ok(recorded.at(|created| format!("/tenants/{}", created.tenant_id)))
}

query! {
    pub(crate) struct ListTenants {
        limit: Limit,
        cursor: Option<Cursor>,
    }
}

/// Those that the caller belongs to; the platform's own people see all.
pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<ListTenants>,
    fresh: MinPosition,
) -> Result<Page<TenantDetails>> {
    fresh.reached_by::<Tenants>(app.freshness()).await?;
    fresh.reached_by::<Members>(app.freshness()).await?;
    let of = if caller
        .holds(Permission::ViewTenant, Place::platform())
        .await?
    {
        TenantsOf::Platform
    } else {
        TenantsOf::Member(caller.account()?)
    };
    let page = query.limit.keyset(query.cursor.as_ref(), "tenants")?;
    let (tenants, next) = read_models::tenants::tenants(app.reader(), of, page).await?;
    let items = tenants.into_iter().map(|tenant| TenantDetails {
        tenant_id: tenant.tenant_id,
        name: tenant.name,
    });
    Ok(Page::of(items, next, "tenants"))
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    tenant_id: Path<TenantId>,
) -> Result<Found<TenantDetails>> {
    caller.permit(Place::tenant(*tenant_id)).await?;
    let tenant = app.engine().read::<Tenant>(*tenant_id).await?;
    let name = tenant.state.business()?.name().to_string();
    Ok(Found::new(TenantDetails {
        tenant_id: *tenant_id,
        name,
    })
    .with_version(tenant.version))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    tenant_id: Path<TenantId>,
    command: Command<ChangeTenant>,
) -> Result<Recorded<()>> {
    let commands = command
        .body
        .name
        .clone()
        .map(|name| TenantCommand::Rename { name });
    execute(&app, &caller, *tenant_id, &command, commands).await
}

pub(crate) async fn members(
    app: Data<App>,
    caller: Caller,
    tenant_id: Path<TenantId>,
    asked: Query<Part>,
) -> Result<Found<Page<Member<TenantRole>>>> {
    caller.permit(Place::tenant(*tenant_id)).await?;
    let tenant = app.engine().read::<Tenant>(*tenant_id).await?;
    let list = format!("members of {tenant_id:?}");
    let page = app
        .named(tenant.state.business()?.team(), &asked, &list)
        .await?;
    Ok(Found::new(page).with_version_for_changes(tenant.version))
}

pub(crate) async fn add_member(
    app: Data<App>,
    caller: Caller,
    tenant_id: Path<TenantId>,
    command: Command<NewMember<TenantRole>>,
) -> Result<Recorded<()>> {
    // Before anything is told of who exists.
    caller.permit(Place::tenant(*tenant_id)).await?;
    let account_id = app.account_of(&command.body.email).await?;
    let add = TenantCommand::AddMember {
        account_id,
        role: command.body.role,
    };
    execute(&app, &caller, *tenant_id, &command, [add]).await
}

pub(crate) async fn change_member(
    app: Data<App>,
    caller: Caller,
    path: Path<(TenantId, AccountId)>,
    command: Command<RoleOfMember<TenantRole>>,
) -> Result<Recorded<()>> {
    let (tenant_id, account_id) = path.0;
    let change = TenantCommand::ChangeMemberRole {
        account_id,
        role: command.body.role,
    };
    execute(&app, &caller, tenant_id, &command, [change]).await
}

pub(crate) async fn remove_member(
    app: Data<App>,
    caller: Caller,
    path: Path<(TenantId, AccountId)>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (tenant_id, account_id) = path.0;
    let remove = TenantCommand::RemoveMember { account_id };
    execute(&app, &caller, tenant_id, &command, [remove]).await
}

/// All of it in one unit.
async fn execute<T>(
    app: &App,
    caller: &Caller,
    tenant_id: TenantId,
    command: &Command<T>,
    commands: impl IntoIterator<Item = TenantCommand>,
) -> Result<Recorded<()>> {
    let context = caller
        .permit(Place::tenant(tenant_id))
        .await?
        .context(command);
    let done = app
        .execute_all::<Tenant>(tenant_id, commands, &context)
        .await;
    app.standings().forget();
    app.recorded_of::<Tenant, _, _, _>(tenant_id, done, &context)
        .await
}

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::NotCreated => Self::new(Code::NotFound),
            TenantError::AlreadyCreated => Self::new(Code::AlreadyExists).with_detail(error),
            TenantError::Team(team) => team.into(),
        }
    }
}
