//! A merchant's request, and what it is answered.

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};

#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    /// What follows the provider's base address, with its slash.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: DateTime<Utc>,
}

impl Request<'_> {
    /// Empty if it did not come.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization")
            .strip_prefix("Bearer ")
            .map(str::trim)
    }

    pub(super) fn is_post(&self) -> bool {
        self.method == Method::POST
    }
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// The merchant's name for what it is about, for the log of faults.
    pub(super) reference: String,
    /// Under what the provider remembers the answer.
    pub(super) remembered_as: Option<String>,
}

impl Reply {
    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body,
            reference: String::new(),
            remembered_as: None,
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a call reads as what it sends"
    )]
    pub(super) fn json(status: u16, body: impl ToString) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(super) fn form(body: String) -> Self {
        Self::new(200, "text/html; charset=utf-8", body)
    }

    pub(super) fn html(status: u16, text: &str) -> Self {
        let body = format!("<!DOCTYPE html><html><body><h1>{text}</h1></body></html>");
        Self::new(status, "text/html; charset=utf-8", body)
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, "text/plain", String::new())
    }

    pub(super) fn about(mut self, reference: &str) -> Self {
        reference.clone_into(&mut self.reference);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A text as JSON, with its quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn hmac_sha256(key: &str, message: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    for part in message {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

pub(super) fn hmac_sha512(key: &str, message: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{hmac_sha256, hmac_sha512};

    #[test]
    fn stripe_signs_as_its_test_vector_says() {
        let body = br#"{"id":"evt_test_1","object":"event","type":"payment_intent.succeeded"}"#;
        assert_eq!(
            hmac_sha256("whsec_test_secret", &[b"1767225600", b".", body]),
            "45b8a95776fbf3619f8f4766a0af27089e752a5ba31acdc5a7e65b7c7f450dcc"
        );
    }

    #[test]
    fn paystack_signs_as_its_test_vector_says() {
        let body = br#"{"event":"charge.success","data":{"id":302961,"domain":"test","status":"success","reference":"ord_1001","amount":14950,"currency":"ZAR","channel":"card"}}"#;
        assert_eq!(
            hmac_sha512("sk_test_demo", body),
            "e5b9eb79f65779dd2873c40a40d7ca8fe34156c6c0eaa1b5209f331be939f2cabf75a93c40a83a98b6b4e937ef7f48de9c643a890e649aae2c39b584b9cff113"
        );
    }
}
