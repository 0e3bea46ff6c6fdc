//! A provider's statements beside our books: what is planted is found, and nothing else.

use crate::log::{Log, id, tenant};
use crate::running::{Node, assert_equals_its_replay};
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::payment::{PaymentEvent, PaymentProvider, Refund, RefundMethod};
use soko_domain::statement::{
    LineKind, Opening, Period, StatementEvent, StatementLine, StatementProvider, identified,
    tallies,
};
use soko_domain::{AnyEvent, Currency, Money, StoreId};
use soko_projections::read_models::payments::{PaymentMoves, Payments};
use soko_projections::read_models::statements::{
    Question, Reconciliation, StatementLines, Statements, known_before, reconcile, statement,
    statements,
};
use soko_projections::{Keyset, Within};
use uuid::Uuid;

#[tokio::test]
async fn every_planted_difference_is_found_and_no_other() {
    let mut books = Books::empty().await;
    // 40 payments, each refunded in part; of each ten, one is missing there, one is altered.
    let mut lines = Vec::new();
    let (mut missing, mut altered, mut extra) = (vec![], vec![], vec![]);
    for number in 0..40_u32 {
        let (paid, back) = (format!("PAY{number}"), format!("BACK{number}"));
        books.pays(number, 1_000, &paid, MPESA).await;
        books
            .refunds(number, 250, &back, RefundMethod::MobileMoney)
            .await;
        match number % 10 {
            3 => missing.push(paid),
            7 => {
                lines.push(line(LineKind::Capture, 1_001, &paid));
                altered.push(paid);
            }
            _ => lines.push(line(LineKind::Capture, 1_000, &paid)),
        }
        // By hand, so the provider need not have it; where it has, it is the same.
        if number % 4 == 0 {
            lines.push(line(LineKind::Refund, -250, &back));
        }
        if number % 8 == 0 {
            let name = format!("EXTRA{number}");
            lines.push(line(LineKind::Capture, 1_000, &name));
            extra.push(name);
        }
    }
    let mut fee = line(LineKind::Fee, -77, "PAY1");
    fee.name = None;
    lines.push(fee);
    let mut payout = line(LineKind::Payout, -5_000, "OUT1");
    payout.name = None;
    lines.push(payout);
    lines.reverse();
    books.states(lines).await;
    let found = books.reconciled().await;
    assert_eq!(ours(&found), sorted(missing));
    assert_eq!(differing(&found), sorted(altered));
    assert_eq!(theirs(&found), sorted(extra));
    // 32 payments of 40, and 10 refunds.
    assert_eq!(found.matched, 42);
    let fees = found
        .tallies
        .iter()
        .find(|tally| tally.kind == LineKind::Fee);
    assert_eq!(fees.unwrap().amount, kes(-77));
    assert!(found.has_differences());
}

#[tokio::test]
async fn what_is_repaired_is_no_difference_any_more_and_days_may_lie_between() {
    let mut books = Books::empty().await;
    books.pays(1, 1_000, "PAY1", MPESA).await;
    books
        .states(vec![
            line(LineKind::Capture, 1_000, "PAY1"),
            line(LineKind::Capture, 700, "PAY2"),
        ])
        .await;
    assert_eq!(theirs(&books.reconciled().await), ["PAY2"]);
    // Found in the statement, and put on record as cash with the provider's receipt.
    books.log.now = Some(day("2026-12-15"));
    books
        .pays(2, 700, "PAY2", PaymentProvider::CashOnDelivery)
        .await;
    let found = books.reconciled().await;
    assert!(!found.has_differences(), "{found:?}");
    assert_eq!(found.matched, 2);
}

#[tokio::test]
async fn what_is_younger_or_older_than_the_period_is_not_asked_after() {
    let mut books = Books::empty().await;
    books.log.now = Some(day("2026-10-31"));
    books.pays(1, 1_000, "OLD", MPESA).await;
    books.log.now = Some(day("2026-12-01"));
    books.pays(2, 1_000, "YOUNG", MPESA).await;
    // Paid in time, and heard of too late: it is the same money.
    books.pays(3, 1_000, "LATE", MPESA).await;
    books
        .states(vec![line(LineKind::Capture, 1_000, "LATE")])
        .await;
    let found = books.reconciled().await;
    assert!(!found.has_differences(), "{found:?}");
    assert_eq!(found.matched, 1);
}

