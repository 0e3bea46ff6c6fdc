//! Text messages by way of Twilio.

use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::{ProviderError, SendError, TextMessage, TextMessenger};
use crate::http;

/// Sends in the name of one of their accounts.
pub struct Twilio {
    client: Client,
    base: String,
    account_sid: String,
    auth_token: String,
    from: String,
}

impl Twilio {
    /// `base` is `https://api.twilio.com`; `from` a number of ours, or the SID of a messaging
    /// service (`MG…`).
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(
        base: String,
        account_sid: String,
        auth_token: String,
        from: String,
    ) -> Result<Self, ProviderError> {
        Ok(Self {
            client: http::client()?,
            base,
            account_sid,
            auth_token,
            from,
        })
    }
}

#[async_trait]
impl TextMessenger for Twilio {
    async fn send(&self, message: &TextMessage) -> Result<(), SendError> {
        let sender = if self.from.starts_with("MG") {
            "MessagingServiceSid"
        } else {
            "From"
        };
        let form = [
            ("To", message.to.as_str()),
            (sender, self.from.as_str()),
            ("Body", message.text.as_str()),
        ];
        let path = format!("2010-04-01/Accounts/{}/Messages.json", self.account_sid);
        let answer = self
            .client
            .post(format!("{}/{path}", self.base))
            .basic_auth(&self.account_sid, Some(&self.auth_token))
            .form(&form)
            .send()
            .await
            .map_err(|error| SendError::of_request(&error))?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::OK => Ok(()),
            status => {
                let refusal: Option<Refusal> = answer.json().await.ok();
                Err(refusal.map_or_else(|| SendError::of_status(status), |r| r.verdict(status)))
            }
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

impl Refusal {
    fn verdict(&self, status: StatusCode) -> SendError {
        match self.code {
            // A number that is none, a country that is off, somebody who wants none, a landline.
            21211 | 21408 | 21610 | 21614 => SendError::Refused(format!("code {}", self.code)),
            _ => SendError::of_status(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::wire::Wire;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    async fn send(wire: &Wire, from: &str) -> Result<(), SendError> {
        let (sid, token) = ("AC0001".to_owned(), "12345".to_owned());
        let twilio = Twilio::new(wire.base(), sid, token, from.to_owned()).unwrap();
        let message = TextMessage {
            to: "+254711000111".parse().unwrap(),
            text: "hi there".to_owned(),
        };
        twilio.send(&message).await
    }

    const QUEUED: &str = r#"{"sid":"SM0001","status":"queued","error_code":null}"#;

    #[tokio::test]
    async fn a_message_goes_out_as_it_was_captured() {
        let wire = Wire::answering("201 Created", QUEUED).await;
        send(&wire, "+15005550006").await.unwrap();
        let heard = wire.heard().await;
        assert_eq!(
            heard.line,
            "POST /2010-04-01/Accounts/AC0001/Messages.json HTTP/1.1"
        );
        let login = format!("Basic {}", STANDARD.encode("AC0001:12345"));
        assert_eq!(heard.header("authorization"), login);
        assert_eq!(
            heard.body,
            "To=%2B254711000111&From=%2B15005550006&Body=hi+there"
        );
    }

    #[tokio::test]
    async fn a_messaging_service_stands_for_its_numbers() {
        let wire = Wire::answering("201 Created", QUEUED).await;
        send(&wire, "MG0001").await.unwrap();
        let heard = wire.heard().await;
        assert!(heard.body.contains("MessagingServiceSid=MG0001"));
    }

    #[tokio::test]
    async fn each_refusal_is_what_it_means_for_the_message() {
        for code in [21211, 21408, 21610, 21614] {
            let body = format!(r#"{{"code":{code},"message":"no","more_info":"","status":400}}"#);
            let wire = Wire::answering("400 Bad Request", &body).await;
            let sent = send(&wire, "+15005550006").await;
            assert!(matches!(sent, Err(SendError::Refused(_))), "{code}");
        }
        for (status, code) in [
            ("401 Unauthorized", 20003),
            ("429 Too Many Requests", 20429),
        ] {
            let body = format!(r#"{{"code":{code},"message":"no","more_info":"","status":0}}"#);
            let wire = Wire::answering(status, &body).await;
            let sent = send(&wire, "+15005550006").await;
            assert!(matches!(sent, Err(SendError::NotSent(_))), "{code}");
        }
    }
}
