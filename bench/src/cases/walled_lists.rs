//! What the wall between tenants costs the lists as they are served: the same requests to two servers
//! on one database, of which one answers as whom the policies bind and the other as who passes by
//! them, in turns.

use crate::cases::http;
use crate::load::{Connection, get};
use crate::market::{Market, order_body};
use crate::report::{Case, Goal, median};
use crate::soko::Soko;
use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Of what a list takes without the wall.
const COST_MAX: f64 = 1.10;
const PRODUCTS: usize = 400;
const STOCK: u32 = 1_000;
const ORDERS: usize = 400;
/// Each in turns of so many, so that what else the machine does meets both alike.
const TURN: usize = 50;
const TURNS: usize = 40;

/// Each believes what the other issued, and opens what the other sealed.
const ALIKE: [(&str, &str); 3] = [
    ("SOKO_PUBLIC_URL", "http://bench.example"),
    (
        "SOKO_MASTER_KEY",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
    ("NATS_URL", "off"),
];

/// A list, and who asks for it.
struct List {
    name: &'static str,
    path: String,
    bearer: Option<String>,
}

pub(crate) async fn served(folder: &Path, runs: usize) -> Result<Vec<Case>, Box<dyn Error>> {
    // It has the database, and knows already what it was asked to do; so neither of the two that are
    // compared is this one.
    let data = folder.join("home");
    let home = Soko::start_with(&data, &ALIKE).await?;
    let lists = lists(&home).await?;
    let url = home.database_url()?;
    let beside = async |name: &str, row_security: &str| {
        let mut settings = ALIKE.to_vec();
        settings.extend([
            ("DATABASE_URL", url.as_str()),
            ("SOKO_ROW_SECURITY", row_security),
        ]);
        Soko::start_with(&folder.join(name), &settings).await
    };
    let (walled, open) = (beside("walled", "on").await?, beside("open", "off").await?);
    let mut cases = Vec::new();
    for list in lists {
        let (mut figures, mut notes) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (without, with) = list.in_turns(&open, &walled).await?;
            figures.push(with / without);
            notes.push(format!("{without:.0} and {with:.0} µs"));
        }
        cases.push(Case {
            name: format!("row security: {}, with it to without", list.name),
            unit: "",
            figures,
            goal: Goal::AtMost(COST_MAX),
            latency: None,
            notes,
        });
    }
    for soko in [open, walled, home] {
        soko.stop().await?;
    }
    Ok(cases)
}

async fn lists(soko: &Soko) -> Result<Vec<List>, Box<dyn Error>> {
    let market = Market::open(soko, PRODUCTS, STOCK, 1).await?;
    let (store, vendor) = (&market.store_id, &market.vendor_id);
    let mut customer = soko.client().await?;
    customer.token = market.customers.first().cloned();
    for number in 0..ORDERS {
        let order = order_body(store, &market.variants, number);
        let order: Value = serde_json::from_str(&order)?;
        customer.post("/orders", &order).await?;
    }
    http::caught_up(soko, Duration::from_secs(60)).await?;
    let owner = market.vendor.token.clone();
    let list = |name, path, bearer| List { name, path, bearer };
    Ok(vec![
        list(
            "the catalog",
            format!("/products?store={store}&limit=20"),
            None,
        ),
        list(
            "a vendor's products",
            format!("/vendors/{vendor}/products?limit=20"),
            owner.clone(),
        ),
        list(
            "a store's orders",
            format!("/orders?store={store}&limit=20"),
            owner,
        ),
        list(
            "a customer's orders",
            "/orders?limit=20".to_owned(),
            customer.token,
        ),
    ])
}

impl List {
    /// Medians of a request, in microseconds, without and with the wall.
    async fn in_turns(&self, open: &Soko, walled: &Soko) -> Result<(f64, f64), Box<dyn Error>> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let mut lines = [
            (Connection::open(open.port).await?, &mut without),
            (Connection::open(walled.port).await?, &mut with),
        ];
        for turn in 0..TURNS {
            for (line, times) in &mut lines {
                for _ in 0..TURN {
                    let request = self.request();
                    let started = Instant::now();
                    let answer = line.send(&request).await?;
                    let micros = started.elapsed().as_secs_f64() * 1e6;
                    if answer.status != 200 {
                        return Err(format!("{}: {}", self.path, answer.status).into());
                    }
                    // The first turns choose their plans.
                    if turn > 1 {
                        times.push(micros);
                    }
                }
            }
        }
        Ok((median(&without), median(&with)))
    }

    /// Of the catalog another page each time, for an answer is kept until its page moves.
    fn request(&self) -> Vec<u8> {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let path = format!("/api/v1{}", self.path);
        if let Some(token) = &self.bearer {
            let bearer = format!("Bearer {token}");
            get(&path, &[("authorization", &bearer)])
        } else {
            let number = ASKED.fetch_add(1, Ordering::Relaxed);
            get(&format!("{path}&max_price={}", 1_000_000 + number), &[])
        }
    }
}
