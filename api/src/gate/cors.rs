//! What pages of other origins may send, and read of our answers.
//!
//! Never with credentials: whoever asks shows a token, which a page has only if it was given one.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::web_origins::{Readable, WebOrigins};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

const HEADERS_TAKEN: HeaderValue = HeaderValue::from_static(
    "accept, authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, \
     soko-min-position, x-cart-token, x-order-token, x-request-id",
);

const HEADERS_GIVEN: HeaderValue = HeaderValue::from_static(
    "etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, \
     soko-position, x-request-id",
);

/// In seconds: how long a page may go on by what it was told. Whose origin was taken away may send
/// for that long, and reads no answer.
const TOLD_FOR: HeaderValue = HeaderValue::from_static("600");

pub(super) struct Cors(Arc<WebOrigins>);

/// What the page that asks is allowed.
pub(super) struct Allowed {
    /// As the answer names it; `None` for a page that may read nothing, and for who is no page.
    origin: Option<HeaderValue>,
    is_preflight: bool,
    varies: bool,
}

impl Cors {
    pub(super) fn new(origins: Arc<WebOrigins>) -> Self {
        Self(origins)
    }

    pub(super) fn of(&self, request: &ServiceRequest) -> Allowed {
        let headers = request.headers();
        let mut named = headers.get_all(ORIGIN);
        // Two of them are no origin that a browser would name.
        let (Some(origin), None) = (named.next(), named.next()) else {
            return self.nothing();
        };
        let readable = origin
            .to_str()
            .map_or(Readable::Nowhere, |origin| self.0.readable_by(origin));
        let origin = match readable {
            Readable::ByAnyPage => HeaderValue::from_static("*"),
            Readable::ByThisOrigin => origin.clone(),
            Readable::Nowhere => return self.nothing(),
        };
        Allowed {
            origin: Some(origin),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
            varies: self.0.differ(),
        }
    }

    fn nothing(&self) -> Allowed {
        Allowed {
            origin: None,
            is_preflight: false,
            varies: self.0.differ(),
        }
    }
}

impl Allowed {
    /// The answer to a browser that asks before it sends what a page wants to.
    pub(super) fn preflight(&self) -> Option<HttpResponse> {
        self.is_preflight.then(|| {
            HttpResponse::NoContent()
                .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, HEADERS_TAKEN))
                .insert_header((ACCESS_CONTROL_MAX_AGE, TOLD_FOR))
                .finish()
        })
    }

    pub(super) fn put(&self, headers: &mut HeaderMap) {
        if self.varies {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = &self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HEADERS_GIVEN);
        }
    }
}
