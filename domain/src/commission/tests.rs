//! Which rule counts, and what it comes to.

use super::*;
use crate::Currency;
use proptest::prelude::*;
use uuid::Uuid;

#[test]
fn a_percentage_of_what_the_buyer_pays() {
    assert_eq!(of(rule(1_000, 0, None), 2_320, 0), (232, 0));
    assert_eq!(of(rule(0, 0, None), 2_320, 1_600), (0, 0));
}

#[test]
fn half_a_minor_unit_is_rounded_up() {
    // 5 % of 10 is 0.5; 16 % of 3 is 0.48; 50 % of 1 is 0.5.
    assert_eq!(of(rule(500, 0, None), 10, 0), (1, 0));
    assert_eq!(of(rule(0, 3, None), 100, 1_600), (3, 0));
    assert_eq!(of(rule(0, 1, None), 100, 5_000), (1, 1));
}

#[test]
fn a_fixed_amount_is_added_and_both_are_capped() {
    assert_eq!(of(rule(1_000, 50, None), 1_000, 0), (150, 0));
    assert_eq!(of(rule(1_000, 50, Some(120)), 1_000, 0), (120, 0));
    assert_eq!(of(rule(1_000, 50, Some(0)), 1_000, 1_600), (0, 0));
}

#[test]
fn tax_is_due_on_what_is_kept() {
    assert_eq!(of(rule(1_000, 0, None), 10_000, 1_600), (1_000, 160));
}

#[test]
fn never_more_than_the_line_is_kept() {
    assert_eq!(of(rule(0, 500, None), 200, 0), (200, 0));
    // 116 is 100 and 16 % of it.
    assert_eq!(of(rule(0, 500, None), 116, 1_600), (100, 16));
    assert_eq!(of(rule(10_000, 0, None), 116, 1_600), (100, 16));
    assert_eq!(of(rule(1_000, 500, None), 0, 1_600), (0, 0));
}

#[test]
fn the_vendor_comes_before_the_category_and_the_category_before_the_store() {
    let (anna, bill) = (id(1), id(2));
    let (phones, electronics) = (id(71), id(70));
    let rules = CommissionRules {
        standard: rule(1_000, 0, None),
        tax_rate_bps: bps(0),
        vendors: BTreeMap::from([(anna, rule(1, 0, None))]),
        categories: BTreeMap::from([(phones, rule(2, 0, None)), (electronics, rule(3, 0, None))]),
    };
    assert_eq!(rules.rule(anna, [phones, electronics]), rule(1, 0, None));
    assert_eq!(rules.rule(bill, [phones, electronics]), rule(2, 0, None));
    assert_eq!(rules.rule(bill, [id(72), electronics]), rule(3, 0, None));
    assert_eq!(rules.rule(bill, [id(72)]), rule(1_000, 0, None));
    assert!(rules.asks_for_categories(bill));
    assert!(!rules.asks_for_categories(anna));
}

#[test]
fn amounts_below_nothing_and_absurd_ones_are_refused() {
    let max = CommissionRules::AMOUNT_MAX;
    for wrong in [
        rule(0, -1, None),
        rule(0, 0, Some(-1)),
        rule(0, max + 1, None),
        rule(0, 0, Some(i64::MAX)),
    ] {
        let rules = CommissionRules {
            vendors: BTreeMap::from([(id(1), wrong)]),
            ..CommissionRules::default()
        };
        assert_eq!(rules.check(), Err(CommissionError::OutOfRange { max }));
    }
}

#[test]
fn there_is_room_for_so_many_rules() {
    let of_vendors = |count: u128| CommissionRules {
        vendors: (0..count).map(|n| (id(n), rule(1, 0, None))).collect(),
        categories: BTreeMap::from([(id(70), rule(2, 0, None))]),
        ..CommissionRules::default()
    };
    assert_eq!(of_vendors(199).check(), Ok(()));
    assert_eq!(
        of_vendors(200).check(),
        Err(CommissionError::TooManyRules { max: 200 })
    );
}

proptest! {
    #[test]
    fn what_is_kept_is_never_negative_nor_more_than_the_line_or_the_cap(
        total in 0..=CommissionRules::AMOUNT_MAX, rule in any_rule(), tax in 0..=10_000_u32,
    ) {
        let kept = rule.of(kes(total), bps(tax)).unwrap();
        prop_assert!(kept.amount >= 0 && kept.tax >= 0);
        prop_assert!(kept.amount + kept.tax <= total);
        prop_assert!(rule.cap.is_none_or(|cap| kept.amount <= cap));
    }

    #[test]
    fn a_small_line_obeys_the_same(total in 0..200_i64, rule in small_rule(), tax in 0..=10_000_u32) {
        let kept = rule.of(kes(total), bps(tax)).unwrap();
        prop_assert!(kept.amount >= 0 && kept.tax >= 0);
        prop_assert!(kept.amount + kept.tax <= total);
        prop_assert!(rule.cap.is_none_or(|cap| kept.amount <= cap));
    }

    #[test]
    fn no_amount_however_absurd_makes_it_panic(total: i64, fixed: i64, cap: Option<i64>, tax in 0..=10_000_u32) {
        let rule = CommissionRule { bps: bps(10_000), fixed, cap };
        let _ = rule.of(kes(total), bps(tax));
    }
}

fn any_rule() -> impl Strategy<Value = CommissionRule> {
    let amount = 0..=CommissionRules::AMOUNT_MAX;
    (0..=10_000_u32, amount.clone(), proptest::option::of(amount))
        .prop_map(|(bps, fixed, cap)| rule(bps, fixed, cap))
}

fn small_rule() -> impl Strategy<Value = CommissionRule> {
    (0..=10_000_u32, 0..200_i64, proptest::option::of(0..200_i64))
        .prop_map(|(bps, fixed, cap)| rule(bps, fixed, cap))
}

fn of(rule: CommissionRule, total: i64, tax: u32) -> (i64, i64) {
    let kept = rule.of(kes(total), bps(tax)).unwrap();
    (kept.amount, kept.tax)
}

fn rule(percentage: u32, fixed: i64, cap: Option<i64>) -> CommissionRule {
    CommissionRule {
        bps: bps(percentage),
        fixed,
        cap,
    }
}

fn bps(rate: u32) -> TaxRate {
    rate.try_into().unwrap()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}
