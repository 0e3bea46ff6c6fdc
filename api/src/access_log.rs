//! Who looked at what of others, under which role: on record before the answer goes out.
//!
//! A look is noted where the permission is given ([`Caller::permit`](crate::caller::Caller)), so no
//! route can forget it, and written by the gate once it is known that there is an answer. What people
//! read of themselves, and what a business's own people read in their daily work, is not noted: those
//! are the hot paths, and their readers have a part in what they read.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use serde::Serialize;
use soko_domain::permission::{Permission, Role, Scope, allows};
use soko_domain::{AccountId, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::app::App;
use crate::gate::RequestId;
use crate::problem::{Code, Problem, Result};
use crate::route::Route;

/// More of a query than any answer needs is not kept.
const QUERY_CHARACTERS_MAX: usize = 2_000;

/// The looks of one request, from the caller's permits to the gate.
#[derive(Clone, Default)]
pub struct Looks(Rc<RefCell<Vec<Look>>>);

/// What one permit opened to somebody who has no part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub at: DateTime<Utc>,
    pub account_id: AccountId,
    pub api_key_id: Option<Uuid>,
    pub roles: Vec<Role>,
    pub permission: Permission,
    pub tenant_id: TenantId,
}

/// One look, as those may read it whom it concerns.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Entry {
    pub entry: i64,
    pub at: DateTime<Utc>,
    pub account_id: Uuid,
    pub api_key_id: Option<Uuid>,
    pub roles: Vec<String>,
    pub permission: String,
    pub kind: String,
    pub tenant_id: Uuid,
    pub method: String,
    pub route: String,
    pub object: String,
    pub query: String,
    pub status: i16,
    pub request_id: String,
}

/// Whose entries are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Reach {
    /// What was seen of one business; also where everybody's was seen at once, without what was
    /// searched for, which is no matter of one business.
    Tenant(TenantId),
    Everything,
}

impl Looks {
    pub fn note(&self, look: Look) {
        let mut looks = self.0.borrow_mut();
        // Handlers may ask for a permit twice on their way.
        if !looks.contains(&look) {
            looks.push(look);
        }
    }

    fn take(&self) -> Vec<Look> {
        self.0.take()
    }
}

/// Whether what these roles open is put on record: everything that only a role of the platform
/// opens, everything that auditors see, and every export.
pub fn is_on_record(permission: Permission, roles: &[Role]) -> bool {
    // It tells how the service is doing, and nothing of anybody.
    if permission == Permission::ViewProjections {
        return false;
    }
    let mut opening = roles.iter().filter(|role| allows(**role, permission));
    is_export(permission)
        || opening.all(|role| {
            role.scope() == Scope::Platform
                || matches!(role, Role::StoreAuditor | Role::PlatformAuditor)
        })
}

fn is_export(permission: Permission) -> bool {
    matches!(permission, Permission::ReadAudit | Permission::ViewReports)
}

/// Whether a request only looks: one that changes something is in the log of events.
pub fn is_look(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) || is_tried(request)
}

fn is_tried(request: &HttpRequest) -> bool {
    let mut parameters = request.query_string().split('&');
    parameters.any(|parameter| parameter == "dry_run=true")
}

/// Writes down what the answer shows, before it is shown.
///
/// # Errors
/// The database; then nothing may be shown.
pub async fn record<B>(response: &ServiceResponse<B>) -> Result<()> {
    let status = response.status();
    let request = response.request();
    let looks = request.extensions().get::<Looks>().map(Looks::take);
    let looks = looks.unwrap_or_default();
    if looks.is_empty() || status.is_client_error() || status.is_server_error() {
        return Ok(());
    }
    let app = request.app_data::<Data<App>>();
    let app = app.ok_or_else(|| Problem::new(Code::Internal))?;
    let status = i16::try_from(status.as_u16()).unwrap_or_default();
    let asked = Asked::of(request);
    for look in looks {
        asked.insert(app.pool(), &look, status).await?;
    }
    Ok(())
}

/// What was asked for.
struct Asked<'a> {
    method: &'a str,
    route: &'a str,
    object: String,
    query: String,
    is_tried: bool,
    request_id: String,
}

