//! Who is forgotten by itself, and when.

use chrono::{Duration, Utc};
use serde_json::{Value, json};
use soko_api::retention;
use soko_projections::ReadModel;
use soko_projections::read_models::invitations::Invitations;
use soko_projections::read_models::orders::Orders;
use uuid::Uuid;

use crate::soko::{Person, Soko};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test]
async fn a_guest_is_forgotten_long_after_nothing_is_left_to_do() {
    let soko = Soko::with(&[("SOKO_RATE_LIMITS", "off"), ("SOKO_KEEP_GUESTS_DAYS", "30")]).await;
    let market = Market::open(&soko).await;
    let (finished, open) = (market.guests_order().await, market.guests_order().await);
    let cancel = format!("/orders/{finished}/cancel");
    market.post(&market.owner, &cancel, json!({})).await;
    market.shown().await;

    retention::forget(&soko.app, Utc::now() + Duration::days(29))
        .await
        .unwrap();
    assert_eq!(market.forgotten().await, Vec::<Uuid>::new());
    let later = Utc::now() + Duration::days(31);
    retention::forget(&soko.app, later).await.unwrap();
    assert_eq!(market.forgotten().await, [finished]);
    // Nobody is forgotten twice.
    let head = soko.app.head().borrow().get();
    retention::forget(&soko.app, later).await.unwrap();
    assert_eq!(soko.app.head().borrow().get(), head);
    assert_ne!(finished, open);
}

#[tokio::test]
async fn an_invitation_that_nobody_took_up_is_forgotten() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let members = format!("/vendors/{}/members", market.vendor_id);
    let invite = json!({ "email": "juma@example.com", "role": "catalog" });
    let invited = market.post(&market.owner, &members, invite).await;
    let invitation: Uuid = invited["invitation_id"].as_str().unwrap().parse().unwrap();
    market.shown().await;

    retention::forget(&soko.app, Utc::now() + Duration::days(36))
        .await
        .unwrap();
    assert_eq!(market.forgotten().await, Vec::<Uuid>::new());
    retention::forget(&soko.app, Utc::now() + Duration::days(38))
        .await
        .unwrap();
    assert_eq!(market.forgotten().await, [invitation]);
}

#[tokio::test]
async fn what_stood_in_old_callbacks_is_forgotten_and_that_they_came_is_not() {
    let soko = Soko::with(&[("SOKO_KEEP_CALLBACKS_DAYS", "30")]).await;
    let (worked, waiting) = (Uuid::now_v7(), Uuid::now_v7());
    for (id, verdict) in [(worked, Some("money was taken")), (waiting, None)] {
        sqlx::query(
            "INSERT INTO provider_callbacks \
                 (callback_id, tenant_id, store_id, provider, digest, received_at, sealed, verdict, due_at) \
             VALUES ($1, $1, $1, 'mpesa', sha256('it'), $2, 'sealed', $3, $2 + interval '1 year')",
        )
        .bind(id)
        .bind(Utc::now())
        .bind(verdict)
        .execute(soko.app.pool())
        .await
        .unwrap();
    }
    let kept = async || -> Vec<Uuid> {
        sqlx::query_scalar("SELECT callback_id FROM provider_callbacks WHERE sealed IS NOT NULL")
            .fetch_all(soko.app.pool())
            .await
            .unwrap()
    };
    let early = Utc::now() + Duration::days(29);
    retention::forget(&soko.app, early).await.unwrap();
    assert_eq!(kept().await.len(), 2);
    let late = Utc::now() + Duration::days(31);
    retention::forget(&soko.app, late).await.unwrap();
    assert_eq!(kept().await, [waiting]);
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM provider_callbacks")
        .fetch_one(soko.app.pool())
        .await
        .unwrap();
    assert_eq!(count, 2);
}

struct Market<'a> {
    soko: &'a Soko,
    owner: Person,
    store_id: String,
    vendor_id: String,
    variant_id: String,
}

