//! What is stuck: reported to those who can do something about it, measured, and alerted on.

use serde_json::{Value, json};
use soko_gateways::sandbox::{Customer, Fault, FaultRule, Provider};
use soko_tests::checkers::check_everything;
use soko_tests::till::{Placed, Till, Way, order, sandbox, until, until_status};
use soko_tests::{Person, Soko};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long a customer takes to answer, in milliseconds.
const AFTER_MS: u64 = 5;

/// What is stuck is measured each half minute.
const MEASURED_WITHIN: Duration = Duration::from_secs(75);

#[tokio::test]
async fn what_is_stuck_is_reported_and_measured_until_somebody_sees_to_it() {
    let (sandbox, settings) = sandbox(Customer::pays_after_ms(AFTER_MS));
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let mut customer = soko.person("wanjiku").await;

    let lost = buy(&mut till, &mut customer, Some(Fault::CallbackLost)).await;
    is_paid(&customer, &lost).await;
    let failing = buy(&mut till, &mut customer, Some(Fault::RefundFails)).await;
    is_paid(&customer, &failing).await;
    let refunds = format!("/payments/{}/refunds", failing.payment_id);
    let body = json!({ "reason": "it was broken" });
    let owner = &mut till.nairobi.owner;
    owner.post(&refunds, body.clone()).await.expect(201);
    let payment = format!("/payments/{}", failing.payment_id);
    until(&customer, &payment, |found| {
        found["refunds"][0]["status"] == "failed"
    })
    .await;
    till.sandbox.set_customer(Customer::never_answers());
    // A page stays open for as long as the order does; a prompt would not.
    let silent = order_by(Way::PAYSTACK_PAGE, &mut till, &mut customer).await;
    // The answer to the order tells where the order is in the log; that the payer was asked comes after.
    let payment = format!("/payments/{}", silent.payment_id);
    until_status(&customer, &payment, "pending").await;

    let store = till.nairobi.store_id.clone();
    let stuck = format!("/reports/stuck-money?store={store}");
    let owner = till.nairobi.owner.after(&customer);
    let report = owner.get(&stuck).await.ok();
    let pending = one(&report, "payment", "pending");
    assert_eq!(pending["count"], 1, "{report:#}");
    assert_eq!(pending["amount"], silent.total);
    assert_eq!(pending["currency"], "KES");
    assert_eq!(pending["oldest"], json!([silent.payment_id]));
    let failed = one(&report, "refund", "failed");
    assert_eq!(failed["oldest"], json!([failing.payment_id]), "{report:#}");
    assert_eq!(failed["amount"], failing.total);
    let unaccepted = one(&report, "unaccepted_order", "paid");
    assert_eq!(unaccepted["count"], 2, "{report:#}");
    assert_eq!(
        unaccepted["oldest"],
        json!([lost.order_id, failing.order_id])
    );
    only_their_own_see_it(&soko, &till, &stuck).await;

    let (pending, failed) = (&[("stage", "pending")], &[("stage", "failed")]);
    let metrics = measured(&soko, |metrics| {
        sum(metrics, "soko_stuck_payments", pending) == 1
            && sum(metrics, "soko_stuck_refunds", failed) == 1
    })
    .await;
    let oldest = sum(&metrics, "soko_stuck_payments_oldest_seconds", pending);
    assert!(oldest > 0, "{metrics}");
    let captured = [("provider", "paystack"), ("outcome", "captured")];
    assert_eq!(sum(&metrics, "soko_recent_payments", &captured), 2);
    assert_eq!(sum(&metrics, "soko_orders_unaccepted", &[]), 2);
    assert_eq!(sum(&metrics, "soko_ledger_balanced", &[]), 1);
    assert_eq!(sum(&metrics, "soko_radar_leader", &[]), 1);
    is_all_that_alerts_need(&metrics);

    // Somebody sees to it: the money goes back by hand, and the vendor packs.
    let mut by_hand = body;
    by_hand["method"] = json!("cash");
    let owner = &mut till.nairobi.owner;
    owner.post(&refunds, by_hand).await.expect(201);
    let (vendor, vendor_id) = (&mut till.nairobi.vendor, &till.nairobi.vendor_id);
    let pack = format!("/orders/{}/fulfilments/{vendor_id}/pack", lost.order_id);
    vendor.post(&pack, json!({})).await.ok();
    let reader = till.nairobi.owner.after(&till.nairobi.vendor);
    let report = reader.get(&stuck).await.ok();
    assert_eq!(
        of(&report, "refund", "failed"),
        [Value::Null; 0],
        "{report:#}"
    );
    assert_eq!(of(&report, "unaccepted_order", "paid"), [Value::Null; 0]);
    check_everything(&soko).await;
}

