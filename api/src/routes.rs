//! Every route there is: its method and path, what it does, what it needs, and what handles it.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder};
use soko_domain::permission::Permission as P;
use soko_domain::permission::Scope as S;

use crate::access::Access;
use crate::access::Access::{Needs, Public};
use crate::operation::{Answer, Input};
use crate::problem::Code;
use crate::resources::{
    access_log, addresses, api_keys, audit, auth, balances, cart_coupons, carts, case_files,
    categories, commands, commission_rules, documentation, erasure, export, health, invitations,
    keys, ledger, locations, me, order_stream, order_views, orders, passwords, paying,
    payment_accounts, payment_reports, payments, payout_accounts, payout_rules, payouts, products,
    promotions, proofs, read_models, reports, second_factor, shelves, statements, stock,
    stock_levels, store_people, stores, stuck_money, tenants, vendor_statements, vendors, webhooks,
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
            vendor_money(),
            goods(),
            catalog(),
            promoting(),
            shopping(),
            payments(),
            webhooks(),
            reconciling(),
            operating(),
            auditing(),
        ];
        parts.into_iter().flatten().collect()
    });
    &ROUTES
}

/// Refused by what the account is at the time.
const STATE: &[Code] = &[Code::StateConflict];

/// What a provider made of it is not known.
const UNAVAILABLE: &[Code] = &[Code::Unavailable];

/// Who probes gives up after a few seconds, too.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

/// As long as a log of a thousand million events takes.
const REBUILD_DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);

