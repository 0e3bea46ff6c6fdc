//! What a provider says beside what our books say: loaded as its file, and what remains is shown.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Person, STATEMENT, Soko, send, text};
use uuid::Uuid;

const HEADER: &str = "Receipt No.,Completion Time,Transaction Status,Paid In,Withdrawn,Reason Type";

#[tokio::test]
async fn every_planted_difference_is_shown_and_no_other() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let mut books = Books::of(&soko, &market);
    let (mut missing, mut altered, mut extra) = (vec![], vec![], vec![]);
    let mut rows = Vec::new();
    for number in 0..30 {
        let receipt = format!("SKR{number:02}AAAAA");
        books.pay(&receipt, 1_000).await;
        match number % 10 {
            2 => missing.push(receipt),
            5 => {
                rows.push(paid_in(&receipt, 999));
                altered.push(receipt);
            }
            _ => rows.push(paid_in(&receipt, 1_000)),
        }
        if number % 15 == 7 {
            let name = format!("EXTRA{number:02}AAA");
            rows.push(paid_in(&name, 1_000));
            extra.push(name);
        }
    }
    rows.push(row("SKR00AAAAA", -23, "Pay Bill Charge"));
    rows.push(row("SETTLE0001", -5_000, "Organization Settlement"));
    rows.reverse();
    let (from, to) = (short(hours_from_now(-1)), short(hours_from_now(1)));
    let path = format!(
        "/stores/{}/statements?provider=mpesa&from={from}&to={to}",
        market.store_id
    );
    let file = file(&rows);
    let loaded = owner.upload(&path, &file).await.expect(201);
    assert_eq!(loaded["lines"], rows.len());
    let fees = loaded["sums"].as_array().unwrap();
    let fees = fees.iter().find(|sum| sum["kind"] == "fee").unwrap();
    assert_eq!(fees["amount"], json!({ "amount": -23, "currency": "KES" }));

    let statement = format!("/statements/{}", text(&loaded["statement_id"]));
    let told = owner.after(&books.person).get(&statement).await.expect(200);
    assert_eq!(told["matched"], 24);
    assert_eq!(told["ours_only"], missing.len());
    assert_eq!(told["theirs_only"], extra.len());
    assert_eq!(told["amounts_differ"], altered.len());
    assert_eq!(
        references(&owner, &statement, "ours_only", "ours").await,
        missing
    );
    assert_eq!(
        references(&owner, &statement, "theirs_only", "theirs").await,
        extra
    );
    assert_eq!(
        references(&owner, &statement, "amounts_differ", "ours").await,
        altered
    );
    assert_eq!(
        references(&owner, &statement, "amounts_differ", "theirs").await,
        altered
    );

    // The auditors' tool finds the same, of what was loaded and of the file alone.
    let id = text(&loaded["statement_id"]);
    let (code, story, errors) = soko
        .replay_tool(&["reconcile", "--statement", &id, "--format", "csv"])
        .await;
    assert_eq!((code, story.lines().count()), (1, 9), "{story}{errors}");
    let folder = tempfile::tempdir().unwrap();
    let on_disk = folder.path().join("mpesa.csv");
    std::fs::write(&on_disk, &file).unwrap();
    let on_disk = on_disk.to_str().unwrap();
    let (from, to) = (format!("--from={from}"), format!("--to={to}"));
    let of_file = ["reconcile", &market.store_id, "mpesa", on_disk, &from, &to];
    let (code, story, errors) = soko.replay_tool(&of_file).await;
    assert_eq!(code, 1, "{errors}");
    assert!(story.contains("ours only: 3\n"), "{story}");
    assert!(story.contains("theirs only: 2\n"), "{story}");
    assert!(story.contains("amounts differ: 3\n"), "{story}");
    for receipt in missing.iter().chain(&altered).chain(&extra) {
        assert!(story.contains(receipt), "{story}");
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn what_is_repaired_by_an_ordinary_command_is_no_difference_any_more() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let order = market.order_of(&[(&mug, 2)]);
    let order = customer.post("/orders", order).await.expect(201);
    let mut owner = market.owner.clone();
    let path = format!("/stores/{}/statements?provider=mpesa", market.store_id);
    let paid = file(&[paid_in("SKR1AAAAAA", 1_000)]);
    let loaded = owner.upload(&path, &paid).await.expect(201);
    let statement = format!("/statements/{}", text(&loaded["statement_id"]));
    let reader = owner.after(&customer);
    let theirs = references(&reader, &statement, "theirs_only", "theirs").await;
    assert_eq!(theirs, ["SKR1AAAAAA"]);
    let id = text(&loaded["statement_id"]);
    let by_id = ["reconcile", "--statement", &id];
    assert_eq!(soko.replay_tool(&by_id).await.0, 1);

    // It was for the order that waits for its cash.
    let payment = format!("/payments/{}", text(&order["payment"]["payment_id"]));
    let taken = json!({ "reference": "SKR1AAAAAA" });
    owner.post(&format!("{payment}/collect"), taken).await.ok();
    let told = owner.get(&statement).await.expect(200);
    assert_eq!(
        (&told["matched"], &told["theirs_only"]),
        (&json!(1), &json!(0))
    );
    let (code, story, errors) = soko.replay_tool(&by_id).await;
    assert_eq!(code, 0, "{story}{errors}");
    check_everything(&soko).await;
}

