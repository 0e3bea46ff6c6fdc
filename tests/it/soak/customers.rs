//! A crowd that buys, pays every way there is, changes its mind, and gets its money back.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use soko_tests::till::{Till, Way};
use soko_tests::{Answer, Person, Product, Soko, address, text};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// Who buys at the same time.
const CUSTOMERS: usize = 24;

/// Of a hundred orders: so many are called off, and so many are partly given back.
const CANCELLED: u32 = 8;
const REFUNDED: u32 = 12;

/// A process that was killed is there again after a few of these.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);
const TRIES_MAX: u32 = 600;

pub(super) struct Crowd {
    people: Vec<Person>,
    shops: Shops,
    count: usize,
}

#[derive(Clone)]
struct Shops {
    nairobi: Shop,
    harare: Shop,
}

#[derive(Clone)]
struct Shop {
    store_id: String,
    owner: Person,
    product: Product,
    currency: &'static str,
}

impl Crowd {
    pub(super) async fn gather(soko: &Soko, till: &mut Till, count: usize) -> Self {
        let mut people = Vec::new();
        for number in 0..CUSTOMERS {
            people.push(soko.person(&format!("buyer{number}")).await);
        }
        let stock = u32::try_from(count).expect("a small number") * 4;
        let shops = Shops {
            nairobi: shop(till, Way::MPESA, 20_000, stock, "KES").await,
            harare: shop(till, Way::ECOCASH, 4_000, stock, "USD").await,
        };
        Self {
            people,
            shops,
            count,
        }
    }

    /// Until so many payments were tried.
    pub(super) async fn buys(self) {
        let left = Arc::new(AtomicUsize::new(self.count));
        let buying = self.people.iter().zip(1..).map(|(person, seed)| {
            let buyer = Buyer {
                person: person.clone(),
                shops: self.shops.clone(),
                dice: StdRng::seed_from_u64(20_261_129 + seed),
            };
            tokio::spawn(buyer.buys(Arc::clone(&left)))
        });
        for buyer in buying.collect::<Vec<_>>() {
            buyer.await.expect("a buyer goes home");
        }
    }
}

async fn shop(till: &mut Till, way: Way, price: i64, stock: u32, currency: &'static str) -> Shop {
    let product = till.ware(way, price, stock).await;
    let market = till.market(way);
    Shop {
        store_id: market.store_id.clone(),
        owner: market.owner.clone(),
        product,
        currency,
    }
}

struct Buyer {
    person: Person,
    shops: Shops,
    dice: StdRng,
}

impl Buyer {
    async fn buys(mut self, left: Arc<AtomicUsize>) {
        let takes_one = |left: usize| left.checked_sub(1);
        while left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes_one)
            .is_ok()
        {
            self.buys_once().await;
        }
    }

    async fn buys_once(&mut self) {
        let way = *Way::ALL.choose(&mut self.dice).expect("there are some");
        let shop = self.shop(way);
        let body = json!({
            "store_id": shop.store_id,
            "lines": [{
                "variant_id": shop.product.variant_id,
                "quantity": self.dice.random_range(1..4),
            }],
            "shipping_address": address(),
            "payment": way.payment(),
        });
        let answer = insist(&mut self.person, "/orders", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let order_id = text(&answer.body["order_id"]);
        let payment_id = text(&answer.body["payment"]["payment_id"]);
        match self.dice.random_range(0..100) {
            roll if roll < CANCELLED => {
                let pause = self.dice.random_range(0..400);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let path = format!("/orders/{order_id}/cancel");
                insist(&mut self.person, &path, json!({})).await;
            }
            roll if roll < CANCELLED + REFUNDED => self.gets_some_back(way, &payment_id).await,
            _ => (),
        }
    }

    /// If it is paid soon.
    async fn gets_some_back(&mut self, way: Way, payment_id: &str) {
        for _ in 0..40 {
            let path = format!("/payments/{payment_id}");
            let answer = self.person.try_get(&path).await;
            if let Some(answer) = answer
                && answer.body["status"] == "captured"
            {
                let mut shop = self.shop(way);
                let back = json!({ "amount": 1_000, "currency": shop.currency });
                let body = json!({ "amount": back, "reason": "one was broken" });
                insist(&mut shop.owner, &format!("{path}/refunds"), body).await;
                return;
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
    }

    fn shop(&self, way: Way) -> Shop {
        if way.is_in_nairobi {
            self.shops.nairobi.clone()
        } else {
            self.shops.harare.clone()
        }
    }
}

/// Until it is answered, whatever is killed meanwhile: the same key is the same request.
async fn insist(person: &mut Person, path: &str, body: Value) -> Answer {
    let key = Uuid::new_v4().to_string();
    for _ in 0..TRIES_MAX {
        let answer = person.try_post_with_key(path, &key, &body).await;
        match answer {
            Some(answer) if answer.status == 401 => {
                person.log_in_again().await;
            }
            Some(answer) if answer.status < 500 && !is_under_way(&answer) => return answer,
            Some(_) | None => tokio::time::sleep(TRY_AGAIN_AFTER).await,
        }
    }
    panic!("{path} is never answered");
}

fn is_under_way(answer: &Answer) -> bool {
    answer.status == 409 && answer.body["code"] == "operation-in-progress"
}