#[tokio::test]
async fn how_payments_went_is_reported_by_provider_and_hour_and_as_csv() {
    let (sandbox, settings) = sandbox(Customer::pays_after_ms(AFTER_MS));
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let mut customer = soko.person("wanjiku").await;
    let mut total = 0;
    for _ in 0..2 {
        let placed = order_by(Way::PAYSTACK_WALLET, &mut till, &mut customer).await;
        is_paid(&customer, &placed).await;
        total += placed.total;
    }
    till.sandbox
        .set_customer(Customer::cancels_after_ms(AFTER_MS));
    let refused = order_by(Way::PAYSTACK_WALLET, &mut till, &mut customer).await;
    let payment = format!("/payments/{}", refused.payment_id);
    until_status(&customer, &payment, "failed").await;

    let reader = till.nairobi.owner.after(&customer);
    let path = format!(
        "/reports/payments?store={}&interval=month",
        till.nairobi.store_id
    );
    let report = reader.get(&path).await.ok();
    let items = report["items"].as_array().unwrap();
    let sum = |field: &str| -> i64 {
        let numbers = items.iter().map(|item| item[field].as_i64().unwrap());
        numbers.sum()
    };
    assert_eq!(
        (sum("started"), sum("captured"), sum("failed")),
        (3, 2, 1),
        "{report:#}"
    );
    assert_eq!(sum("amount_captured"), total);
    for item in items {
        assert_eq!(item["provider"], "paystack");
        let (median, p95) = (&item["latency_median_ms"], &item["latency_p95_ms"]);
        assert!(median.as_i64() <= p95.as_i64(), "{item}");
    }
    let csv = reader.with_header("Accept", "text/csv").get(&path).await;
    assert_eq!(csv.status, 200);
    assert!(
        csv.text
            .starts_with("start,provider,currency,started,captured,"),
        "{}",
        csv.text
    );
    assert_eq!(csv.text.lines().count(), 1 + items.len());
    for wrong in [
        "time_zone=Mars",
        "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "interval=era",
    ] {
        let path = format!("/reports/payments?store={}&{wrong}", till.nairobi.store_id);
        reader.get(&path).await.expect_problem(422, "validation");
    }
}

#[tokio::test]
async fn a_callback_that_is_never_confirmed_is_shown_and_takes_nothing() {
    let (sandbox, settings) = sandbox(Customer::by_hand());
    let soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let mut customer = soko.person("wanjiku").await;
    let forged = FaultRule::always(Provider::Mpesa, Fault::CallbackForged);
    till.sandbox.set_faults(vec![forged]);
    let placed = order_by(Way::MPESA, &mut till, &mut customer).await;
    let path = format!("/reports/stuck-money?store={}", till.nairobi.store_id);
    let owner = till.nairobi.owner.clone();
    until(&owner, &path, |report| {
        !of(report, "callback", "waiting").is_empty()
    })
    .await;
    // As if it had been tried for the eight minutes that it is.
    let tried = "UPDATE provider_callbacks SET attempts = 8, due_at = now(), leased_until = NULL \
                 WHERE verdict IS NULL";
    sqlx::query(tried).execute(soko.database()).await.unwrap();
    until(&owner, &path, |report| {
        !of(report, "unconfirmed_callback", "given_up").is_empty()
    })
    .await;
    let payment = format!("/payments/{}", placed.payment_id);
    let found = customer.get(&payment).await.ok();
    assert_eq!(found["captured"]["amount"], 0, "{found}");
}

