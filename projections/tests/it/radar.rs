//! What is stuck, and how payments went: asked of rows that are planted, at a moment that is given.

use crate::log::Log;
use crate::samples::{STORE, TENANT, id, time};
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::payment::PaymentProvider;
use soko_domain::{Currency, StoreId};
use soko_projections::Within;
use soko_projections::radar::{Age, RecentPayments, Stuck, StuckLine, recent_payments, stuck};
use soko_projections::read_models::payments::{
    PaymentsLine, PaymentsQuery, PaymentsReportError, report,
};
use soko_projections::read_models::sales::Interval;
use uuid::Uuid;

#[tokio::test]
async fn payments_are_stuck_by_stage_age_and_currency_and_the_oldest_are_named() {
    let garden = Garden::new().await;
    garden.payment(1, |it| it.is("pending", "30 seconds")).await;
    garden.payment(2, |it| it.is("pending", "3 minutes")).await;
    for number in 10..17 {
        garden
            .payment(number, |it| it.is("unresolved", "2 hours"))
            .await;
    }
    garden.payment(20, |it| it.is("unresolved", "3 days")).await;
    garden
        .payment(21, |it| it.is("unresolved", "2 hours").in_usd())
        .await;
    garden
        .payment(22, |it| it.is("pending", "2 days").by("cash_on_delivery"))
        .await;
    let ended = ["captured", "refunded", "failed", "expired", "cancelled"];
    for (number, status) in (100..).zip(ended) {
        garden.payment(number, |it| it.is(status, "2 days")).await;
    }
    let lines = garden.of(Stuck::Payment).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let currency = line.currency.unwrap();
            (line.stage.as_str(), line.age, currency, line.count)
        })
        .collect();
    let kes = Currency::Kes;
    assert_eq!(
        told,
        [
            ("by_hand", Age::Older, kes, 1),
            ("pending", Age::UnderAMinute, kes, 1),
            ("pending", Age::UnderFiveMinutes, kes, 1),
            ("unresolved", Age::UnderADay, kes, 7),
            ("unresolved", Age::UnderADay, Currency::Usd, 1),
            ("unresolved", Age::Older, kes, 1),
        ]
    );
    let many = &lines[3];
    assert_eq!(many.amount, Some(7 * 1_000));
    // Those of a moment in the order of their ids.
    let named: Vec<Uuid> = (10..15).map(id).collect();
    assert_eq!(many.oldest, named);
    assert_eq!(many.oldest_at, now() - TimeDelta::hours(2));
}

#[tokio::test]
async fn refunds_are_stuck_until_they_are_done_or_another_makes_them_good() {
    let garden = Garden::new().await;
    for number in 1..=5 {
        garden.payment(number, |it| it.captured(1_000)).await;
    }
    garden.refund(1, 1, "requested", "10 minutes").await;
    garden.refund(2, 2, "unresolved", "2 hours").await;
    garden.refund(3, 3, "failed", "2 hours").await;
    // Asked for once more, and done; and failed after another was done.
    garden.refund(4, 4, "failed", "2 hours").await;
    garden.refund(4, 5, "done", "1 hour").await;
    garden.refund(5, 6, "done", "3 hours").await;
    garden.refund(5, 7, "failed", "1 hour").await;
    garden.refund(5, 8, "returned", "1 hour").await;
    let lines = garden.of(Stuck::Refund).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.stage.as_str(), line.count, line.oldest.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("failed", 2, vec![id(3), id(5)]),
            ("requested", 1, vec![id(1)]),
            ("unresolved", 1, vec![id(2)]),
        ]
    );
    // By hand all of it went back: nothing is left to be made good.
    garden.set("payments SET refunded = captured").await;
    let stages = garden.stages(Stuck::Refund).await;
    assert_eq!(stages, ["requested", "unresolved"]);
}

