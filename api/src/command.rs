//! A request that asks for a change: its body, and the conditions under which it is to happen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures::future::LocalBoxFuture;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::body::{self, Readable};
use crate::gate::RequestId;
use crate::operation::{Input, Operation};
use crate::problem::{Code, Fault, Place, Problem, Result};
use crate::route::Route;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const KEY_BYTES_MAX: usize = 255;

/// A change that was asked for.
#[derive(Debug)]
pub struct Command<T> {
    pub body: T,
    pub conditions: Conditions,
}

/// What comes with a command besides its body.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// The same key with the same digest is the same request.
    pub idempotency_key: Option<String>,
    /// Of the method, the path and the body.
    pub digest: [u8; 32],
    /// The version that is to be changed, and no newer one.
    pub expected_version: Option<u64>,
    /// Tell what would happen, and change nothing.
    pub is_dry_run: bool,
    pub request_id: Option<String>,
}

impl<T: Readable + 'static> FromRequest for Command<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let conditions = Conditions::of(request);
        let bytes = body::bytes_of::<T>(request, payload);
        let mut digest = Sha256::new();
        for part in [request.method().as_str(), "\n", request.path(), "\n"] {
            digest.update(part.as_bytes());
        }
        Box::pin(async move {
            let mut conditions = conditions?;
            let bytes = bytes.await?;
            digest.update(&bytes);
            conditions.digest = digest.finalize().into();
            Ok(Self {
                body: body::parse(&bytes)?,
                conditions,
            })
        })
    }
}

/// The idempotency key of a request that is no command, if it has one.
#[derive(Debug)]
pub struct Key(pub Option<String>);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(idempotency_key(request.headers()).map(Self))
    }
}

impl Input for Key {
    fn describe(operation: &mut Operation<'_>) {
        describe_key(operation, false);
        operation.refuses(&[Code::MalformedHeader]);
    }
}

fn describe_key(operation: &mut Operation<'_>, is_required: bool) {
    operation.header(
        "Idempotency-Key",
        is_required,
        "The same key with the same body gets the same answer.",
        &json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
    );
}

impl Conditions {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self> {
        let headers = request.headers();
        let idempotency_key = idempotency_key(headers)?;
        let is_required = Route::of(request).is_some_and(|route| route.is_key_required);
        if is_required && idempotency_key.is_none() {
            return Err(Problem::new(Code::MissingIdempotencyKey));
        }
        Ok(Self {
            idempotency_key,
            digest: [0; 32],
            expected_version: expected_version(headers)?,
            is_dry_run: is_dry_run(
                request.query_string(),
                Route::of(request).map_or(&[], |route| route.parameters),
            )?,
            request_id: request
                .extensions()
                .get::<RequestId>()
                .map(|id| id.as_str().to_owned()),
        })
    }
}

impl<T: Readable> Input for Command<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<T>();
        describe_conditions(operation);
    }
}

/// What every command may be asked with.
pub(crate) fn describe_conditions(operation: &mut Operation<'_>) {
    operation.takes_dry_run = true;
    operation.query(
        "dry_run",
        false,
        "Tell what would happen, and change nothing.",
        &json!({ "type": "boolean", "default": false }),
    );
    if operation.method == Method::POST {
        let is_required = operation.is_key_required;
        describe_key(operation, is_required);
        operation.refuses(&[
            Code::MissingIdempotencyKey,
            Code::IdempotencyMismatch,
            Code::OperationInProgress,
        ]);
    }
    operation.header(
        "If-Match",
        false,
        "The version to change, as its ETag says it; a newer one is left alone.",
        &json!({ "type": "string" }),
    );
    operation.refuses(&[
        Code::PreconditionFailed,
        Code::MalformedHeader,
        Code::VersionConflict,
        Code::StateConflict,
    ]);
}

crate::schema::body! {
    /// Nothing is needed; what is sent must be an empty object.
    pub struct NoBody {}
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(key) = only_one(headers, &IDEMPOTENCY_KEY, "Idempotency-Key")? else {
        return Ok(None);
    };
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_visible && (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    }
    Err(malformed(
        "Idempotency-Key",
        "must be 1 to 255 visible ASCII characters",
    ))
}

fn expected_version(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(tag) = only_one(headers, &IF_MATCH, "If-Match")? else {
        return Ok(None);
    };
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = version.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match version.and_then(|text| text.parse().ok()) {
        Some(version) => Ok(Some(version)),
        None => Err(malformed(
            "If-Match",
            "must be one version as an ETag gave it, such as \"7\"",
        )),
    }
}

fn only_one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed(shown, "is there twice"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| malformed(shown, "must be ASCII"))
}

/// `others` are read by somebody else.
fn is_dry_run(query: &str, others: &[&str]) -> Result<bool> {
    let mut is_dry_run = false;
    let mut faults = vec![];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair {
            "dry_run=true" => is_dry_run = true,
            "dry_run=false" => (),
            _ => {
                let name = pair.split('=').next().unwrap_or_default();
                if others.contains(&name) {
                    continue;
                }
                let message = match name {
                    "dry_run" => "must be true or false",
                    _ => "is not a parameter that is known here",
                };
                faults.push(Fault {
                    place: Place::Parameter(name.to_owned()),
                    message: message.to_owned(),
                });
            }
        }
    }
    if faults.is_empty() {
        Ok(is_dry_run)
    } else {
        Err(Problem::invalid(faults))
    }
}

pub(crate) fn malformed(header: &'static str, message: &str) -> Problem {
    let fault = Fault {
        place: Place::Header(header),
        message: message.to_owned(),
    };
    Problem::new(Code::MalformedHeader).with_faults(vec![fault])
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_key_is_up_to_255_visible_characters() {
        let key = |values: &[&[u8]]| idempotency_key(&headers(&IDEMPOTENCY_KEY, values));
        assert_eq!(key(&[]).unwrap(), None);
        assert_eq!(key(&[b"order-17"]).unwrap().as_deref(), Some("order-17"));
        assert!(key(&["k".repeat(255).as_bytes()]).unwrap().is_some());
        for wrong in [
            b"".as_slice(),
            b"a b",
            "k".repeat(256).as_bytes(),
            "é".as_bytes(),
        ] {
            assert_eq!(key(&[wrong]).unwrap_err().code(), Code::MalformedHeader);
        }
        assert_eq!(
            key(&[b"one", b"two"]).unwrap_err().code(),
            Code::MalformedHeader
        );
    }

    #[test]
    fn if_match_names_one_version() {
        let version = |value: &str| expected_version(&headers(&IF_MATCH, &[value.as_bytes()]));
        assert_eq!(version("\"7\"").unwrap(), Some(7));
        for wrong in [
            "*",
            "W/\"7\"",
            "\"7\", \"8\"",
            "7",
            "\"+7\"",
            "\"\"",
            "\"x\"",
        ] {
            assert_eq!(
                version(wrong).unwrap_err().code(),
                Code::MalformedHeader,
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_command_has_no_other_parameter_than_dry_run() {
        assert!(!is_dry_run("", &[]).unwrap() && is_dry_run("dry_run=true", &[]).unwrap());
        for wrong in ["dry_run=yes", "dry_run", "dryrun=true", "dry_run=true&x=1"] {
            assert_eq!(
                is_dry_run(wrong, &[]).unwrap_err().code(),
                Code::Validation,
                "{wrong}"
            );
        }
    }
}
