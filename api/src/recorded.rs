//! The answer to a command: what came of it, and where in the log it stands.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, ETAG, HeaderName, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use soko_commands::Committed;
use soko_event_log::Position;

use crate::found::etag;
use crate::operation::{Answer, Operation};
use crate::schema::Described;

pub(crate) const POSITION: HeaderName = HeaderName::from_static("soko-position");
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a command answers with. Its status is part of its type, so that the document knows it.
#[derive(Debug)]
pub struct Recorded<T, S = Done> {
    body: T,
    position: Option<Position>,
    version: Option<u64>,
    is_replayed: bool,
    dry_run: Option<Vec<Value>>,
    location: Option<String>,
    status: std::marker::PhantomData<S>,
}

/// `200`, or `204` if there is nothing to tell.
#[derive(Debug)]
pub struct Done;

/// `201`
#[derive(Debug)]
pub struct Created;

/// The status of a command that went well.
pub trait Status {
    const CODE: StatusCode;
}

impl Status for Done {
    const CODE: StatusCode = StatusCode::OK;
}

impl Status for Created {
    const CODE: StatusCode = StatusCode::CREATED;
}

/// A command whose answer is a resource of its own.
pub type New<T> = Recorded<T, Created>;

impl<T, S> Recorded<T, S> {
    /// `is_dry_run` as it was asked for.
    pub fn new(committed: Committed<T>, is_dry_run: bool) -> Self {
        Self {
            body: committed.value,
            position: committed.position,
            version: None,
            is_replayed: committed.replayed,
            dry_run: is_dry_run.then_some(committed.dry_run_events),
            location: None,
            status: std::marker::PhantomData,
        }
    }

    /// What must not tell where in the log it stands.
    pub const fn without_position(body: T) -> Self {
        Self {
            body,
            position: None,
            version: None,
            is_replayed: false,
            dry_run: None,
            location: None,
            status: std::marker::PhantomData,
        }
    }

    /// The version that the aggregate has now, for its `ETag`.
    #[must_use]
    pub fn with_version(mut self, version: Option<u64>) -> Self {
        self.version = version;
        self
    }

    pub fn has_position(&self) -> bool {
        self.position.is_some()
    }

    /// For who reads on from here, although nothing was appended.
    #[must_use]
    pub fn at_position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// As far as this, if it has a position: who reads on from here sees what followed, too.
    #[must_use]
    pub fn up_to(mut self, position: Position) -> Self {
        self.position = self.position.map(|own| own.max(position));
        self
    }

    /// Where what was made is found.
    #[must_use]
    pub fn at(mut self, path: impl FnOnce(&T) -> String) -> Self {
        self.location = Some(format!("{}{}", crate::route::API, path(&self.body)));
        self
    }

    #[must_use]
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Recorded<U, S> {
        Recorded {
            body: map(self.body),
            position: self.position,
            version: self.version,
            is_replayed: self.is_replayed,
            dry_run: self.dry_run,
            location: self.location,
            status: std::marker::PhantomData,
        }
    }

    pub fn body(&self) -> &T {
        &self.body
    }
}

impl<T: Outcome, S: Status> Responder for Recorded<T, S> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let body = self.body.json();
        let status = match (&body, &self.dry_run) {
            (_, Some(_)) => StatusCode::OK,
            (None, None) => StatusCode::NO_CONTENT,
            (Some(_), None) => S::CODE,
        };
        let mut response = HttpResponse::build(status);
        if let Some(position) = self.position {
            response.insert_header((POSITION, position.get()));
        }
        if let Some(version) = self.version {
            response.insert_header((ETAG, etag(version)));
        }
        if self.is_replayed {
            response.insert_header((REPLAYED, "true"));
        }
        if let Some(events) = self.dry_run {
            return response.json(json!({ "dry_run": true, "result": body, "events": events }));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        match body {
            Some(body) => response
                .content_type(ContentType::json())
                .body(String::from(Box::<str>::from(body))),
            None => response.finish(),
        }
    }
}

impl<T: Outcome, S: Status> Answer for Recorded<T, S> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation, S::CODE);
        operation.answers_with("Soko-Position", "Where in the log it stands.");
        operation.answers_with(
            "Idempotency-Replayed",
            "There if this is the answer given before.",
        );
        if operation.takes_dry_run {
            operation.tells_what_would_happen();
        }
    }
}

/// What a command tells: something, or `()` for nothing.
pub trait Outcome {
    fn json(&self) -> Option<Box<RawValue>>;
    fn describe(operation: &mut Operation<'_>, status: StatusCode);
}

impl Outcome for () {
    fn json(&self) -> Option<Box<RawValue>> {
        None
    }

    fn describe(operation: &mut Operation<'_>, _: StatusCode) {
        operation.answer = (StatusCode::NO_CONTENT, json!({ "description": "Done." }));
    }
}

impl<T: Serialize + Described> Outcome for T {
    fn json(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(self).ok()
    }

    fn describe(operation: &mut Operation<'_>, status: StatusCode) {
        operation.gives::<T>(status, "Done.");
    }
}
