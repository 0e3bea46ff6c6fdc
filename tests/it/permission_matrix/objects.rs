//! What is asked for: one's own, a neighbour's in the same store, another business's, and what
//! never was.

use super::Cell;
use super::callers::Caller;
use serde_json::{Value, json};
use soko_tests::{
    Contract, Market, Operation, Person, STATEMENT, Soko, address, coupon, requested_payout, text,
};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    Own,
    /// Of another vendor in the same store.
    Neighbours,
    OtherTenants,
    Never,
}

/// Where a thing lies, and so who has any standing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Platform,
    Tenant,
    Store,
    Vendor,
    /// An order and its payment: also their buyer's.
    Order,
}

/// What is asked for at another place than the scope of its permission says: lists and reports
/// name theirs in the query.
const ELSEWHERE: &[(&str, Place)] = &[
    ("get_stock", Place::Store),
    ("get_reports_sales", Place::Store),
    ("get_ledger_trial_balance", Place::Store),
    ("get_ledger_entries", Place::Store),
    ("get_audit_events", Place::Tenant),
    ("get_promotions", Place::Store),
    // Without a vendor.
    ("post_promotions", Place::Store),
];

/// What lies below something else, of which there is none here: nobody finds it.
const BELOW: &[&str] = &[
    "{location_id}",
    "{invitation_id}",
    "{account_id}",
    "{name}",
    "{message_id}",
];

impl Place {
    /// `None` for what is public, what people do for themselves, and what lies below something
    /// that is not there.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let scope = operation.scope.as_deref()?;
        if BELOW.iter().any(|part| operation.path.contains(part)) {
            return None;
        }
        if let Some((_, place)) = ELSEWHERE.iter().find(|(id, _)| *id == operation.id) {
            return Some(*place);
        }
        let names_one = operation.path.contains("{id}");
        match scope {
            _ if names_one && operation.path.contains("/orders/") => Some(Self::Order),
            _ if names_one && operation.path.contains("/payments/") => Some(Self::Order),
            "platform" => Some(Self::Platform),
            "tenant" => Some(Self::Tenant),
            "store" => Some(Self::Store),
            "vendor" => Some(Self::Vendor),
            _ => None,
        }
    }

    /// A vendor's neighbour has the same store and the same tenant.
    pub(super) fn objects(self) -> &'static [Object] {
        use Object::{Neighbours, Never, OtherTenants, Own};
        match self {
            Self::Platform => &[Own],
            Self::Tenant | Self::Store => &[Own, OtherTenants, Never],
            Self::Vendor | Self::Order => &[Own, Neighbours, OtherTenants, Never],
        }
    }
}

type Ids = BTreeMap<&'static str, String>;

pub(super) struct Objects {
    own: Ids,
    neighbours: Ids,
    other_tenants: Ids,
    pub(super) tenant_owner: Person,
    pub(super) vendor_owner: Person,
    pub(super) neighbour: Person,
    pub(super) other_owner: Person,
    pub(super) buyer: Person,
    /// What opens the order of a guest, and that order.
    pub(super) guest: (Person, Ids),
}

impl Objects {
    pub(super) async fn make(soko: &Soko) -> Self {
        let mut market = Market::open(soko).await;
        let mut buyer = soko.person("buyer").await;
        let (neighbour, neighbour_id) =
            Market::add_vendor(soko, &mut market.owner, &market.store_id, "Baba Mboga").await;
        let own = ids(&mut market, None, &mut buyer).await;
        let mut stranger = soko.person("stranger").await;
        let next_door = Some((neighbour.clone(), neighbour_id));
        let neighbours = ids(&mut market, next_door, &mut stranger).await;
        let mut other = Market::open(soko).await;
        let other_tenants = ids(&mut other, None, &mut stranger).await;
        let mut guest = soko.guest();
        let lines = json!([{ "variant_id": own["variant"], "quantity": 1 }]);
        let mut body = order_of(&market, &lines);
        body["email"] = json!("guest@soko.test");
        let placed = guest.post("/orders", body).await.expect(201);
        let opened = guest.with_header("X-Order-Token", placed["guest_token"].as_str().unwrap());
        let mut of_guest = own.clone();
        of_guest.insert("order", text(&placed["order_id"]));
        of_guest.insert("payment", text(&placed["payment"]["payment_id"]));
        Self {
            own,
            neighbours,
            other_tenants,
            tenant_owner: market.owner,
            vendor_owner: market.vendor,
            neighbour,
            other_owner: other.owner,
            buyer,
            guest: (opened, of_guest),
        }
    }