#[tokio::test]
async fn what_was_recorded_here_within_the_period_may_stand_in_the_statement_before() {
    let mut books = Books::empty().await;
    books.log.now = Some(day("2026-11-01"));
    books.pays(1, 1_000, "NIGHT", MPESA).await;
    books.states(vec![]).await;
    assert_eq!(ours(&books.reconciled().await), ["NIGHT"]);
    let mut before = line(LineKind::Capture, 1_000, "NIGHT");
    before.happened_at = day("2026-10-31");
    let october = Period {
        from: day("2026-10-01"),
        to: day("2026-10-31"),
    };
    books.states_of(october, vec![before]).await;
    let found = books.reconciled().await;
    assert!(!found.has_differences(), "{found:?}");
}

#[tokio::test]
async fn lines_of_statements_that_overlap_count_once() {
    let mut books = Books::empty().await;
    let lines = |names: &[&str]| -> Vec<_> {
        let lines = names
            .iter()
            .map(|name| line(LineKind::Capture, 1_000, name));
        lines.collect()
    };
    books.states(lines(&["A", "B"])).await;
    books.log.now = Some(day("2026-11-21"));
    books.states(lines(&["B", "C"])).await;
    let found = books.reconciled().await;
    assert_eq!(theirs(&found), ["A", "B", "C"]);
    assert_eq!(found.tallies[0].amount, kes(3_000));
    let page = statements(books.log.reader(), within(), Keyset::first(1))
        .await
        .unwrap();
    let after = page.next;
    let rest = Keyset { after, limit: 1 };
    let rest = statements(books.log.reader(), within(), rest)
        .await
        .unwrap();
    assert_eq!(
        (page.items.len(), rest.items.len(), rest.next),
        (1, 1, None)
    );
    let before = async |row| {
        known_before(books.log.reader(), within(), row)
            .await
            .unwrap()
    };
    assert_eq!(before(&page.items[0]).await, 1);
    assert_eq!(before(&rest.items[0]).await, 0);
    assert_equals_its_replay::<Statements>(books.log.pool()).await;
    assert_equals_its_replay::<StatementLines>(books.log.pool()).await;
}

#[tokio::test]
async fn another_store_and_another_business_see_nothing_of_it() {
    let mut books = Books::empty().await;
    books.pays(1, 1_000, "PAY1", MPESA).await;
    books
        .states(vec![
            line(LineKind::Capture, 900, "PAY1"),
            line(LineKind::Capture, 1, "X"),
        ])
        .await;
    books.fold().await;
    let reader = books.log.reader();
    let own = statements(reader, within(), Keyset::first(5))
        .await
        .unwrap();
    let statement_id = own.items[0].statement_id;
    for (within, is_seen) in [
        (Within::Platform, true),
        (Within::Tenant(tenant()), true),
        (within(), true),
        (Within::Store(tenant(), id(11)), false),
        (Within::Store(id(555), STORE), false),
        (Within::Tenant(id(555)), false),
    ] {
        let found = statement(reader, within, statement_id).await.unwrap();
        assert_eq!(found.is_some(), is_seen, "{within:?}");
        let listed = statements(reader, within, Keyset::first(5)).await.unwrap();
        assert_eq!(!listed.items.is_empty(), is_seen, "{within:?}");
        let found = reconcile(reader, within, &november()).await.unwrap();
        assert_eq!(found.has_differences(), is_seen, "{within:?}");
    }
    // Nor does another provider's statement.
    let stripe = Question {
        provider: StatementProvider::Stripe,
        ..november()
    };
    let found = reconcile(reader, within(), &stripe).await.unwrap();
    assert!(!found.has_differences());
}

const STORE: StoreId = StoreId::from_uuid(Uuid::from_u128(
    0x0190_0000_0000_7000_8000_0000_0000_0000 + 10,
));
const MPESA: PaymentProvider = PaymentProvider::Mpesa;

/// A store's payments, and its provider's statements.
struct Books {
    log: Log,
    files: u32,
}

impl Books {
    async fn empty() -> Self {
        let mut log = Log::empty().await;
        log.now = Some(day("2026-11-20"));
        Self { log, files: 0 }
    }

    async fn pays(&mut self, number: u32, amount: i64, reference: &str, by: PaymentProvider) {
        let payment_id = payment(number);
        let initiated = PaymentEvent::Initiated {
            order_id: id(0x2000_0000 + u128::from(number)),
            store_id: STORE,
            provider: by,
            amount: kes(amount),
            terms: None,
        };
        let captured = PaymentEvent::Captured {
            amount: kes(amount),
            reference: reference.parse().unwrap(),
            collected_by: None,
            fee: None,
            is_provisional: false,
            is_hearsay: false,
            purpose: None,
        };
        let events = [initiated, captured].map(|event| AnyEvent::Payment(payment_id, event));
        self.log.append(events).await;
    }

