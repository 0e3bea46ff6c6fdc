//! Two businesses and their people, every text of each with a word of its own in it. Whatever the
//! one is answered has no word of the other; and what is personal is in no log line, no metric and
//! no refusal, whosoever it is.

use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Answer, Contract, Operation, Person, Settings, Soko, coupon, send, text};
use std::collections::BTreeMap;
use uuid::Uuid;

#[tokio::test]
async fn no_answer_to_one_business_has_a_word_of_another() {
    let soko = Soko::start_with(Settings::default().with("SOKO_LOG_FORMAT", "json").with(
        "SOKO_LOG",
        "info,soko_api=debug,soko_commands=debug,sqlx=debug",
    ))
    .await;
    let contract = Contract::of(&soko).await;
    let mut twiga = Side::open(&soko, "twiga", "+254711000111").await;
    let mut simba = Side::open(&soko, "simba", "+254722000222").await;
    let mut asked = 0;
    for operation in contract.operations().iter().filter(|o| !o.is_public) {
        asked += twiga.ask(&contract, operation, &simba.ids).await;
        asked += simba.ask(&contract, operation, &twiga.ids).await;
    }
    println!(
        "{asked} requests, {} answers",
        twiga.heard.len() + simba.heard.len()
    );
    assert!(asked > 200, "only {asked}");
    for (side, other) in [(&twiga, "simba"), (&simba, "twiga")] {
        for (what, answer) in &side.heard {
            assert!(!answer.to_lowercase().contains(other), "{what}: {answer}");
        }
        assert!(
            side.heard
                .iter()
                .any(|(_, answer)| answer.to_lowercase().contains(side.word))
        );
    }
    nothing_personal_is_beside_the_answers(&soko, &[&twiga, &simba]).await;
}

async fn nothing_personal_is_beside_the_answers(soko: &Soko, sides: &[&Side]) {
    let metrics = send(soko.guest().request(Method::GET, "//metrics"))
        .await
        .text;
    assert!(metrics.contains("soko_"), "{metrics}");
    let log = soko.log();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() > 100, "only {} lines of log", lines.len());
    for side in sides {
        for personal in side.personal() {
            assert!(!metrics.contains(&personal), "{personal} among the metrics");
            for line in &lines {
                assert!(
                    !line.to_lowercase().contains(&personal),
                    "{personal} in: {line}"
                );
            }
            for (what, refusal) in &side.refusals {
                assert!(
                    !refusal.to_lowercase().contains(&personal),
                    "{what}: {refusal}"
                );
            }
        }
        for (_, target) in &side.targets {
            assert!(
                !target
                    .to_lowercase()
                    .contains(&format!("{}-person", side.word)),
                "{target}"
            );
        }
    }
}

/// A business, and everything that its people were told.
struct Side {
    word: &'static str,
    phone: &'static str,
    owner: Person,
    buyer: Person,
    ids: BTreeMap<&'static str, String>,
    heard: Vec<(String, String)>,
    refusals: Vec<(String, String)>,
    targets: Vec<(String, String)>,
}

impl Side {
    async fn open(soko: &Soko, word: &'static str, phone: &'static str) -> Self {
        let mut side = Self {
            word,
            phone,
            owner: soko.person(&format!("{word}-person-owner")).await,
            buyer: soko.person(&format!("{word}-person-buyer")).await,
            ids: BTreeMap::new(),
            heard: Vec::new(),
            refusals: Vec::new(),
            targets: Vec::new(),
        };
        side.trade(soko).await;
        side.promote().await;
        side
    }

    /// What is about people, in lower case.
    fn personal(&self) -> [String; 3] {
        [
            format!("{}-person", self.word),
            format!("{} person", self.word),
            self.phone.to_owned(),
        ]
    }

    fn name(&self, of: &str) -> String {
        format!("{} {of}", self.word)
    }

