//! Whole sales: two products are put into a cart, the cart is ordered, the provider prompts the
//! customer, who pays, the provider calls back, the order is paid, and the vendor ships it, which
//! commits the stock.

use crate::load::{histogram, micros, rate};
use crate::market::{Market, address, two_of};
use crate::soko::{Client, Soko, field};
use hdrhistogram::Histogram;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long an order may take to be paid before the case fails.
const PAID_WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked for orders that were paid.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// Each customer's are products of their own for a while.
const FAR_APART: usize = 100_003;

/// What the customers did together.
pub(crate) struct Sales {
    sold: u64,
    elapsed: Duration,
    times: Times,
}

/// In microseconds.
struct Times {
    whole: Histogram<u64>,
    /// Both products.
    cart: Histogram<u64>,
    /// Until the answer to the order, before which the provider was asked for the prompt.
    ordered: Histogram<u64>,
    /// From there until the order was paid.
    paid: Histogram<u64>,
    shipped: Histogram<u64>,
}

impl Sales {
    pub(crate) fn rate(&self) -> f64 {
        rate(self.sold, self.elapsed)
    }

    pub(crate) const fn latency(&self) -> &Histogram<u64> {
        &self.times.whole
    }

    /// Where the time of a sale went.
    pub(crate) fn steps(&self) -> String {
        let Times {
            cart,
            ordered,
            paid,
            shipped,
            ..
        } = &self.times;
        let steps = [
            ("cart", cart),
            ("ordered", ordered),
            ("paid", paid),
            ("shipped", shipped),
        ];
        let steps = steps.map(|(step, times)| {
            let of = |part| times.value_at_quantile(part) / 1_000;
            format!("{step} {} / {} ms", of(0.50), of(0.99))
        });
        format!("p50 / p99 of each step: {}", steps.join(", "))
    }
}

/// As many customers at a time as the market has, each with one sale after another.
pub(crate) async fn sales(
    soko: &Soko,
    market: &Market,
    seconds: u64,
) -> Result<Sales, Box<dyn Error>> {
    let url = soko.database_url()?;
    let paid = PaidOrders::default();
    // Before anybody can have paid.
    let mut connection = PgConnection::connect(&url).await?;
    let seen: i64 = sqlx::query_scalar("SELECT position FROM log_head")
        .fetch_one(&mut connection)
        .await?;
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut customers = JoinSet::new();
    for number in 0..market.customers.len() {
        let customer = Customer::new(soko, market, number, paid.clone()).await?;
        customers.spawn(async move {
            let times = customer.buy(until).await;
            times.map_err(|error| error.to_string())
        });
    }
    let mut times = Times::new();
    let selling = async {
        while let Some(one) = customers.join_next().await {
            times.add(&one??)?;
        }
        Ok::<_, Box<dyn Error>>(began.elapsed())
    };
    let elapsed = tokio::select! {
        sold = selling => sold?,
        failed = paid.watch(connection, seen) => return Err(failed.into()),
    };
    let sold = times.whole.len();
    all_committed(&url, sold).await?;
    Ok(Sales {
        sold,
        elapsed,
        times,
    })
}

/// Each sale has committed the stock of its two lines, and nothing else has committed any.
async fn all_committed(url: &str, sold: u64) -> Result<(), Box<dyn Error>> {
    let mut connection = PgConnection::connect(url).await?;
    let committed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'stock.committed'")
            .fetch_one(&mut connection)
            .await?;
    connection.close().await?;
    if u64::try_from(committed)? == 2 * sold {
        Ok(())
    } else {
        Err(format!("{sold} sales of two lines committed stock {committed} times").into())
    }
}

struct Customer {
    client: Client,
    vendor: Client,
    number: usize,
    store_id: String,
    vendor_id: String,
    variants: Vec<String>,
    paid: PaidOrders,
}

impl Customer {
    async fn new(
        soko: &Soko,
        market: &Market,
        number: usize,
        paid: PaidOrders,
    ) -> Result<Self, Box<dyn Error>> {
        let mut client = soko.client().await?;
        client.token = Some(market.customers[number].clone());
        let mut vendor = soko.client().await?;
        vendor.token.clone_from(&market.vendor.token);
        Ok(Self {
            client,
            vendor,
            number,
            store_id: market.store_id.clone(),
            vendor_id: market.vendor_id.clone(),
            variants: market.variants.clone(),
            paid,
        })
    }