/// Time to send a large file, and to record it line by line.
const LOAD_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Beside the API: for those who run it, and those who write clients.
#[rustfmt::skip]
fn service() -> Vec<Route> {
    vec![
        beside("/health/live", "Whether the process lives", health::live).within(PROBE_DEADLINE),
        beside("/health/ready", "Whether it can serve", health::ready).within(PROBE_DEADLINE),
        beside("/metrics", "Metrics for Prometheus", health::metrics).within(PROBE_DEADLINE),
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
        post("/auth/login", "Log in", Public, auth::login).refusing(&[Code::SecondFactorRequired]),
        post("/auth/refresh", "Get the next access token", Public, auth::refresh),
        post("/auth/logout", "End this session", own, auth::logout),
        post("/auth/step-up", "Show the second factor once more", own, second_factor::step_up).refusing(STATE),
        post("/auth/verify-email", "Show that an e-mail arrived", Public, proofs::verify_email),
        post("/auth/verify-email/send", "Have it sent again", Public, proofs::send_email),
        post("/auth/verify-phone", "Show that a text message arrived", own, proofs::verify_phone).refusing(STATE),
        post("/auth/verify-phone/send", "Have a code sent to my phone", own, proofs::send_phone).refusing(STATE),
        post("/auth/password/change", "Set another password", own, passwords::change).with_step_up(),
        post("/auth/password/forgot", "Have an e-mail sent to set another", Public, passwords::forgot),
        post("/auth/password/reset", "Set another by that e-mail", Public, passwords::reset),
        get("/me", "Who I am", own, me::get),
        patch("/me", "Change my name or phone", own, me::change),
        delete("/me", "Have me forgotten", own, erasure::erase).with_step_up(),
        get("/me/export", "All that is kept about me", own, export::export),
        get("/me/addresses", "My address book", own, addresses::list),
        post("/me/addresses", "Add an address", own, addresses::add),
        delete("/me/addresses/{id}", "Remove an address", own, addresses::remove),
        get("/me/memberships", "Where I have a role", own, me::memberships),
        get("/me/sessions", "Where I am logged in", own, me::sessions),
        delete("/me/sessions/{id}", "Log out elsewhere", own, me::end_session),
        post("/me/second-factor", "Get a secret for an authenticator app", own, second_factor::add).refusing(STATE),
        post("/me/second-factor/confirm", "Have its codes asked for", own, second_factor::confirm).refusing(STATE),
        post("/me/second-factor/remove", "Have none asked for any more", own, second_factor::remove).refusing(STATE),
        post("/me/second-factor/recovery-codes", "Get other recovery codes", own, second_factor::replace_recovery_codes).refusing(STATE),
        post("/api-keys", "Make a key for a program", own, api_keys::create).with_step_up(),
        get("/api-keys", "My keys", own, api_keys::list),
        delete("/api-keys/{id}", "Revoke a key", own, api_keys::revoke),
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
        get("/tenants", "My businesses", Needs(P::ManageSelf, S::Own), tenants::list),
        get("/tenants/{id}", "One business", view, tenants::get),
        patch("/tenants/{id}", "Rename a business", change, tenants::change),
        get("/tenants/{id}/members", "Its people", view, tenants::members),
        post("/tenants/{id}/members", "Add somebody", staff, tenants::add_member).with_step_up(),
        patch("/tenants/{id}/members/{account_id}", "Give another role", staff, tenants::change_member).with_step_up(),
        delete("/tenants/{id}/members/{account_id}", "Take out", staff, tenants::remove_member).with_step_up(),
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
        get("/stores", "Stores that are open", Public, stores::list),
        get("/stores/{id}", "One store, by id or slug", Public, stores::get).by_slug_too(),
        patch("/stores/{id}", "Change a store's terms", change, stores::change),
        delete("/stores/{id}", "Close a store", close, stores::close),
        get("/stores/{id}/web-origins", "From where its pages may call", view, stores::web_origins),
        get("/stores/{id}/commission-rules", "What it keeps of its vendors' sales", view, commission_rules::get),
        put("/stores/{id}/commission-rules", "Keep by other rules", change, commission_rules::set),
        get("/stores/{id}/payout-rules", "How it pays its vendors out", view, payout_rules::get),
        put("/stores/{id}/payout-rules", "Pay them out by other rules", change, payout_rules::set).with_step_up(),
        get("/stores/{id}/locations", "Where stock lies", view, locations::list),
        post("/stores/{id}/locations", "Add a location", change, locations::add),
        patch("/stores/{id}/locations/{location_id}", "Rename a location", change, locations::rename),
        get("/stores/{id}/members", "Its people", view, store_people::list),
        post("/stores/{id}/members", "Add somebody", staff, store_people::add).with_step_up(),
        patch("/stores/{id}/members/{account_id}", "Give another role", staff, store_people::change).with_step_up(),
        delete("/stores/{id}/members/{account_id}", "Take out", staff, store_people::remove).with_step_up(),
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
        get("/vendors", "Vendors of a store, or mine", Needs(P::ManageSelf, S::Own), vendors::list),
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
        post("/vendors/{id}/members", "Invite somebody", staff, invitations::invite).with_step_up(),
        patch("/vendors/{id}/members/{account_id}", "Give another role", staff, vendors::change_member).with_step_up(),
        delete("/vendors/{id}/members/{account_id}", "Take out", staff, vendors::remove_member).with_step_up(),
        get("/vendors/{id}/invitations", "Who has not yet accepted", staff, invitations::pending),
        delete("/vendors/{id}/invitations/{invitation_id}", "Withdraw an invitation", staff, invitations::withdraw),
        post("/invitations/{token}/accept", "Join a vendor's people", accept, invitations::accept),
    ]
}

#[rustfmt::skip]
fn vendor_money() -> Vec<Route> {
    let view = Needs(P::ViewBalance, S::Vendor);
    let request = Needs(P::RequestPayout, S::Vendor);
    let decide = Needs(P::ApprovePayout, S::Vendor);
    vec![
        get("/vendors/{id}/balance", "What it is owed, and what of it can be paid out", view, balances::get),
        get("/vendors/{id}/statement", "How it came to that", view, vendor_statements::get),
        get("/vendors/{id}/payout-account", "Where its money goes", view, payout_accounts::get),
        put("/vendors/{id}/payout-account", "Have it go elsewhere", Needs(P::ChangePayoutAccount, S::Vendor), payout_accounts::set).with_step_up(),
        get("/vendors/{id}/payouts", "Its payouts", view, payouts::list_of_vendor),
        post("/vendors/{id}/payouts", "Ask for a payout", request, payouts::request).with_key_required().with_step_up(),
        get("/payouts", "Payouts of a store", Needs(P::ViewBalance, S::Store), payouts::list),
        get("/payouts/{id}", "One payout", view, payouts::get),
        post("/payouts/{id}/approve", "Have it paid", decide, payouts::approve).with_key_required().with_step_up(),
        post("/payouts/{id}/reject", "Have it not paid", decide, payouts::reject).with_key_required().with_step_up(),
        post("/payouts/{id}/record", "It was paid by hand", decide, payouts::record).with_key_required().with_step_up(),
        post("/payouts/{id}/return", "The money came back", decide, payouts::take_back).with_key_required().with_step_up(),
    ]
}