impl<'a> Asked<'a> {
    fn of(request: &'a HttpRequest) -> Self {
        let object: Vec<&str> = request
            .match_info()
            .iter()
            .map(|(_, value)| value)
            .collect();
        let request_id = request.extensions().get::<RequestId>().cloned();
        let query = request.query_string().chars();
        Self {
            method: request.method().as_str(),
            route: Route::of(request).map_or("", |route| &route.path),
            object: object.join("/"),
            query: query.take(QUERY_CHARACTERS_MAX).collect(),
            is_tried: is_tried(request),
            request_id: request_id.map_or_else(String::new, |id| id.as_str().to_owned()),
        }
    }

    async fn insert(&self, pool: &PgPool, look: &Look, status: i16) -> Result<()> {
        let kind = match (self.is_tried, is_export(look.permission)) {
            (true, _) => "tried",
            (false, true) => "export",
            (false, false) => "read",
        };
        let roles: Vec<String> = look.roles.iter().map(name_of).collect();
        sqlx::query(
            "INSERT INTO access_log (at, account_id, api_key_id, roles, permission, kind,
                 tenant_id, method, route, object, query, status, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(look.at)
        .bind(look.account_id.as_uuid())
        .bind(look.api_key_id)
        .bind(roles)
        .bind(name_of(&look.permission))
        .bind(kind)
        .bind(look.tenant_id.as_uuid())
        .bind(self.method)
        .bind(self.route)
        .bind(&self.object)
        .bind(&self.query)
        .bind(status)
        .bind(&self.request_id)
        .execute(pool)
        .await?;
        Ok(())
    }
}

/// As the table of permissions and the API call it.
fn name_of(word: &impl Serialize) -> String {
    let word = serde_json::to_value(word).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// The newest first, from below `before` on.
///
/// # Errors
/// The database.
pub async fn entries(
    pool: &PgPool,
    reach: Reach,
    account_id: Option<AccountId>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>> {
    // Each part is read off its own index, so a page costs a page.
    let of_tenant = "(SELECT * FROM access_log
             WHERE tenant_id = $1 AND entry < $2 AND ($3::uuid IS NULL OR account_id = $3)
             ORDER BY entry DESC LIMIT $4)";
    let of_everybody = "(SELECT entry, at, account_id, api_key_id, roles, permission, kind,
                 tenant_id, method, route, object, '' AS query, status, request_id FROM access_log
             WHERE tenant_id = $5 AND object = '' AND entry < $2
                 AND ($3::uuid IS NULL OR account_id = $3)
             ORDER BY entry DESC LIMIT $4)";
    let sql = match reach {
        Reach::Tenant(_) => {
            format!("{of_tenant} UNION ALL {of_everybody} ORDER BY entry DESC LIMIT $4")
        }
        Reach::Everything => "SELECT * FROM access_log
             WHERE ($1::uuid IS NULL OR tenant_id = $1) AND entry < $2
                 AND ($3::uuid IS NULL OR account_id = $3) AND $5::uuid IS NOT NULL
             ORDER BY entry DESC LIMIT $4"
            .to_owned(),
    };
    let tenant_id = match reach {
        Reach::Tenant(tenant_id) => Some(tenant_id.as_uuid()),
        Reach::Everything => None,
    };
    let entries = sqlx::query_as(&sql)
        .bind(tenant_id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(account_id.map(|id| id.as_uuid()))
        .bind(limit)
        .bind(TenantId::PLATFORM.as_uuid())
        .fetch_all(pool)
        .await?;
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platforms_people_see_of_others_is_on_record() {
        for role in [
            Role::PlatformAdmin,
            Role::PlatformSupport,
            Role::PlatformAuditor,
        ] {
            for permission in [Permission::ViewOrders, Permission::ViewTenant] {
                assert!(is_on_record(permission, &[role]), "{role:?} {permission:?}");
            }
        }
        assert!(is_on_record(
            Permission::ViewPayments,
            &[Role::StoreAuditor]
        ));
    }

    #[test]
    fn what_a_business_does_in_its_daily_work_is_not() {
        let owner = [Role::TenantOwner, Role::PlatformAdmin];
        assert!(!is_on_record(Permission::ViewOrders, &owner));
        assert!(!is_on_record(
            Permission::ViewOrders,
            &[Role::VendorFinance]
        ));
        assert!(!is_on_record(Permission::ViewOrders, &[Role::Customer]));
    }

    #[test]
    fn exports_are_whoever_makes_them() {
        assert!(is_on_record(Permission::ViewReports, &[Role::VendorOwner]));
        assert!(is_on_record(Permission::ReadAudit, &[Role::TenantOwner]));
    }
}
