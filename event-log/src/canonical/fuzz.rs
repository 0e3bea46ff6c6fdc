//! The canonical form of whatever can be read, from any bytes. `make fuzz` gives it longer.

use super::{CanonicalError, canonical_json};
use bolero::check;
use serde_json::Value;

/// Something of everything, to begin from.
const PLAIN: &str = r#"{"b":[{"z":-1,"a":null},[],true],"a":{"d":"ü\n","c":18446744073709551615}}"#;

#[test]
fn what_can_be_read_has_one_canonical_form() {
    check!().for_each(|bytes: &[u8]| has_one_form(bytes));
}

#[test]
fn so_has_what_is_almost_an_event() {
    check!()
        .with_type::<Vec<(u16, u8, Vec<u8>)>>()
        .for_each(|edits| {
            let mut bytes = PLAIN.as_bytes().to_vec();
            for (place, fewer, instead) in edits {
                let from = usize::from(*place) % (bytes.len() + 1);
                let to = (from + usize::from(*fewer % 8)).min(bytes.len());
                bytes.splice(from..to, instead.iter().copied());
            }
            has_one_form(&bytes);
        });
}

fn has_one_form(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    match canonical_json(&value) {
        Ok(form) => {
            let again: Value = serde_json::from_str(&form).unwrap();
            assert_eq!(again, value, "{form} says something else");
            assert_eq!(canonical_json(&again).unwrap(), form);
            // As the text came, with its own order of keys.
            if let Some(fast) = super::sorted::sorted(&String::from_utf8_lossy(bytes)) {
                assert_eq!(fast, form);
            }
        }
        Err(CanonicalError::Float(_)) => assert!(has_float(&value)),
        Err(other) => panic!("{other}"),
    }
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
