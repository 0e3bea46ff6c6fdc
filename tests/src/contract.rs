//! The OpenAPI document, read as a generator of clients reads it.

use crate::{Soko, send};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// No body that we take is deeper.
const DEPTH_MAX: usize = 6;

/// What the document says.
#[derive(Debug)]
pub struct Contract(Value);

#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub parameters: Vec<Parameter>,
    /// The schema of its body, if it takes one.
    pub body: Option<Value>,
    /// What it takes, if that is a file and no JSON: `text/csv`.
    pub file: Option<String>,
    /// Whether it does not ask who somebody is.
    pub is_public: bool,
    /// Whether it takes people who are not logged in.
    pub is_open: bool,
    /// Whether it takes API keys.
    pub is_open_to_programs: bool,
    /// What its caller must hold, and in which scope; `None` if it is public.
    pub permission: Option<String>,
    pub scope: Option<String>,
    /// What it may answer.
    pub statuses: BTreeSet<u16>,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub place: String,
    pub name: String,
    pub is_required: bool,
    pub schema: Value,
}

impl Contract {
    /// As it is served.
    pub async fn of(soko: &Soko) -> Self {
        let request = soko.guest().request(Method::GET, "//openapi.json");
        Self(send(request).await.expect(200))
    }

    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter()
                .map(move |(method, described)| self.operation(path, method, described))
        });
        operations.collect()
    }

    /// The words of all problems.
    pub fn codes(&self) -> BTreeSet<String> {
        let codes = &self.0["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
        serde_json::from_value(codes.clone()).unwrap()
    }

    fn operation(&self, path: &str, method: &str, described: &Value) -> Operation {
        let parameters = described["parameters"].as_array();
        let parameters = parameters.into_iter().flatten().map(|parameter| Parameter {
            place: parameter["in"].as_str().unwrap().to_owned(),
            name: parameter["name"].as_str().unwrap().to_owned(),
            is_required: parameter["required"] == true,
            schema: self.resolved(&parameter["schema"]).clone(),
        });
        let body = described.pointer("/requestBody/content/application~1json/schema");
        let types = described.pointer("/requestBody/content");
        let mut types = (types.and_then(Value::as_object).into_iter()).flat_map(Map::keys);
        let security = described["security"].as_array().unwrap();
        let takes = |scheme: &str| {
            security
                .iter()
                .any(|scheme_of| scheme_of[scheme].is_array())
        };
        let responses = described["responses"].as_object().unwrap();
        Operation {
            id: described["operationId"].as_str().unwrap().to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            parameters: parameters.collect(),
            body: body.map(|schema| self.resolved(schema).clone()),
            file: types.find(|name| *name != "application/json").cloned(),
            is_public: security.is_empty(),
            is_open: security.is_empty() || takes("cart_token"),
            is_open_to_programs: takes("api_key"),
            permission: described["x-permission"].as_str().map(str::to_owned),
            scope: described["x-scope"].as_str().map(str::to_owned),
            statuses: responses.keys().map(|key| key.parse().unwrap()).collect(),
        }
    }

    /// Something that the schema allows: with every member, or with those alone that are required.
    /// `known` gives the values of members that must name what exists.
    pub fn example(
        &self,
        schema: &Value,
        is_full: bool,
        known: &dyn Fn(&str) -> Option<Value>,
    ) -> Value {
        self.example_of("", schema, is_full, known, 0)
    }

    fn example_of(
        &self,
        name: &str,
        schema: &Value,
        is_full: bool,
        known: &dyn Fn(&str) -> Option<Value>,
        depth: usize,
    ) -> Value {
        if let Some(value) = known(name) {
            return value;
        }
        let schema = self.resolved(schema);
        if let Some(first) = schema.pointer("/enum/0") {
            return first.clone();
        }
        assert!(depth < DEPTH_MAX, "{name} is too deep: {schema}");
        match kind(schema) {
            "object" => {
                let required = names(&schema["required"]);
                let members = schema["properties"].as_object().into_iter().flatten();
                let members = members.filter(|(name, _)| is_full || required.contains(*name));
                let members = members.map(|(name, member)| {
                    let value = self.example_of(name, member, is_full, known, depth + 1);
                    (name.clone(), value)
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            "array" => json!([self.example_of(name, &schema["items"], is_full, known, depth + 1)]),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "boolean" => json!(true),
            _ => match schema["format"].as_str() {
                Some("uuid") => json!("018f0000-0000-7000-8000-000000000000"),
                Some("email") => json!("somebody@soko.test"),
                Some("date") => json!("2026-01-31"),
                Some("date-time") => json!("2026-01-31T12:00:00Z"),
                _ => json!("some"),
            },
        }
    }

    /// Pointers at every member that the schema knows, however deep; of a list at its first item.
    pub fn members(&self, schema: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_members("", schema, &mut found);
        found
    }

    fn collect_members(&self, at: &str, schema: &Value, found: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if !at.is_empty() {
            found.push(at.to_owned());
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.collect_members(&format!("{at}/{name}"), member, found);
        }
        if kind(schema) == "array" {
            self.collect_members(&format!("{at}/0"), &schema["items"], found);
        }
    }

    /// What a reference leads to; of several forms the first.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.0.pointer(reference.trim_start_matches('#'));
            return self.resolved(target.unwrap());
        }
        match schema.pointer("/oneOf/0") {
            Some(first) => self.resolved(first),
            None => schema,
        }
    }
}

/// The JSON type; the first that it has.
fn kind(schema: &Value) -> &str {
    let first = schema.pointer("/type/0").unwrap_or(&schema["type"]);
    first.as_str().unwrap_or_default()
}

/// The names of a list of names.
fn names(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