#[tokio::test]
async fn credits_have_a_deadline_and_disputes_an_answer_to_be_given() {
    let garden = Garden::new().await;
    garden
        .payment(1, |it| it.captured(1_000).with_credit("1 day"))
        .await;
    garden
        .payment(2, |it| it.captured(1_000).with_credit("-1 day"))
        .await;
    garden.payment(3, |it| it.captured(1_000)).await;
    garden
        .set("payments SET status = 'disputed', is_disputed = true, answer_by = '2026-03-09' WHERE payment_id = '00000000-0000-0000-0000-000000000003'")
        .await;
    let credits = garden.of(Stuck::Credit).await;
    let day = TimeDelta::days(1);
    let told: Vec<_> = credits
        .iter()
        .map(|line| (line.stage.as_str(), line.amount, line.due_at))
        .collect();
    assert_eq!(
        told,
        [
            ("held", Some(300), Some(now() + day)),
            ("overdue", Some(300), Some(now() - day)),
        ]
    );
    let disputes = garden.of(Stuck::Dispute).await;
    assert_eq!(disputes.len(), 1);
    assert_eq!(disputes[0].due_at, Some(time("2026-03-09T00:00:00Z")));
    // Lost: the bank has decided, and nobody waits.
    garden.set("payments SET is_disputed = false").await;
    assert_eq!(garden.of(Stuck::Dispute).await, []);
}

#[tokio::test]
async fn money_of_orders_that_have_died_is_stuck_until_it_is_back() {
    let garden = Garden::new().await;
    for (number, status) in [
        (1, "cancelled"),
        (2, "expired"),
        (3, "paid"),
        (4, "expired"),
    ] {
        garden.order(number, status, "pending").await;
        garden.payment(number, |it| it.captured(1_000)).await;
    }
    garden.refund(1, 1, "requested", "2 hours").await;
    garden.refund(3, 3, "requested", "2 hours").await;
    garden
        .set("payments SET credit = 300, credit_by = '2026-03-09' WHERE payment_id = '00000000-0000-0000-0000-000000000002'")
        .await;
    let lines = garden.of(Stuck::MoneyOfDeadOrder).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.stage.as_str(), line.amount, line.oldest.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("cancelled", Some(1_000), vec![id(1)]),
            ("expired", Some(1_000), vec![id(2)]),
        ]
    );
    garden.set("payments SET refunded = captured").await;
    assert_eq!(garden.of(Stuck::MoneyOfDeadOrder).await, []);
}

#[tokio::test]
async fn callbacks_are_stuck_while_they_wait_and_shown_for_a_week_if_nobody_confirmed_them() {
    let garden = Garden::new().await;
    garden.callback(1, None, false, "2 minutes").await;
    garden
        .callback(2, Some("money was taken"), false, "2 minutes")
        .await;
    garden
        .callback(3, Some("nothing was taken"), true, "6 days")
        .await;
    garden
        .callback(4, Some("nothing was taken"), true, "8 days")
        .await;
    let waiting = garden.of(Stuck::Callback).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((waiting[0].count, waiting[0].amount), (1, None));
    assert_eq!(waiting[0].currency, None);
    let given_up = garden.of(Stuck::UnconfirmedCallback).await;
    assert_eq!(given_up.len(), 1, "{given_up:?}");
    assert_eq!(given_up[0].oldest, [id::<Uuid>(3)]);
}

#[tokio::test]
async fn paid_orders_are_stuck_until_each_vendor_has_packed_or_shipped() {
    let garden = Garden::new().await;
    for (number, status, part) in [
        (1, "paid", "pending"),
        (2, "paid", "packed"),
        (3, "pending_payment", "pending"),
        (4, "partly_shipped", "pending"),
        (5, "completed", "delivered"),
    ] {
        garden.order(number, status, part).await;
        garden.payment(number, |it| it.captured(1_000)).await;
    }
    let lines = garden.of(Stuck::UnacceptedOrder).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.stage.as_str(), line.oldest.clone(), line.amount))
        .collect();
    assert_eq!(
        told,
        [
            ("paid", vec![id(1)], Some(1_000)),
            ("partly_shipped", vec![id(4)], Some(1_000)),
        ]
    );
    // As long as the money is there, and not since anything happened last.
    assert_eq!(lines[0].oldest_at, now() - TimeDelta::hours(2));
}

