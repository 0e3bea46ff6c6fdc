//! What a provider tells, as fast as it can: callbacks of Paystack, each signed with the store's key,
//! of payments that wait for them.

use crate::load::{Outcome, closed_loop, each_once, post};
use crate::market::{Market, order_body};
use crate::soko::{Client, Soko, field};
use crate::till::Till;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha512;
use sqlx::{Connection, PgConnection};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 64;

/// Few enough that they are told before we begin to ask about those that began to wait first.
const PAYMENTS_EACH: usize = 75;

const WORKED_WITHIN: Duration = Duration::from_secs(120);

/// Callbacks as they are sent, a list for each connection, each of another payment.
pub(crate) struct Prepared(Arc<Vec<Vec<Vec<u8>>>>);

/// Orders what is to be paid, and writes what Paystack will tell of it.
pub(crate) async fn prepare(
    soko: &Soko,
    market: &Market,
    till: &Till,
) -> Result<Prepared, Box<dyn Error>> {
    let mut buyers = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let mut buyer = soko.client().await?;
        let customers = &market.customers;
        buyer.token = Some(customers[connection % customers.len()].clone());
        let (store_id, variants) = (market.store_id.clone(), market.variants.clone());
        let key = till.paystack_key().to_owned();
        buyers.spawn(async move {
            let mut callbacks = Vec::with_capacity(PAYMENTS_EACH);
            for number in 0..PAYMENTS_EACH {
                let number = connection * PAYMENTS_EACH + number;
                let order = order_body(&store_id, &variants, number);
                let callback = one(&mut buyer, &order, number, &store_id, &key).await;
                callbacks.push(callback.map_err(|error| error.to_string())?);
            }
            Ok::<_, String>(callbacks)
        });
    }
    let mut prepared = Vec::with_capacity(CONNECTIONS);
    while let Some(callbacks) = buyers.join_next().await {
        prepared.push(callbacks??);
    }
    Ok(Prepared(Arc::new(prepared)))
}

async fn one(
    buyer: &mut Client,
    order: &str,
    number: usize,
    store_id: &str,
    key: &str,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut order: Value = serde_json::from_str(order)?;
    order["payment"] = json!({
        "provider": "paystack", "return_url": "https://shop.example/back",
    });
    let placed = buyer.post("/orders", &order).await?;
    let payment_id = field(&placed["payment"], "payment_id")?;
    let body = told(&payment_id, &placed["totals"]["total"]["amount"], number);
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes())?;
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let path = format!("/api/v1/webhooks/paystack/{store_id}");
    Ok(post(&path, &[("x-paystack-signature", &signature)], &body))
}

/// With the members, and about the length, of a real one.
fn told(payment_id: &str, amount: &Value, number: usize) -> String {
    json!({
        "event": "charge.success",
        "data": {
            "id": 4_000_000_000_u64 + number as u64,
            "domain": "test", "status": "success", "reference": payment_id,
            "amount": amount, "requested_amount": amount, "currency": "KES", "fees": 1_400,
            "channel": "card", "gateway_response": "Successful",
            "paid_at": "2026-11-29T12:00:00.000Z", "created_at": "2026-11-29T11:59:30.000Z",
            "metadata": { "payment_id": payment_id },
            "customer": { "email": "wanjiku@bench.example", "customer_code": format!("CUS_{number}") },
            "authorization": {
                "authorization_code": format!("AUTH_{number}"), "reusable": true,
                "last4": "4081", "exp_month": "12", "exp_year": "2030", "bank": "TEST BANK",
            },
            "subaccount": {}, "split": {}, "fees_split": null,
        },
    })
    .to_string()
}

/// Each once: what waits is paid by it.
pub(crate) async fn first(soko: &Soko, prepared: &Prepared) -> Result<Outcome, Box<dyn Error>> {
    let told = each_once(soko.port, Arc::clone(&prepared.0)).await?;
    all_accepted(told)
}

/// The same once more, and again, as Paystack does that has heard no answer.
pub(crate) async fn again(
    soko: &Soko,
    prepared: &Prepared,
    seconds: u64,
) -> Result<Outcome, Box<dyn Error>> {
    let callbacks = Arc::clone(&prepared.0);
    let request = move |connection: usize, number: u64| {
        let own: &Vec<Vec<u8>> = &callbacks[connection];
        let index = usize::try_from(number).unwrap_or(0) % own.len();
        own[index].clone()
    };
    let duration = Duration::from_secs(seconds);
    let told = closed_loop(soko.port, CONNECTIONS, duration, request).await?;
    all_accepted(told)
}

fn all_accepted(outcome: Outcome) -> Result<Outcome, Box<dyn Error>> {
    if outcome.statuses.keys().any(|status| *status != 200) {
        return Err(format!("not all were accepted: {:?}", outcome.statuses).into());
    }
    Ok(outcome)
}

/// How long it takes until all that was accepted is worked; each payment has then been taken once.
pub(crate) async fn worked(soko: &Soko, prepared: &Prepared) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let mut connection = PgConnection::connect(&soko.database_url()?).await?;
    loop {
        let is_waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM provider_callbacks WHERE verdict IS NULL)",
        )
        .fetch_one(&mut connection)
        .await?;
        if !is_waiting {
            break;
        }
        if began.elapsed() > WORKED_WITHIN {
            return Err(format!("callbacks still wait after {WORKED_WITHIN:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    let taken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM events WHERE event_type = 'payment.captured' \
             AND aggregate_id IN (SELECT payment_id::text FROM provider_callbacks \
                                  WHERE provider = 'paystack')",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    let payments: usize = prepared.0.iter().map(Vec::len).sum();
    if usize::try_from(taken)? == payments {
        Ok(took)
    } else {
        Err(format!("{payments} payments were told of, and {taken} taken").into())
    }
}
