//! A small market for one operation to be tried in, and a valid request to begin from.

use serde_json::{Value, json};
use soko_tests::{
    Contract, Market, Operation, Parameter, Person, RawRequest, STATEMENT, Soko, address, coupon,
    requested_payout, text,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

/// As many worlds as there were: names and keys differ, and are the same in each run.
static WORLDS: AtomicUsize = AtomicUsize::new(0);

/// Whoever sends a request more than once gives it another key each time, or all would get the
/// answer to the first.
pub(super) const VALID_KEY: &str = "valid-key";

const PASSWORD: &str = "a long enough password";

/// What is not required, but the operation does not go far without it.
const ALSO: [(&str, &str); 4] = [
    ("post_orders", "lines"),
    ("get_stock", "store"),
    ("put_vendors_id_payout_account", "name"),
    ("put_vendors_id_payout_account", "account"),
];

/// Who makes the worlds, and who has a part in them.
pub(super) struct People {
    pub(super) admin: Person,
    pub(super) colleague: Person,
}

#[derive(Clone)]
pub(super) struct World {
    number: usize,
    token: Option<String>,
    /// What exists, by the names that members and parameters have.
    known: BTreeMap<&'static str, Value>,
}

impl World {
    /// Of its own for each operation, so that what one does to it is no matter to the next.
    pub(super) async fn make(soko: &Soko, people: &People, operation: &Operation) -> Self {
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let mut world = Self {
            number,
            token: None,
            known: BTreeMap::new(),
        };
        world.know([
            ("phone", json!("+254712345678")),
            ("country", json!("KE")),
            ("currency", json!("KES")),
            ("time_zone", json!("Africa/Nairobi")),
            ("provider", json!("cash_on_delivery")),
            ("payment_methods", json!(["cash_on_delivery"])),
            ("web_origins", json!(["https://shop.example"])),
            ("slug", json!(format!("some-{number}"))),
            ("sku", json!(format!("SOME-{number}"))),
            ("images", json!(["https://soko.test/mug.png"])),
            ("options", json!({ "colour": "red" })),
            ("shipping_address", address()),
            ("from", json!("2026-01-01T00:00:00Z")),
            ("to", json!("2026-02-01T00:00:00Z")),
            ("file", json!("index.html")),
            ("/projections", json!("orders")),
            ("email", json!(people.colleague.email)),
        ]);
        if Self::is_about_oneself(operation) {
            world.be_somebody(soko, operation).await;
        } else {
            world.token = people.admin.token().map(str::to_owned);
            world.open_market(people.admin.clone()).await;
            world.promote(people.admin.clone()).await;
            if operation.path.contains("payout") {
                world.owe_vendor(people, operation).await;
            }
            world.hire(people, operation).await;
            if operation.path.ends_with("/cart/coupon") {
                let coupon = world.known["coupon"].clone();
                world.know([("code", coupon)]);
            }
        }
        world
    }

    /// Whether it is tried by somebody of its own, who registers and logs in for it.
    pub(super) fn is_about_oneself(operation: &Operation) -> bool {
        ["/auth/", "/v1/me", "/commands/", "/api-keys"]
            .iter()
            .any(|part| operation.path.contains(part))
    }

    /// The same, asked by somebody who is not logged in.
    pub(super) fn unknown(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// A request that is as it should be, as far as the document says.
    pub(super) fn request(&self, contract: &Contract, operation: &Operation) -> RawRequest {
        let target = target(operation, |parameter| self.value_of(operation, parameter));
        let mut request = RawRequest::new(&operation.method, target);
        if let Some(token) = &self.token {
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        if operation.method == "POST" {
            request = request.with_header("Idempotency-Key", VALID_KEY);
        }
        match self.body(contract, operation) {
            None => match &operation.file {
                None => request,
                Some(of_type) => request
                    .with_header("Content-Type", of_type.clone())
                    .with_body(STATEMENT),
            },
            Some(body) => request
                .with_header("Content-Type", "application/json")
                .with_body(body.to_string()),
        }
    }

    /// What a parameter of an operation should be.
    pub(super) fn value_of(&self, operation: &Operation, parameter: &Parameter) -> String {
        let known = match parameter.name.as_str() {
            // One of what the path is about.
            "id" | "name" => self.known.get(&*format!("/{}", part(operation))),
            name => self.known.get(name),
        };
        let schema = &parameter.schema;
        // One name may stand for other words elsewhere.
        let words = schema["enum"].as_array();
        let known = known.filter(|known| words.is_none_or(|words| words.contains(known)));
        let known = known.and_then(Value::as_str);
        match (known, schema["format"].as_str(), schema["type"].as_str()) {
            (Some(known), ..) => known.to_owned(),
            (None, Some("date"), _) => "2026-01-31".to_owned(),
            (None, Some("date-time"), _) => "2026-01-31T12:00:00Z".to_owned(),
            (None, _, Some("integer")) => "1".to_owned(),
            (None, _, Some("boolean")) => "true".to_owned(),
            (None, ..) => schema
                .pointer("/enum/0")
                .and_then(Value::as_str)
                .unwrap_or("some")
                .to_owned(),
        }
    }

    /// Ids of what is there, whatever it is.
    pub(super) fn ids(&self) -> Vec<String> {
        let ids = self.known.values().filter_map(Value::as_str);
        ids.filter(|id| Uuid::try_parse(id).is_ok())
            .map(str::to_owned)
            .collect()
    }

    /// The ids that differ from those of the same name in another world: its and the other's.
    pub(super) fn counterparts(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let id = |value: &Value| {
            let text = value.as_str().filter(|text| Uuid::try_parse(text).is_ok());
            text.map(str::to_owned)
        };
        let both = self.known.iter().filter_map(|(name, value)| {
            let (ours, theirs) = (id(value)?, id(other.known.get(name)?)?);
            (ours != theirs).then_some((*name, ours, theirs))
        });
        both.collect()
    }

    /// Whether its requests are this person's.
    pub(super) fn is_of(&self, person: &Person) -> bool {
        self.token.as_deref() == person.token()
    }

    /// A valid body, with what is required.
    pub(super) fn body(&self, contract: &Contract, operation: &Operation) -> Option<Value> {
        let schema = operation.body.as_ref()?;
        let known = |name: &str| self.known.get(name).cloned();
        let full = self.full_body(contract, operation)?;
        if schema["required"].is_null() {
            return Some(full);
        }
        let mut body = contract.example(schema, false, &known);
        for (name, value) in full.as_object().into_iter().flatten() {
            if is_wanted(operation, name) {
                body[name] = value.clone();
            }
        }
        Some(body)
    }

    /// A body with every member there is, valid or not as a whole.
    pub(super) fn full_body(&self, contract: &Contract, operation: &Operation) -> Option<Value> {
        let schema = operation.body.as_ref()?;
        let known = |name: &str| self.known.get(name).cloned();
        Some(contract.example(schema, true, &known))
    }

    fn know<const N: usize>(&mut self, what: [(&'static str, Value); N]) {
        self.known.extend(what);
    }

    /// Somebody new, with a second session and one command behind them.
    async fn be_somebody(&mut self, soko: &Soko, operation: &Operation) {
        let mut person = soko.person("somebody").await;
        let email = person.email.clone();
        person.log_in(&email, PASSWORD).await;
        let key = "some-key";
        let tenant = json!({ "name": "Maduka" });
        person
            .post_with_key("/tenants", key, tenant)
            .await
            .expect(201);
        let api_key = json!({ "name": "till", "permissions": ["view_stock"] });
        let api_key = person.post("/api-keys", api_key).await.expect(201);
        let sessions = person.get("/me/sessions").await.expect(200);
        let sessions = sessions["items"].as_array().unwrap();
        let other = sessions
            .iter()
            .find(|session| session["is_current"] == false);
        let own = if operation.path.contains("/addresses") {
            let added = person.post("/me/addresses", address()).await.expect(201);
            added["address_id"].clone()
        } else {
            other.unwrap()["session_id"].clone()
        };
        if let Some(token) = token_for(soko, &mut person, operation).await {
            self.know([("token", json!(token))]);
        }
        let email = if operation.path.ends_with("/register") {
            format!("new-{}@soko.test", self.number)
        } else {
            email
        };
        self.token = person.token().map(str::to_owned);
        self.know([
            ("email", json!(email)),
            ("password", json!(PASSWORD)),
            ("current_password", json!(PASSWORD)),
            ("new_password", json!("another password, as long")),
            ("refresh_token", json!(person.refresh_token)),
            ("/me", own),
            ("key", json!(key)),
            ("permissions", json!(["view_stock"])),
            ("expires_in_days", json!(30)),
            ("/api-keys", api_key["key_id"].clone()),
        ]);
    }

    /// Everything by one person, who may do it all.
    async fn open_market(&mut self, mut admin: Person) {
        let number = self.number;
        let tenant = admin
            .post("/tenants", json!({ "name": "Maduka" }))
            .await
            .expect(201);
        let store = json!({
            "tenant_id": tenant["tenant_id"], "slug": format!("store-{number}"), "name": "Soko",
            "currency": "KES", "country": "KE", "time_zone": "Africa/Nairobi",
            "prices_include_tax": true, "tax_rate_bps": 1600,
            "payment_methods": ["cash_on_delivery"], "commission_bps": 1000,
        });
        let store = admin.post("/stores", store).await.expect(201);
        let store_id = text(&store["store_id"]);
        let vendor = json!({
            "store_id": store_id, "name": "Mama Mboga", "email": "mama@soko.test",
            "phone": "+254712345678", "country": "KE",
        });
        let vendor = admin.post("/vendors/register", vendor).await.expect(201);
        let vendor_id = text(&vendor["vendor_id"]);
        admin
            .post(&format!("/vendors/{vendor_id}/approve"), json!({}))
            .await
            .ok();
        let product = json!({
            "store_id": store_id, "vendor_id": vendor_id, "name": "Mug",
            "variants": [{
                "sku": format!("MUG-{number}"), "name": "Mug",
                "price": { "amount": 500, "currency": "KES" },
            }],
        });
        let product = admin.post("/products", product).await.expect(201);
        let product_id = text(&product["product_id"]);
        let variant_id = text(&product["variant_ids"][0]);
        admin
            .post(&format!("/products/{product_id}/publish"), json!({}))
            .await
            .ok();
        let delivery = json!({ "quantity": 100_000, "reason": "delivery" });
        admin
            .post(&format!("/stock/{variant_id}/receive"), delivery)
            .await
            .ok();
        let category = json!({ "store_id": store_id, "name": "Kitchen" });
        let category = admin.post("/categories", category).await.expect(201);
        let order = json!({
            "store_id": store_id, "lines": [{ "variant_id": variant_id, "quantity": 1 }],
            "shipping_address": address(), "payment": { "provider": "cash_on_delivery" },
        });
        let order = admin.post("/orders", order).await.expect(201);
        let statements = format!("/stores/{store_id}/statements?provider=mpesa");
        let statement = admin.upload(&statements, STATEMENT).await.expect(201);
        let item = json!({ "store_id": store_id, "variant_id": variant_id, "quantity": 1 });
        admin.post("/cart/items", item).await.ok();
        let seen_as = [
            ("products", &product["product_id"]),
            ("categories", &category["category_id"]),
            ("stock", &product["variant_ids"][0]),
            ("orders", &order["order_id"]),
            ("payments", &order["payment"]["payment_id"]),
            ("vendors", &vendor["vendor_id"]),
            ("statements", &statement["statement_id"]),
        ];
        for (part, id) in seen_as {
            admin
                .get(&format!("/{part}/{}", text(id)))
                .await
                .expect(200);
        }
        self.know([
            ("tenant_id", tenant["tenant_id"].clone()),
            ("/tenants", tenant["tenant_id"].clone()),
            ("store_id", json!(store_id)),
            ("/stores", json!(store_id)),
            ("store", json!(store_id)),
            ("location_id", store["main_location_id"].clone()),
            ("vendor_id", json!(vendor_id)),
            ("/vendors", json!(vendor_id)),
            ("product_id", json!(product_id)),
            ("/products", json!(product_id)),
            ("product", json!(product_id)),
            ("variant_id", json!(variant_id)),
            ("/variants", json!(variant_id)),
            ("category_ids", json!([category["category_id"]])),
            ("/categories", category["category_id"].clone()),
            // Of its store there is no other.
            ("parent_id", Value::Null),
            ("order_id", order["order_id"].clone()),
            ("/orders", order["order_id"].clone()),
            ("/audit", order["order_id"].clone()),
            ("type", json!("order")),
            ("/payments", order["payment"]["payment_id"].clone()),
            ("/statements", statement["statement_id"].clone()),
            (
                "lines",
                json!([{ "variant_id": variant_id, "quantity": 1 }]),
            ),
        ]);
    }

    async fn promote(&mut self, mut admin: Person) {
        let code = format!("CODE-{}", self.number);
        let promotion = coupon(&text(&self.known["/stores"]), &code);
        let promotion = admin.post("/promotions", promotion).await.expect(201);
        self.know([
            ("/promotions", promotion["promotion_id"].clone()),
            ("coupon", json!(code)),
            ("discount", json!({ "type": "percentage", "bps": 500 })),
            ("starts_at", json!("2026-01-01T00:00:00Z")),
            ("ends_at", json!("2126-01-01T00:00:00Z")),
            ("uses_max", json!(1_000_000)),
            ("uses_per_customer", json!(1)),
        ]);
    }

    /// Something dear is sold, and some of it asked for: by the colleague, for nobody approves what
    /// they have asked for.
    async fn owe_vendor(&mut self, people: &People, operation: &Operation) {
        let id = |name: &str| text(&self.known[name]);
        let (mut admin, mut colleague) = (people.admin.clone(), people.colleague.clone());
        let members = format!("/tenants/{}/members", id("/tenants"));
        let member = json!({ "email": colleague.email, "role": "admin" });
        admin.post(&members, member).await.ok();
        let mut market = Market {
            tenant_id: id("/tenants"),
            store_id: id("/stores"),
            vendor_id: id("/vendors"),
            owner: admin.clone(),
            vendor: colleague.clone(),
        };
        let vendor_id = market.vendor_id.clone();
        let payout_id = requested_payout(&mut market, &mut colleague, &vendor_id, &admin).await;
        self.know([("/payouts", json!(payout_id)), ("account", json!("KCB 1"))]);
        if operation.id == "post_vendors_id_payouts" {
            let amount = json!({ "amount": 20_000, "currency": "KES" });
            self.know([("amount", amount)]);
        }
    }

    /// The colleague, where the operation is about one.
    async fn hire(&mut self, people: &People, operation: &Operation) {
        let (mut admin, colleague) = (people.admin.clone(), &people.colleague);
        let id_of = |part: &str| {
            self.known[&*format!("/{part}")]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let part = part(operation);
        if operation.path.contains("invitation") || operation.path.contains("vendors/{id}/members/")
        {
            let path = format!("/vendors/{}/members", id_of("vendors"));
            let invitation = json!({ "email": colleague.email, "role": "viewer" });
            let invited = admin.post(&path, invitation).await.expect(201);
            let token = text(&invited["token"]);
            if operation.path.ends_with("{account_id}") {
                let accept = format!("/invitations/{token}/accept");
                colleague.clone().post(&accept, json!({})).await.ok();
            }
            if operation.path.ends_with("/accept") {
                self.token = colleague.token().map(str::to_owned);
            }
            self.know([
                ("token", json!(token)),
                ("invitation_id", invited["invitation_id"].clone()),
            ]);
        } else if operation.path.ends_with("/members/{account_id}") {
            let role = if part == "stores" { "staff" } else { "admin" };
            let member = json!({ "email": colleague.email, "role": role });
            let path = format!("/{part}/{}/members", id_of(part));
            admin.post(&path, member).await.ok();
        }
        self.know([("account_id", json!(colleague.account_id))]);
    }
}

/// What was sent to somebody whom the operation asks for it.
async fn token_for(soko: &Soko, person: &mut Person, operation: &Operation) -> Option<String> {
    let email = person.email.clone();
    let words = if operation.path.ends_with("/auth/verify-email") {
        "confirm your e-mail"
    } else if operation.path.ends_with("/auth/password/reset") {
        let forgot = json!({ "email": email });
        person
            .post("/auth/password/forgot", forgot)
            .await
            .expect(202);
        "Set another password"
    } else {
        return None;
    };
    Some(soko.letter(&email, words, 1).await.token())
}

/// What an operation is about: the first word of its path.
fn part(operation: &Operation) -> &str {
    operation.path.split('/').nth(3).unwrap_or_default()
}

fn is_wanted(operation: &Operation, name: &str) -> bool {
    ALSO.contains(&(operation.id.as_str(), name))
}

/// The operation's path and query, with these values.
pub(super) fn target(
    operation: &Operation,
    mut value_of: impl FnMut(&Parameter) -> String,
) -> String {
    let mut target = operation.path.clone();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let value = value_of(parameter);
        let name = &parameter.name;
        match parameter.place.as_str() {
            "path" => {
                let parts = target.split_once(&format!("{{{name}"));
                let (before, after) = parts.expect("the path has its parameters");
                let (_, after) = after.split_once('}').unwrap();
                target = format!("{before}{value}{after}");
            }
            "query" if parameter.is_required || is_wanted(operation, name) => {
                query.push(format!("{name}={value}"));
            }
            _ => (),
        }
    }
    if query.is_empty() {
        target
    } else {
        format!("{target}?{}", query.join("&"))
    }
}