#[rustfmt::skip]
fn goods() -> Vec<Route> {
    let arrange = Needs(P::EditCategories, S::Store);
    vec![
        post("/categories", "Create a category", arrange, categories::create),
        get("/categories", "All categories of a store", Public, categories::list),
        get("/categories/{id}", "One category", Public, categories::get),
        patch("/categories/{id}", "Rename or move a category", arrange, categories::change),
        delete("/categories/{id}", "Remove a category", arrange, categories::remove),
    ]
}

#[rustfmt::skip]
fn catalog() -> Vec<Route> {
    let edit = Needs(P::EditProducts, S::Vendor);
    let publish = Needs(P::PublishProducts, S::Vendor);
    let drafts = Needs(P::ViewDrafts, S::Vendor);
    let view_stock = Needs(P::ViewStock, S::Vendor);
    let move_stock = Needs(P::MoveStock, S::Vendor);
    vec![
        get("/products", "What is on sale", Public, shelves::list),
        get("/products/{id}", "One product, by id or slug", Public, shelves::get).by_slug_too(),
        get("/vendors/{id}/products", "What a vendor has, drafts too", drafts, shelves::list_of_vendor),
        get("/vendors/{id}/products/{product_id}", "One of them", drafts, shelves::get_of_vendor),
        post("/products", "Create a draft", edit, products::create).with_large_body(),
        patch("/products/{id}", "Describe a product anew", edit, products::change).with_large_body(),
        delete("/products/{id}", "Archive a product", publish, products::archive),
        post("/products/{id}/publish", "Put a product on sale", publish, products::publish),
        post("/products/{id}/unpublish", "Take a product off sale", publish, products::unpublish),
        post("/products/{id}/archive", "Archive a product", publish, products::archive),
        post("/products/{id}/variants", "Add a variant", edit, products::add).with_large_body(),
        patch("/variants/{id}", "Change a variant, or its price", edit, products::change_variant).with_large_body(),
        get("/stock", "What there is", view_stock, stock_levels::list),
        get("/stock/{variant_id}", "What there is of a variant", view_stock, stock_levels::get),
        get("/stock/{variant_id}/ledger", "Why there is so much", view_stock, stock_levels::ledger),
        post("/stock/{variant_id}/receive", "Goods came in", move_stock, stock::receive)
            .with_key_required(),
        post("/stock/{variant_id}/adjust", "There is more, or less", move_stock, stock::adjust)
            .with_key_required(),
        post("/stock/{variant_id}/count", "Somebody counted", move_stock, stock::count)
            .with_key_required(),
        post("/stock/{variant_id}/return", "Sold goods came back", move_stock, stock::take_back)
            .with_key_required(),
        put("/stock/{variant_id}/low-stock-threshold", "When it is low", move_stock, stock::set_threshold),
    ]
}

#[rustfmt::skip]
fn promoting() -> Vec<Route> {
    let manage = Needs(P::ManagePromotions, S::Vendor);
    let view = Needs(P::ViewPromotions, S::Vendor);
    vec![
        post("/promotions", "Make a coupon", manage, promotions::create),
        get("/promotions", "Coupons of a store, or for the goods of a vendor", view, promotions::list),
        get("/promotions/{id}", "One coupon, and how often it was used", view, promotions::get),
        patch("/promotions/{id}", "Give something else from now on", manage, promotions::change),
        post("/promotions/{id}/end", "Give nothing any more", manage, promotions::end),
    ]
}

