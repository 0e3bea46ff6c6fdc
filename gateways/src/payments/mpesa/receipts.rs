//! Telling M-Pesa where to tell of payments that nobody was asked for (C2B).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::loose_json::Loose;
use super::super::{CallError, CallbackKind, FailureReason, Unfit};
use super::{Mpesa, answers};

/// How a payment that is offered ([`super::super::Fact::Offered`]) is let through, within 8 seconds.
pub const OFFER_ACCEPTED: &str = r#"{"ResultCode":"0","ResultDesc":"Accepted"}"#;

/// And how it is not: nobody knows what it is for.
pub const OFFER_REFUSED: &str = r#"{"ResultCode":"C2B00012","ResultDesc":"Rejected"}"#;

/// They take no address with one of these in it.
const FORBIDDEN: [&str; 7] = ["mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query"];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Registration<'a> {
    short_code: &'a str,
    response_type: &'static str,
    #[serde(rename = "ConfirmationURL")]
    confirmation_url: String,
    #[serde(rename = "ValidationURL")]
    validation_url: String,
}

#[derive(Deserialize)]
struct Registered {
    #[serde(rename = "ResponseCode")]
    code: Loose,
    #[serde(rename = "ResponseDescription", default)]
    description: Loose,
}

impl Mpesa {
    /// Once for a short code. When we do not answer whether a payment is welcome, it is.
    ///
    /// # Errors
    /// It was not registered, or whether it was is not known. Registering again does no harm, but
    /// live they may answer that it was done before.
    pub async fn register_receipts(&self, now: DateTime<Utc>) -> Result<(), CallError> {
        let registration = Registration {
            short_code: &self.account.short_code,
            response_type: "Completed",
            confirmation_url: self.receipt_url(CallbackKind::Receipt)?,
            validation_url: self.receipt_url(CallbackKind::Offer)?,
        };
        let path = "/mpesa/c2b/v2/registerurl";
        let answer = self.post(path, &registration, now).await?;
        if !answer.is_success() {
            return Err(answers::error(&answer));
        }
        let told: Registered = answer.json().ok_or_else(CallError::unreadable)?;
        match told.code.get() {
            Some("0") => Ok(()),
            Some(_) => {
                let words = told.description.as_str();
                Err(CallError::refused(FailureReason::OurSetUp, words))
            }
            None => Err(CallError::unreadable()),
        }
    }

    fn receipt_url(&self, kind: CallbackKind) -> Result<String, CallError> {
        let token = self.callback_token(kind, self.account.store_id.as_uuid())?;
        let url = format!("{}/{}", self.endpoints.receipts, token.text());
        let lower = url.to_lowercase();
        if FORBIDDEN.iter().any(|word| lower.contains(word)) {
            return Err(Unfit::CallbackUrl.into());
        }
        Ok(url)
    }
}
