//! Where personal data stands in JSON: `{"personal_of": …, "value": …}` while it is open,
//! `{"personal_of": …, "sealed": …}` in the log. See `soko_domain::Personal`.

use memchr::memmem::Finder;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};
use soko_domain::SubjectId;
use std::ops::Range;
use std::sync::LazyLock;
use uuid::Uuid;

/// In canonical JSON; in a text, its quotes would be escaped.
const BEGIN: &str = "{\"personal_of\":\"";
static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(BEGIN));
const UUID: usize = 36;
const VALUE: &str = "\",\"value\":";

/// Something personal that stands open in canonical JSON.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) subject: SubjectId,
    /// Its JSON.
    pub(super) value: &'a str,
    /// Where the member `value` stands, name and all.
    member: Range<usize>,
}

/// All that stands open in canonical JSON; what is erased is not.
pub(super) fn open_in(json: &str) -> Vec<Open<'_>> {
    FINDER
        .find_iter(json.as_bytes())
        .filter_map(|at| open_at(json, at + BEGIN.len()))
        .collect()
}

fn open_at(json: &str, at: usize) -> Option<Open<'_>> {
    let subject = Uuid::try_parse(json.get(at..at + UUID)?).ok()?;
    let member = json.get(at + UUID..)?;
    let rest = member.strip_prefix(VALUE)?;
    let mut values = Deserializer::from_str(rest).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    let begin = at + UUID + "\",".len();
    (value != "null").then_some(Open {
        subject: SubjectId::from_uuid(subject),
        value,
        member: begin..at + UUID + VALUE.len() + value.len(),
    })
}

/// The JSON with each open value sealed; `None` of `seal` erases it.
pub(super) fn seal<E>(
    json: &str,
    mut seal: impl FnMut(SubjectId, &str) -> Result<Option<String>, E>,
) -> Result<String, E> {
    let mut sealed = String::with_capacity(json.len() * 3 / 2);
    let mut copied = 0;
    for open in open_in(json) {
        sealed.push_str(&json[copied..open.member.start]);
        match seal(open.subject, open.value)? {
            Some(text) => {
                sealed.push_str("\"sealed\":\"");
                sealed.push_str(&text);
                sealed.push('"');
            }
            None => sealed.push_str("\"value\":null"),
        }
        copied = open.member.end;
    }
    sealed.push_str(&json[copied..]);
    Ok(sealed)
}

/// Calls `visit` with the subject and the seal of everything in the tree that is sealed; what it
/// returns takes the place of the seal.
pub(super) fn visit_sealed<E>(
    json: &mut Value,
    visit: &mut impl FnMut(SubjectId, &str) -> Result<Option<Value>, E>,
) -> Result<(), E> {
    match json {
        Value::Object(members) => match sealed(members) {
            Some((subject, sealed)) => {
                if let Some(value) = visit(subject, sealed)? {
                    members.remove("sealed");
                    members.insert("value".to_owned(), value);
                }
                Ok(())
            }
            None => members
                .values_mut()
                .try_for_each(|member| visit_sealed(member, visit)),
        },
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| visit_sealed(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn sealed(members: &Map<String, Value>) -> Option<(SubjectId, &str)> {
    let subject = Uuid::try_parse(members.get("personal_of")?.as_str()?).ok()?;
    Some((
        SubjectId::from_uuid(subject),
        members.get("sealed")?.as_str()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical_json;
    use proptest::prelude::*;
    use serde_json::json;
    use std::convert::Infallible;

    const SUBJECT: &str = "00000000-0000-0000-0000-000000000007";

    #[test]
    fn every_open_value_is_sealed_and_nothing_else_is_touched() {
        let open = json!({
            "registered": {
                "email": personal(&json!("wanjiru@example.com")),
                "lines": [personal(&json!({ "city": "Nairobi", "line1": "}\"{" })), 7],
                "name": { "personal_of": SUBJECT, "value": null },
                "note": format!("{BEGIN}{SUBJECT}{VALUE}\"no\"}}"),
            }
        });
        let open = canonical_json(&open).unwrap();
        let found: Vec<&str> = open_in(&open).iter().map(|open| open.value).collect();
        let address = r#"{"city":"Nairobi","line1":"}\"{"}"#;
        assert_eq!(found, [r#""wanjiru@example.com""#, address]);
        let sealed = seal_with_name(&open, "abc");
        let written: Value = serde_json::from_str(&sealed).unwrap();
        let email = json!({ "personal_of": SUBJECT, "sealed": "abc" });
        assert_eq!(written["registered"]["email"], email);
        assert!(open_in(&sealed).is_empty());
    }

    #[test]
    fn what_is_sealed_for_somebody_erased_is_erased() {
        let open = canonical_json(&personal(&json!("Wanjiru"))).unwrap();
        let erased = seal::<Infallible>(&open, |_, _| Ok(None)).unwrap();
        assert_eq!(erased, format!(r#"{BEGIN}{SUBJECT}","value":null}}"#));
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_comes_back_as_it_was(text in any::<String>(), more in any::<String>()) {
            let event = json!({ "a": more, "placed": personal(&json!({ "line1": text })), "z": [more] });
            let open = canonical_json(&event).unwrap();
            let mut values = Vec::new();
            let sealed = seal::<Infallible>(&open, |_, value| {
                values.push(value.to_owned());
                Ok(Some("c2VhbA".to_owned()))
            }).unwrap();
            let mut tree: Value = serde_json::from_str(&sealed).unwrap();
            visit_sealed::<Infallible>(&mut tree, &mut |_, _| {
                Ok(Some(serde_json::from_str(&values[0]).unwrap()))
            }).unwrap();
            prop_assert_eq!(values.len(), 1);
            prop_assert_eq!(tree, event);
        }
    }

    fn seal_with_name(json: &str, name: &str) -> String {
        seal::<Infallible>(json, |_, _| Ok(Some(name.to_owned()))).unwrap()
    }

    fn personal(value: &Value) -> Value {
        json!({ "personal_of": SUBJECT, "value": value })
    }
}