#[rustfmt::skip]
fn shopping() -> Vec<Route> {
    let cart = Needs(P::UseCart, S::Own);
    let view = Needs(P::ViewOrders, S::Own);
    let fulfil = Needs(P::FulfilOrder, S::Vendor);
    vec![
        get("/cart", "My cart in a store", cart, carts::get),
        delete("/cart", "Empty my cart", cart, carts::clear).with_parameters(&["store"]),
        post("/cart/items", "Put something in", cart, carts::add),
        put("/cart/items/{variant_id}", "Take another number of it", cart, carts::set_quantity),
        delete("/cart/items/{variant_id}", "Take it out", cart, carts::remove),
        post("/cart/coupon", "Name a coupon", cart, cart_coupons::apply).refusing(&[Code::CouponExhausted]),
        delete("/cart/coupon", "Take it back", cart, cart_coupons::remove).with_parameters(&["store"]),
        post("/orders", "Order", Needs(P::PlaceOrder, S::Own), orders::place)
            .with_key_required()
            .with_large_body(),
        get("/orders", "My orders, a vendor's or a store's", view, order_views::list),
        get("/orders/{id}", "One order", view, order_views::get),
        get("/orders/{id}/tracking", "What has happened to it", view, order_views::tracking),
        get("/orders/{id}/stream", "What happens to it, as it happens", view, order_stream::follow),
        post("/orders/{id}/cancel", "Call it off", Needs(P::CancelOrder, S::Own), orders::cancel),
        post("/orders/{id}/fulfilments/{vendor_id}/pack", "It is packed", fulfil, orders::pack),
        post("/orders/{id}/fulfilments/{vendor_id}/ship", "It is on its way", fulfil, orders::ship),
        post("/orders/{id}/fulfilments/{vendor_id}/deliver", "It is there", fulfil, orders::deliver),
    ]
}

/// The provider answers before we do.
const PROVIDER_DEADLINE: Duration = Duration::from_secs(45);

#[rustfmt::skip]
fn payments() -> Vec<Route> {
    let pay = Needs(P::PayOrder, S::Own);
    let give_back = Needs(P::RefundPayment, S::Store);
    let settle = Needs(P::SettlePayment, S::Store);
    let accounts = Needs(P::ManagePaymentAccounts, S::Store);
    vec![
        post("/payments", "Pay an order, once more or another way", pay, paying::start).with_key_required(),
        get("/payments/{id}", "One payment", Needs(P::ViewPayments, S::Own), payments::get),
        get("/payments/{id}/case-file", "All that led to its state", Needs(P::ViewCaseFile, S::Store), case_files::get),
        post("/payments/{id}/code", "The code that the payer was sent", pay, paying::enter_code)
            .with_key_required().refusing(UNAVAILABLE).within(PROVIDER_DEADLINE),
        post("/payments/{id}/capture", "Take what was agreed to", settle, paying::capture)
            .with_key_required().refusing(UNAVAILABLE).within(PROVIDER_DEADLINE),
        post("/payments/{id}/void", "Ask for it no more", settle, paying::void).with_key_required(),
        post("/payments/{id}/settle", "What came of it, as a person knows", settle, paying::settle).with_key_required(),
        post("/payments/{id}/refunds/{refund_id}/settle", "What came of a refund, as a person knows", settle, paying::settle_refund).with_key_required(),
        post("/payments/{id}/refunds", "Give money back, or say that it went back", give_back, payments::refund).with_key_required(),
        post("/payments/{id}/collect", "Cash was taken, or a transfer seen", Needs(P::CollectCash, S::Vendor), payments::collect).with_key_required(),
        get("/stores/{id}/payment-accounts", "A store's accounts with providers", accounts, payment_accounts::list),
        put("/stores/{id}/payment-accounts/{provider}", "Set what opens one", accounts, payment_accounts::put).with_step_up(),
        delete("/stores/{id}/payment-accounts/{provider}", "Use one no more", accounts, payment_accounts::remove).with_step_up(),
        post("/stores/{id}/payment-accounts/mpesa/receipts", "Hear of M-Pesa payments that nobody asked for", accounts, payment_accounts::register_receipts)
            .refusing(STATE).within(PROVIDER_DEADLINE),
    ]
}

