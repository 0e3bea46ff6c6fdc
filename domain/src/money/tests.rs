//! Sums that must come out right to the cent.

use super::*;
use proptest::prelude::*;

#[test]
fn amounts_of_one_currency_add_up() {
    assert_eq!(kes(100).add(kes(-30)), Ok(kes(70)));
    assert_eq!(kes(100).subtract(kes(130)), Ok(kes(-30)));
    assert_eq!(kes(250).times(3.try_into().unwrap()), Ok(kes(750)));
    assert_eq!(Money::sum(Currency::Kes, [kes(1), kes(2)]), Ok(kes(3)));
    assert_eq!(Money::sum(Currency::Kes, []), Ok(kes(0)));
}

#[test]
fn currencies_do_not_mix() {
    let dollar = Money::new(1, Currency::Usd);
    let refusal = MoneyError::CurrenciesDiffer {
        left: Currency::Kes,
        right: Currency::Usd,
    };
    assert_eq!(kes(1).add(dollar), Err(refusal));
    assert_eq!(kes(1).subtract(dollar), Err(refusal));
    assert_eq!(Money::sum(Currency::Kes, [kes(1), dollar]), Err(refusal));
}

#[test]
fn a_sum_beyond_64_bits_is_refused() {
    let most = kes(i64::MAX);
    assert_eq!(most.add(kes(1)), Err(MoneyError::TooLarge));
    assert_eq!(kes(i64::MIN).subtract(kes(1)), Err(MoneyError::TooLarge));
    let twice = 2.try_into().unwrap();
    assert_eq!(most.times(twice), Err(MoneyError::TooLarge));
}

#[test]
fn what_is_left_goes_to_the_largest_remainders() {
    assert_eq!(
        kes(100).split(&[1, 1, 1]),
        Ok(vec![kes(34), kes(33), kes(33)])
    );
    assert_eq!(kes(10).split(&[1, 2, 4]), Ok(vec![kes(1), kes(3), kes(6)]));
    assert_eq!(
        kes(5).split(&[0, 3, 0, 1]),
        Ok(vec![kes(0), kes(4), kes(0), kes(1)])
    );
}

#[test]
fn without_weights_the_first_part_is_the_whole() {
    assert_eq!(kes(7).split(&[0, 0]), Ok(vec![kes(7), kes(0)]));
}

#[test]
fn what_cannot_be_split_is_refused() {
    assert_eq!(kes(-1).split(&[1]), Err(MoneyError::NegativeSplit));
    assert_eq!(kes(1).split(&[2, -1]), Err(MoneyError::NegativeSplit));
    assert_eq!(kes(1).split(&[]), Err(MoneyError::NoParts { whole: 1 }));
    assert_eq!(kes(0).split(&[]), Ok(vec![]));
}

#[test]
fn an_amount_is_shown_in_major_units() {
    assert_eq!(kes(12_999).to_string(), "KES 129.99");
    assert_eq!(kes(5).to_string(), "KES 0.05");
    assert_eq!(kes(-150).to_string(), "KES -1.50");
    assert_eq!(kes(i64::MIN).to_string(), "KES -92233720368547758.08");
}

#[test]
fn an_amount_is_a_whole_number_in_json() {
    let json = r#"{"amount":12999,"currency":"KES"}"#;
    assert_eq!(serde_json::to_string(&kes(12_999)).unwrap(), json);
    assert_eq!(serde_json::from_str::<Money>(json).unwrap(), kes(12_999));
    for refused in [
        r#"{"amount":129.99,"currency":"KES"}"#,
        r#"{"amount":"12999","currency":"KES"}"#,
        r#"{"amount":9223372036854775808,"currency":"KES"}"#,
        r#"{"amount":1,"currency":"EUR"}"#,
    ] {
        assert!(serde_json::from_str::<Money>(refused).is_err(), "{refused}");
    }
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole(
        whole in 0..=i64::MAX,
        weights in prop::collection::vec(0..=i64::MAX, 1..40),
    ) {
        let parts = kes(whole).split(&weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(Money::sum(Currency::Kes, parts), Ok(kes(whole)));
    }

    /// No part is off its exact share by a minor unit or more.
    #[test]
    fn parts_are_in_proportion(
        whole in 0..1_000_000_000_i64,
        weights in prop::collection::vec(0..1_000_000_i64, 1..40),
    ) {
        let weight_sum = weights.iter().sum::<i64>();
        prop_assume!(weight_sum > 0);
        let parts = kes(whole).split(&weights).unwrap();
        for (part, weight) in parts.iter().zip(weights) {
            let off = i128::from(part.amount()) * i128::from(weight_sum)
                - i128::from(whole) * i128::from(weight);
            prop_assert!(off.abs() < i128::from(weight_sum), "{part} for {weight}");
        }
    }

    #[test]
    fn what_is_added_can_be_taken_off_again(
        left in -1_000_000_000_000..1_000_000_000_000_i64,
        right in -1_000_000_000_000..1_000_000_000_000_i64,
    ) {
        let sum = kes(left).add(kes(right)).unwrap();
        prop_assert_eq!(sum.subtract(kes(right)), Ok(kes(left)));
    }
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}
