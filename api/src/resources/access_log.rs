//! Who looked at what of others: for the business that it was of, and for auditors.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::{AccountId, TenantId};
use uuid::Uuid;

use crate::access_log::{self, Entry, Reach};
use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::Page;
use crate::problem::Result;
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::schema::answer;

query! {
    pub(crate) struct OfAccess {
        /// Only what this account looked at.
        pub account: Option<AccountId>,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

answer! {
    /// One answer that showed somebody what is another's.
    pub(crate) struct Access {
        pub at: DateTime<Utc>,
        pub account_id: Uuid,
        /// If a program of theirs asked.
        pub api_key_id: Option<Uuid>,
        /// The roles that opened it, such as `platform_support`.
        pub roles: Vec<String>,
        /// What they were asked for, such as `view_orders`.
        pub permission: String,
        /// `read`; `export` for reports and the log of events; `tried` for a command with `dry_run`.
        pub kind: String,
        /// Whose it was; the nil id where it was of everybody at once.
        pub tenant_id: Uuid,
        pub method: String,
        /// With its parameters in braces.
        pub route: String,
        /// What they stood for; empty for a list.
        pub object: String,
        /// What the list was asked for.
        pub query: String,
        pub status: i32,
        pub request_id: String,
    }
}

pub(crate) async fn of_tenant(
    app: Data<App>,
    caller: Caller,
    tenant_id: Path<TenantId>,
    query: Query<OfAccess>,
) -> Result<Page<Access>> {
    caller.permit(Place::tenant(*tenant_id)).await?;
    page(&app, Reach::Tenant(*tenant_id), &query).await
}

pub(crate) async fn of_everything(
    app: Data<App>,
    caller: Caller,
    query: Query<OfAccess>,
) -> Result<Page<Access>> {
    caller.permit(Place::platform()).await?;
    page(&app, Reach::Everything, &query).await
}

async fn page(app: &App, reach: Reach, query: &OfAccess) -> Result<Page<Access>> {
    let list = format!("access log {reach:?} {:?}", query.account);
    let before = query.cursor.as_ref().map(|cursor| cursor.key(&list));
    let before = before.transpose()?;
    let rows = query.limit.rows() + 1;
    let mut found = access_log::entries(app.pool(), reach, query.account, before, rows).await?;
    let limit = usize::from(query.limit);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.entry);
    Ok(Page::of(found.into_iter().map(shown), next, &list))
}

fn shown(entry: Entry) -> Access {
    Access {
        at: entry.at,
        account_id: entry.account_id,
        api_key_id: entry.api_key_id,
        roles: entry.roles,
        permission: entry.permission,
        kind: entry.kind,
        tenant_id: entry.tenant_id,
        method: entry.method,
        route: entry.route,
        object: entry.object,
        query: entry.query,
        status: entry.status.into(),
        request_id: entry.request_id,
    }
}
