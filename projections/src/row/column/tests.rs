//! What is encoded comes back.

use super::*;
use proptest::prelude::*;

#[test]
fn a_null_is_no_value_and_not_a_value_that_is_empty() {
    let mut out = Vec::new();
    assert!(!None::<String>.encode(&mut out).unwrap());
    assert!(Some(String::new()).encode(&mut out).unwrap());
    assert!(out.is_empty());
    assert_eq!(Option::<String>::decode(None).unwrap(), None);
    assert_eq!(
        Option::<String>::decode(Some(&[])).unwrap(),
        Some(String::new())
    );
    assert!(String::decode(None).is_err());
}

#[test]
fn a_name_is_stored_without_its_quotation_marks() {
    let mut out = b"x".to_vec();
    OrderStatus::PartlyShipped.encode(&mut out).unwrap();
    assert_eq!(out, b"xpartly_shipped");
    assert_eq!(
        back(&OrderStatus::PendingPayment),
        OrderStatus::PendingPayment
    );
    assert_eq!(back(&Currency::Kes), Currency::Kes);
    assert!(OrderStatus::decode(Some(b"lost")).is_err());
}

#[test]
fn a_rendered_piece_is_passed_on_as_it_stands() {
    let rendered = RenderedJson::of(&serde_json::json!({ "b": 1, "a": [2] })).unwrap();
    let whole = serde_json::to_string(&[back(&rendered)]).unwrap();
    assert_eq!(whole, r#"[{"a":[2],"b":1}]"#);
}

#[test]
fn a_field_of_another_length_is_refused() {
    assert!(i64::decode(Some(&[0; 4])).is_err());
    assert!(Uuid::decode(Some(&[0; 15])).is_err());
}

proptest! {
    #[test]
    fn numbers_come_back(long in any::<i64>(), middle in any::<i32>(), short in any::<i16>()) {
        prop_assert_eq!(back(&long), long);
        prop_assert_eq!(back(&middle), middle);
        prop_assert_eq!(back(&Some(short)), Some(short));
    }

    #[test]
    fn texts_and_ids_come_back(text in ".*", ids in proptest::collection::vec(any::<u128>(), 0..5)) {
        prop_assert_eq!(back(&text), text.clone());
        prop_assert_eq!(back(&Json(vec![text.clone()])), Json(vec![text]));
        let ids: Vec<ProductId> = ids.into_iter().map(|id| Uuid::from_u128(id).into()).collect();
        prop_assert_eq!(back(&ids), ids);
    }

    #[test]
    fn times_come_back_to_the_microsecond(microseconds in -1_i64 << 50..1_i64 << 50, days in -9_000_i64..90_000) {
        let time = DateTime::from_timestamp_micros(microseconds).unwrap();
        prop_assert_eq!(back(&time), time);
        let date = YEAR_2000.date_naive() + TimeDelta::days(days);
        prop_assert_eq!(back(&date), date);
    }
}

fn back<T: Column>(value: &T) -> T {
    let mut out = Vec::new();
    let is_there = value.encode(&mut out).unwrap();
    T::decode(is_there.then_some(&out[..])).unwrap()
}
