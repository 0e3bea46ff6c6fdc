//! JSON bodies: read within a size and a time, with a pointer at everything that does not parse.

mod reading;

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::reading::Reading;
use crate::problem::{Code, Fault, Problem, Result};
use crate::route::Limits;
use crate::schema::Described;

/// What a request body can be read as.
pub trait Readable: Described + DeserializeOwned {
    /// Whether no body at all is as good as an empty object: where no member is needed.
    const MAY_BE_ABSENT: bool = false;

    /// Notes everything that is wrong with a value, not only the first thing.
    ///
    /// Runs when reading has failed, and on what has lists in it.
    fn inspect(value: &Value, reading: &mut Reading) {
        reading.leaf::<Self>(value);
    }
}

/// A request body that was JSON of the right shape.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Readable + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = bytes_of::<T>(request, payload);
        Box::pin(async move { parse(&bytes.await?).map(Self) })
    }
}

/// What a file may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileKind {
    Csv,
}

/// A body that nobody has read yet.
pub(crate) struct PendingBody {
    payload: Payload,
    limits: Limits,
    refusal: Option<Problem>,
}

impl PendingBody {
    pub(crate) fn of_file(request: &HttpRequest, payload: &mut Payload, kind: FileKind) -> Self {
        let limits = Limits::of(request);
        let is_kind = match kind {
            FileKind::Csv => is_csv,
        };
        Self {
            payload: payload.take(),
            refusal: refusal(request, limits.body_bytes_max, false, is_kind),
            limits,
        }
    }

    /// # Errors
    /// Its type, its size, or the time that it takes.
    pub(crate) async fn read(self) -> Result<Bytes> {
        let Self {
            payload,
            limits,
            refusal,
        } = self;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let all = collect(payload, limits.body_bytes_max);
        let all = tokio::time::timeout(limits.body_deadline, all).await;
        all.unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout)))
    }
}

/// The bytes of a body that is to be read as `T`.
pub(crate) fn bytes_of<T: Readable>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes>> + 'static {
    let limits = Limits::of(request);
    let pending = PendingBody {
        payload: payload.take(),
        refusal: refusal(request, limits.body_bytes_max, T::MAY_BE_ABSENT, is_json),
        limits,
    };
    async move {
        match pending.read().await? {
            none if none.is_empty() && T::MAY_BE_ABSENT => Ok(Bytes::from_static(b"{}")),
            all => Ok(all),
        }
    }
}

/// The bytes of a body of whatever kind, within the route's size and time.
pub(crate) fn raw_bytes(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes>> + 'static {
    let limits = Limits::of(request);
    let payload = payload.take();
    let is_encoded = request
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity");
    async move {
        if is_encoded {
            return Err(Problem::new(Code::UnsupportedMediaType));
        }
        let all = collect(payload, limits.body_bytes_max);
        let all = tokio::time::timeout(limits.body_deadline, all).await;
        all.unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout)))
    }
}

/// # Errors
/// `malformed-json`, or `validation` with every fault.
pub(crate) fn parse<T: Readable>(bytes: &[u8]) -> Result<T> {
    let read = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            let faults = match faults_in::<T>(bytes) {
                Ok(faults) if faults.is_empty() => {
                    // Seen only by the parser itself, such as a member that is there twice.
                    Reading::of_whole(&error).into_faults()
                }
                Ok(faults) => faults,
                Err(problem) => return problem,
            };
            Problem::invalid(faults)
        } else {
            malformed(&error)
        }
    })?;
    // The parser takes the members of an object from a list, too, in the order in which they
    // happen to be declared.
    if bytes.contains(&b'[') {
        let faults = faults_in::<T>(bytes)?;
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
    }
    Ok(read)
}

fn faults_in<T: Readable>(bytes: &[u8]) -> Result<Vec<Fault>> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    let mut reading = Reading::default();
    T::inspect(&value, &mut reading);
    Ok(reading.into_faults())
}

/// Says where, and not what: the text may be a secret.
fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson).with_detail(format_args!(
        "at line {}, column {}",
        error.line(),
        error.column()
    ))
}

fn refusal(
    request: &HttpRequest,
    bytes_max: usize,
    may_be_absent: bool,
    is_kind: fn(&str) -> bool,
) -> Option<Problem> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    let declared = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > bytes_max) {
        return Some(too_large(bytes_max));
    }
    let is_encoded = header(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    let is_readable = match header(CONTENT_TYPE) {
        Some(content_type) => is_kind(content_type),
        None => may_be_absent,
    };
    if is_encoded || !is_readable {
        return Some(Problem::new(Code::UnsupportedMediaType));
    }
    None
}

fn is_json(content_type: &str) -> bool {
    is_of_type(content_type, "application/json")
}

fn is_csv(content_type: &str) -> bool {
    is_of_type(content_type, "text/csv")
}

fn is_of_type(content_type: &str, wanted: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => charset
            .trim_matches([' ', '"'])
            .eq_ignore_ascii_case("utf-8"),
        _ => true,
    };
    media_type.eq_ignore_ascii_case(wanted) && parts.all(is_utf8)
}

