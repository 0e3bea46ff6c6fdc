//! A small market, ready to sell: a tenant, its store, one approved vendor.

use crate::{Person, Soko};
use serde_json::{Value, json};
use uuid::Uuid;

pub struct Market {
    pub tenant_id: String,
    pub store_id: String,
    pub vendor_id: String,
    /// Owns the tenant, and so runs the store.
    pub owner: Person,
    /// Owns the vendor.
    pub vendor: Person,
}

/// A published product with one variant.
#[derive(Debug, Clone)]
pub struct Product {
    pub product_id: String,
    pub variant_id: String,
    pub sku: String,
}

/// A statement of M-Pesa's, as short as one can be.
pub const STATEMENT: &str = "\
Receipt No.,Completion Time,Transaction Status,Paid In,Withdrawn,Reason Type
SKR1AAAAAA,2026-01-15 12:30:00,Completed,10.00,,Pay Bill
";

impl Market {
    /// Prices in KES, 16 % tax included.
    pub async fn open(soko: &Soko) -> Self {
        Self::open_with(soko, json!({})).await
    }

    /// As [`Market::open`], with other fields of the store.
    pub async fn open_with(soko: &Soko, store: Value) -> Self {
        let mut owner = soko.person("owner").await;
        let tenant = owner
            .post("/tenants", json!({ "name": "Maduka" }))
            .await
            .expect(201);
        let tenant_id = text(&tenant["tenant_id"]);
        let mut body = json!({
            "tenant_id": tenant_id,
            "slug": format!("store-{}", &Uuid::new_v4().simple().to_string()[..12]),
            "name": "Soko la Nairobi",
            "currency": "KES",
            "country": "KE",
            "time_zone": "Africa/Nairobi",
            "prices_include_tax": true,
            "tax_rate_bps": 1600,
            "payment_methods": ["cash_on_delivery"],
            "commission_bps": 1000,
        });
        for (field, value) in store.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let store = owner.post("/stores", body).await.expect(201);
        let store_id = text(&store["store_id"]);
        let (vendor, vendor_id) = Self::add_vendor(soko, &mut owner, &store_id, "Mama Mboga").await;
        Self {
            tenant_id,
            store_id,
            vendor_id,
            owner,
            vendor,
        }
    }

    /// Another vendor, approved.
    pub async fn add_vendor(
        soko: &Soko,
        owner: &mut Person,
        store_id: &str,
        name: &str,
    ) -> (Person, String) {
        let mut vendor = soko.person("vendor").await;
        let body = json!({
            "store_id": store_id,
            "name": name,
            "email": vendor.email,
            "phone": "+254712345678",
            "country": "KE",
        });
        let registered = vendor.post("/vendors/register", body).await.expect(201);
        let vendor_id = text(&registered["vendor_id"]);
        let approved = owner
            .post(&format!("/vendors/{vendor_id}/approve"), json!({}))
            .await;
        assert!((200..300).contains(&approved.status), "{}", approved.text);
        (vendor, vendor_id)
    }

    /// A published product with one variant and so many of it in stock.
    pub async fn product(&mut self, name: &str, price: i64, stock: u32) -> Product {
        let (vendor_id, mut vendor) = (self.vendor_id.clone(), self.vendor.clone());
        let product = self
            .product_of(&mut vendor, &vendor_id, name, price, stock)
            .await;
        self.vendor = vendor;
        product
    }

    /// The same in a store of another currency.
    pub async fn product_in(
        &mut self,
        name: &str,
        price: i64,
        stock: u32,
        currency: &str,
    ) -> Product {
        let (vendor_id, mut vendor) = (self.vendor_id.clone(), self.vendor.clone());
        let price = json!({ "amount": price, "currency": currency });
        let product = self
            .priced_product_of(&mut vendor, &vendor_id, name, price, stock)
            .await;
        self.vendor = vendor;
        product
    }

    pub async fn product_of(
        &self,
        vendor: &mut Person,
        vendor_id: &str,
        name: &str,
        price: i64,
        stock: u32,
    ) -> Product {
        let price = json!({ "amount": price, "currency": "KES" });
        self.priced_product_of(vendor, vendor_id, name, price, stock)
            .await
    }

    async fn priced_product_of(
        &self,
        vendor: &mut Person,
        vendor_id: &str,
        name: &str,
        price: Value,
        stock: u32,
    ) -> Product {
        let sku = format!(
            "SKU-{}",
            &Uuid::new_v4().simple().to_string()[..12].to_uppercase()
        );
        let body = json!({
            "store_id": self.store_id,
            "vendor_id": vendor_id,
            "name": name,
            "description": format!("{name}, made in Kenya"),
            "variants": [
                { "sku": sku, "name": name, "price": price }
            ],
        });
        let created = vendor.post("/products", body).await.expect(201);
        let product_id = text(&created["product_id"]);
        let variant_id = text(&created["variant_ids"][0]);
        let published = vendor
            .post(&format!("/products/{product_id}/publish"), json!({}))
            .await;
        assert!((200..300).contains(&published.status), "{}", published.text);
        if stock > 0 {
            let body = json!({ "quantity": stock, "reason": "delivery" });
            let received = vendor
                .post(&format!("/stock/{variant_id}/receive"), body)
                .await;
            assert!((200..300).contains(&received.status), "{}", received.text);
        }
        Product {
            product_id,
            variant_id,
            sku,
        }
    }

    /// The body of an order, paid in cash when it arrives.
    pub fn order_of(&self, lines: &[(&Product, u32)]) -> Value {
        let lines: Vec<_> = lines
            .iter()
            .map(|(product, quantity)| {
                json!({ "variant_id": product.variant_id, "quantity": quantity })
            })
            .collect();
        json!({
            "store_id": self.store_id,
            "lines": lines,
            "shipping_address": address(),
            "payment": { "provider": "cash_on_delivery" },
        })
    }
}

/// A new coupon of a store, for a tenth off.
pub fn coupon(store_id: &str, code: &str) -> Value {
    json!({
        "store_id": store_id, "code": code, "name": "Karibu",
        "discount": { "type": "percentage", "bps": 1000 },
    })
}

pub fn address() -> Value {
    json!({
        "name": "Wanjiku Kamau",
        "phone": "+254722000111",
        "line1": "Moi Avenue 12",
        "city": "Nairobi",
        "country": "KE",
    })
}

/// A field that must be text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}
