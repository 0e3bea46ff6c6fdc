//! The folds, without a database.

use super::*;
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{STORE, TENANT, id, time};
use soko_domain::statement::{self, LineKind, Opening, Period, identified, tallies};
use soko_domain::{Currency, Money};

#[test]
fn a_statement_is_known_from_its_first_event_on() {
    let events = events(1, &["A", "B"]);
    let opened = only_row::<Statements>(&events[..1]);
    assert_eq!((opened.lines, opened.recorded, opened.version), (2, 0, 1));
    assert_eq!((opened.closed_at, opened.tallies.0.len()), (None, 0));
    let half = only_row::<Statements>(&events[..2]);
    assert_eq!((half.recorded, half.closed_at), (1, None));
    assert_eq!(
        only_row::<Statements>(&events),
        Statement {
            statement_id: id(1),
            tenant_id: TENANT,
            store_id: STORE,
            provider: StatementProvider::Mpesa,
            digest: "1".repeat(64),
            period_from: time("2026-02-01T00:00:00Z"),
            period_to: time("2026-02-28T23:59:59Z"),
            lines: 2,
            recorded: 2,
            tallies: Json(
                tallies(
                    [line("A"), line("B")]
                        .iter()
                        .map(statement::StatementLine::movement)
                )
                .unwrap()
            ),
            opened_at: time("2026-03-01T10:01:00Z"),
            closed_at: Some(time("2026-03-01T10:04:00Z")),
            version: 4,
        }
    );
}

#[test]
fn a_line_is_there_once_in_however_many_statements() {
    let mut both = events(1, &["A", "B"]);
    both.extend(events(2, &["B", "C"]));
    let rows: Vec<_> = folded::<StatementLines>(&both).into_values().collect();
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.reference.as_str(),
                row.statements,
                row.statement_id,
                row.number,
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [("A", 1, id(1), 1), ("B", 2, id(1), 2), ("C", 1, id(2), 2)]
    );
}

#[test]
fn a_line_is_what_the_provider_says() {
    let rows = folded::<StatementLines>(&events(1, &["A"]));
    let row = rows.into_values().next().unwrap();
    assert_eq!((row.tenant_id, row.store_id), (TENANT, STORE));
    assert_eq!((row.amount, row.currency, row.fee), (500, Currency::Kes, 3));
    assert_eq!((row.name.as_deref(), row.other_name), (Some("A"), None));
    assert_eq!(row.happened_at, time("2026-02-14T09:30:00Z"));
    assert_eq!(
        (row.kind, row.words.as_str()),
        (LineKind::Capture, "Pay Bill")
    );
}

#[test]
fn a_statement_whose_beginning_was_left_out_is_not_there() {
    for event in &events(1, &["A"])[1..] {
        assert_eq!(Statements::fold(None, &id(1), event), None);
    }
}

fn line(reference: &str) -> statement::StatementLine {
    statement::StatementLine {
        reference: reference.parse().unwrap(),
        name: Some(reference.parse().unwrap()),
        other_name: None,
        kind: LineKind::Capture,
        amount: Money::new(500, Currency::Kes),
        fee: Some(Money::new(3, Currency::Kes)),
        happened_at: time("2026-02-14T09:30:00Z"),
        words: "Pay Bill".parse().unwrap(),
    }
}

fn events(number: u128, references: &[&str]) -> Vec<RecordedEvent> {
    let lines: Vec<_> = references.iter().map(|reference| line(reference)).collect();
    let opening = Opening {
        store_id: STORE,
        provider: StatementProvider::Mpesa,
        digest: number.to_string().repeat(64).parse().unwrap(),
        period: Period {
            from: time("2026-02-01T00:00:00Z"),
            to: time("2026-02-28T23:59:59Z"),
        },
        lines: u32::try_from(lines.len()).unwrap(),
    };
    let closed = StatementEvent::Closed {
        lines: opening.lines,
        tallies: tallies(lines.iter().map(statement::StatementLine::movement)).unwrap(),
    };
    let identified = identified(STORE, StatementProvider::Mpesa, lines).into_iter();
    let recorded_lines =
        identified
            .zip(1_u32..)
            .map(|(line, number)| StatementEvent::LineRecorded {
                store_id: STORE,
                provider: StatementProvider::Mpesa,
                line_id: line.line_id,
                number,
                line: line.line,
            });
    let all = std::iter::once(StatementEvent::Opened(opening))
        .chain(recorded_lines)
        .chain([closed]);
    recorded(all.map(|event| AnyEvent::Statement(id(number), event)))
}
