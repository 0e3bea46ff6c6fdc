//! A market with somebody in each role, who ask.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Market, Person, Product, STATEMENT, Soko, coupon, requested_payout, send, text};
use uuid::Uuid;

use super::Who::{self, *};
use super::rules::Rule;

/// A market with one of everything, and somebody in each role.
pub(super) struct Stage {
    pub(super) market: Market,
    pub(super) product: Product,
    pub(super) order_id: String,
    pub(super) payment_id: String,
    pub(super) category_id: String,
    pub(super) statement_id: String,
    pub(super) payout_id: String,
    pub(super) promotion_id: String,
    pub(super) people: Vec<(Who, Person)>,
}

impl Stage {
    pub(super) async fn set(soko: &Soko) -> Self {
        let mut market = Market::open(soko).await;
        let product = market.product("Mug", 500, 10).await;
        let mut buyer = soko.person("buyer").await;
        let order = market.order_of(&[(&product, 1)]);
        let placed = buyer.post("/orders", order).await.expect(201);
        let (mut seller, vendor_id) = (market.vendor.clone(), market.vendor_id.clone());
        let payout_id = requested_payout(&mut market, &mut seller, &vendor_id, &buyer).await;
        let buyer = buyer.after(&seller);
        let mut owner = market.owner.clone();
        let category = json!({ "store_id": market.store_id, "name": "Kitchen" });
        let category = owner.post("/categories", category).await.expect(201);
        let statements = format!("/stores/{}/statements?provider=mpesa", market.store_id);
        let statement = owner.upload(&statements, STATEMENT).await.expect(201);
        let mut promotion = coupon(&market.store_id, "KARIBU");
        promotion["vendor_id"] = json!(market.vendor_id);
        let promotion = owner.post("/promotions", promotion).await.expect(201);
        let buyer = buyer.after(&owner);
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
            statement_id: text(&statement["statement_id"]),
            payout_id,
            promotion_id: text(&promotion["promotion_id"]),
            people,
        }
    }

    /// Commands are tried only: everybody finds the same.
    pub(super) async fn ask(&self, person: &Person, rule: &Rule) -> soko_tests::Answer {
        let id = match rule.path.split('/').nth(1).unwrap() {
            "tenants" => &self.market.tenant_id,
            "stores" => &self.market.store_id,
            "vendors" => &self.market.vendor_id,
            "products" => &self.product.product_id,
            "variants" => &self.product.variant_id,
            "orders" => &self.order_id,
            "payments" => &self.payment_id,
            "payouts" => &self.payout_id,
            "statements" => &self.statement_id,
            "promotions" => &self.promotion_id,
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
            .replace("{provider}", "mpesa")
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
        let mark = if rule.query.is_empty() { "" } else { "&" };
        let path = format!("{path}?dry_run=true{mark}{}", rule.query);
        let request = person.request(method, &path);
        let key = Uuid::new_v4().to_string();
        send(request.header("Idempotency-Key", key).json(&rule.body)).await
    }

    /// Of somebody who is in no team but the tenant's.
    pub(super) fn account_of_nobody(&self) -> String {
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
