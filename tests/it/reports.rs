//! What was sold, as its orders say.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};

#[tokio::test]
async fn sales_are_the_orders_that_were_not_called_off_in_every_grouping_and_as_csv() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 333, 100).await;
    let mut owner = market.owner.clone();
    let (mut second, second_id) =
        Market::add_vendor(&soko, &mut owner, &market.store_id, "Second").await;
    let basket = market
        .product_of(&mut second, &second_id, "Basket", 777, 100)
        .await;
    let mut customer = soko.person("customer").await;
    let (mut gross, mut tax, mut units) = (0, 0, 0);
    for (mugs, baskets) in [(1, 2), (3, 1), (5, 5)] {
        let order = market.order_of(&[(&mug, mugs), (&basket, baskets)]);
        let placed = customer.post("/orders", order).await.expect(201);
        gross += placed["totals"]["total"]["amount"].as_i64().unwrap();
        tax += placed["totals"]["tax"]["amount"].as_i64().unwrap();
        units += i64::from(mugs + baskets);
    }
    let regretted = customer
        .post("/orders", market.order_of(&[(&mug, 50)]))
        .await
        .expect(201);
    let cancel = format!("/orders/{}/cancel", text(&regretted["order_id"]));
    customer.post(&cancel, json!({})).await.ok();

    let reader = owner.after(&customer);
    let (from, to) = span();
    let base = format!(
        "/reports/sales?from={from}&to={to}&store={}",
        market.store_id
    );
    for grouping in [
        "",
        "&group_by=vendor",
        "&group_by=vendor,product",
        "&interval=hour",
    ] {
        let report = reader.get(&format!("{base}{grouping}")).await.expect(200);
        let sum = |field: &str| -> i64 {
            let items = report["items"].as_array().unwrap();
            items.iter().map(|item| item[field].as_i64().unwrap()).sum()
        };
        assert_eq!(
            (sum("gross"), sum("tax"), sum("net"), sum("units")),
            (gross, tax, gross - tax, units),
            "{grouping}: {report}"
        );
    }
    let whole = reader
        .get(&format!("{base}&interval=month"))
        .await
        .expect(200);
    let orders: i64 = whole["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["orders"].as_i64().unwrap())
        .sum();
    assert_eq!(orders, 3, "{whole}");

    let csv = reader.with_header("Accept", "text/csv");
    let csv = csv.get(&format!("{base}&group_by=vendor")).await;
    assert_eq!(csv.status, 200);
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    let rows = rows(&csv.text);
    assert_eq!(rows.len(), 2, "{}", csv.text);
    let sum: i64 = rows
        .iter()
        .map(|row| row["gross"].as_str().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(sum, gross);

    let own = format!(
        "/reports/sales?from={from}&to={to}&vendor={}",
        market.vendor_id
    );
    let own = market.vendor.after(&customer).get(&own).await.expect(200);
    let units: i64 = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["units"].as_i64().unwrap())
        .sum();
    assert_eq!(units, 9);
    second.get(&base).await.expect_problem(404, "not-found");
    check_everything(&soko).await;
}

#[tokio::test]
async fn questions_that_have_no_answer_are_refused_by_name() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let (from, to) = span();
    for wrong in [
        format!("from={to}&to={from}"),
        format!("from={from}&to={from}"),
        format!("from=yesterday&to={to}"),
        format!("from={from}&to={to}&time_zone=Mars/Olympus"),
        format!("from={from}&to={to}&interval=century"),
        format!("from={from}&to={to}&group_by=mood"),
        format!("from={from}&to={to}&colour=red"),
    ] {
        let path = format!("/reports/sales?store={}&{wrong}", market.store_id);
        let answer = market.owner.get(&path).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text);
        answer.expect_problem(422, "validation");
    }
}

#[tokio::test]
async fn a_period_is_widened_to_the_hours_that_are_counted_and_the_answer_says_so() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    customer
        .post("/orders", market.order_of(&[(&mug, 2)]))
        .await
        .expect(201);
    let reader = market.owner.after(&customer);
    let base = format!("/reports/sales?store={}", market.store_id);
    let units = |report: &Value| -> i64 {
        let items = report["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["units"].as_i64().unwrap())
            .sum()
    };
    let now = chrono::Utc::now();
    let text = |time: chrono::DateTime<chrono::Utc>| {
        time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    let minute = chrono::Duration::minutes(1);
    let asked = format!(
        "{base}&from={}&to={}",
        text(now - minute),
        text(now + minute)
    );
    let report = reader.get(&asked).await.expect(200);
    assert_eq!(units(&report), 2, "{report}");
    for (end, is_before) in [("from", true), ("to", false)] {
        let told: chrono::DateTime<chrono::Utc> =
            serde_json::from_value(report[end].clone()).unwrap();
        assert_eq!(told.timestamp() % 3600, 0, "{report}");
        assert_eq!(told < now, is_before, "{report}");
    }
    // Who says nothing means what was sold lately.
    assert_eq!(units(&reader.get(&base).await.expect(200)), 2);
    let past = format!("{base}&to=2020-01-01T00:00:00Z");
    assert_eq!(units(&reader.get(&past).await.expect(200)), 0);
}

/// Around now, at full hours.
fn span() -> (String, String) {
    let day = |days: i64| {
        let day = chrono::Utc::now() + chrono::Duration::days(days);
        day.format("%Y-%m-%dT00:00:00Z").to_string()
    };
    (day(-1), day(2))
}

fn rows(csv: &str) -> Vec<Value> {
    let mut lines = csv.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        names
            .iter()
            .zip(line.split(','))
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect()
    };
    lines.map(row).collect()
}
