//! What types look like in JSON, for the OpenAPI document.
//!
//! A trait of our own, because the value types belong to `domain`, which knows nothing of HTTP.

mod leaves;
mod macros;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) use self::macros::{answer, body, words};

/// A type that has a JSON schema.
pub trait Described {
    /// Whether a member of this type may be left out of its object.
    const OPTIONAL: bool = false;

    /// The schema itself, or a reference to it among the components.
    fn schema(components: &mut Components) -> Value;
}

/// The named schemas of the document.
#[derive(Debug, Default)]
pub struct Components(BTreeMap<String, Value>);

impl Components {
    /// A reference to a schema, which is made when it is first asked for.
    pub fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            // Stands in for itself while it is made, in case it contains itself.
            self.0.insert(name.to_owned(), Value::Null);
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    pub fn into_schemas(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }
}

/// The schema of an object, member by member.
#[derive(Debug, Default)]
pub struct ObjectSchema {
    properties: Map<String, Value>,
    required: BTreeSet<&'static str>,
}

impl ObjectSchema {
    #[must_use]
    pub fn member<T: Described>(
        mut self,
        components: &mut Components,
        name: &'static str,
        about: &str,
    ) -> Self {
        let name = name.strip_prefix("r#").unwrap_or(name);
        let schema = described(T::schema(components), about);
        self.properties.insert(name.to_owned(), schema);
        if !T::OPTIONAL {
            self.required.insert(name);
        }
        self
    }

    /// Answers may gain members; requests with members that we do not know are refused.
    pub fn finish(self, about: &str, is_closed: bool) -> Value {
        let mut schema = json!({ "type": "object", "properties": self.properties });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if is_closed {
            schema["additionalProperties"] = json!(false);
        }
        described(schema, about)
    }
}

/// A schema with a description, if there is one to give.
pub fn described(mut schema: Value, about: &str) -> Value {
    let about = about.trim();
    if !about.is_empty() {
        schema["description"] = json!(about);
    }
    schema
}
