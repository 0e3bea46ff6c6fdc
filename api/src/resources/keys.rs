//! The keys by which others can verify our access tokens.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;

use crate::app::App;

/// A key is published an hour before it signs, so this may be kept for half of that.
pub(crate) async fn jwks(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=1800"))
        .json(app.tokens().keys().jwks())
}