#[tokio::test]
async fn payouts_are_stuck_until_they_are_paid_or_refused() {
    let garden = Garden::new().await;
    let under_way = ["requested", "approved", "sent", "unresolved"];
    let ended = ["paid", "rejected", "failed", "returned"];
    for (number, status) in (1..).zip(under_way.into_iter().chain(ended)) {
        garden.payout(number, status, "2 hours").await;
    }
    let lines = garden.of(Stuck::Payout).await;
    assert!(lines.iter().all(|line| line.amount == Some(700)));
    let mut stages: Vec<_> = lines.iter().map(|line| line.stage.as_str()).collect();
    stages.sort_unstable();
    let mut known = Stuck::Payout.stages().to_vec();
    known.sort_unstable();
    assert_eq!(stages, known);
}

#[tokio::test]
async fn nobody_sees_what_is_stuck_elsewhere() {
    let garden = Garden::new().await;
    garden.payment(1, |it| it.is("pending", "1 hour")).await;
    let count = async |within| {
        let lines = stuck(garden.log.reader(), within, now()).await.unwrap();
        lines.iter().map(|line| line.count).sum::<i64>()
    };
    assert_eq!(count(Within::Platform).await, 1);
    assert_eq!(count(Within::Store(TENANT, STORE)).await, 1);
    assert_eq!(
        count(Within::Store(TENANT, StoreId::from_uuid(id(99)))).await,
        0
    );
    assert_eq!(count(Within::Store(id(99), STORE)).await, 0);
}

#[tokio::test]
async fn what_can_be_stuck_at_a_stage_is_what_the_stages_say() {
    let garden = Garden::new().await;
    for (number, status) in (1..).zip(["initiated", "pending", "authorised", "unresolved"]) {
        garden.payment(number, |it| it.is(status, "1 hour")).await;
    }
    garden
        .payment(9, |it| it.is("pending", "1 hour").by("bank_transfer"))
        .await;
    let mut stages = garden.stages(Stuck::Payment).await;
    let mut known = Stuck::Payment.stages().to_vec();
    stages.sort();
    known.sort_unstable();
    assert_eq!(stages, known);
}

#[tokio::test]
async fn payments_count_in_the_hour_in_which_they_were_started() {
    let garden = Garden::new().await;
    let at = |minute: u32| format!("2026-03-01T09:{minute:02}:00Z");
    for (number, seconds) in [(1, 2), (2, 4), (3, 60)] {
        garden
            .payment(number, |it| {
                it.captured(1_000).started(&at(5)).captured_after(seconds)
            })
            .await;
    }
    for (number, status) in [
        (4, "failed"),
        (5, "expired"),
        (6, "cancelled"),
        (7, "unresolved"),
        (8, "pending"),
    ] {
        garden
            .payment(number, |it| it.is(status, "2 hours").started(&at(59)))
            .await;
    }
    garden
        .payment(9, |it| {
            it.captured(500)
                .by("paystack")
                .started("2026-03-01T10:00:00Z")
        })
        .await;
    garden
        .set(
            "payments SET refunded = 400 WHERE payment_id = '00000000-0000-0000-0000-000000000001'",
        )
        .await;
    let within = Within::Store(TENANT, STORE);
    let lines = report(garden.log.reader(), within, &asked()).await.unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        lines[0],
        PaymentsLine {
            start: time("2026-03-01T09:00:00Z"),
            provider: PaymentProvider::Mpesa,
            currency: Currency::Kes,
            started: 8,
            captured: 3,
            failed: 1,
            expired: 1,
            cancelled: 1,
            unresolved: 1,
            open: 1,
            latency_median_ms: Some(4_000),
            latency_p95_ms: Some(60_000),
            amount_captured: 3_000,
            amount_refunded: 400,
        }
    );
    assert_eq!(lines[0].success_rate_bps(), Some(6_000));
    assert_eq!(lines[1].provider, PaymentProvider::Paystack);
    let elsewhere = Within::Store(TENANT, StoreId::from_uuid(id(99)));
    assert_eq!(
        report(garden.log.reader(), elsewhere, &asked())
            .await
            .unwrap(),
        []
    );
    // The whole of a day in Nairobi, which begins three hours before one of UTC.
    let by_day = PaymentsQuery {
        interval: Interval::Day,
        time_zone: "Africa/Nairobi".to_owned(),
        ..asked()
    };
    let days = report(garden.log.reader(), Within::Platform, &by_day)
        .await
        .unwrap();
    assert!(
        days.iter()
            .all(|line| line.start == time("2026-02-28T21:00:00Z"))
    );
}

