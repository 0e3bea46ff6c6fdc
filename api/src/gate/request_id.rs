//! The name of one request: taken from the client, or made.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const BYTES_MAX: usize = 128;

/// Returned to the client, written to the log, and kept in the metadata of events.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(given) if is_plain(given.as_bytes()) => Self(given.clone()),
            _ => Self::new(),
        }
    }

    fn new() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        // Hexadecimal digits and hyphens are always a header.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none")))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Nothing that a log could take for something else.
fn is_plain(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=BYTES_MAX).contains(&id.len()) && id.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(given: &str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(given).unwrap());
        RequestId::of(&headers)
    }

    #[test]
    fn a_plain_id_of_the_client_is_kept() {
        assert_eq!(id_of("order-17.retry:2").as_str(), "order-17.retry:2");
    }

    #[test]
    fn what_could_deceive_a_log_is_replaced() {
        for given in ["", "a b", "a\tlevel=error", "{\"a\":1}", &"a".repeat(129)] {
            assert_ne!(id_of(given).as_str(), given);
        }
    }
}
