//! Errors as clients know them: `application/problem+json` (RFC 9457) with a code of a closed list.

mod code;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use soko_event_log::VaultError;

pub use self::code::Code;

pub type Result<T> = std::result::Result<T, Problem>;

/// Something wrong with one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    #[serde(flatten)]
    pub place: Place,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a parameter of the query.
    Parameter(String),
    /// The name of a header.
    Header(&'static str),
}

/// Why a request was refused, or failed.
#[derive(Debug)]
pub struct Problem(Box<Content>);

#[derive(Debug)]
struct Content {
    code: Code,
    detail: Option<String>,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    members: Map<String, Value>,
    instance: Option<String>,
    is_replayed: bool,
}

const NANOS_OF_A_SECOND: u128 = 1_000_000_000;

/// How long a client should wait when we cannot know better.
const WAIT: Duration = Duration::from_secs(1);

impl Problem {
    pub fn new(code: Code) -> Self {
        Self(Box::new(Content {
            code,
            detail: None,
            faults: vec![],
            retry_after: (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(WAIT),
            allow: None,
            members: Map::new(),
            instance: None,
            is_replayed: false,
        }))
    }

    /// A failure of ours: the cause goes to the log, once, here, and not to the client.
    pub fn ours(code: Code, cause: &(dyn Error + 'static)) -> Self {
        let chain = Chain(cause);
        if code == Code::Internal {
            tracing::error!(error = %chain, "a request failed by a defect");
        } else {
            tracing::warn!(error = %chain, code = code.word(), "a request could not be served");
        }
        Self::new(code)
    }

    /// Everything that is wrong with a request, not only the first thing.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let mut problem = Self::new(Code::Validation);
        problem.0.faults = faults;
        problem
    }

    /// What a rule of the trade has against one member of the body.
    pub fn invalid_at(pointer: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::invalid(vec![Fault {
            place: Place::Pointer(pointer.into()),
            message: message.to_string(),
        }])
    }

    /// What is wrong with one parameter of the query.
    pub fn invalid_parameter(name: &str, message: impl fmt::Display) -> Self {
        Self::invalid(vec![Fault {
            place: Place::Parameter(name.to_owned()),
            message: message.to_string(),
        }])
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// This is the answer that the same idempotency key was given before.
    #[must_use]
    pub fn with_replayed(mut self, is_replayed: bool) -> Self {
        self.0.is_replayed = is_replayed;
        self
    }

    /// The methods that the resource has.
    #[must_use]
    pub fn with_allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// A member of this problem's own, such as the lines that are out of stock.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Serialize) -> Self {
        // What cannot be JSON is left out: the code alone says what matters.
        if let Ok(value) = serde_json::to_value(value) {
            self.0.members.insert(name.to_owned(), value);
        }
        self
    }

    /// The id of the request, under which it stands in the log.
    #[must_use]
    pub fn with_instance(mut self, request_id: &str) -> Self {
        self.0.instance = Some(request_id.to_owned());
        self
    }

    /// What the framework refused by itself.
    pub fn of_error(error: &actix_web::Error) -> Self {
        if let Some(problem) = error.as_error::<Self>() {
            return Self::new(problem.code());
        }
        let code = Code::of_status(error.as_response_error().status_code());
        if code == Code::Internal {
            tracing::error!(%error, "a request failed by a defect");
        }
        Self::new(code)
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// The answer, with `request_id` as its instance.
    pub fn response(&self, request_id: Option<&str>) -> HttpResponse {
        let content = &*self.0;
        let body = Rendered {
            r#type: content.code.uri(),
            title: content.code.title(),
            status: content.code.status().as_u16(),
            code: content.code.word(),
            detail: content.detail.as_deref(),
            instance: request_id.or(content.instance.as_deref()),
            errors: &content.faults,
            members: &content.members,
        };
        // A map with text keys always has a JSON form.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = HttpResponse::build(content.code.status());
        response.content_type(MEDIA_TYPE);
        if let Some(wait) = content.retry_after {
            // Never less than it is: whoever comes back then is let in.
            let seconds = wait.as_nanos().div_ceil(NANOS_OF_A_SECOND).max(1);
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = &content.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        if content.is_replayed {
            response.insert_header(("idempotency-replayed", "true"));
        }
        if let Some(challenge) = content.code.challenge() {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
        }
        let mut response = response.body(body);
        // For whoever passes it on: the body is not to be read for it.
        response.extensions_mut().insert(content.code);
        response
    }
}

pub const MEDIA_TYPE: &str = "application/problem+json";

#[derive(Serialize)]
struct Rendered<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.word())?;
        match &self.0.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response(None)
    }
}

/// A database that does not answer is a reason to try again, not a defect.
impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(error) => error.into(),
            error => Self::ours(Code::Internal, &error),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(cause: sqlx::Error) -> Self {
        let code = match &cause {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_) => Code::Unavailable,
            // 53: out of resources, 55P03: a lock not had in time, 57: cancelled or shut down.
            sqlx::Error::Database(error)
                if error.code().is_some_and(|code| {
                    code.starts_with("53") || code.starts_with("57") || code == "55P03"
                }) =>
            {
                Code::Unavailable
            }
            _ => Code::Internal,
        };
        Self::ours(code, &cause)
    }
}

/// An error and what caused it, on one line.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
