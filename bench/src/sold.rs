//! The cases with a provider of payments: whole sales, and what the provider tells. The sandbox that
//! plays it runs in this process, on the same machine as everything else.

use crate::cases::{http, sales, webhooks};
use crate::market::Market;
use crate::raw::RawLimits;
use crate::report::{Goal, Latency};
use crate::soko::Soko;
use crate::till::Till;
use crate::{Bench, say};
use std::error::Error;
use std::path::Path;
use std::time::Duration;

const PRODUCTS: usize = 500;
const STOCK: u32 = 1_000_000;
const CUSTOMERS: usize = 64;

const SALES: &str = "whole sales: cart, order, M-Pesa's callback, paid, shipped; 64 customers";
const TOLD: &str = "webhooks of Paystack, each of another payment, 64 connections";
const TOLD_AGAIN: &str = "webhooks of Paystack, told again, 64 connections";
const WORKED: &str = "every webhook worked after it";
const CASES: [&str; 4] = [SALES, TOLD, TOLD_AGAIN, WORKED];

#[derive(Default)]
struct Figures {
    sales: Vec<(f64, Latency)>,
    /// Of each run: the raw limits right before it, and where the time of a sale went.
    notes: Vec<String>,
    told: Vec<(f64, Latency)>,
    told_again: Vec<(f64, Latency)>,
    worked: Vec<f64>,
}

/// What was measured before a case failed is reported all the same.
pub(crate) async fn cases(
    bench: &mut Bench,
    folder: &Path,
    limits: &mut RawLimits<'_>,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    if !CASES.iter().any(|name| bench.wants(name)) {
        return Ok(());
    }
    let mut figures = Figures::default();
    let mut outcome = Ok(());
    for run in 0..bench.runs {
        let data = folder.join(format!("till-{run}"));
        outcome = one_run(bench, &data, &mut figures, limits, seconds).await;
        if outcome.is_err() {
            break;
        }
    }
    report(bench, figures);
    outcome
}

async fn one_run(
    bench: &Bench,
    data: &Path,
    figures: &mut Figures,
    limits: &mut RawLimits<'_>,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let till = Till::open()?;
    let soko = Soko::start_with(data, &till.settings()).await?;
    say("  opening a market with a till");
    let mut market = Market::open(&soko, PRODUCTS, STOCK, CUSTOMERS).await?;
    till.serve(&mut market).await?;
    http::caught_up(&soko, Duration::from_secs(60)).await?;
    if bench.wants(SALES) {
        let (inserts, answers) = (limits.inserts().await?, limits.answers().await?);
        say("  sales");
        let sales = sales::sales(&soko, &market, seconds).await?;
        let rate = sales.rate();
        figures.sales.push((rate, Latency::of(sales.latency())));
        let parts = format!("{:.4} × r1, {:.4} × r2", rate / inserts, rate / answers);
        figures.notes.push(format!("{parts}; {}", sales.steps()));
        let behind = http::caught_up(&soko, Duration::from_secs(120)).await?;
        let behind = behind.as_secs_f64();
        figures
            .notes
            .push(format!("every read model caught up {behind:.2} s after it"));
    }
    if [TOLD, TOLD_AGAIN, WORKED]
        .iter()
        .any(|name| bench.wants(name))
    {
        till.let_nobody_pay();
        say("  orders that wait for webhooks");
        let prepared = webhooks::prepare(&soko, &market, &till).await?;
        say("  webhooks");
        let told = webhooks::first(&soko, &prepared).await?;
        let latency = Latency::of(&told.latency);
        figures.told.push((told.rate(200), latency));
        let worked = webhooks::worked(&soko, &prepared).await?;
        figures.worked.push(worked.as_secs_f64());
        if bench.wants(TOLD_AGAIN) {
            let told = webhooks::again(&soko, &prepared, seconds).await?;
            let latency = Latency::of(&told.latency);
            figures.told_again.push((told.rate(200), latency));
            webhooks::worked(&soko, &prepared).await?;
        }
    }
    soko.stop().await?;
    till.close().await;
    Ok(())
}

fn report(bench: &mut Bench, figures: Figures) {
    let Figures {
        sales,
        notes,
        told,
        told_again,
        worked,
    } = figures;
    bench.timed_and_noted(SALES, "sales/s", &sales, Goal::AtLeast(400.0), notes);
    bench.timed(TOLD, "/s", &told, Goal::AtLeast(2_000.0));
    bench.plain(WORKED, "s", worked, Goal::None);
    bench.timed(TOLD_AGAIN, "/s", &told_again, Goal::AtLeast(2_000.0));
}