#[tokio::test]
async fn the_same_file_is_the_same_statement_and_lines_of_two_count_once() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let path = format!("/stores/{}/statements?provider=mpesa", market.store_id);
    let first = file(&[paid_in("SKR1AAAAAA", 100), paid_in("SKR2AAAAAA", 200)]);
    let loaded = owner.upload_with_key(&path, "first", &first).await;
    assert_eq!(loaded.header("location").map(str::to_owned), {
        let id = text(&loaded.body["statement_id"]);
        Some(format!("/api/v1/statements/{id}"))
    });
    let loaded = loaded.expect(201);
    let replayed = owner.upload_with_key(&path, "first", &first).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    assert_eq!(replayed.expect(201), loaded);
    assert_eq!(owner.upload(&path, &first).await.expect(201), loaded);
    let head = log_head(&soko).await;
    let second = file(&[paid_in("SKR2AAAAAA", 200), paid_in("SKR3AAAAAA", 300)]);
    let mismatch = owner.upload_with_key(&path, "first", &second).await;
    mismatch.expect_problem(422, "idempotency-mismatch");
    let tried = owner.upload(&format!("{path}&dry_run=true"), &second).await;
    let tried = tried.expect(200);
    assert_eq!(tried["events"].as_array().unwrap().len(), 4);
    assert_eq!(log_head(&soko).await, head, "only tried, or refused");

    let overlaps = owner.upload(&path, &second).await.expect(201);
    let statement = format!("/statements/{}", text(&overlaps["statement_id"]));
    let told = owner.get(&statement).await.expect(200);
    assert_eq!(
        (&told["known_before"], &told["statement"]["recorded"]),
        (&json!(1), &json!(2))
    );
    let listed = owner
        .walk(&format!("/stores/{}/statements", market.store_id), 1)
        .await;
    let ids: Vec<_> = listed.iter().map(|one| &one["statement_id"]).collect();
    assert_eq!(ids, [&overlaps["statement_id"], &loaded["statement_id"]]);
    assert!(listed.iter().all(|one| one["closed_at"].is_string()));
    // The same file for longer is another question about the same money.
    let longer = format!("{path}&from=2026-01-01T00:00:00Z");
    let refused = owner.upload(&longer, &first).await;
    refused.expect_problem(409, "already-exists");
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_list_is_a_table_too() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let path = format!("/stores/{}/statements?provider=mpesa", market.store_id);
    let rows: Vec<_> = (0..25)
        .map(|n| paid_in(&format!("SKR{n:02}AAAAA"), 100 + n))
        .collect();
    let loaded = owner.upload(&path, &file(&rows)).await.expect(201);
    let differences = format!(
        "/statements/{}/differences?list=theirs_only",
        text(&loaded["statement_id"])
    );
    let pages = owner.walk(&differences, 10).await;
    assert_eq!(pages.len(), 25);
    let table = owner
        .with_header("Accept", "text/csv")
        .get(&differences)
        .await;
    assert!(
        table
            .header("content-type")
            .unwrap()
            .starts_with("text/csv")
    );
    assert_eq!(table.text.lines().count(), 26, "{}", table.text);
    assert!(
        table.text.contains(",SKR07AAAAA,SKR07AAAAA,107,KES,"),
        "{}",
        table.text
    );
}

