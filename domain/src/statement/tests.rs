//! Given, when, then.

use super::*;
use crate::{Currency, Money, Text};
use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn a_file_is_opened_once() {
    given([])
        .when(StatementCommand::Open(opening(2)))
        .then_expect_events(vec![StatementEvent::Opened(opening(2))]);
    given([opened(2)])
        .when(StatementCommand::Open(opening(2)))
        .then_expect_events(vec![]);
    given([opened(2)])
        .when(StatementCommand::Open(opening(3)))
        .then_expect_error(StatementError::AlreadyOpened);
}

#[test]
fn a_period_does_not_end_before_it_begins() {
    let mut opening = opening(0);
    opening.period.to = opening.period.from - TimeDelta::microseconds(1);
    given([])
        .when(StatementCommand::Open(opening))
        .then_expect_error(StatementError::PeriodEndsBeforeItBegins);
}

#[test]
fn lines_follow_each_other() {
    given([opened(3)])
        .when(record(1, 1..=2))
        .then_expect_events(vec![recorded(1), recorded(2)]);
    given([opened(3), recorded(1)])
        .when(record(3, 3..=3))
        .then_expect_error(StatementError::LinesMissing {
            expected: 2,
            first: 3,
        });
    given([opened(3), recorded(1), recorded(2)])
        .when(record(3, 3..=4))
        .then_expect_error(StatementError::TooManyLines { announced: 3 });
    given([])
        .when(record(1, 1..=1))
        .then_expect_error(StatementError::NotOpened);
}

#[test]
fn a_load_that_broke_off_goes_on_where_it_stopped() {
    given([opened(4), recorded(1), recorded(2), recorded(3)])
        .when(record(1, 1..=2))
        .then_expect_events(vec![]);
    given([opened(4), recorded(1), recorded(2), recorded(3)])
        .when(record(3, 3..=4))
        .then_expect_events(vec![recorded(4)]);
    given([opened(1), recorded(1), closed(1)])
        .when(record(1, 1..=1))
        .then_expect_events(vec![]);
}

#[test]
fn a_line_lies_within_the_period() {
    let mut late = line(1);
    late.happened_at = opening(1).period.to + TimeDelta::microseconds(1);
    let lines = identified(store(), StatementProvider::Mpesa, [late]);
    given([opened(1)])
        .when(StatementCommand::Record { first: 1, lines })
        .then_expect_error(StatementError::OutsideOfPeriod { number: 1 });
}

#[test]
fn sums_are_checked() {
    let mut large = line(1);
    large.amount = Money::new(i64::MAX, Currency::Kes);
    let mut more = line(2);
    more.amount = Money::new(1, Currency::Kes);
    let lines = identified(store(), StatementProvider::Mpesa, [large, more]);
    given([opened(2)])
        .when(StatementCommand::Record { first: 1, lines })
        .then_expect_error(StatementError::SumTooLarge { number: 2 });
}

#[test]
fn it_is_closed_when_all_lines_are_there() {
    given([opened(2), recorded(1)])
        .when(StatementCommand::Close {})
        .then_expect_error(StatementError::Unfinished {
            recorded: 1,
            announced: 2,
        });
    given([opened(2), recorded(1), recorded(2)])
        .when(StatementCommand::Close {})
        .then_expect_events(vec![closed(2)]);
    given([opened(2), recorded(1), recorded(2), closed(2)])
        .when(StatementCommand::Close {})
        .then_expect_events(vec![]);
    given([opened(0)])
        .when(StatementCommand::Close {})
        .then_expect_events(vec![closed(0)]);
}

#[test]
fn what_lines_come_to_is_told_by_kind_and_currency() {
    let mut refund = line(2);
    (refund.kind, refund.amount) = (LineKind::Refund, Money::new(-30, Currency::Kes));
    let mut dollars = line(3);
    dollars.amount = Money::new(7, Currency::Usd);
    dollars.fee = Some(Money::new(1, Currency::Usd));
    let sums = tallies(
        [dollars, refund, line(1), line(4)]
            .iter()
            .map(StatementLine::movement),
    )
    .unwrap();
    let sums: Vec<_> = sums
        .iter()
        .map(|tally| (tally.kind, tally.lines, tally.amount, tally.fees.amount()))
        .collect();
    let kes = |amount| Money::new(amount, Currency::Kes);
    assert_eq!(
        sums,
        [
            (LineKind::Capture, 2, kes(500), 10),
            (LineKind::Capture, 1, Money::new(7, Currency::Usd), 1),
            (LineKind::Refund, 1, kes(-30), 5),
        ]
    );
}