#[tokio::test]
async fn what_cannot_be_reported_is_refused_by_name() {
    let garden = Garden::new().await;
    let on_mars = PaymentsQuery {
        time_zone: "Mars/Olympus'; --".to_owned(),
        ..asked()
    };
    let told = report(garden.log.reader(), Within::Platform, &on_mars).await;
    assert!(matches!(told, Err(PaymentsReportError::NoSuchTimeZone(_))));
    let backwards = PaymentsQuery {
        from: asked().to,
        ..asked()
    };
    let told = report(garden.log.reader(), Within::Platform, &backwards).await;
    assert!(matches!(told, Err(PaymentsReportError::EndsBeforeItBegins)));
}

#[tokio::test]
async fn what_was_started_lately_tells_how_a_provider_does() {
    let garden = Garden::new().await;
    garden
        .payment(1, |it| it.captured(1_000).started("2026-03-01T11:30:00Z"))
        .await;
    garden
        .payment(2, |it| {
            it.is("failed", "1 minute").started("2026-03-01T11:30:00Z")
        })
        .await;
    garden
        .payment(3, |it| {
            it.is("failed", "2 hours").started("2026-03-01T09:30:00Z")
        })
        .await;
    let recent = recent_payments(garden.log.reader(), now() - TimeDelta::hours(1)).await;
    assert_eq!(
        recent.unwrap(),
        [RecentPayments {
            provider: PaymentProvider::Mpesa,
            captured: 1,
            failed: 1,
            expired: 0,
            unresolved: 0,
            open: 0,
        }]
    );
}

fn now() -> DateTime<Utc> {
    time("2026-03-01T12:00:00Z")
}

fn asked() -> PaymentsQuery {
    PaymentsQuery {
        from: time("2026-03-01T00:00:00Z"),
        to: time("2026-03-02T00:00:00Z"),
        interval: Interval::Hour,
        time_zone: "UTC".to_owned(),
    }
}

/// Where rows are planted.
struct Garden {
    log: Log,
}

/// A payment of M-Pesa over ten shillings; ages are those at [`now`].
struct Planted {
    status: String,
    provider: &'static str,
    currency: &'static str,
    captured: i64,
    credit: i64,
    credit_in: Option<String>,
    age: String,
    started: Option<String>,
    captured_after: i32,
}

impl Planted {
    fn is(mut self, status: &str, age: &str) -> Self {
        status.clone_into(&mut self.status);
        age.clone_into(&mut self.age);
        self
    }

    fn captured(mut self, captured: i64) -> Self {
        self.captured = captured;
        self.is("captured", "2 hours")
    }

    fn with_credit(mut self, due_in: &str) -> Self {
        self.credit = 300;
        self.credit_in = Some(due_in.to_owned());
        self
    }

    fn by(mut self, provider: &'static str) -> Self {
        self.provider = provider;
        self
    }

    fn in_usd(mut self) -> Self {
        self.currency = "USD";
        self
    }

    fn started(mut self, at: &str) -> Self {
        self.started = Some(at.to_owned());
        self
    }

    const fn captured_after(mut self, seconds: i32) -> Self {
        self.captured_after = seconds;
        self
    }
}

impl Garden {
    async fn new() -> Self {
        Self {
            log: Log::empty().await,
        }
    }

    async fn of(&self, what: Stuck) -> Vec<StuckLine> {
        let within = Within::Store(TENANT, STORE);
        let mut lines = stuck(self.log.reader(), within, now()).await.unwrap();
        lines.retain(|line| line.what == what);
        lines
    }

    async fn stages(&self, what: Stuck) -> Vec<String> {
        self.of(what)
            .await
            .into_iter()
            .map(|line| line.stage)
            .collect()
    }

