//! `docs/permissions.md`: the tables of roles and routes as people read them. What the page says is
//! what the code has; `tests/it/permissions.rs` of the whole asks every route as every role.
//!
//! ```text
//! SOKO_WRITE_DOCS=1 cargo nextest run -p soko-api permissions_page
//! ```
//!
//! writes it anew.

use soko_api::access::Access;
use soko_api::api_keys::is_grantable;
use soko_api::routes;
use soko_domain::permission::{Permission, Role, Scope, allows};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const ABOUT: &str = "\
# Who may do what

Written by `api/tests/it/permissions_page.rs` from the tables in `domain/src/permission.rs` and
`api/src/routes.rs`; a test fails when it says something else than they do.

A role counts within its scope and for what lies in it: a store's manager in that store and for its
vendors, a tenant's owner in all of the tenant's stores, the platform's people everywhere. What lies
outside the scopes in which somebody has a role answers `404`, as if it were not there; what lies
inside, without the permission, `403`. Whoever is logged in is a `customer` of what is their own,
whoever is not a `guest`.
";

const STEP_UP: &str = "
Whoever has a second factor must have shown it within a quarter of an hour for what asks for a *step-up*:
the routes marked below, and whatever asks for `change_payout_account`, `request_payout` or
`grant_platform_roles`. Where accounts are strict, those permissions ask everybody, and the platform's roles
count only in sessions that have shown one.
";

#[test]
fn the_page_of_permissions_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let page = page();
    if env::var_os("SOKO_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/permissions.md is not up to date");
}

fn page() -> String {
    let mut page = ABOUT.to_owned();
    page.push_str("\n## Roles\n\n| scope | role | permissions |\n|---|---|---|\n");
    for role in Role::ALL {
        let permissions = names(role.permissions());
        row(&mut page, &[&name(role.scope()), &name(role), &permissions]);
    }
    page.push_str("\n## Permissions\n\n| permission | held by | API keys |\n|---|---|---|\n");
    for permission in Permission::ALL {
        let keys = if is_grantable(*permission) {
            "yes"
        } else {
            "never"
        };
        row(
            &mut page,
            &[&name(permission), &names(&holders(*permission)), keys],
        );
    }
    page.push_str(STEP_UP);
    page.push_str(
        "\n## Routes\n\n| route | | permission | of the | step-up |\n|---|---|---|---|---|\n",
    );
    for route in routes::all() {
        let (permission, scope) = match route.access {
            Access::Public => ("whoever asks".to_owned(), String::new()),
            Access::Needs(permission, scope) => (name(permission), scope_name(scope)),
        };
        let what = format!("`{} {}`", route.method, route.path);
        let step_up = if route.needs_step_up { "yes" } else { "" };
        row(
            &mut page,
            &[&what, route.summary, &permission, &scope, step_up],
        );
    }
    page
}

fn holders(permission: Permission) -> Vec<Role> {
    let holds = |role: &Role| allows(*role, permission);
    Role::ALL.iter().copied().filter(holds).collect()
}

fn names<T: serde::Serialize>(things: &[T]) -> String {
    let names: Vec<String> = things.iter().map(name).collect();
    names.join(", ")
}

/// As it is written in JSON.
fn name(thing: impl serde::Serialize) -> String {
    let name = serde_json::to_value(thing).unwrap();
    format!("`{}`", name.as_str().unwrap())
}

fn scope_name(scope: Scope) -> String {
    match scope {
        Scope::Own => "caller".to_owned(),
        Scope::Platform => "platform".to_owned(),
        Scope::Tenant => "tenant".to_owned(),
        Scope::Store => "store".to_owned(),
        Scope::Vendor => "vendor".to_owned(),
    }
}

fn row(page: &mut String, cells: &[&str]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}