    async fn buy(mut self, until: Instant) -> Result<Times, Box<dyn Error>> {
        let mut times = Times::new();
        let mut sale = self.number * FAR_APART;
        while Instant::now() < until {
            self.buy_once(sale, &mut times).await?;
            sale += 1;
        }
        Ok(times)
    }

    async fn buy_once(&mut self, sale: usize, times: &mut Times) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        for variant_id in two_of(&self.variants, sale) {
            let item = json!({
                "store_id": self.store_id, "variant_id": variant_id, "quantity": 1,
            });
            self.client.post("/cart/items", &item).await?;
        }
        let filled = Instant::now();
        let order = json!({
            "store_id": self.store_id,
            "cart": true,
            "shipping_address": address(),
            // A phone shows one prompt at a time.
            "payment": { "provider": "mpesa", "phone": format!("+2547220{:05}", self.number) },
        });
        let order = self.client.post("/orders", &order).await?;
        let order_id = field(&order, "order_id")?;
        let ordered = Instant::now();
        let paid = self.paid.paid(order_id.clone());
        tokio::time::timeout(PAID_WITHIN, paid)
            .await
            .map_err(|_| format!("not paid after {PAID_WITHIN:?}: {order}"))??;
        let paid = Instant::now();
        let ship = format!("/orders/{order_id}/fulfilments/{}/ship", self.vendor_id);
        self.vendor.post(&ship, &json!({})).await?;
        let shipped = Instant::now();
        for (times, took) in [
            (&mut times.whole, shipped - began),
            (&mut times.cart, filled - began),
            (&mut times.ordered, ordered - filled),
            (&mut times.paid, paid - ordered),
            (&mut times.shipped, shipped - paid),
        ] {
            times.saturating_record(micros(took));
        }
        Ok(())
    }
}

impl Times {
    fn new() -> Self {
        Self {
            whole: histogram(),
            cart: histogram(),
            ordered: histogram(),
            paid: histogram(),
            shipped: histogram(),
        }
    }

    fn add(&mut self, other: &Self) -> Result<(), Box<dyn Error>> {
        self.whole.add(&other.whole)?;
        self.cart.add(&other.cart)?;
        self.ordered.add(&other.ordered)?;
        self.paid.add(&other.paid)?;
        self.shipped.add(&other.shipped)?;
        Ok(())
    }
}

/// Which orders are paid, as the log says: one small query at a time for all who wait. If each of them
/// asked for its order again and again, or followed its stream, that would be most of the load.
#[derive(Clone, Default)]
struct PaidOrders(Arc<Mutex<HashMap<String, Standing>>>);

enum Standing {
    /// And nobody has asked yet.
    Paid,
    Awaited(oneshot::Sender<()>),
}

impl PaidOrders {
    /// Returns when it is paid.
    async fn paid(&self, order_id: String) -> Result<(), oneshot::error::RecvError> {
        let told = {
            let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Standing::Paid) = orders.remove(&order_id) {
                return Ok(());
            }
            let (sender, told) = oneshot::channel();
            orders.insert(order_id, Standing::Awaited(sender));
            told
        };
        told.await
    }

    /// Looks for those that come after a position, until it fails.
    async fn watch(&self, mut connection: PgConnection, seen: i64) -> sqlx::Error {
        match self.look_on(&mut connection, seen).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn look_on(
        &self,
        connection: &mut PgConnection,
        mut seen: i64,
    ) -> Result<std::convert::Infallible, sqlx::Error> {
        loop {
            let paid: Vec<(i64, String)> = sqlx::query_as(
                "SELECT position, aggregate_id FROM events \
                 WHERE position > $1 AND event_type = 'order.paid' ORDER BY position",
            )
            .bind(seen)
            .fetch_all(&mut *connection)
            .await?;
            for (position, order_id) in paid {
                seen = position;
                let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                match orders.remove(&order_id) {
                    Some(Standing::Awaited(sender)) => {
                        // Who waits no more has failed.
                        let _ = sender.send(());
                    }
                    Some(Standing::Paid) | None => {
                        orders.insert(order_id, Standing::Paid);
                    }
                }
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}