    /// Its order has the same number.
    async fn payment(&self, number: u128, like: impl FnOnce(Planted) -> Planted) {
        let planted = like(Planted {
            status: String::new(),
            provider: "mpesa",
            currency: "KES",
            captured: 0,
            credit: 0,
            credit_in: None,
            age: String::new(),
            started: None,
            captured_after: 0,
        });
        sqlx::query(
            "INSERT INTO read_models.payments (payment_id, tenant_id, store_id, order_id, provider, \
                 status, currency, amount, captured, refunded, credit, credit_by, initiated_at, \
                 captured_at, changed_at, version) \
             SELECT $1, $2, $3, $1, $4, $5, $6, 1000, $7, 0, $8, $9 + $10::interval, started, \
                 CASE WHEN $7 > 0 THEN started + make_interval(secs => $11) END, \
                 $9 - $12::interval, 1 \
             FROM (SELECT coalesce($13::timestamptz, $9 - $12::interval) AS started) AS planted",
        )
        .bind(id::<Uuid>(number))
        .bind(TENANT.as_uuid())
        .bind(STORE.as_uuid())
        .bind(planted.provider)
        .bind(&planted.status)
        .bind(planted.currency)
        .bind(planted.captured)
        .bind(planted.credit)
        .bind(now())
        .bind(&planted.credit_in)
        .bind(f64::from(planted.captured_after))
        .bind(&planted.age)
        .bind(&planted.started)
        .execute(self.log.pool())
        .await
        .unwrap();
    }

    async fn refund(&self, payment: u128, number: u128, stage: &str, age: &str) {
        sqlx::query(
            "INSERT INTO read_models.payment_refunds VALUES \
                 ($1, $2, $3, $4, 'KES', 400, NULL, $5 - $6::interval, $5 - $6::interval)",
        )
        .bind(id::<Uuid>(payment))
        .bind(id::<Uuid>(number))
        .bind(TENANT.as_uuid())
        .bind(stage)
        .bind(now())
        .bind(age)
        .execute(self.log.pool())
        .await
        .unwrap();
    }

    async fn order(&self, number: u128, status: &str, part: &str) {
        sqlx::query(
            "INSERT INTO read_models.orders (order_id, tenant_id, store_id, account_id, vendor_ids, \
                 number, status, is_final, waiting_for, currency, total, payment_id, provider, \
                 payment_status, fulfilments, terms, position, placed_at, changed_at, version) \
             SELECT $1, $2, $3, $1, '{}', '1', $4, is_final, CASE WHEN NOT is_final THEN 'x' END, \
                 'KES', 1000, $1, 'mpesa', 'captured', \
                 json_build_array(json_build_object('status', $5)), '{}', 1, $6 - interval '1 day', \
                 $6 - interval '3 hours', 1 \
             FROM (SELECT $4 IN ('cancelled', 'expired', 'completed') AS is_final) AS planted",
        )
        .bind(id::<Uuid>(number))
        .bind(TENANT.as_uuid())
        .bind(STORE.as_uuid())
        .bind(status)
        .bind(part)
        .bind(now())
        .execute(self.log.pool())
        .await
        .unwrap();
    }

    async fn callback(&self, number: u128, verdict: Option<&str>, was_given_up: bool, age: &str) {
        sqlx::query(
            "INSERT INTO provider_callbacks (callback_id, tenant_id, store_id, provider, digest, \
                 received_at, verdict, was_given_up, due_at) \
             VALUES ($1, $2, $3, 'mpesa', decode(repeat('00', 32), 'hex'), $4 - $5::interval, $6, $7, $4)",
        )
        .bind(id::<Uuid>(number))
        .bind(TENANT.as_uuid())
        .bind(STORE.as_uuid())
        .bind(now())
        .bind(age)
        .bind(verdict)
        .bind(was_given_up)
        .execute(self.log.pool())
        .await
        .unwrap();
    }

    async fn payout(&self, number: u128, status: &str, age: &str) {
        sqlx::query(
            "INSERT INTO read_models.payouts (payout_id, position, tenant_id, store_id, vendor_id, \
                 currency, amount, method, status, requested_at, changed_at) \
             VALUES ($1, 1, $2, $3, $1, 'KES', 700, 'mpesa', $4, $5 - $6::interval, \
                 $5 - $6::interval)",
        )
        .bind(id::<Uuid>(number))
        .bind(TENANT.as_uuid())
        .bind(STORE.as_uuid())
        .bind(status)
        .bind(now())
        .bind(age)
        .execute(self.log.pool())
        .await
        .unwrap();
    }

    /// Changes what was planted.
    async fn set(&self, change: &str) {
        sqlx::query(&format!("UPDATE read_models.{change}"))
            .execute(self.log.pool())
            .await
            .unwrap();
    }
}