#[tokio::test]
async fn what_is_no_statement_is_refused_by_its_line_and_column() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let path = format!("/stores/{}/statements?provider=mpesa", market.store_id);
    let pointer = |problem: &Value| text(&problem["errors"][0]["pointer"]);
    for (found, with, at) in [
        ("10.00", "ten", "/2/Paid In"),
        ("Pay Bill", "Gift", "/2/Reason Type"),
        ("Receipt No.", "Receipt", "/1/Receipt No."),
        ("Completed,", "Completed,,", "/2"),
    ] {
        let refused = owner
            .upload(&path, &STATEMENT.replacen(found, with, 1))
            .await;
        let problem = refused.expect_problem(422, "validation");
        assert_eq!(pointer(&problem), at, "{problem}");
    }
    let refused = owner.upload(&path, &format!("{HEADER}\n")).await;
    let problem = refused.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["parameter"], "from");
    let short = format!("{path}&from=2026-01-16T00:00:00Z");
    let refused = owner.upload(&short, STATEMENT).await;
    refused.expect_problem(422, "validation");
    let backwards = format!("{path}&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z");
    let refused = owner.upload(&backwards, STATEMENT).await;
    refused.expect_problem(422, "validation");
    let of_nobody = format!("/stores/{}/statements?provider=shells", market.store_id);
    let refused = owner.upload(&of_nobody, STATEMENT).await;
    refused.expect_problem(422, "validation");
    let refused = owner.post(&path, json!({})).await;
    refused.expect_problem(415, "unsupported-media-type");
    let no_key = owner.request(reqwest::Method::POST, &path);
    let no_key = no_key.header("Content-Type", "text/csv").body(STATEMENT);
    send(no_key)
        .await
        .expect_problem(400, "missing-idempotency-key");
    let large = "x".repeat(17 * 1024 * 1024);
    let refused = owner.upload(&path, &large).await;
    refused.expect_problem(413, "body-too-large");
    // Larger than other bodies may be, it is read all the same.
    let rows: Vec<_> = (0..2_000)
        .map(|n| paid_in(&format!("SKR{n:07}"), 100))
        .collect();
    let large = file(&rows);
    assert!(large.len() > 100_000);
    let loaded = owner.upload(&path, &large).await.expect(201);
    assert_eq!(loaded["lines"], 2_000);

    let mut stranger = soko.person("stranger").await;
    let statement = format!("/statements/{}", text(&loaded["statement_id"]));
    stranger
        .get(&statement)
        .await
        .expect_problem(404, "not-found");
    // Nothing of theirs is read.
    let refused = stranger.upload(&path, "x").await;
    refused.expect_problem(404, "not-found");
    let refused = market.vendor.clone().upload(&path, STATEMENT).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.text);
}

/// Payments that M-Pesa carried, with receipts of our choice: put into the log as what takes
/// payments does it.
struct Books<'a> {
    soko: &'a Soko,
    market: &'a Market,
    person: Person,
}

impl<'a> Books<'a> {
    fn of(soko: &'a Soko, market: &'a Market) -> Self {
        let person = market.owner.clone();
        Self {
            soko,
            market,
            person,
        }
    }

    async fn pay(&mut self, receipt: &str, amount: i64) {
        let money = json!({ "amount": amount, "currency": "KES" });
        let purpose = json!({
            "order_id": Uuid::now_v7(), "provider": "mpesa", "store_id": self.market.store_id,
        });
        let mut initiated = purpose.clone();
        initiated["amount"] = money.clone();
        let initiated = json!({ "initiated": initiated });
        let captured = json!({ "captured": {
            "amount": money, "reference": receipt, "purpose": purpose,
        }});
        let mut transaction = self.soko.database().begin().await.unwrap();
        sqlx::query("LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let metadata = json!({
            "actor": "system:test", "command_id": Uuid::now_v7(), "correlation": Uuid::now_v7(),
        });
        let position: i64 = sqlx::query_scalar(
            "INSERT INTO events \
             SELECT (SELECT position FROM log_head) + n, $1::uuid, 'payment', $2, n, name, '1', \
                    payload::json, $3::json, clock_timestamp() \
             FROM unnest(ARRAY['payment.initiated', 'payment.captured'], $4::text[]) \
                  WITH ORDINALITY AS e (name, payload, n) \
             RETURNING position",
        )
        .bind(&self.market.tenant_id)
        .bind(Uuid::now_v7().to_string())
        .bind(metadata.to_string())
        .bind(vec![initiated.to_string(), captured.to_string()])
        .fetch_all(&mut *transaction)
        .await
        .map(|positions| positions.into_iter().max().unwrap())
        .unwrap();
        transaction.commit().await.unwrap();
        self.person = self.person.at_position(position);
    }
}

/// The references of a list, on one side, sorted.
async fn references(person: &Person, statement: &str, list: &str, side: &str) -> Vec<String> {
    let all = person
        .walk(&format!("{statement}/differences?list={list}"), 2)
        .await;
    let mut found: Vec<_> = all
        .iter()
        .map(|one| text(&one[side]["reference"]))
        .collect();
    found.sort();
    found
}

fn paid_in(receipt: &str, minor: i64) -> String {
    row(receipt, minor, "Pay Bill")
}

/// In Nairobi's time, a moment ago.
fn row(receipt: &str, minor: i64, reason: &str) -> String {
    let at = Utc::now() + TimeDelta::hours(3) - TimeDelta::seconds(1);
    let at = at.format("%Y-%m-%d %H:%M:%S");
    let amount = format!("{}.{:02}", minor.abs() / 100, minor.abs() % 100);
    if minor > 0 {
        format!("{receipt},{at},Completed,{amount},,{reason}")
    } else {
        format!("{receipt},{at},Completed,,-{amount},{reason}")
    }
}

fn file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn hours_from_now(hours: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(hours)
}

fn short(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

async fn log_head(soko: &Soko) -> i64 {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM audit.events")
        .fetch_one(soko.database())
        .await
        .unwrap()
}
