//! What tells two JSON values apart.

use serde_json::Value;

use crate::schema::answer;

answer! {
    pub(crate) struct Difference {
        /// A JSON pointer to what is different.
        pub pointer: String,
        /// Null if it was not there.
        pub from: Option<Value>,
        /// Null if it is not there any more.
        pub to: Option<Value>,
    }
}

/// Object by object, down to what is no object; lists are compared as wholes.
pub(crate) fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = vec![];
    compare("", Some(from), Some(to), &mut found);
    found
}

fn compare(pointer: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    match (from, to) {
        (from, to) if from == to => (),
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let added = to.keys().filter(|name| !from.contains_key(*name));
            for name in from.keys().chain(added) {
                let step = name.replace('~', "~0").replace('/', "~1");
                let pointer = format!("{pointer}/{step}");
                compare(&pointer, from.get(name), to.get(name), found);
            }
        }
        (from, to) => found.push(Difference {
            pointer: pointer.to_owned(),
            from: from.cloned(),
            to: to.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_changed_came_or_went_is_named_by_its_place() {
        let from = json!({ "same": 1, "a/b": { "x": 1, "gone": true }, "list": [1] });
        let to = json!({ "same": 1, "a/b": { "x": 2 }, "list": [1, 2], "new": null });
        let found = differences(&from, &to);
        let told: Vec<_> = found
            .iter()
            .map(|difference| {
                let Difference { pointer, from, to } = difference;
                (pointer.as_str(), from.clone(), to.clone())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("/a~1b/gone", Some(json!(true)), None),
                ("/a~1b/x", Some(json!(1)), Some(json!(2))),
                ("/list", Some(json!([1])), Some(json!([1, 2]))),
                ("/new", None, Some(Value::Null)),
            ]
        );
        assert!(differences(&from, &from).is_empty());
    }
}
