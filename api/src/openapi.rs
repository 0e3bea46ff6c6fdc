//! The OpenAPI 3.1 document, made of the table of routes and the types of their handlers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::web::Bytes;
use serde_json::{Map, Value, json};
use soko_domain::permission::asks_for_second_factor;

use crate::access::Access;
use crate::api_keys::is_grantable;
use crate::operation::Operation;
use crate::problem::{self, Code};
use crate::route::{API, Route};
use crate::routes;
use crate::schema::{Components, ObjectSchema};

/// The document as it is served.
pub fn document() -> &'static Bytes {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(described(routes::all()).to_string()));
    &DOCUMENT
}

/// What any route may answer.
const ALWAYS: [Code; 3] = [Code::RateLimited, Code::Internal, Code::Unavailable];

fn described(routes: &[Route]) -> Value {
    let mut components = Components::default();
    let mut paths = Map::new();
    for route in routes {
        let method = route.method.as_str().to_ascii_lowercase();
        let path = paths
            .entry(without_patterns(&route.path))
            .or_insert_with(|| json!({}));
        path[method] = operation(route, &mut components);
    }
    let problem = problem_schema(&mut components);
    let mut schemas = components.into_schemas();
    schemas.insert("Problem".to_owned(), problem);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Soko",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": include_str!("openapi/about.md"),
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "access_token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "api_key": { "type": "http", "scheme": "bearer", "bearerFormat": "soko_key_…" },
                "cart_token": { "type": "apiKey", "in": "header", "name": "X-Cart-Token" },
                "order_token": { "type": "apiKey", "in": "header", "name": "X-Order-Token" },
            },
        },
    })
}

fn operation(route: &Route, components: &mut Components) -> Value {
    let mut operation = Operation::new(components, route);
    route.describe(&mut operation);
    operation.refuses(&ALWAYS);
    operation.refuses(route.refusals);
    if route.access != Access::Public {
        operation.refuses(&[Code::Unauthenticated, Code::TokenExpired]);
    }
    if route.is_key_required {
        operation.refuses(&[Code::MissingIdempotencyKey]);
    }
    let mut parameters = path_parameters(route);
    parameters.append(&mut operation.parameters);
    let (status, answer) = operation.answer;
    let mut responses = problems(&operation.codes);
    responses.insert(status.as_str().to_owned(), answer);
    for (status, answer) in operation.other_answers {
        responses.insert(status.as_str().to_owned(), answer);
    }
    let mut described = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "tags": [tag(&route.path)],
        "responses": responses,
        "security": security(route),
    });
    if let Some(deadline) = route.deadline {
        described["x-deadline-seconds"] = json!(deadline.as_secs());
    }
    if let Access::Needs(permission, scope) = route.access {
        described["x-permission"] = json!(permission);
        described["x-scope"] = json!(scope);
        if route.needs_step_up || asks_for_second_factor(permission) {
            described["x-step-up"] = json!(true);
        }
    }
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some(body) = operation.body {
        described["requestBody"] = body;
    }
    described
}

fn problems(words: &std::collections::BTreeSet<&'static str>) -> Map<String, Value> {
    let mut by_status: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in Code::ALL.iter().filter(|code| words.contains(code.word())) {
        by_status
            .entry(code.status().as_str().to_owned())
            .or_default()
            .push(code.word());
    }
    let response = |words: Vec<&str>| {
        json!({
            "description": words.join(", "),
            "content": { problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    by_status
        .into_iter()
        .map(|(status, words)| (status, response(words)))
        .collect()
}

fn problem_schema(components: &mut Components) -> Value {
    let mut schema = ObjectSchema::default()
        .member::<String>(
            components,
            "type",
            "A stable identifier of the kind of problem.",
        )
        .member::<String>(
            components,
            "title",
            "The same for every problem of the kind.",
        )
        .member::<u16>(components, "status", "")
        .member::<String>(components, "code", "The kind, in one word.")
        .member::<Option<String>>(components, "detail", "What it is this time.")
        .member::<Option<String>>(components, "instance", "The id of the request.")
        .finish("Why a request was refused, or failed (RFC 9457).", false);
    let words: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
    schema["properties"]["code"]["enum"] = json!(words);
    schema["properties"]["errors"] = json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "pointer": { "type": "string", "description": "A JSON pointer into the body." },
                "parameter": { "type": "string", "description": "A parameter of the query." },
                "header": { "type": "string" },
                "message": { "type": "string" },
            },
            "required": ["message"],
        },
    });
    schema
}

