//! People who shop on, whatever happens to the servers.

use crate::{Market, Person, Product, Soko, checkers, text};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use uuid::Uuid;

const SHOPPERS: usize = 16;
const BROWSERS: usize = 2;

/// Between two tries of the same: enough of them must fall into every outage.
const PAUSE: Duration = Duration::from_millis(20);

/// Each order is looked for in the log; so many are also asked for.
const LOOKED_AT_MAX: usize = 200;

/// How long a shop may be out of order before a shopper despairs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Shoppers and browsers at work.
///
/// A shopper orders one thing after the other, each under a key of its own. Who gets no answer, or
/// is told to come back, repeats the request with its key until it is decided; so what each was
/// told can be compared with what happened.
pub struct Shopping {
    notes: Arc<Notes>,
    shoppers: Vec<JoinHandle<Vec<String>>>,
    browsers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Notes {
    is_over: AtomicBool,
    placed: AtomicUsize,
    put_off: AtomicUsize,
    unanswered: AtomicUsize,
}

/// What the shoppers were told.
pub struct Told {
    /// The orders that were answered with success.
    pub orders: Vec<String>,
    /// Requests that were told to come back.
    pub put_off: usize,
    /// Requests that got no answer at all.
    pub unanswered: usize,
}

impl Shopping {
    /// At all these processes, by turns.
    pub fn start(bases: &[String], market: &Market, product: &Product, customer: &Person) -> Self {
        let notes = Arc::new(Notes::default());
        let order = Arc::new(market.order_of(&[(product, 1)]));
        let at = |number: usize| customer.at(&bases[number % bases.len()]);
        let shopper = |number| {
            let (notes, order) = (Arc::clone(&notes), Arc::clone(&order));
            tokio::spawn(shop(at(number), order, notes))
        };
        let browser = |number| tokio::spawn(browse(at(number), Arc::clone(&notes)));
        Self {
            shoppers: (0..SHOPPERS).map(shopper).collect(),
            browsers: (0..BROWSERS * bases.len()).map(browser).collect(),
            notes,
        }
    }

    /// Comes back when the shop works: more orders were placed than were under way.
    pub async fn goes_on(&self) {
        let enough = self.notes.placed.load(Ordering::Relaxed) + 3 * SHOPPERS;
        let since = Instant::now();
        while self.notes.placed.load(Ordering::Relaxed) < enough {
            assert!(since.elapsed() < PATIENCE, "the shop stands still");
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub async fn end(self) -> Told {
        self.notes.is_over.store(true, Ordering::Relaxed);
        let orders = join_all(self.shoppers).await;
        for browser in self.browsers {
            browser.await.unwrap();
        }
        Told {
            orders: orders.into_iter().flat_map(Result::unwrap).collect(),
            put_off: self.notes.put_off.load(Ordering::Relaxed),
            unanswered: self.notes.unanswered.load(Ordering::Relaxed),
        }
    }
}

impl Told {
    /// What was answered with success has happened, once, and nothing else has.
    pub async fn is_what_happened(&self, soko: &Soko, customer: &Person) {
        let told: BTreeSet<_> = self.orders.iter().collect();
        assert_eq!(told.len(), self.orders.len(), "two keys, one order");
        let mut auditor = checkers::auditor(soko).await;
        let placed: Vec<String> = sqlx::query_scalar(
            "SELECT stream_id::text FROM audit.events WHERE event_type = 'order.placed'",
        )
        .fetch_all(&mut auditor)
        .await
        .unwrap();
        assert_eq!(placed.iter().collect::<BTreeSet<_>>(), told);
        assert_eq!(placed.len(), told.len(), "an order was placed twice");

        checkers::catch_up(soko).await;
        let looked_at = told.len().div_ceil(LOOKED_AT_MAX);
        for order_id in told.into_iter().step_by(looked_at) {
            show(customer, &format!("/orders/{order_id}")).await;
        }
    }
}

async fn shop(mut shopper: Person, order: Arc<Value>, notes: Arc<Notes>) -> Vec<String> {
    let mut orders = Vec::new();
    while !notes.is_over.load(Ordering::Relaxed) {
        let key = Uuid::new_v4().to_string();
        orders.push(insist(&mut shopper, &key, &order, &notes).await);
        notes.placed.fetch_add(1, Ordering::Relaxed);
    }
    orders
}

async fn insist(shopper: &mut Person, key: &str, order: &Value, notes: &Notes) -> String {
    let since = Instant::now();
    loop {
        match shopper.try_post_with_key("/orders", key, order).await {
            None => _ = notes.unanswered.fetch_add(1, Ordering::Relaxed),
            Some(answer) if answer.status == 201 => return text(&answer.body["order_id"]),
            // The first try is still at work, or another process was faster each time.
            Some(answer) if answer.status == 409 => {
                let code = text(&answer.body["code"]);
                let may_pass = ["operation-in-progress", "version-conflict"];
                assert!(may_pass.contains(&code.as_str()), "{}", answer.text);
            }
            Some(answer) => {
                answer.is_told_to_come_back();
                notes.put_off.fetch_add(1, Ordering::Relaxed);
            }
        }
        assert!(since.elapsed() < PATIENCE, "{key} is never decided");
        tokio::time::sleep(PAUSE).await;
    }
}

/// It is there, though one may be told to come back once for each connection that broke.
async fn show(customer: &Person, path: &str) {
    let since = Instant::now();
    loop {
        let answer = customer.get(path).await;
        if answer.status == 200 {
            return;
        }
        answer.is_told_to_come_back();
        assert!(since.elapsed() < PATIENCE, "{path} is never shown");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks at one page after the other: shown, or told to come back.
async fn browse(browser: Person, notes: Arc<Notes>) {
    while !notes.is_over.load(Ordering::Relaxed) {
        for path in ["/me", "/products", "/orders?limit=5", "/stores"] {
            match browser.try_get(path).await {
                None => _ = notes.unanswered.fetch_add(1, Ordering::Relaxed),
                Some(answer) if answer.status == 200 => (),
                Some(answer) => {
                    answer.is_told_to_come_back();
                    notes.put_off.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
