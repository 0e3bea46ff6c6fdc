//! One request to a provider, and its answer.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

use super::{CallError, Doubt, NotSent, Unfit};
use crate::http::{self, ClientError};

/// No provider's answer is longer; what is, is not read to its end.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Nobody waits longer because a provider said so.
const RETRY_AFTER_SECONDS_MAX: u64 = 3_600;

/// The one client for all providers, which keeps connections open between calls.
#[derive(Clone)]
pub(super) struct Exchange {
    client: Client,
    answered_within: Duration,
}

pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(answered_within: Duration) -> Result<Self, ClientError> {
        Ok(Self {
            client: http::client()?,
            answered_within,
        })
    }

    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    pub(super) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Any answer at all, read to its end.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        let timed = request.timeout(self.answered_within);
        let mut response = timed.send().await.map_err(|error| of_error(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| of_error(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(CallError::unreadable());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// The error's own text has the address that was asked, and with it perhaps a key.
fn of_error(error: &reqwest::Error) -> CallError {
    if error.is_builder() {
        // A header or an address that cannot be written: some part of the account's settings.
        CallError::Unfit(Unfit::Account)
    } else if error.is_connect() {
        CallError::NotSent(NotSent::NoConnection)
    } else if error.is_timeout() {
        CallError::Unknown(Doubt::NoAnswer)
    } else {
        CallError::Unknown(Doubt::Broken)
    }
}

impl Answer {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// `None` if it is not of this shape.
    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header(RETRY_AFTER.as_str())?.parse().ok()?;
        Some(Duration::from_secs(seconds.min(RETRY_AFTER_SECONDS_MAX)))
    }

    /// That the provider answered something which says nothing of what it did.
    pub(super) const fn in_doubt(&self) -> CallError {
        if self.is_success() {
            CallError::unreadable()
        } else {
            CallError::Unknown(Doubt::Status(self.status))
        }
    }
}
