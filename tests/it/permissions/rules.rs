//! Who may what, written down once more beside the code.

use serde_json::{Value, json};

use super::Where;
use super::Who::{self, *};
use super::promoting::rules_of_promotions;
use super::stage::Stage;

pub(super) const TENANT: &[Who] = &[Admin, TenantOwner, TenantAdmin];
pub(super) const MANAGERS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Manager];
pub(super) const STORE: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Analyst,
];
pub(super) const SELLERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    VendorOwner,
    VendorManager,
    Catalog,
];
pub(super) const MOVERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    VendorOwner,
    VendorManager,
    Catalog,
    Fulfilment,
];
pub(super) const STOCK_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Analyst,
    VendorOwner,
    VendorManager,
    Catalog,
    Fulfilment,
    Viewer,
];
pub(super) const VENDOR_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    VendorOwner,
    VendorManager,
    Catalog,
    Fulfilment,
    Finance,
    Viewer,
];
pub(super) const DRAFT_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    VendorOwner,
    VendorManager,
    Catalog,
    Fulfilment,
    Viewer,
];
pub(super) const ORDER_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    VendorOwner,
    VendorManager,
    Fulfilment,
    Finance,
    Viewer,
    Buyer,
];
pub(super) const CANCELLERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    VendorOwner,
    VendorManager,
    Buyer,
];
pub(super) const FULFILLERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    VendorOwner,
    VendorManager,
    Fulfilment,
];
/// Whoever may bring the goods may take the cash for them.
pub(super) const CASHIERS: &[Who] = FULFILLERS;
pub(super) const ACCOUNT_KEEPERS: &[Who] = TENANT;
pub(super) const CASE_READERS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Manager, Auditor];
pub(super) const PAYMENT_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Buyer,
];
pub(super) const STATEMENT_VIEWERS: &[Who] =
    &[Admin, TenantOwner, TenantAdmin, Manager, Staff, Auditor];
pub(super) const AUDITORS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Auditor];
pub(super) const REPORT_READERS: &[Who] =
    &[Admin, TenantOwner, TenantAdmin, Manager, Auditor, Analyst];

pub(super) const BALANCE_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Auditor,
    VendorOwner,
    VendorManager,
    Finance,
];

/// What vendors are owed, and how they are paid.
fn vendor_money(stage: &Stage) -> Vec<Rule> {
    let (in_store, vendor) = (Where::Store, Where::Vendor);
    let none = || json!({});
    let account = json!({ "method": "by_hand", "name": "Mama Mboga", "account": "KCB 1234567" });
    let owners = &[Admin, VendorOwner];
    let askers = &[Admin, TenantOwner, TenantAdmin, VendorOwner, Finance];
    let of_store = &[Admin, TenantOwner, TenantAdmin, Manager, Auditor];
    let why = || json!({ "reason": "because" });
    let look = |path| rule("get", path, none(), vendor, BALANCE_VIEWERS);
    let decide = |path, body| rule("post", path, body, vendor, MANAGERS);
    vec![
        look("/vendors/{id}/balance"),
        look("/vendors/{id}/statement"),
        look("/vendors/{id}/payouts"),
        look("/vendors/{id}/payout-account"),
        look("/payouts/{id}"),
        rule(
            "put",
            "/vendors/{id}/payout-account",
            account,
            vendor,
            owners,
        ),
        rule("post", "/vendors/{id}/payouts", none(), vendor, askers),
        rule("get", "/payouts", none(), in_store, of_store)
            .with(&format!("store={}", stage.market.store_id)),
        decide("/payouts/{id}/approve", none()),
        decide("/payouts/{id}/reject", why()),
        decide("/payouts/{id}/record", json!({ "reference": "KCB-1" })),
        decide("/payouts/{id}/return", why()),
        rule("get", "/stores/{id}/payout-rules", none(), in_store, STORE),
        rule(
            "put",
            "/stores/{id}/payout-rules",
            json!({ "hold_days": 7 }),
            in_store,
            MANAGERS,
        ),
    ]
}

/// A route, what is sent to it, where its thing lies, and who may.
pub(super) struct Rule {
    pub(super) method: &'static str,
    /// As the document has it, below `/api/v1`.
    pub(super) path: &'static str,
    pub(super) query: String,
    pub(super) body: Value,
    pub(super) place: Where,
    pub(super) allowed: &'static [Who],
}