    async fn refunds(&mut self, number: u32, amount: i64, reference: &str, method: RefundMethod) {
        let refunded = PaymentEvent::Refunded(Refund {
            refund_id: id(0x6000_0000 + u128::from(number)),
            amount: kes(amount),
            reason: "damaged".parse().unwrap(),
            method,
            reference: reference.parse().unwrap(),
            refunded_by: Some(id(41)),
            purpose: None,
        });
        self.log
            .append([AnyEvent::Payment(payment(number), refunded)])
            .await;
    }

    async fn states(&mut self, lines: Vec<StatementLine>) {
        self.states_of(november().period, lines).await;
    }

    async fn states_of(&mut self, period: Period, lines: Vec<StatementLine>) {
        self.files += 1;
        self.log.append(file(self.files, period, lines)).await;
    }

    async fn fold(&self) {
        let node = Node::of(&self.log)
            .working_on::<Payments>()
            .working_on::<PaymentMoves>()
            .working_on::<Statements>()
            .working_on::<StatementLines>();
        node.has_folded::<Payments>(self.log.head()).await;
        node.has_folded::<PaymentMoves>(self.log.head()).await;
        node.has_folded::<Statements>(self.log.head()).await;
        node.has_folded::<StatementLines>(self.log.head()).await;
        node.shut_down().await;
    }

    async fn reconciled(&self) -> Reconciliation {
        self.fold().await;
        let found = reconcile(self.log.reader(), within(), &november()).await;
        found.unwrap()
    }
}

fn within() -> Within {
    Within::Store(tenant(), STORE)
}

fn november() -> Question {
    Question {
        store_id: STORE,
        provider: StatementProvider::Mpesa,
        period: Period {
            from: day("2026-11-01"),
            to: day("2026-11-30"),
        },
    }
}

/// A statement of the store's M-Pesa account, with captures of so much by these references.
pub(crate) fn stated(captures: &[(&str, i64)]) -> Vec<AnyEvent> {
    let lines = captures.iter();
    let lines = lines.map(|(reference, amount)| line(LineKind::Capture, *amount, reference));
    file(1, november().period, lines.collect())
}

fn file(number: u32, period: Period, lines: Vec<StatementLine>) -> Vec<AnyEvent> {
    let opening = Opening {
        store_id: STORE,
        provider: StatementProvider::Mpesa,
        digest: format!("{number:064}").parse().unwrap(),
        period,
        lines: u32::try_from(lines.len()).unwrap(),
    };
    let statement_id = opening.statement_id();
    let closed = StatementEvent::Closed {
        lines: opening.lines,
        tallies: tallies(lines.iter().map(StatementLine::movement)).unwrap(),
    };
    let mut events = vec![StatementEvent::Opened(opening)];
    let lines = identified(STORE, StatementProvider::Mpesa, lines);
    for (line, number) in lines.into_iter().zip(1..) {
        events.push(StatementEvent::LineRecorded {
            store_id: STORE,
            provider: StatementProvider::Mpesa,
            line_id: line.line_id,
            number,
            line: line.line,
        });
    }
    events.push(closed);
    let events = events.into_iter();
    events
        .map(|event| AnyEvent::Statement(statement_id, event))
        .collect()
}

fn line(kind: LineKind, amount: i64, reference: &str) -> StatementLine {
    StatementLine {
        reference: reference.parse().unwrap(),
        name: Some(reference.parse().unwrap()),
        other_name: None,
        kind,
        amount: kes(amount),
        fee: None,
        happened_at: day("2026-11-20") - TimeDelta::seconds(2),
        words: "Pay Bill".parse().unwrap(),
    }
}

fn payment(number: u32) -> soko_domain::PaymentId {
    id(0x4000_0000 + u128::from(number))
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn day(date: &str) -> DateTime<Utc> {
    format!("{date}T12:00:00Z").parse().unwrap()
}

fn ours(found: &Reconciliation) -> Vec<String> {
    let ours = found.ours_only.iter();
    sorted(ours.map(|moved| moved.reference.clone()).collect())
}

fn theirs(found: &Reconciliation) -> Vec<String> {
    let theirs = found.theirs_only.iter();
    sorted(theirs.map(|line| line.reference.clone()).collect())
}

fn differing(found: &Reconciliation) -> Vec<String> {
    let pairs = found.amounts_differ.iter();
    let same = |(ours, theirs): &(_, soko_projections::read_models::statements::Stated)| {
        let ours: &soko_projections::read_models::statements::Booked = ours;
        assert_eq!(ours.reference, theirs.reference);
        ours.reference.clone()
    };
    sorted(pairs.map(same).collect())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