async fn collect(mut payload: Payload, bytes_max: usize) -> Result<Bytes> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = received(first)?;
    if first.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    let Some(second) = payload.next().await else {
        return Ok(first);
    };
    let mut all = BytesMut::from(&first[..]);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = received(chunk)?;
        if all.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        all.extend_from_slice(&chunk);
        next = payload.next().await;
    }
    Ok(all.freeze())
}

fn received(chunk: std::result::Result<Bytes, actix_web::error::PayloadError>) -> Result<Bytes> {
    // The client broke off; nobody reads the answer.
    chunk.map_err(|_| Problem::new(Code::MalformedRequest))
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(Code::BodyTooLarge).with_detail(format_args!("at most {bytes_max} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;
    use crate::schema::body;
    use soko_domain::{EmailAddress, Money, Text};

    body! {
        struct Line {
            sku: Text<10>,
            quantity: u32,
        }

        struct Request {
            email: EmailAddress,
            name: Text<5>,
            note: Option<Text<5>>,
            price: Money,
            lines: Vec<Line>,
        }
    }

    const GOOD: &str = r#"{"email":"a@b.example","name":"Mug",
        "price":{"amount":1,"currency":"KES"},"lines":[{"sku":"M","quantity":1}]}"#;

    fn faults(body: &str) -> Vec<(String, String)> {
        let problem = parse::<Request>(body.as_bytes()).err().expect("a fault");
        assert_eq!(problem.code(), Code::Validation, "{problem}");
        let faults = problem.faults().iter().map(|fault| match &fault.place {
            Place::Pointer(pointer) => (pointer.clone(), fault.message.clone()),
            other => panic!("{other:?}"),
        });
        faults.collect()
    }

    #[test]
    fn what_is_right_is_read() {
        let request: Request = parse(GOOD.as_bytes()).unwrap();
        assert_eq!(
            (request.email.as_str(), request.lines.len()),
            ("a@b.example", 1)
        );
        assert_eq!((request.name.as_str(), request.note), ("Mug", None));
        assert_eq!((request.price.amount(), request.lines[0].quantity), (1, 1));
        assert_eq!(request.lines[0].sku.as_str(), "M");
    }

    #[test]
    fn everything_wrong_is_named_at_once_with_its_place() {
        let body = r#"{"email":"nobody","name":"too long","colour":"red","a/b~":1,
            "price":{"amount":"1","currency":"kes"},
            "lines":[{"sku":"M","quantity":1},{"quantity":-1},7]}"#;
        let expected = [
            ("/email", "must be an e-mail address"),
            ("/name", "must be at most 5 characters"),
            ("/price/amount", "must be i64"),
            (
                "/price/currency",
                "must be one of `KES`, `USD`, `ZAR`, `ZWG`",
            ),
            ("/lines/1/sku", "is missing"),
            ("/lines/1/quantity", "must be u32"),
            ("/lines/2", "must be an object"),
            ("/a~1b~0", "is not a member that is known here"),
            ("/colour", "is not a member that is known here"),
        ];
        let expected = expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned()));
        assert_eq!(faults(body), expected);
    }

    #[test]
    fn a_list_of_members_is_no_object() {
        let parsed = parse::<crate::command::NoBody>(b"[]");
        assert_eq!(parsed.err().expect("a fault").code(), Code::Validation);
        let list = r#"["a@b.example","Mug",null,{"amount":1,"currency":"KES"},[]]"#;
        let expected = (String::new(), "must be an object".to_owned());
        assert_eq!(faults(list), [expected]);
        let malformed = parse::<Request>(b" [").err().expect("a fault");
        assert_eq!(malformed.code(), Code::MalformedJson);
        let within = GOOD.replace(r#"{"sku":"M","quantity":1}"#, r#"["M",1]"#);
        let within = within.replace(r#"{"amount":1,"currency":"KES"}"#, r#"[1,"KES"]"#);
        let expected =
            ["/price", "/lines/0"].map(|place| (place.into(), "must be an object".into()));
        assert_eq!(faults(&within), expected);
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        let body = GOOD.replace(r#""name":"Mug""#, r#""name":"Mug","name":"Cup""#);
        assert_eq!(
            faults(&body),
            [(String::new(), "duplicate field `name`".to_owned())]
        );
    }

    #[test]
    fn no_fault_repeats_what_was_sent() {
        let faults = faults(&GOOD.replace("\"Mug\"", "123456789"));
        assert_eq!(
            faults,
            [("/name".to_owned(), "must be a string".to_owned())]
        );
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(10_000);
        let wrong = [
            "",
            "{",
            "nul",
            "{}{}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "NaN",
            deep.as_str(),
        ];
        for body in wrong {
            let problem = parse::<Request>(body.as_bytes()).err().expect("a fault");
            assert_eq!(problem.code(), Code::MalformedJson, "{body:.20}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        assert!(is_json("application/json") && is_json("Application/JSON; charset=\"UTF-8\""));
        assert!(is_csv("text/csv; charset=utf-8; header=present") && !is_csv("text/plain"));
        assert!(!is_json("text/json") && !is_json("application/json;charset=utf-16"));
    }
}