async fn only_their_own_see_it(soko: &Soko, till: &Till, path: &str) {
    let other = soko.person("other").await;
    other.get(path).await.expect_problem(404, "not-found");
    let elsewhere = format!("/reports/stuck-money?store={}", till.harare.store_id);
    let report = till.harare.owner.get(&elsewhere).await.ok();
    assert_eq!(report["items"], json!([]), "{report:#}");
    let owner = &till.nairobi.owner;
    owner
        .get("/reports/stuck-money")
        .await
        .expect_problem(404, "not-found");
    let everything = soko.admin().await.get("/reports/stuck-money").await.ok();
    assert_eq!(one(&everything, "payment", "pending")["count"], 1);
}

async fn buy(till: &mut Till, customer: &mut Person, fault: Option<Fault>) -> Placed {
    let rules = fault.map(|fault| FaultRule::always(Provider::Paystack, fault));
    till.sandbox.set_faults(rules.into_iter().collect());
    order_by(Way::PAYSTACK_WALLET, till, customer).await
}

async fn order_by(way: Way, till: &mut Till, customer: &mut Person) -> Placed {
    let product = till.ware(way, 20_000, 5).await;
    order(customer, till.market(way), &product, 1, way.payment()).await
}

async fn is_paid(customer: &Person, placed: &Placed) {
    until_status(customer, &format!("/orders/{}", placed.order_id), "paid").await;
}

/// The lines of a kind and stage.
fn of(report: &Value, kind: &str, stage: &str) -> Vec<Value> {
    let items = report["items"].as_array().expect("a list").iter();
    let found = items.filter(|item| item["kind"] == kind && item["stage"] == stage);
    found.cloned().collect()
}

/// The only line of a kind and stage.
#[track_caller]
fn one(report: &Value, kind: &str, stage: &str) -> Value {
    let mut found = of(report, kind, stage);
    assert_eq!(found.len(), 1, "{report:#}");
    found.remove(0)
}

/// What `/metrics` says once something `is` true of it.
async fn measured(soko: &Soko, is: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let metrics = soko.guest().get("//metrics").await.text;
        if is(&metrics) {
            return metrics;
        }
        assert!(began.elapsed() < MEASURED_WITHIN, "{metrics}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The samples of a metric, each with its labels as they are written.
fn samples<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    metrics.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        Some((labels, value))
    })
}

fn sum(metrics: &str, name: &str, labels: &[(&str, &str)]) -> i64 {
    let is_one = |text: &str| {
        let mut labels = labels.iter();
        labels.all(|(label, value)| text.contains(&format!("{label}=\"{value}\"")))
    };
    let found = samples(metrics, name).filter(|(text, _)| is_one(text));
    found.map(|(_, value)| value.parse::<i64>().unwrap()).sum()
}

/// Every metric that an alert reads is there, with the labels that it asks for. What is counted has
/// only those values of them that have happened; what is measured has all.
fn is_all_that_alerts_need(metrics: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alerts.yml");
    let alerts = std::fs::read_to_string(path).unwrap();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut known = BTreeSet::new();
    for (at, _) in alerts.match_indices("soko_") {
        if alerts[..at].ends_with(is_name) {
            continue;
        }
        let rest = &alerts[at..];
        let end = rest.find(|c| !is_name(c)).unwrap();
        let (name, rest) = rest.split_at(end);
        known.insert(name);
        let found: Vec<_> = samples(metrics, name).map(|(labels, _)| labels).collect();
        assert!(
            !found.is_empty(),
            "an alert reads {name}, which is not there"
        );
        let Some(selector) = rest.strip_prefix('{') else {
            continue;
        };
        for matcher in selector.split_once('}').unwrap().0.split(',') {
            let (label, values) = matcher.split_once('=').unwrap();
            let has = |text: &str| found.iter().any(|labels| labels.contains(text));
            assert!(has(&format!("{label}=\"")), "{name} has no label {label}");
            let values = values.trim_start_matches('~').trim_matches('"');
            for value in values.split('|').filter(|_| !name.ends_with("_total")) {
                let text = format!("{label}=\"{value}\"");
                assert!(has(&text), "{name} is never measured with {text}");
            }
        }
    }
    assert!(known.len() >= 15, "{known:?}");
}
