//! The OpenAPI document, and a page to read and try it.

use std::sync::{Arc, LazyLock};

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde_json::json;

use crate::openapi;
use crate::operation::{Answer, Operation};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;

pub(crate) async fn openapi() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(openapi::document().clone())
}

/// The page finds its files beside it, so its address ends with a slash.
pub(crate) async fn index() -> Moved {
    Moved("/docs/")
}

/// It is at another address, for good.
pub(crate) struct Moved(&'static str);

impl Responder for Moved {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, self.0))
            .finish()
    }
}

impl Answer for Moved {
    fn describe(operation: &mut Operation<'_>) {
        let about = json!({ "description": "It is at another address." });
        operation.answer = (StatusCode::PERMANENT_REDIRECT, about);
    }
}

/// Swagger UI, from files inside of this program.
pub(crate) async fn file(file: Path<String>) -> Result<HttpResponse> {
    static CONFIG: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> =
        LazyLock::new(|| Arc::new(utoipa_swagger_ui::Config::new(["/openapi.json"])));
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG))
        .map_err(|cause| Problem::ours(Code::Internal, &*cause))?;
    let file = found.ok_or_else(|| Problem::new(Code::NotFound))?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(file.content_type)
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}

/// Scripts from here only; the page's own library writes styles into it and draws with data URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'none'";
