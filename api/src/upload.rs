//! A command whose body is a file: read only when it is known that its sender may send it, for it
//! is larger than what anybody may.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};

use crate::body::{FileKind, PendingBody};
use crate::command::{Conditions, describe_conditions};
use crate::operation::{Input, Operation};
use crate::problem::{Code, Problem, Result};
use crate::route::FILE_BYTES_MAX;

/// CSV that has not been read yet.
pub(crate) struct Upload {
    pending: PendingBody,
    conditions: Conditions,
    digest: Sha256,
}

/// What stands in an upload.
pub(crate) struct File {
    pub(crate) bytes: Bytes,
    pub(crate) conditions: Conditions,
}

impl Upload {
    /// # Errors
    /// `unsupported-media-type`, `body-too-large`, `request-timeout`
    pub(crate) async fn read(self) -> Result<File> {
        let Self {
            pending,
            mut conditions,
            mut digest,
        } = self;
        let bytes = pending.read().await?;
        digest.update(&bytes);
        conditions.digest = digest.finalize().into();
        Ok(File { bytes, conditions })
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let pending = PendingBody::of_file(request, payload, FileKind::Csv);
        ready(Conditions::of(request).map(|conditions| Self {
            pending,
            conditions,
            digest: digest_of(request),
        }))
    }
}

/// What stands in the query is part of what is asked for: whose file it is.
fn digest_of(request: &HttpRequest) -> Sha256 {
    let mut digest = Sha256::new();
    let query = request.query_string();
    for part in [
        request.method().as_str(),
        "\n",
        request.path(),
        "?",
        query,
        "\n",
    ] {
        digest.update(part.as_bytes());
    }
    digest
}

impl Input for Upload {
    fn describe(operation: &mut Operation<'_>) {
        operation.body = Some(json!({
            "required": true,
            "description": format!("At most {FILE_BYTES_MAX} bytes."),
            "x-bytes-max": FILE_BYTES_MAX,
            "content": { "text/csv": { "schema": { "type": "string" } } },
        }));
        operation.refuses(&[
            Code::Validation,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::RequestTimeout,
        ]);
        describe_conditions(operation);
    }
}