/// What people do for themselves, which no role in a business has a part in.
pub(super) const OWN: &[(&str, &str)] = &[
    ("post", "/auth/logout"),
    ("post", "/auth/password/change"),
    ("post", "/auth/step-up"),
    ("post", "/auth/verify-phone"),
    ("post", "/auth/verify-phone/send"),
    ("post", "/me/second-factor"),
    ("post", "/me/second-factor/confirm"),
    ("post", "/me/second-factor/remove"),
    ("post", "/me/second-factor/recovery-codes"),
    ("get", "/me"),
    ("get", "/me/memberships"),
    ("patch", "/me"),
    ("get", "/me/addresses"),
    ("post", "/me/addresses"),
    ("delete", "/me/addresses/{id}"),
    ("get", "/me/export"),
    ("delete", "/me"),
    ("get", "/me/sessions"),
    ("delete", "/me/sessions/{id}"),
    ("post", "/api-keys"),
    ("get", "/api-keys"),
    ("delete", "/api-keys/{id}"),
    ("get", "/commands/{key}"),
    ("get", "/tenants"),
    ("post", "/tenants"),
    ("get", "/vendors"),
    ("post", "/vendors/register"),
    ("post", "/invitations/{token}/accept"),
    ("get", "/cart"),
    ("delete", "/cart"),
    ("post", "/cart/items"),
    ("put", "/cart/items/{variant_id}"),
    ("delete", "/cart/items/{variant_id}"),
    ("post", "/cart/coupon"),
    ("delete", "/cart/coupon"),
    ("post", "/orders"),
    ("get", "/orders"),
];

/// What lies below something else, of which there is none: even who may finds nothing.
pub(super) const BELOW: &[(&str, &str)] = &[
    ("patch", "/stores/{id}/locations/{location_id}"),
    ("patch", "/stores/{id}/members/{account_id}"),
    ("delete", "/stores/{id}/members/{account_id}"),
    ("patch", "/vendors/{id}/members/{account_id}"),
    ("delete", "/vendors/{id}/members/{account_id}"),
    ("delete", "/vendors/{id}/invitations/{invitation_id}"),
    ("post", "/payments/{id}/refunds/{refund_id}/settle"),
    ("post", "/projections/{name}/rebuild"),
];