impl<'a> Market<'a> {
    async fn open(soko: &'a Soko) -> Self {
        let owner = soko.person("amina").await;
        let mut market = Self {
            soko,
            owner,
            store_id: String::new(),
            vendor_id: String::new(),
            variant_id: String::new(),
        };
        let owner = &market.owner;
        let tenant = market
            .post(owner, "/tenants", json!({ "name": "Maduka" }))
            .await;
        let store = json!({
            "tenant_id": tenant["tenant_id"], "slug": "nairobi", "name": "Soko la Nairobi",
            "currency": "KES", "country": "KE", "time_zone": "Africa/Nairobi",
            "prices_include_tax": true, "tax_rate_bps": 1600,
            "payment_methods": ["cash_on_delivery"], "commission_bps": 1000,
        });
        let store = market.post(owner, "/stores", store).await;
        let vendor = json!({
            "store_id": store["store_id"], "name": "Mama Mboga", "email": "amina@example.com",
            "phone": "+254712345678", "country": "KE",
        });
        let vendor = market.post(owner, "/vendors/register", vendor).await;
        let vendor_id = text(&vendor["vendor_id"]);
        market
            .post(owner, &format!("/vendors/{vendor_id}/approve"), json!({}))
            .await;
        let product = json!({
            "store_id": store["store_id"], "vendor_id": vendor_id, "name": "Mug",
            "variants": [{ "sku": "MUG-1", "name": "Mug", "price": { "amount": 500, "currency": "KES" } }],
        });
        let product = market.post(owner, "/products", product).await;
        let (product_id, variant_id) = (
            text(&product["product_id"]),
            text(&product["variant_ids"][0]),
        );
        market
            .post(owner, &format!("/products/{product_id}/publish"), json!({}))
            .await;
        let delivery = json!({ "quantity": 10, "reason": "delivery" });
        market
            .post(owner, &format!("/stock/{variant_id}/receive"), delivery)
            .await;
        market.store_id = text(&store["store_id"]);
        market.vendor_id = vendor_id;
        market.variant_id = variant_id;
        market
    }

    async fn post(&self, person: &Person, path: &str, body: Value) -> Value {
        let request = self
            .soko
            .request(reqwest::Method::POST, &format!("/api/v1{path}"))
            .header("Idempotency-Key", Uuid::new_v4().to_string());
        let request = match person.token.as_str() {
            "" => request,
            token => request.bearer_auth(token),
        };
        let answer = request.json(&body).send().await.unwrap();
        let is_done = answer.status().is_success();
        let body = answer.text().await.unwrap();
        assert!(is_done, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    async fn guests_order(&self) -> Uuid {
        let guest = Person {
            account_id: String::new(),
            token: String::new(),
            refresh_token: String::new(),
        };
        let order = json!({
            "store_id": self.store_id, "email": "juma@example.com",
            "lines": [{ "variant_id": self.variant_id, "quantity": 1 }],
            "shipping_address": {
                "name": "Juma", "phone": "+254722000111", "line1": "Moi Avenue 1",
                "city": "Nairobi", "country": "KE",
            },
            "payment": { "provider": "cash_on_delivery" },
        });
        let placed = self.post(&guest, "/orders", order).await;
        text(&placed["order_id"]).parse().unwrap()
    }

    /// Until the read models have seen all of it.
    async fn shown(&self) {
        let head = *self.soko.app.head().borrow();
        for model in [Orders::NAME, Invitations::NAME] {
            let freshness = self.soko.app.freshness();
            freshness.wait_for(model, head, PATIENCE).await.unwrap();
        }
    }

    async fn forgotten(&self) -> Vec<Uuid> {
        sqlx::query_scalar("SELECT subject_id FROM personal_keys WHERE erased_at IS NOT NULL")
            .fetch_all(self.soko.pool())
            .await
            .unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
