//! Answers made smaller, where that saves more than it costs.

use std::io::Write;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this an answer fits into one packet anyway.
const BYTES_MIN: usize = 1400;

/// Above this the thread would be kept from other requests for too long.
const BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Identity,
}

impl Encoding {
    /// What the client would like best of what we have.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let Some(accepted) = headers
            .get(ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
        else {
            return Self::Identity;
        };
        let takes_gzip = accepted.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        });
        if takes_gzip {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

pub(super) fn compressed(
    response: ServiceResponse<BoxBody>,
    encoding: Encoding,
) -> ServiceResponse<BoxBody> {
    if encoding == Encoding::Identity
        || response.headers().contains_key(CONTENT_ENCODING)
        || !is_text(response.headers())
    {
        return response;
    }
    let response = response.map_body(|head, body| match body.try_into_bytes() {
        Ok(bytes) => match gzip(&bytes) {
            Some(smaller) => {
                head.headers
                    .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                head.headers
                    .append(VARY, HeaderValue::from_static("accept-encoding"));
                EitherBody::left(smaller)
            }
            None => EitherBody::left(bytes),
        },
        // A stream: it goes as it comes.
        Err(body) => EitherBody::right(body),
    });
    response.map_into_boxed_body()
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    media_type.starts_with("text/")
        || media_type.starts_with("application/json")
        || media_type.starts_with("application/javascript")
}

fn gzip(bytes: &Bytes) -> Option<Bytes> {
    if !(BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    let smaller = encoder.finish().ok()?;
    (smaller.len() < bytes.len()).then(|| smaller.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_gzip_gets_it() {
        let encoding = |accepted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap());
            Encoding::accepted(&headers)
        };
        for accepted in ["gzip", "br, gzip;q=0.5", "GZIP"] {
            assert_eq!(encoding(accepted), Encoding::Gzip, "{accepted}");
        }
        for accepted in ["", "br", "gzip;q=0", "gzip; q=0.000", "identity"] {
            assert_eq!(encoding(accepted), Encoding::Identity, "{accepted}");
        }
    }
}
