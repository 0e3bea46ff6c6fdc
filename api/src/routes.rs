//! Every route there is: its method and path, what it does, what it needs, and what handles it.

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder};
use soko_domain::permission::Permission as P;
use soko_domain::permission::Scope as S;

use crate::access::Access;
use crate::access::Access::{Needs, Public};
use crate::operation::{Answer, Input};
use crate::resources::{
    auth, categories, commands, documentation, health, invitations, keys, me, stores, tenants,
    vendors,
};
use crate::route::{API, Route};

/// The table, made once.
pub fn all() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let parts = [
            service(),
            people(),
            tenants(),
            stores(),
            vendors(),
            vendor_people(),
            goods(),
        ];
        parts.into_iter().flatten().collect()
    });
    &ROUTES
}

/// Beside the API: for those who run it, and those who write clients.
#[rustfmt::skip]
fn service() -> Vec<Route> {
    vec![
        beside("/health/live", "Whether the process lives", health::live),
        beside("/health/ready", "Whether it can serve", health::ready),
        beside("/metrics", "Metrics for Prometheus", health::metrics),
        beside("/openapi.json", "This document", documentation::openapi),
        beside("/docs", "Leads to the documentation page", documentation::index),
        beside("/docs/{file:.*}", "The documentation page", documentation::file),
        beside("/.well-known/jwks.json", "The keys that verify access tokens", keys::jwks),
    ]
}

#[rustfmt::skip]
fn people() -> Vec<Route> {
    let own = Needs(P::ManageSelf, S::Own);
    vec![
        post("/auth/register", "Become known", Public, auth::register),
        post("/auth/login", "Log in", Public, auth::login),
        post("/auth/refresh", "Get the next access token", Public, auth::refresh),
        post("/auth/logout", "End this session", own, auth::logout),
        post("/auth/password/change", "Set another password", own, auth::change_password),
        get("/me", "Who I am", own, me::get),
        patch("/me", "Change my name or phone", own, me::change),
        get("/me/sessions", "Where I am logged in", own, me::sessions),
        delete("/me/sessions/{id}", "Log out elsewhere", own, me::end_session),
        get("/commands/{key}", "What became of a command of mine", own, commands::get),
    ]
}

#[rustfmt::skip]
fn tenants() -> Vec<Route> {
    let create = Needs(P::CreateTenant, S::Own);
    let view = Needs(P::ViewTenant, S::Tenant);
    let change = Needs(P::ChangeTenant, S::Tenant);
    let staff = Needs(P::ManageTenantMembers, S::Tenant);
    vec![
        post("/tenants", "Create a business", create, tenants::create),
        get("/tenants/{id}", "One business", view, tenants::get),
        patch("/tenants/{id}", "Rename a business", change, tenants::change),
        get("/tenants/{id}/members", "Its people", view, tenants::members),
        post("/tenants/{id}/members", "Add somebody", staff, tenants::add_member),
        patch("/tenants/{id}/members/{account_id}", "Give another role", staff, tenants::change_member),
        delete("/tenants/{id}/members/{account_id}", "Take out", staff, tenants::remove_member),
    ]
}

#[rustfmt::skip]
fn stores() -> Vec<Route> {
    let open = Needs(P::OpenStore, S::Tenant);
    let view = Needs(P::ViewStore, S::Store);
    let change = Needs(P::ChangeStore, S::Store);
    let close = Needs(P::CloseStore, S::Store);
    let staff = Needs(P::ManageStoreMembers, S::Store);
    vec![
        post("/stores", "Open a store", open, stores::open),
        get("/stores/{id}", "One store, by id or slug", Public, stores::get),
        patch("/stores/{id}", "Change a store's terms", change, stores::change),
        delete("/stores/{id}", "Close a store", close, stores::close),
        get("/stores/{id}/locations", "Where stock lies", view, stores::locations),
        post("/stores/{id}/locations", "Add a location", change, stores::add_location),
        patch("/stores/{id}/locations/{location_id}", "Rename a location", change, stores::rename_location),
        get("/stores/{id}/members", "Its people", view, stores::members),
        post("/stores/{id}/members", "Add somebody", staff, stores::add_member),
        patch("/stores/{id}/members/{account_id}", "Give another role", staff, stores::change_member),
        delete("/stores/{id}/members/{account_id}", "Take out", staff, stores::remove_member),
    ]
}

#[rustfmt::skip]
fn vendors() -> Vec<Route> {
    let register = Needs(P::RegisterVendor, S::Own);
    let view = Needs(P::ViewVendor, S::Vendor);
    let change = Needs(P::ChangeVendor, S::Vendor);
    let decide = Needs(P::DecideVendor, S::Vendor);
    vec![
        post("/vendors/register", "Apply to sell in a store", register, vendors::register),
        get("/vendors/{id}", "One vendor", view, vendors::get),
        patch("/vendors/{id}", "Change a vendor's details", change, vendors::change),
        post("/vendors/{id}/approve", "Let a vendor sell", decide, vendors::approve),
        post("/vendors/{id}/reject", "Turn a vendor away", decide, vendors::reject),
        post("/vendors/{id}/suspend", "Stop a vendor for now", decide, vendors::suspend),
        post("/vendors/{id}/reinstate", "Let a vendor go on", decide, vendors::reinstate),
    ]
}

#[rustfmt::skip]
fn vendor_people() -> Vec<Route> {
    let view = Needs(P::ViewVendor, S::Vendor);
    let staff = Needs(P::ManageVendorMembers, S::Vendor);
    let accept = Needs(P::AcceptInvitation, S::Own);
    vec![
        get("/vendors/{id}/members", "Its people", view, vendors::members),
        post("/vendors/{id}/members", "Invite somebody", staff, invitations::invite),
        patch("/vendors/{id}/members/{account_id}", "Give another role", staff, vendors::change_member),
        delete("/vendors/{id}/members/{account_id}", "Take out", staff, vendors::remove_member),
        get("/vendors/{id}/invitations", "Who has not yet accepted", staff, invitations::pending),
        delete("/vendors/{id}/invitations/{invitation_id}", "Withdraw an invitation", staff, invitations::withdraw),
        post("/invitations/{token}/accept", "Join a vendor's people", accept, invitations::accept),
    ]
}

#[rustfmt::skip]
fn goods() -> Vec<Route> {
    let arrange = Needs(P::EditCategories, S::Store);
    vec![
        post("/categories", "Create a category", arrange, categories::create),
        get("/categories/{id}", "One category", Public, categories::get),
        patch("/categories/{id}", "Rename or move a category", arrange, categories::change),
        delete("/categories/{id}", "Remove a category", arrange, categories::remove),
    ]
}

macro_rules! methods {
    ($($name:ident = $method:ident),+ $(,)?) => {$(
        fn $name<F, Args>(path: &str, summary: &'static str, access: Access, handler: F) -> Route
        where
            F: Handler<Args> + Send + Sync,
            Args: FromRequest + Input + 'static,
            F::Output: Responder + Answer + 'static,
        {
            Route::new(Method::$method, format!("{API}{path}"), summary, access, handler)
        }
    )+};
}

methods! { get = GET, post = POST, patch = PATCH, delete = DELETE }

fn beside<F, Args>(path: &str, summary: &'static str, handler: F) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + Input + 'static,
    F::Output: Responder + Answer + 'static,
{
    Route::new(Method::GET, path, summary, Public, handler)
}
