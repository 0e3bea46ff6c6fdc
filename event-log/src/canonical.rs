//! The one way in which events are written down, so that the same event is the same bytes.

#[cfg(test)]
mod fuzz;
mod sorted;

use serde::Serialize;
use serde_json::Value;

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    #[error("a float at {0}: amounts are whole minor units")]
    Float(String),
    #[error("the value is not JSON")]
    NotJson(#[from] serde_json::Error),
}

/// JSON with sorted keys, without white space and without floats.
///
/// # Errors
/// The value contains a float or cannot be JSON.
pub fn canonical_json(value: &impl Serialize) -> Result<String, CanonicalError> {
    let text = serde_json::to_string(value)?;
    match sorted::sorted(&text) {
        Some(canonical) => Ok(canonical),
        None => canonical_value(value),
    }
}

/// The same for every value, by way of a tree, which takes longer.
fn canonical_value(value: &impl Serialize) -> Result<String, CanonicalError> {
    // `serde_json::Map` keeps its keys sorted unless a dependency switches that off; the test
    // below would notice.
    let value = serde_json::to_value(value)?;
    refuse_floats(&value, &mut String::new())?;
    Ok(value.to_string())
}

fn refuse_floats(value: &Value, path: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) if number.is_f64() => Err(CanonicalError::Float(path.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            within(path, &index.to_string(), |path| refuse_floats(item, path))
        }),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(key, field)| within(path, key, |path| refuse_floats(field, path))),
    }
}

fn within<T>(path: &mut String, step: &str, visit: impl FnOnce(&mut String) -> T) -> T {
    let length = path.len();
    path.push('/');
    path.push_str(step);
    let result = visit(path);
    path.truncate(length);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted() {
        let unsorted: Value = serde_json::from_str(r#"{"b":1,"a":{"d":[],"c":null}}"#).unwrap();
        assert_eq!(
            canonical_json(&unsorted).unwrap(),
            r#"{"a":{"c":null,"d":[]},"b":1}"#
        );
    }

    #[test]
    fn a_float_is_refused_with_its_place() {
        let error = canonical_json(&json!({ "lines": [{ "price": 1.5 }] })).unwrap_err();
        assert!(matches!(error, CanonicalError::Float(path) if path == "/lines/0/price"));
    }
}