/// `/docs/{file:.*}` as `/docs/{file}`: the document knows no patterns in paths.
fn without_patterns(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut is_pattern = false;
    for character in path.chars() {
        is_pattern = (is_pattern || character == ':') && character != '}';
        if !is_pattern {
            plain.push(character);
        }
    }
    plain
}

fn path_parameters(route: &Route) -> Vec<Value> {
    let names = route
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    let parameter = |name: &str| {
        let is_id = (name == "id" && !route.takes_slug) || name.ends_with("_id");
        let schema = if is_id {
            json!({ "type": "string", "format": "uuid" })
        } else if name == "provider" {
            // Those with whom a store has an account.
            let names = ["ecocash", "mpesa", "paynow", "paystack", "stripe"];
            json!({ "type": "string", "enum": names })
        } else {
            json!({ "type": "string" })
        };
        // A name with a pattern, `{file:.*}`, is known by what stands before the colon.
        let name = name.split(':').next().unwrap_or(name);
        json!({ "in": "path", "name": name, "required": true, "schema": schema })
    };
    names.map(parameter).collect()
}

/// `post_stores_id_members`: the method and the path as one name.
fn operation_id(route: &Route) -> String {
    let path = route.path.strip_prefix(API).unwrap_or(&route.path);
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let method = route.method.as_str().to_ascii_lowercase();
    std::iter::once(method.as_str())
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn tag(path: &str) -> &str {
    match path.strip_prefix(API) {
        Some(path) => path[1..].split('/').next().unwrap_or_default(),
        None => "service",
    }
}

fn security(route: &Route) -> Value {
    let access = route.access;
    let Access::Needs(permission, _) = access else {
        return json!([]);
    };
    let mut schemes = vec!["access_token"];
    if is_grantable(permission) && !route.needs_step_up {
        schemes.push("api_key");
    }
    if access.is_open_to_guests() {
        schemes.extend(["cart_token", "order_token"]);
    }
    schemes
        .into_iter()
        .map(|name| json!({ name: [] }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_openapi() {
        let document: Value = serde_json::from_slice(document()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let operation = operation.clone();
                let read = serde_json::from_value::<utoipa::openapi::path::Operation>(operation);
                assert!(read.is_ok(), "{method} {path}: {:?}", read.err());
            }
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let read = serde_json::from_value::<utoipa::openapi::Schema>(schema.clone());
            assert!(read.is_ok(), "{name}: {schema}");
        }
        let read = serde_json::from_value::<utoipa::openapi::OpenApi>(document);
        assert!(read.is_ok(), "{:?}", read.err());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_slice(document()).unwrap();
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            if let Some(Value::String(reference)) = value.get("$ref") {
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some_and(Value::is_object), "{reference}");
            }
            match value {
                Value::Object(members) => open.extend(members.values()),
                Value::Array(items) => open.extend(items),
                _ => (),
            }
        }
    }

    #[test]
    fn every_parameter_of_a_path_is_described() {
        let document: Value = serde_json::from_slice(document()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let names: Vec<_> = path
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap())
                .collect();
            for (method, operation) in item.as_object().unwrap() {
                let described: Vec<_> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect();
                assert_eq!(described, names, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let mut names: Vec<_> = routes::all().iter().map(operation_id).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
