//! Every role on every route: outside its scope there is nothing (404), inside without the
//! permission it is told so (403), and nobody ever gets to see a defect of ours.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Market, Person, Product, Soko, send, text};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Who asks. `Rival` owns another business; `Buyer` placed the order that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
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
    Finance,
    Viewer,
    Buyer,
    Rival,
    Guest,
}

use Who::{
    Admin, Analyst, Auditor, Buyer, Catalog, Finance, Fulfilment, Guest, Manager, Rival, Staff,
    TenantAdmin, TenantOwner, VendorManager, VendorOwner, Viewer,
};

/// Where the thing lies that a route is about: who has any standing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Platform,
    Tenant,
    Store,
    Vendor,
    /// An order and its payment: also their buyer's.
    Order,
}

const TENANT: &[Who] = &[Admin, TenantOwner, TenantAdmin];
const MANAGERS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Manager];
const STORE: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Analyst,
];
const SELLERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    VendorOwner,
    VendorManager,
    Catalog,
];
const MOVERS: &[Who] = &[
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
const STOCK_VIEWERS: &[Who] = &[
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
const VENDOR_VIEWERS: &[Who] = &[
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
const DRAFT_VIEWERS: &[Who] = &[
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
const ORDER_VIEWERS: &[Who] = &[
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
const CANCELLERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    VendorOwner,
    VendorManager,
    Buyer,
];
const FULFILLERS: &[Who] = &[
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
const CASHIERS: &[Who] = FULFILLERS;
const PAYMENT_VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Buyer,
];
const AUDITORS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Auditor];
const REPORT_READERS: &[Who] = &[Admin, TenantOwner, TenantAdmin, Manager, Auditor, Analyst];

/// A route, what is sent to it, where its thing lies, and who may.
struct Rule {
    method: &'static str,
    /// As the document has it, below `/api/v1`.
    path: &'static str,
    query: String,
    body: Value,
    place: Where,
    allowed: &'static [Who],
}

/// What people do for themselves, which no role in a business has a part in.
const OWN: &[(&str, &str)] = &[
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
    ("post", "/orders"),
    ("get", "/orders"),
];

/// What lies below something else, of which there is none: even who may finds nothing.
const BELOW: &[(&str, &str)] = &[
    ("patch", "/stores/{id}/locations/{location_id}"),
    ("patch", "/stores/{id}/members/{account_id}"),
    ("delete", "/stores/{id}/members/{account_id}"),
    ("patch", "/vendors/{id}/members/{account_id}"),
    ("delete", "/vendors/{id}/members/{account_id}"),
    ("delete", "/vendors/{id}/invitations/{invitation_id}"),
    ("post", "/projections/{name}/rebuild"),
];

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let soko = Soko::start().await;
    let stage = Stage::set(&soko).await;
    let rules = rules(&stage);
    let mut wrong = Vec::new();
    for rule in &rules {
        for (who, person) in &stage.people {
            let answer = stage.ask(person, rule).await;
            let expected = expectation(rule, *who);
            let is_right = match expected {
                Expected::Allowed => ![401, 403, 404].contains(&answer.status),
                Expected::Status(statuses) => statuses.contains(&answer.status),
            };
            if !is_right || answer.status >= 500 {
                wrong.push(format!(
                    "{who:?} {} {}: {} for {expected:?}: {}",
                    rule.method, rule.path, answer.status, answer.text
                ));
            }
        }
    }
    for (method, path) in BELOW {
        for (who, person) in &stage.people {
            let answer = stage
                .ask(person, &rule(method, path, json!({}), Where::Store, &[]))
                .await;
            let is_right = [401, 403, 404, 422].contains(&answer.status);
            if !is_right {
                wrong.push(format!(
                    "{who:?} {method} {path}: {}: {}",
                    answer.status, answer.text
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn no_route_is_missing_in_the_table() {
    let soko = Soko::start().await;
    let stage = Stage::set(&soko).await;
    let known: BTreeSet<(String, String)> = rules(&stage)
        .iter()
        .map(|rule| (rule.method.to_owned(), rule.path.to_owned()))
        .chain(
            OWN.iter()
                .chain(BELOW)
                .map(|(m, path)| ((*m).to_owned(), (*path).to_owned())),
        )
        .collect();
    let document = send(soko.guest().request(Method::GET, "//openapi.json"))
        .await
        .expect(200);
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] != json!([]) {
                let path = path.strip_prefix("/api/v1").unwrap_or(path);
                found.insert((method.clone(), path.to_owned()));
            }
        }
    }
    let missing: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing: {missing:?}, gone: {gone:?}"
    );
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Whatever comes of it, it is not refused for who asks.
    Allowed,
    Status(&'static [u16]),
}

#[expect(
    clippy::match_same_arms,
    reason = "in the order in which they are asked"
)]
fn expectation(rule: &Rule, who: Who) -> Expected {
    let has_standing = match (rule.place, who) {
        (_, Guest | Rival) => false,
        (Where::Order, Buyer) | (_, Admin) => true,
        (Where::Platform, _) | (_, Buyer) => false,
        (Where::Tenant, who) => TENANT.contains(&who),
        (Where::Store, who) => STORE.contains(&who),
        (Where::Vendor | Where::Order, _) => true,
    };
    match who {
        _ if rule.allowed.contains(&who) => Expected::Allowed,
        _ if has_standing => Expected::Status(&[403]),
        // A guest who might have a token is not told that there is anything.
        Guest => Expected::Status(&[401, 404]),
        // Who is nobody at the platform is told so, or nothing.
        _ if rule.place == Where::Platform => Expected::Status(&[403, 404]),
        _ => Expected::Status(&[404]),
    }
}

/// A market with one of everything, and somebody in each role.
struct Stage {
    market: Market,
    product: Product,
    order_id: String,
    payment_id: String,
    category_id: String,
    people: Vec<(Who, Person)>,
}

impl Stage {
    async fn set(soko: &Soko) -> Self {
        let mut market = Market::open(soko).await;
        let product = market.product("Mug", 500, 10).await;
        let mut buyer = soko.person("buyer").await;
        let order = market.order_of(&[(&product, 1)]);
        let placed = buyer.post("/orders", order).await.expect(201);
        let mut owner = market.owner.clone();
        let category = json!({ "store_id": market.store_id, "name": "Kitchen" });
        let category = owner.post("/categories", category).await.expect(201);
        let mut people = vec![
            (Admin, soko.admin().await),
            (TenantOwner, owner.clone()),
            (VendorOwner, market.vendor.clone()),
            (Buyer, buyer.clone()),
            (Rival, Market::open(soko).await.owner),
            (Guest, soko.guest()),
        ];
        let tenant = format!("/tenants/{}/members", market.tenant_id);
        let store = format!("/stores/{}/members", market.store_id);
        for (who, members, role) in [
            (TenantAdmin, &tenant, "admin"),
            (Manager, &store, "manager"),
            (Staff, &store, "staff"),
            (Auditor, &store, "auditor"),
            (Analyst, &store, "analyst"),
        ] {
            let person = soko.person(role).await;
            let body = json!({ "email": person.email, "role": role });
            owner.post(members, body).await.ok();
            people.push((who, person));
        }
        let mut vendor = market.vendor.clone();
        for (who, role) in [
            (VendorManager, "manager"),
            (Catalog, "catalog"),
            (Fulfilment, "fulfilment"),
            (Finance, "finance"),
            (Viewer, "viewer"),
        ] {
            let mut person = soko.person(role).await;
            let body = json!({ "email": person.email, "role": role });
            let members = format!("/vendors/{}/members", market.vendor_id);
            let token = text(&vendor.post(&members, body).await.expect(201)["token"]);
            person
                .post(&format!("/invitations/{token}/accept"), json!({}))
                .await
                .ok();
            people.push((who, person));
        }
        let buyer = buyer.after(&vendor);
        for (_, person) in &mut people {
            *person = person.after(&buyer);
        }
        Self {
            market,
            product,
            order_id: text(&placed["order_id"]),
            payment_id: text(&placed["payment"]["payment_id"]),
            category_id: text(&category["category_id"]),
            people,
        }
    }

    /// Commands are tried only: everybody finds the same.
    async fn ask(&self, person: &Person, rule: &Rule) -> soko_tests::Answer {
        let id = match rule.path.split('/').nth(1).unwrap() {
            "tenants" => &self.market.tenant_id,
            "stores" => &self.market.store_id,
            "vendors" => &self.market.vendor_id,
            "products" => &self.product.product_id,
            "variants" => &self.product.variant_id,
            "orders" => &self.order_id,
            "payments" => &self.payment_id,
            _ => &self.category_id,
        };
        let nobody = Uuid::nil().to_string();
        let path = rule
            .path
            .replace("{id}", id)
            .replace("{variant_id}", &self.product.variant_id)
            .replace("{vendor_id}", &self.market.vendor_id)
            .replace("{product_id}", &self.product.product_id)
            .replace("{account_id}", &self.account_of_nobody())
            .replace("{location_id}", &nobody)
            .replace("{invitation_id}", &nobody)
            .replace("{type}", "category")
            .replace("{name}", "nonsense");
        if rule.method == "get" {
            // Event streams do not end by themselves.
            let path = if rule.query.is_empty() {
                path
            } else {
                format!("{path}?{}", rule.query)
            };
            return if path.ends_with("/stream") {
                head_of(person, &path).await
            } else {
                person.get(&path).await
            };
        }
        let method: Method = rule.method.to_uppercase().parse().unwrap();
        let request = person.request(method, &format!("{path}?dry_run=true"));
        let key = Uuid::new_v4().to_string();
        send(request.header("Idempotency-Key", key).json(&rule.body)).await
    }

    /// Of somebody who is in no team but the tenant's.
    fn account_of_nobody(&self) -> String {
        self.market.owner.account_id.clone().unwrap()
    }
}

async fn head_of(person: &Person, path: &str) -> soko_tests::Answer {
    let response = person.request(Method::GET, path).send().await.unwrap();
    soko_tests::Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: Value::Null,
        text: String::new(),
    }
}

#[expect(clippy::too_many_lines, reason = "a table, to be read as one")]
fn rules(stage: &Stage) -> Vec<Rule> {
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
    let stock = format!("store={}", market.store_id);
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
    vec![
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
        rule("post", "/vendors/{id}/suspend", reason, vendor, MANAGERS),
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
        rule("get", "/stock", none(), in_store, stock_of_store).with(&stock),
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
            "post",
            "/payments/{id}/refunds",
            json!({ "reason": "damaged" }),
            order,
            MANAGERS,
        ),
        rule("get", "/reports/sales", none(), in_store, REPORT_READERS).with(&sales),
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
    ]
}

fn rule(
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
    fn with(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }
}