    async fn trade(&mut self, soko: &Soko) {
        let word = self.word;
        let mut owner = self.owner.clone();
        let profile = json!({ "name": self.name("Person"), "phone": self.phone });
        owner.patch("/me", profile).await.ok();
        let tenant = json!({ "name": self.name("Tenant") });
        let tenant = text(&owner.post("/tenants", tenant).await.expect(201)["tenant_id"]);
        let store = json!({
            "tenant_id": tenant, "slug": format!("{word}-store"), "name": self.name("Store"),
            "currency": "KES", "country": "KE", "time_zone": "Africa/Nairobi",
            "prices_include_tax": true, "tax_rate_bps": 1600,
            "payment_methods": ["cash_on_delivery"], "commission_bps": 0,
        });
        let store = text(&owner.post("/stores", store).await.expect(201)["store_id"]);
        let place = json!({ "name": self.name("Location") });
        owner
            .post(&format!("/stores/{store}/locations"), place)
            .await
            .ok();
        let staff = soko.person(&format!("{word}-person-staff")).await;
        let member = json!({ "email": staff.email, "role": "staff" });
        owner
            .post(&format!("/stores/{store}/members"), member)
            .await
            .ok();
        let vendor = json!({
            "store_id": store, "name": self.name("Vendor"), "country": "KE", "phone": self.phone,
            "email": format!("{word}-person-vendor@soko.test"),
        });
        let vendor = owner.post("/vendors/register", vendor).await.expect(201);
        let vendor = text(&vendor["vendor_id"]);
        owner
            .post(&format!("/vendors/{vendor}/approve"), json!({}))
            .await
            .ok();
        let invitation =
            json!({ "email": format!("{word}-person-guest@soko.test"), "role": "viewer" });
        owner
            .post(&format!("/vendors/{vendor}/members"), invitation)
            .await
            .ok();
        let category = json!({ "store_id": store, "name": self.name("Category") });
        let category = text(&owner.post("/categories", category).await.expect(201)["category_id"]);
        let product = json!({
            "store_id": store, "vendor_id": vendor, "name": self.name("Product"),
            "description": self.name("Description"), "category_ids": [category],
            "variants": [{
                "sku": format!("{}-1", word.to_uppercase()), "name": self.name("Variant"),
                "price": { "amount": 500, "currency": "KES" },
                "options": { "colour": self.name("Colour") },
            }],
        });
        let product = owner.post("/products", product).await.expect(201);
        let variant = text(&product["variant_ids"][0]);
        let product = text(&product["product_id"]);
        owner
            .post(&format!("/products/{product}/publish"), json!({}))
            .await
            .ok();
        let delivery = json!({ "quantity": 50, "reason": self.name("Reason") });
        owner
            .post(&format!("/stock/{variant}/receive"), delivery)
            .await;
        let delivery = json!({ "quantity": 50, "reason": "delivery" });
        owner
            .post(&format!("/stock/{variant}/receive"), delivery)
            .await
            .ok();
        let order = json!({
            "store_id": store, "lines": [{ "variant_id": variant, "quantity": 1 }],
            "shipping_address": {
                "name": self.name("Person"), "phone": self.phone,
                "line1": self.name("Person Street"), "city": self.name("Person City"),
                "country": "KE",
            },
            "payment": { "provider": "cash_on_delivery" },
        });
        self.buyer = self.buyer.after(&owner);
        let order = self.buyer.post("/orders", order).await.expect(201);
        let order_id = text(&order["order_id"]);
        let ship = format!("/orders/{order_id}/fulfilments/{vendor}");
        owner.post(&format!("{ship}/pack"), json!({})).await.ok();
        let carrier =
            json!({ "carrier": self.name("Carrier"), "tracking_number": self.name("Parcel") });
        owner.post(&format!("{ship}/ship"), carrier).await.ok();
        self.owner = owner.after(&self.buyer);
        self.buyer = self.buyer.after(&self.owner);
        self.ids = BTreeMap::from([
            ("tenant", tenant),
            ("store", store),
            ("vendor", vendor),
            ("category", category),
            ("product", product),
            ("variant", variant),
            ("order", order_id),
            ("payment", text(&order["payment"]["payment_id"])),
        ]);
    }

    async fn promote(&mut self) {
        let mut promotion = coupon(&self.ids["store"], &format!("{}-CODE", self.word));
        promotion["name"] = json!(self.name("Promotion"));
        let made = self.owner.post("/promotions", promotion).await.expect(201);
        self.ids.insert("promotion", text(&made["promotion_id"]));
    }