    pub(super) fn id(&self, name: &str) -> &str {
        &self.own[name]
    }

    pub(super) fn request(
        &self,
        contract: &Contract,
        operation: &Operation,
        caller: &Caller,
        object: Object,
    ) -> Cell {
        let never: Ids;
        let ids = match object {
            Object::Own if caller.has_order_token => &self.guest.1,
            Object::Own => &self.own,
            Object::Neighbours => &self.neighbours,
            Object::OtherTenants => &self.other_tenants,
            Object::Never => {
                let some = self
                    .own
                    .keys()
                    .map(|name| (*name, Uuid::now_v7().to_string()));
                never = some.collect();
                &never
            }
        };
        let path = operation.path.strip_prefix("/api/v1").unwrap();
        let mut target = path.to_owned();
        let mut query = Vec::new();
        for parameter in &operation.parameters {
            let value = value_of(path, &parameter.name, ids);
            match (parameter.place.as_str(), value) {
                ("path", Some(value)) => {
                    target = target.replace(&format!("{{{}}}", parameter.name), &value);
                }
                ("query", Some(value)) => query.push(format!("{}={value}", parameter.name)),
                _ => (),
            }
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let known = |name: &str| member_of(path, name, ids);
        Cell {
            person: caller.person.clone(),
            method: operation.method.parse().unwrap(),
            target,
            body: operation
                .body
                .as_ref()
                .map(|schema| body_of(contract, schema, &known)),
        }
    }
}

/// With what is required, or with one member where nothing is.
fn body_of(contract: &Contract, schema: &Value, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    let body = contract.example(schema, false, known);
    if body.as_object().is_some_and(serde_json::Map::is_empty) {
        let full = contract.example(schema, true, known);
        let first = full.as_object().and_then(|full| full.iter().next());
        return first.map_or(body, |(name, value)| json!({ name: value }));
    }
    body
}

fn value_of(path: &str, name: &str, ids: &Ids) -> Option<String> {
    let part = path.split('/').nth(1).unwrap_or_default();
    let known = match (name, part) {
        ("id", "tenants") | ("tenant", _) => "tenant",
        ("id", "stores")
        | ("store", "stock" | "reports" | "ledger" | "cart" | "payouts" | "promotions") => "store",
        ("id", "vendors") | ("vendor_id", _) => "vendor",
        ("id", "products") | ("product_id", _) => "product",
        ("id", "variants") | ("variant_id", _) => "variant",
        ("id", "orders") => "order",
        ("id", "payments") => "payment",
        ("id", "payouts") => "payout",
        ("id", "statements") => "statement",
        ("id", "promotions") => "promotion",
        ("refund_id", "payments") => return Some(Uuid::now_v7().to_string()),
        ("provider", "stores") => return Some("mpesa".to_owned()),
        ("list", "statements") => return Some("ours_only".to_owned()),
        ("id", _) => "category",
        ("type", _) => return Some("category".to_owned()),
        ("from", "reports") => return Some("2026-01-01T00:00:00Z".to_owned()),
        ("to", "reports") => return Some("2026-02-01T00:00:00Z".to_owned()),
        ("from", "audit") => return Some("0".to_owned()),
        _ => return None,
    };
    ids.get(known).cloned()
}

fn member_of(path: &str, name: &str, ids: &Ids) -> Option<Value> {
    let id = |name: &str| Some(json!(ids[name]));
    match name {
        "tenant_id" => id("tenant"),
        "store_id" => id("store"),
        "vendor_id" => id("vendor"),
        "variant_id" => id("variant"),
        "order_id" => id("order"),
        "category_ids" | "images" => Some(json!([])),
        "parent_id" => Some(Value::Null),
        "email" => Some(json!("somebody@soko.test")),
        "phone" => Some(json!("+254712345678")),
        "country" => Some(json!("KE")),
        "currency" => Some(json!("KES")),
        "time_zone" => Some(json!("Africa/Nairobi")),
        "provider" => Some(json!("cash_on_delivery")),
        "payment_methods" => Some(json!(["cash_on_delivery"])),
        "slug" => Some(json!(format!("some-{}", Uuid::new_v4().simple()))),
        "sku" => Some(json!("SOME-1")),
        "options" => Some(json!({})),
        "role" if path.starts_with("/tenants") => Some(json!("admin")),
        "role" if path.starts_with("/stores") => Some(json!("staff")),
        "role" => Some(json!("viewer")),
        _ => None,
    }
}

/// One of everything, of the market's own vendor or of another one.
async fn ids(market: &mut Market, vendor: Option<(Person, String)>, buyer: &mut Person) -> Ids {
    let (mut vendor, vendor_id) =
        vendor.unwrap_or_else(|| (market.vendor.clone(), market.vendor_id.clone()));
    let product = market
        .product_of(&mut vendor, &vendor_id, "Mug", 500, 10)
        .await;
    let category = json!({ "store_id": market.store_id, "name": format!("Of {vendor_id}") });
    let category = market.owner.post("/categories", category).await.expect(201);
    let mut promotion = coupon(&market.store_id, &format!("OF-{}", &vendor_id[28..]));
    promotion["vendor_id"] = json!(vendor_id);
    let promotion = vendor.post("/promotions", promotion).await.expect(201);
    let lines = json!([{ "variant_id": product.variant_id, "quantity": 1 }]);
    *buyer = buyer.after(&vendor);
    let order = buyer
        .post("/orders", order_of(market, &lines))
        .await
        .expect(201);
    let order_id = text(&order["order_id"]);
    // The read model has seen it, so nobody has to wait for it.
    buyer
        .get(&format!("/orders/{order_id}/tracking"))
        .await
        .expect(200);
    let payment_id = text(&order["payment"]["payment_id"]);
    buyer
        .get(&format!("/payments/{payment_id}"))
        .await
        .expect(200);
    vendor
        .get(&format!("/stock/{}", product.variant_id))
        .await
        .expect(200);
    let payout_id = requested_payout(market, &mut vendor, &vendor_id, buyer).await;
    let statements = format!("/stores/{}/statements?provider=mpesa", market.store_id);
    let statement = market.owner.upload(&statements, STATEMENT).await;
    let statement_id = text(&statement.expect(201)["statement_id"]);
    market
        .owner
        .get(&format!("/statements/{statement_id}"))
        .await
        .expect(200);
    let drafts = format!("/vendors/{vendor_id}/products/{}", product.product_id);
    vendor.get(&drafts).await.expect(200);
    BTreeMap::from([
        ("tenant", market.tenant_id.clone()),
        ("store", market.store_id.clone()),
        ("vendor", vendor_id),
        ("product", product.product_id),
        ("variant", product.variant_id),
        ("category", text(&category["category_id"])),
        ("order", order_id),
        ("payment", payment_id),
        ("statement", statement_id),
        ("payout", payout_id),
        ("promotion", text(&promotion["promotion_id"])),
    ])
}

fn order_of(market: &Market, lines: &Value) -> Value {
    json!({
        "store_id": market.store_id, "lines": lines, "shipping_address": address(),
        "payment": { "provider": "cash_on_delivery" },
    })
}
