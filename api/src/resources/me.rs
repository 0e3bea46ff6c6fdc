//! What people see and change of their own account.

use std::cmp::Reverse;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::account::{Account, AccountCommand, PlatformRole};
use soko_domain::{AccountId, EmailAddress, Personal, PhoneNumber, SubjectId, Text};
use soko_projections::read_models::{
    self,
    members::{MemberScope, Members},
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::change::Change;
use crate::command::Command;
use crate::found::{Found, NoContent, Page, Part};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query};
use crate::recorded::Recorded;
use crate::schema::{answer, body, words};
use crate::sessions::EndReason;
use crate::tokens::Bearer;

body! {
    pub(crate) struct ChangeProfile {
        pub name: Option<Text<120>>,
        /// `null` takes it away.
        #[serde(default)]
        pub phone: Change<PhoneNumber>,
    }
}

answer! {
    pub(crate) struct Me {
        pub account_id: AccountId,
        pub email: Option<EmailAddress>,
        pub email_verified: bool,
        pub name: Option<Text<120>>,
        pub phone: Option<PhoneNumber>,
        pub phone_verified: bool,
        /// Whether a code is asked for beside the password.
        pub second_factor: bool,
        pub platform_roles: Vec<PlatformRole>,
    }

    pub(crate) struct MySession {
        pub session_id: Uuid,
        /// Whether it is the one that asks.
        pub is_current: bool,
        /// What the device said of itself.
        pub user_agent: Option<String>,
        pub started_at: DateTime<Utc>,
        pub last_used_at: DateTime<Utc>,
        pub expires_at: DateTime<Utc>,
    }

    pub(crate) struct Membership {
        pub scope: MemberScope,
        /// The id of the tenant, store or vendor.
        pub id: Uuid,
        pub role: String,
    }
}

words! { MemberScope = "MemberScope" ["tenant", "store", "vendor"] }

pub(crate) async fn get(app: Data<App>, caller: Caller) -> Result<Found<Me>> {
    let (me, version) = of(&app, caller.bearer()?.account_id).await?;
    Ok(Found::new(me).with_version(version))
}

/// And the version of the account.
pub(super) async fn of(app: &App, account_id: AccountId) -> Result<(Me, u64)> {
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile()?;
    let me = Me {
        account_id,
        email: profile.email().value().cloned(),
        email_verified: profile.email_is_verified(),
        name: profile.name().value().cloned(),
        phone: profile.phone().and_then(Personal::value).cloned(),
        phone_verified: profile.phone_is_verified(),
        second_factor: profile.has_second_factor(),
        platform_roles: account.state.platform_roles().collect(),
    };
    Ok((me, account.version))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    command: Command<ChangeProfile>,
) -> Result<Recorded<()>> {
    let account_id = caller.bearer()?.account_id;
    let context = caller.permit(Place::own()).await?.context(&command);
    let subject = SubjectId::from(account_id);
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile()?;
    let name = command.body.name.map(|name| Personal::new(subject, name));
    let change = AccountCommand::ChangeProfile {
        name: name.unwrap_or_else(|| profile.name().clone()),
        phone: match command.body.phone {
            Change::Keep => profile.phone().cloned(),
            Change::Clear => None,
            Change::Set(phone) => Some(Personal::new(subject, phone)),
        },
    };
    let changed = app
        .engine()
        .execute::<Account>(account_id, change, &context)
        .await;
    app.recorded_of::<Account, _, _, _>(account_id, changed, &context)
        .await
}

/// The newest first.
pub(crate) async fn sessions(
    app: Data<App>,
    caller: Caller,
    asked: Query<Part>,
) -> Result<Page<MySession>> {
    let items = sessions_of(&app, caller.bearer()?, caller.now()).await?;
    let newest_first = |session: &MySession| Reverse((session.started_at, session.session_id));
    Page::within(items, newest_first, &asked, "sessions")
}

pub(super) async fn sessions_of(
    app: &App,
    bearer: Bearer,
    now: DateTime<Utc>,
) -> Result<Vec<MySession>> {
    let sessions = app.sessions().of(bearer.account_id, now).await?;
    let items = sessions.into_iter().map(|session| MySession {
        session_id: session.session_id,
        is_current: session.session_id == bearer.session_id,
        user_agent: session.user_agent,
        started_at: session.started_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    });
    Ok(items.collect())
}

/// Where the caller has a role, so that a client knows what to offer.
pub(crate) async fn memberships(
    app: Data<App>,
    caller: Caller,
    asked: Query<Part>,
    fresh: MinPosition,
) -> Result<Page<Membership>> {
    fresh.reached_by::<Members>(app.freshness()).await?;
    let items = memberships_of(&app, caller.bearer()?.account_id).await?;
    Page::within(items, |membership| membership.id, &asked, "memberships")
}

pub(super) async fn memberships_of(app: &App, account_id: AccountId) -> Result<Vec<Membership>> {
    let memberships = read_models::members::memberships(app.reader(), account_id).await?;
    let items = memberships.into_iter().map(|member| Membership {
        scope: member.scope,
        id: member.scope_id,
        role: member.role,
    });
    Ok(items.collect())
}

pub(crate) async fn end_session(
    app: Data<App>,
    caller: Caller,
    session_id: Path<Uuid>,
) -> Result<NoContent> {
    let account_id = caller.bearer()?.account_id;
    let session = Bearer {
        account_id,
        session_id: *session_id,
        second_factor_at: None,
    };
    if app
        .sessions()
        .end(session, EndReason::EndedByOwner, caller.now())
        .await?
    {
        Ok(NoContent)
    } else {
        Err(Problem::new(Code::NotFound))
    }
}
