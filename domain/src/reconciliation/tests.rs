//! What is the same, by example.

use super::*;
use crate::Currency;

#[test]
fn the_same_on_both_sides_is_matched_by_any_of_its_names() {
    let ours = [
        ours(LineKind::Capture, 500, "pi_1"),
        ours(LineKind::Refund, -200, "re_1"),
    ];
    let theirs = [
        theirs(LineKind::Refund, -200, &["re_1"]),
        theirs(LineKind::Capture, 500, &["ch_1", "pi_1"]),
    ];
    let found = compare(&ours, &theirs);
    assert_eq!(found.matched, [(0, 1), (1, 0)]);
    assert_eq!(without_matches(found), Comparison::default());
}

#[test]
fn another_amount_or_currency_is_a_difference() {
    let mut dollars = theirs(LineKind::Capture, 500, &["B"]);
    dollars.amount = Money::new(500, Currency::Usd);
    let ours = [
        ours(LineKind::Capture, 500, "A"),
        ours(LineKind::Capture, 500, "B"),
    ];
    let theirs = [theirs(LineKind::Capture, 499, &["A"]), dollars];
    let found = compare(&ours, &theirs);
    assert_eq!(found.amounts_differ, [(0, 0), (1, 1)]);
}

#[test]
fn another_kind_by_the_same_name_is_another_movement() {
    let found = compare(
        &[ours(LineKind::Capture, 500, "A")],
        &[theirs(LineKind::Refund, 500, &["A"])],
    );
    assert_eq!((found.ours_only, found.theirs_only), (vec![0], vec![0]));
}

#[test]
fn the_surer_name_decides() {
    // Two refunds of one payment, both altered: by the payment's name they would cross over.
    let ours = [
        ours(LineKind::Refund, -90, "r1"),
        ours(LineKind::Refund, -100, "r2"),
    ];
    let theirs = [
        theirs(LineKind::Refund, -100, &["r1", "r2"]),
        theirs(LineKind::Refund, -90, &["r2", "r1"]),
    ];
    let found = compare(&ours, &theirs);
    assert_eq!(found.amounts_differ, [(0, 0), (1, 1)]);
}

#[test]
fn by_one_name_equal_amounts_come_together_first() {
    let ours = [
        ours(LineKind::Refund, -100, "P"),
        ours(LineKind::Refund, -200, "P"),
    ];
    let theirs = [
        theirs(LineKind::Refund, -200, &["P"]),
        theirs(LineKind::Refund, -300, &["P"]),
    ];
    let found = compare(&ours, &theirs);
    assert_eq!(
        (found.matched, found.amounts_differ),
        (vec![(1, 0)], vec![(0, 1)])
    );
}

#[test]
fn what_is_by_hand_is_the_same_to_the_last_digit_or_another() {
    let by_hand = |amount, reference| Ours {
        is_by_hand: true,
        ..ours(LineKind::Capture, amount, reference)
    };
    let ours = [
        by_hand(500, "9510"),
        by_hand(700, "9511"),
        by_hand(900, "9512"),
    ];
    let theirs = [
        theirs(LineKind::Capture, 500, &["9510"]),
        theirs(LineKind::Capture, 701, &["9511"]),
    ];
    let found = compare(&ours, &theirs);
    assert_eq!((found.matched, found.theirs_only), (vec![(0, 0)], vec![1]));
    assert_eq!((found.ours_only, found.amounts_differ), (vec![], vec![]));
}

#[test]
fn money_of_the_provider_comes_before_what_is_by_hand() {
    let by_hand = Ours {
        is_by_hand: true,
        ..ours(LineKind::Capture, 500, "A")
    };
    let found = compare(
        &[by_hand, ours(LineKind::Capture, 400, "A")],
        &[theirs(LineKind::Capture, 500, &["A"])],
    );
    assert_eq!(found.amounts_differ, [(1, 0)]);
}

#[test]
fn a_line_without_a_name_is_theirs_alone() {
    let found = compare(&[], &[theirs(LineKind::Capture, 500, &[])]);
    assert_eq!(found.theirs_only, [0]);
    assert_eq!(compare(&[], &[]), Comparison::default());
}

fn ours(kind: LineKind, amount: i64, reference: &str) -> Ours<'_> {
    Ours {
        kind,
        amount: Money::new(amount, Currency::Kes),
        reference,
        at: DateTime::UNIX_EPOCH,
        is_by_hand: false,
    }
}

fn theirs<'a>(kind: LineKind, amount: i64, names: &[&'a str]) -> Theirs<'a> {
    Theirs {
        kind,
        amount: Money::new(amount, Currency::Kes),
        names: names.to_vec(),
        at: DateTime::UNIX_EPOCH,
    }
}

fn without_matches(found: Comparison) -> Comparison {
    Comparison {
        matched: vec![],
        ..found
    }
}
