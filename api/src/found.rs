//! Answers to questions: one thing, or a list of them.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::operation::{Answer, Operation};
use crate::query::cursor;
use crate::schema::{Components, Described, ObjectSchema};

/// One thing, with the version of its aggregate where it has one.
#[derive(Debug)]
pub struct Found<T> {
    body: T,
    version: Option<u64>,
    /// Whether the version tells all: the same version is then the same answer.
    is_all_told: bool,
}

impl<T> Found<T> {
    pub const fn new(body: T) -> Self {
        Self {
            body,
            version: None,
            is_all_told: false,
        }
    }

    /// Sent as `ETag`, to come back in `If-Match` or `If-None-Match`.
    #[must_use]
    pub const fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self.is_all_told = true;
        self
    }

    /// Sent as `ETag`, to come back in `If-Match` only: more than the aggregate is shown.
    #[must_use]
    pub const fn with_version_for_changes(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }
}

impl<T: Serialize> Responder for Found<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let Some(version) = self.version else {
            return HttpResponse::Ok().json(self.body);
        };
        let tag = etag(version);
        let known = request.headers().get(IF_NONE_MATCH);
        if self.is_all_told && known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            return HttpResponse::NotModified()
                .insert_header((ETAG, tag))
                .finish();
        }
        HttpResponse::Ok()
            .insert_header((ETAG, tag))
            .json(self.body)
    }
}

impl<T: Described> Answer for Found<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<T>(StatusCode::OK, "What was asked for.");
        operation.answers_with("ETag", "The version, where there is one: for If-Match.");
    }
}

/// A version as `ETag` shows it.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Asks for the page after this one; `None` if this is the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// `list` names the list and its filters, as the cursor's reader does.
    pub fn of(
        items: impl IntoIterator<Item = T>,
        next: Option<impl Serialize>,
        list: &str,
    ) -> Self {
        Self {
            items: items.into_iter().collect(),
            next_cursor: next.map(|key| cursor(list, &key)),
        }
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self)
    }
}

impl<T: Described> Described for Page<T> {
    fn schema(components: &mut Components) -> serde_json::Value {
        ObjectSchema::default()
            .member::<Vec<T>>(components, "items", "")
            .member::<Option<String>>(
                components,
                "next_cursor",
                "Asks for the page after this one; null if this is the last.",
            )
            .finish("", false)
    }
}

impl<T: Described> Answer for Page<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<Self>(StatusCode::OK, "One page of the list.");
    }
}

/// Done, and there is nothing to tell.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Answer for NoContent {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer = (
            StatusCode::NO_CONTENT,
            serde_json::json!({ "description": "Done." }),
        );
    }
}