/// For payment providers. Who may call shows by what they send.
#[rustfmt::skip]
fn webhooks() -> Vec<Route> {
    vec![
        post("/webhooks/mpesa/{token}", "M-Pesa tells", Public, webhooks::mpesa).with_large_body(),
        post("/webhooks/receipts/{token}", "M-Pesa tells of what nobody asked for", Public, webhooks::mpesa).with_large_body(),
        post("/webhooks/ecocash/{token}", "EcoCash tells", Public, webhooks::ecocash).with_large_body(),
        post("/webhooks/paynow/{payment_id}", "Paynow tells", Public, webhooks::paynow).with_large_body(),
        post("/webhooks/paystack", "Paystack tells", Public, webhooks::paystack).with_large_body(),
        post("/webhooks/paystack/{store_id}", "Paystack tells a store", Public, webhooks::paystack_of_store).with_large_body(),
        post("/webhooks/stripe", "Stripe tells", Public, webhooks::stripe).with_large_body(),
        post("/webhooks/stripe/{store_id}", "Stripe tells a store", Public, webhooks::stripe_of_store).with_large_body(),
    ]
}

#[rustfmt::skip]
fn reconciling() -> Vec<Route> {
    let load = Needs(P::ReconcilePayments, S::Store);
    let view = Needs(P::ViewPayments, S::Store);
    vec![
        post("/stores/{id}/statements", "Load what a provider says it moved", load, statements::load)
            .with_key_required()
            .with_file()
            .with_parameters(&["provider", "from", "to"])
            .refusing(&[Code::AlreadyExists])
            .within(LOAD_DEADLINE),
        get("/stores/{id}/statements", "What providers said they moved", view, statements::list),
        get("/statements/{id}", "What a provider said, and how much of it we know", view, statements::get),
        get("/statements/{id}/differences", "What only we have, what only they have, what differs", view, statements::differences),
    ]
}

#[rustfmt::skip]
fn operating() -> Vec<Route> {
    let view = Needs(P::ViewProjections, S::Platform);
    let rebuild = Needs(P::RebuildProjections, S::Platform);
    let books = Needs(P::ViewReports, S::Store);
    vec![
        get("/reports/sales", "What was sold", Needs(P::ViewReports, S::Store), reports::sales),
        get("/reports/payments", "How payments went", Needs(P::ViewReports, S::Store), payment_reports::payments),
        get("/reports/stuck-money", "What waits for somebody", Needs(P::ViewPayments, S::Store), stuck_money::get),
        get("/ledger/trial-balance", "What every account has come to", books, ledger::trial_balance),
        get("/ledger/entries", "What was booked", books, ledger::entries),
        get("/projections", "How far the read models are", view, read_models::list),
        post("/projections/{name}/rebuild", "Build one anew", rebuild, read_models::rebuild).within(REBUILD_DEADLINE),
    ]
}

#[rustfmt::skip]
fn auditing() -> Vec<Route> {
    let read = Needs(P::ReadAudit, S::Store);
    vec![
        get("/audit/events", "What happened", Needs(P::ReadAudit, S::Tenant), audit::events),
        get("/audit/access-log", "Who looked at what", Needs(P::ViewAccessLog, S::Platform), access_log::of_everything),
        get("/tenants/{id}/access-log", "Who looked at what of a business", Needs(P::ViewAccessLog, S::Tenant), access_log::of_tenant),
        get("/audit/streams/{type}/{id}", "What happened to one thing", read, audit::stream),
        get("/audit/streams/{type}/{id}/state", "What it was at a moment", read, audit::state),
        get("/audit/streams/{type}/{id}/diff", "What changed between two moments", read, audit::diff),
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

methods! { get = GET, post = POST, put = PUT, patch = PATCH, delete = DELETE }

fn beside<F, Args>(path: &str, summary: &'static str, handler: F) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + Input + 'static,
    F::Output: Responder + Answer + 'static,
{
    Route::new(Method::GET, path, summary, Public, handler)
}
