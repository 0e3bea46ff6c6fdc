//! A market to load: one store, some vendors, many products with stock, and customers.

use crate::soko::{Client, Soko, field};
use serde_json::{Value, json};
use std::error::Error;
use uuid::Uuid;

pub(crate) struct Market {
    pub store_id: String,
    pub vendor_id: String,
    pub vendor: Client,
    pub variants: Vec<String>,
    /// Access tokens, one for each customer.
    pub customers: Vec<String>,
}

const WORDS: [&str; 12] = [
    "Kahawa",
    "Kikoi",
    "Shuka",
    "Kiondo",
    "Chai",
    "Soapstone",
    "Ankara",
    "Baobab",
    "Maasai",
    "Rooibos",
    "Sadza",
    "Mbira",
];
const THINGS: [&str; 10] = [
    "Mug", "Basket", "Blanket", "Bowl", "Cloth", "Lamp", "Tray", "Oil", "Beads", "Drum",
];

impl Market {
    pub(crate) async fn open(
        soko: &Soko,
        products: usize,
        stock: u32,
        customers: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let mut owner = soko.client().await?;
        let email = owner.register("owner").await?;
        let tenant = owner.post("/tenants", &json!({ "name": "Bench" })).await?;
        let store = owner
            .post(
                "/stores",
                &json!({
                    "tenant_id": field(&tenant, "tenant_id")?,
                    "slug": format!("bench-{}", &Uuid::new_v4().simple().to_string()[..8]),
                    "name": "Bench", "currency": "KES", "country": "KE",
                    "time_zone": "Africa/Nairobi", "prices_include_tax": true,
                    "tax_rate_bps": 1600,
                    "payment_methods": ["cash_on_delivery", "mpesa", "paystack"],
                    "commission_bps": 1000,
                }),
            )
            .await?;
        let store_id = field(&store, "store_id")?;
        let body = json!({
            "store_id": store_id, "name": "Mama Mboga", "email": email,
            "phone": "+254712345678", "country": "KE",
        });
        let vendor_id = field(&owner.post("/vendors/register", &body).await?, "vendor_id")?;
        owner
            .post(&format!("/vendors/{vendor_id}/approve"), &json!({}))
            .await?;
        let mut variants = Vec::with_capacity(products);
        for number in 0..products {
            let name = format!(
                "{} {} {number}",
                WORDS[number % WORDS.len()],
                THINGS[(number / WORDS.len()) % THINGS.len()]
            );
            let price = 10_000 + i64::try_from(number % 500)? * 100;
            let body = json!({
                "store_id": store_id, "vendor_id": vendor_id, "name": name,
                "description": format!("{name}, made by hand in Kenya and sent within two days"),
                "variants": [{
                    "sku": format!("B-{number}"), "name": name,
                    "price": { "amount": price, "currency": "KES" },
                }],
            });
            let created = owner.post("/products", &body).await?;
            let variant = created["variant_ids"][0]
                .as_str()
                .ok_or("no variant")?
                .to_owned();
            let product_id = field(&created, "product_id")?;
            owner
                .post(&format!("/products/{product_id}/publish"), &json!({}))
                .await?;
            let received = json!({ "quantity": stock, "reason": "delivery" });
            owner
                .post(&format!("/stock/{variant}/receive"), &received)
                .await?;
            variants.push(variant);
        }
        let mut tokens = Vec::with_capacity(customers);
        for _ in 0..customers {
            let mut customer = soko.client().await?;
            customer.register("customer").await?;
            tokens.push(customer.token.ok_or("no token")?);
        }
        Ok(Self {
            store_id,
            vendor_id,
            vendor: owner,
            variants,
            customers: tokens,
        })
    }
}

/// Which two products the order with this number is of.
pub(crate) fn two_of(variants: &[String], number: usize) -> [&str; 2] {
    let first = number.wrapping_mul(7_919) % variants.len();
    let second = (first + 1) % variants.len();
    [&variants[first], &variants[second]]
}

pub(crate) fn address() -> Value {
    json!({
        "name": "Wanjiku Kamau", "phone": "+254722000111", "line1": "Moi Avenue 12",
        "city": "Nairobi", "country": "KE",
    })
}

/// The body of an order of one of each of two products.
pub(crate) fn order_body(store_id: &str, variants: &[String], number: usize) -> String {
    let lines = two_of(variants, number)
        .map(|variant_id| json!({ "variant_id": variant_id, "quantity": 1 }));
    json!({
        "store_id": store_id,
        "lines": lines,
        "shipping_address": address(),
        "payment": { "provider": "cash_on_delivery" },
    })
    .to_string()
}