#[expect(clippy::too_many_lines, reason = "a table, to be read as one")]
pub(super) fn rules(stage: &Stage) -> Vec<Rule> {
    let Stage { market, .. } = stage;
    let someone = stage.market.vendor.email.as_str();
    let reason = json!({ "reason": "because" });
    let moved = json!({ "quantity": 1, "reason": "delivery" });
    let product = json!({
        "store_id": market.store_id, "vendor_id": market.vendor_id, "name": "New",
        "variants": [{ "sku": "NEW-1", "name": "New", "price": { "amount": 1, "currency": "KES" } }],
    });
    let variant =
        json!({ "sku": "NEW-2", "name": "New", "price": { "amount": 1, "currency": "KES" } });
    let store = json!({
        "tenant_id": market.tenant_id, "slug": "another-store", "name": "Another", "currency": "KES",
        "country": "KE", "time_zone": "Africa/Nairobi", "prices_include_tax": true,
        "tax_rate_bps": 1600, "payment_methods": ["cash_on_delivery"], "commission_bps": 0,
    });
    let now = chrono::Utc::now().format("%Y-%m-%dT00:00:00Z");
    let tomorrow = (chrono::Utc::now() + chrono::Duration::days(1)).format("%Y-%m-%dT00:00:00Z");
    let sales = format!("from={now}&to={tomorrow}&store={}", market.store_id);
    let of_store = format!("store={}", market.store_id);
    let of_tenant = format!("tenant={}", market.tenant_id);
    let none = || json!({});
    let name = || json!({ "name": "Another name" });
    let member = |role: &str| json!({ "email": someone, "role": role });
    let role = |role: &str| json!({ "role": role });
    let (tenant, in_store, vendor, order) =
        (Where::Tenant, Where::Store, Where::Vendor, Where::Order);
    let owners = &[Admin, TenantOwner];
    let vendor_owners = &[Admin, VendorOwner];
    let vendor_changers = &[
        Admin,
        TenantOwner,
        TenantAdmin,
        Manager,
        VendorOwner,
        VendorManager,
    ];
    let stock_of_store = &[
        Admin,
        TenantOwner,
        TenantAdmin,
        Manager,
        Staff,
        Auditor,
        Analyst,
    ];
    let mut rules = vec![
        rule("get", "/tenants/{id}", none(), tenant, TENANT),
        rule("patch", "/tenants/{id}", name(), tenant, TENANT),
        rule("get", "/tenants/{id}/members", none(), tenant, TENANT),
        rule("get", "/tenants/{id}/access-log", none(), tenant, TENANT),
        rule(
            "get",
            "/audit/access-log",
            none(),
            Where::Platform,
            &[Admin],
        ),
        rule(
            "post",
            "/tenants/{id}/members",
            member("admin"),
            tenant,
            owners,
        ),
        rule(
            "patch",
            "/tenants/{id}/members/{account_id}",
            role("owner"),
            tenant,
            owners,
        ),
        rule(
            "delete",
            "/tenants/{id}/members/{account_id}",
            none(),
            tenant,
            owners,
        ),
        rule("post", "/stores", store, tenant, TENANT),
        rule("patch", "/stores/{id}", name(), in_store, MANAGERS),
        rule("delete", "/stores/{id}", none(), in_store, TENANT),
        rule("get", "/stores/{id}/web-origins", none(), in_store, STORE),
        rule(
            "get",
            "/stores/{id}/commission-rules",
            none(),
            in_store,
            STORE,
        ),
        rule(
            "put",
            "/stores/{id}/commission-rules",
            json!({ "standard": { "bps": 900 }, "tax_rate_bps": 1600 }),
            in_store,
            MANAGERS,
        ),
        rule("get", "/stores/{id}/locations", none(), in_store, STORE),
        rule("post", "/stores/{id}/locations", name(), in_store, MANAGERS),
        rule("get", "/stores/{id}/members", none(), in_store, STORE),
        rule(
            "post",
            "/stores/{id}/members",
            member("staff"),
            in_store,
            MANAGERS,
        ),
        rule("get", "/vendors/{id}", none(), vendor, VENDOR_VIEWERS),
        rule("patch", "/vendors/{id}", name(), vendor, vendor_changers),
        rule("post", "/vendors/{id}/approve", none(), vendor, MANAGERS),
        rule(
            "post",
            "/vendors/{id}/reject",
            reason.clone(),
            vendor,
            MANAGERS,
        ),
        rule(
            "post",
            "/vendors/{id}/suspend",
            reason.clone(),
            vendor,
            MANAGERS,
        ),
        rule("post", "/vendors/{id}/reinstate", none(), vendor, MANAGERS),
        rule(
            "get",
            "/vendors/{id}/members",
            none(),
            vendor,
            VENDOR_VIEWERS,
        ),
        rule(
            "post",
            "/vendors/{id}/members",
            member("viewer"),
            vendor,
            vendor_owners,
        ),
        rule(
            "get",
            "/vendors/{id}/invitations",
            none(),
            vendor,
            vendor_owners,
        ),
        rule(
            "post",
            "/categories",
            json!({ "store_id": market.store_id, "name": "New" }),
            in_store,
            MANAGERS,
        ),
        rule("patch", "/categories/{id}", name(), in_store, MANAGERS),
        rule("delete", "/categories/{id}", none(), in_store, MANAGERS),
        rule(
            "get",
            "/vendors/{id}/products",
            none(),
            vendor,
            DRAFT_VIEWERS,
        ),
        rule(
            "get",
            "/vendors/{id}/products/{product_id}",
            none(),
            vendor,
            DRAFT_VIEWERS,
        ),
        rule("post", "/products", product, vendor, SELLERS),
        rule("patch", "/products/{id}", name(), vendor, SELLERS),
        rule("delete", "/products/{id}", none(), vendor, SELLERS),
        rule("post", "/products/{id}/publish", none(), vendor, SELLERS),
        rule("post", "/products/{id}/unpublish", none(), vendor, SELLERS),
        rule("post", "/products/{id}/archive", none(), vendor, SELLERS),
        rule("post", "/products/{id}/variants", variant, vendor, SELLERS),
        rule("patch", "/variants/{id}", name(), vendor, SELLERS),
        rule("get", "/stock", none(), in_store, stock_of_store).with(&of_store),
        rule("get", "/stock/{variant_id}", none(), vendor, STOCK_VIEWERS),
        rule(
            "get",
            "/stock/{variant_id}/ledger",
            none(),
            vendor,
            STOCK_VIEWERS,
        ),
        rule(
            "post",
            "/stock/{variant_id}/receive",
            moved.clone(),
            vendor,
            MOVERS,
        ),
        rule(
            "post",
            "/stock/{variant_id}/adjust",
            moved.clone(),
            vendor,
            MOVERS,
        ),
        rule("post", "/stock/{variant_id}/count", moved, vendor, MOVERS),
        rule(
            "post",
            "/stock/{variant_id}/return",
            json!({ "order_id": stage.order_id, "quantity": 1 }),
            vendor,
            MOVERS,
        ),
        rule(
            "put",
            "/stock/{variant_id}/low-stock-threshold",
            json!({ "threshold": 1 }),
            vendor,
            MOVERS,
        ),
        rule("get", "/orders/{id}", none(), order, ORDER_VIEWERS),
        rule("get", "/orders/{id}/tracking", none(), order, ORDER_VIEWERS),
        rule("get", "/orders/{id}/stream", none(), order, ORDER_VIEWERS),
        rule("post", "/orders/{id}/cancel", none(), order, CANCELLERS),
        rule(
            "post",
            "/orders/{id}/fulfilments/{vendor_id}/pack",
            none(),
            order,
            FULFILLERS,
        ),
        rule(
            "post",
            "/orders/{id}/fulfilments/{vendor_id}/ship",
            none(),
            order,
            FULFILLERS,
        ),
        rule(
            "post",
            "/orders/{id}/fulfilments/{vendor_id}/deliver",
            none(),
            order,
            FULFILLERS,
        ),
        rule("get", "/payments/{id}", none(), order, PAYMENT_VIEWERS),
        rule("post", "/payments/{id}/collect", none(), order, CASHIERS),
        rule(
            "get",
            "/payments/{id}/case-file",
            none(),
            order,
            CASE_READERS,
        ),
        rule(
            "post",
            "/payments",
            json!({ "order_id": stage.order_id, "provider": "cash_on_delivery" }),
            order,
            &[Buyer],
        ),
        rule(
            "post",
            "/payments/{id}/code",
            json!({ "code": "123456" }),
            order,
            &[Buyer],
        ),
        rule("post", "/payments/{id}/capture", none(), order, MANAGERS),
        rule("post", "/payments/{id}/void", none(), order, MANAGERS),
        rule(
            "post",
            "/payments/{id}/settle",
            reason.clone(),
            order,
            MANAGERS,
        ),
        rule(
            "get",
            "/stores/{id}/payment-accounts",
            none(),
            in_store,
            ACCOUNT_KEEPERS,
        ),
        rule(
            "put",
            "/stores/{id}/payment-accounts/{provider}",
            json!({
                "consumer_key": "ck", "consumer_secret": "cs", "short_code": "174379",
                "passkey": "pass",
            }),
            in_store,
            ACCOUNT_KEEPERS,
        ),
        rule(
            "delete",
            "/stores/{id}/payment-accounts/{provider}",
            none(),
            in_store,
            ACCOUNT_KEEPERS,
        ),
        rule(
            "post",
            "/stores/{id}/payment-accounts/mpesa/receipts",
            none(),
            in_store,
            ACCOUNT_KEEPERS,
        ),
        rule(
            "post",
            "/payments/{id}/refunds",
            json!({ "reason": "damaged" }),
            order,
            MANAGERS,
        ),
        rule(
            "post",
            "/stores/{id}/statements",
            none(),
            in_store,
            MANAGERS,
        )
        .with("provider=mpesa"),
        rule(
            "get",
            "/stores/{id}/statements",
            none(),
            in_store,
            STATEMENT_VIEWERS,
        ),
        rule(
            "get",
            "/statements/{id}",
            none(),
            in_store,
            STATEMENT_VIEWERS,
        ),
        rule(
            "get",
            "/statements/{id}/differences",
            none(),
            in_store,
            STATEMENT_VIEWERS,
        )
        .with("list=ours_only"),
        rule("get", "/reports/sales", none(), in_store, REPORT_READERS).with(&sales),
        rule("get", "/reports/payments", none(), in_store, REPORT_READERS).with(&of_store),
        rule(
            "get",
            "/reports/stuck-money",
            none(),
            in_store,
            STATEMENT_VIEWERS,
        )
        .with(&of_store),
        rule(
            "get",
            "/ledger/trial-balance",
            none(),
            in_store,
            REPORT_READERS,
        )
        .with(&of_store),
        rule("get", "/ledger/entries", none(), in_store, REPORT_READERS).with(&of_store),
        rule("get", "/projections", none(), Where::Platform, &[Admin]),
        rule("get", "/audit/events", none(), tenant, TENANT).with(&of_tenant),
        rule(
            "get",
            "/audit/streams/{type}/{id}",
            none(),
            in_store,
            AUDITORS,
        ),
        rule(
            "get",
            "/audit/streams/{type}/{id}/state",
            none(),
            in_store,
            AUDITORS,
        ),
        rule(
            "get",
            "/audit/streams/{type}/{id}/diff",
            none(),
            in_store,
            AUDITORS,
        )
        .with("from=0"),
    ];
    rules.extend(vendor_money(stage));
    rules.extend(rules_of_promotions(stage));
    rules
}

pub(super) fn rule(
    method: &'static str,
    path: &'static str,
    body: Value,
    place: Where,
    allowed: &'static [Who],
) -> Rule {
    Rule {
        method,
        path,
        query: String::new(),
        body,
        place,
        allowed,
    }
}

impl Rule {
    pub(super) fn with(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }
}