    /// One operation, by the owner and by the buyer, on what is theirs and on what is the other's.
    async fn ask(
        &mut self,
        contract: &Contract,
        operation: &Operation,
        others: &BTreeMap<&'static str, String>,
    ) -> usize {
        let mut asked = 0;
        for person in [self.owner.clone(), self.buyer.clone()] {
            for ids in [self.ids.clone(), others.clone()] {
                let what = format!("{} {}", operation.method, operation.path);
                let target = target(operation, &ids);
                let answer = self.send(contract, operation, &person, &target, &ids).await;
                if answer.status >= 400 {
                    self.refusals.push((what.clone(), answer.text.clone()));
                }
                self.targets.push((what.clone(), target));
                self.heard.push((what, answer.text));
                asked += 1;
            }
        }
        asked
    }

    async fn send(
        &self,
        contract: &Contract,
        operation: &Operation,
        person: &Person,
        target: &str,
        ids: &BTreeMap<&'static str, String>,
    ) -> Answer {
        let method: Method = operation.method.parse().unwrap();
        let separator = if target.contains('?') { '&' } else { '?' };
        let target = match method {
            Method::GET => target.to_owned(),
            _ => format!("{target}{separator}dry_run=true"),
        };
        let mut request = person.request(method.clone(), &target);
        if method == Method::POST {
            request = request.header("Idempotency-Key", Uuid::new_v4().to_string());
        }
        if let Some(schema) = &operation.body {
            // As wrong as it can be with texts of one's own: what is refused is not repeated.
            let wrong = |name: &str| match name {
                "email" => Some(json!(format!("{}-person not an address", self.word))),
                "phone" => Some(json!(format!("{}x", self.phone))),
                "name" => Some(json!(self.name("Person").repeat(30))),
                name => name
                    .strip_suffix("_id")
                    .and_then(|kind| ids.get(kind))
                    .map(|id| json!(id)),
            };
            request = request.json(&contract.example(schema, true, &wrong));
        }
        if target.ends_with("/stream") {
            return first_event(request).await;
        }
        send(request).await
    }
}

fn target(operation: &Operation, ids: &BTreeMap<&'static str, String>) -> String {
    let path = operation.path.strip_prefix("/api/v1").unwrap();
    let part = path.split('/').nth(1).unwrap_or_default();
    let id = match part {
        "categories" => "category",
        part => part.strip_suffix('s').unwrap_or(part),
    };
    let mut target = path.to_owned();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let value = match (parameter.name.as_str(), part) {
            ("id", "audit") => ids["order"].clone(),
            ("type", "audit") => "order".to_owned(),
            ("id", _) => ids
                .get(id)
                .cloned()
                .unwrap_or_else(|| Uuid::nil().to_string()),
            ("store", "orders" | "stock" | "reports" | "cart" | "vendors" | "promotions") => {
                ids["store"].clone()
            }
            ("tenant", _) => ids["tenant"].clone(),
            ("from", "reports") => "2020-01-01T00:00:00Z".to_owned(),
            ("to", "reports") => "2036-01-01T00:00:00Z".to_owned(),
            ("from", "audit") => "0".to_owned(),
            (name, _) => match name.strip_suffix("_id").and_then(|kind| ids.get(kind)) {
                Some(id) => id.clone(),
                None if parameter.place == "path" => Uuid::nil().to_string(),
                None => continue,
            },
        };
        match parameter.place.as_str() {
            "path" => target = target.replace(&format!("{{{}}}", parameter.name), &value),
            "query" => query.push(format!("{}={value}", parameter.name)),
            _ => (),
        }
    }
    if query.is_empty() {
        target
    } else {
        format!("{target}?{}", query.join("&"))
    }
}

/// A stream of events does not end by itself.
async fn first_event(request: reqwest::RequestBuilder) -> Answer {
    let mut response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let wait = std::time::Duration::from_secs(5);
    let chunk = tokio::time::timeout(wait, response.chunk()).await;
    let chunk = chunk.expect("a first event").unwrap().unwrap_or_default();
    let text = String::from_utf8_lossy(&chunk).into_owned();
    Answer {
        status,
        headers,
        body: Value::Null,
        text,
    }
}