#[test]
fn the_same_line_has_one_id_in_every_statement_of_the_store() {
    let ids = |store, provider, lines: Vec<StatementLine>| -> Vec<_> {
        let lines = identified(store, provider, lines).into_iter();
        lines.map(|line| line.line_id).collect()
    };
    let of = |lines| ids(store(), StatementProvider::Mpesa, lines);
    let (first, second) = (of(vec![line(1), line(2)]), of(vec![line(2), line(3)]));
    assert_eq!(first[1], second[0]);
    assert_ne!(first[0], first[1]);
    // What differs makes it another.
    let mut other = line(1);
    other.amount = Money::new(251, Currency::Kes);
    assert_ne!(of(vec![other])[0], first[0]);
    let mut other = line(1);
    other.kind = LineKind::Fee;
    assert_ne!(of(vec![other])[0], first[0]);
    let elsewhere = ids(
        Uuid::from_u128(11).into(),
        StatementProvider::Mpesa,
        vec![line(1)],
    );
    assert_ne!(elsewhere[0], first[0]);
    assert_ne!(
        ids(store(), StatementProvider::Paystack, vec![line(1)])[0],
        first[0]
    );
    // Twice in one file is twice, and the second is the second of another file.
    let twice = of(vec![line(1), line(1)]);
    assert_eq!(twice[0], first[0]);
    assert_ne!(twice[1], twice[0]);
    assert_eq!(twice, of(vec![line(1), line(1)]));
}

#[test]
fn where_lines_have_no_reference_of_their_own_their_times_tell_them_apart() {
    let mut later = line(1);
    later.happened_at += TimeDelta::seconds(1);
    let id = |provider, line| identified(store(), provider, [line])[0].line_id;
    for (provider, is_same) in [
        (StatementProvider::Mpesa, true),
        (StatementProvider::Paystack, true),
        (StatementProvider::Stripe, true),
        (StatementProvider::Paynow, false),
    ] {
        let same = id(provider, line(1)) == id(provider, later.clone());
        assert_eq!(same, is_same, "{provider}");
    }
}

#[test]
fn the_same_file_is_the_same_statement() {
    let id = opening(2).statement_id();
    assert_eq!(opening(2).statement_id(), id);
    let others = [
        Opening {
            store_id: Uuid::from_u128(11).into(),
            ..opening(2)
        },
        Opening {
            provider: StatementProvider::Stripe,
            ..opening(2)
        },
        Opening {
            digest: "b".repeat(64).parse().unwrap(),
            ..opening(2)
        },
    ];
    for other in others {
        assert_ne!(other.statement_id(), id, "{other:?}");
    }
}

#[test]
fn the_largest_line_fits_an_event() {
    let long = || "x".repeat(100).parse::<Text<100>>().unwrap();
    let line = StatementLine {
        reference: long(),
        name: Some(long()),
        other_name: Some(long()),
        amount: Money::new(i64::MIN, Currency::Kes),
        fee: Some(Money::new(i64::MIN, Currency::Kes)),
        words: "\u{1f3ea}".repeat(60).parse().unwrap(),
        ..line(1)
    };
    let event = StatementEvent::LineRecorded {
        store_id: store(),
        provider: StatementProvider::Paystack,
        line_id: Uuid::max().into(),
        number: u32::MAX,
        line,
    };
    assert!(serde_json::to_string(&event).unwrap().len() < 2_048);
}

fn given<const N: usize>(events: [StatementEvent; N]) -> AggregateTestExecutor<Statement> {
    TestFramework::with(()).given(events.into())
}

fn store() -> StoreId {
    Uuid::from_u128(10).into()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn opening(lines: u32) -> Opening {
    Opening {
        store_id: store(),
        provider: StatementProvider::Mpesa,
        digest: "a".repeat(64).parse().unwrap(),
        period: Period {
            from: time("2026-11-01T00:00:00Z"),
            to: time("2026-11-30T23:59:59Z"),
        },
        lines,
    }
}

fn line(number: u32) -> StatementLine {
    let reference: Text<100> = format!("RECEIPT{number}").parse().unwrap();
    StatementLine {
        name: Some(reference.clone()),
        other_name: None,
        reference,
        kind: LineKind::Capture,
        amount: Money::new(250, Currency::Kes),
        fee: Some(Money::new(5, Currency::Kes)),
        happened_at: time("2026-11-21T09:30:00Z"),
        words: "Pay Bill".parse().unwrap(),
    }
}

fn identified_line(number: u32) -> IdentifiedLine {
    let lines = identified(store(), StatementProvider::Mpesa, [line(number)]);
    lines.into_iter().next().unwrap()
}

fn record(first: u32, numbers: std::ops::RangeInclusive<u32>) -> StatementCommand {
    StatementCommand::Record {
        first,
        lines: numbers.map(identified_line).collect(),
    }
}

fn opened(lines: u32) -> StatementEvent {
    StatementEvent::Opened(opening(lines))
}

fn recorded(number: u32) -> StatementEvent {
    let IdentifiedLine { line_id, line } = identified_line(number);
    StatementEvent::LineRecorded {
        store_id: store(),
        provider: StatementProvider::Mpesa,
        line_id,
        number,
        line,
    }
}

fn closed(lines: u32) -> StatementEvent {
    StatementEvent::Closed {
        lines,
        tallies: tallies((1..=lines).map(|number| line(number).movement())).unwrap(),
    }
}
