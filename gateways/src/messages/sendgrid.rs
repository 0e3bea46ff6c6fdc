//! Mail by way of SendGrid's HTTP interface.

use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::letter::Sender;
use super::{Mail, Mailer, ProviderError, SendError};
use crate::http;

/// Sends with one key.
pub struct SendGrid {
    client: Client,
    base: String,
    key: String,
    from: Sender,
}

impl SendGrid {
    /// `base` is such as `https://api.sendgrid.com`, or `https://api.eu.sendgrid.com`.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(base: String, key: String, from: Sender) -> Result<Self, ProviderError> {
        Ok(Self {
            client: http::client()?,
            base,
            key,
            from,
        })
    }
}

#[async_trait]
impl Mailer for SendGrid {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let mut from = json!({ "email": self.from.address() });
        if let Some(name) = self.from.name() {
            from["name"] = Value::from(name);
        }
        let body = json!({
            "from": from,
            "subject": mail.subject,
            "personalizations": [{ "to": [{ "email": mail.to.as_str() }] }],
            "content": [{ "type": "text/plain", "value": mail.text }],
            // A link that goes by way of somebody else would show them the token in it.
            "tracking_settings": {
                "click_tracking": { "enable": false, "enable_text": false },
                "open_tracking": { "enable": false },
            },
        });
        let answer = self
            .client
            .post(format!("{}/v3/mail/send", self.base))
            .bearer_auth(&self.key)
            .json(&body)
            .send()
            .await
            .map_err(|error| SendError::of_request(&error))?;
        match answer.status() {
            StatusCode::ACCEPTED | StatusCode::OK => Ok(()),
            status => Err(SendError::of_status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::wire::Wire;

    async fn send(wire: &Wire) -> Result<(), SendError> {
        let from = "Soko <a@shop.example>".parse().unwrap();
        let sendgrid = SendGrid::new(wire.base(), "SG.key".to_owned(), from).unwrap();
        let mail = Mail {
            to: "b@c.example".parse().unwrap(),
            subject: "Subj".to_owned(),
            text: "hi".to_owned(),
        };
        sendgrid.send(&mail).await
    }

    #[tokio::test]
    async fn a_mail_goes_out_as_the_interface_has_it() {
        let wire = Wire::answering("202 Accepted", "").await;
        send(&wire).await.unwrap();
        let heard = wire.heard().await;
        assert_eq!(heard.line, "POST /v3/mail/send HTTP/1.1");
        assert_eq!(heard.header("authorization"), "Bearer SG.key");
        let body: Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(
            body["from"],
            json!({ "email": "a@shop.example", "name": "Soko" })
        );
        assert_eq!(body["subject"], "Subj");
        assert_eq!(
            body["personalizations"],
            json!([{ "to": [{ "email": "b@c.example" }] }])
        );
        assert_eq!(
            body["content"],
            json!([{ "type": "text/plain", "value": "hi" }])
        );
    }

    #[tokio::test]
    async fn each_refusal_is_what_it_means_for_the_mail() {
        let errors = r#"{"errors":[{"message":"bad","field":"to","help":null}]}"#;
        let wire = Wire::answering("400 Bad Request", errors).await;
        assert!(matches!(send(&wire).await, Err(SendError::Refused(_))));
        for status in ["401 Unauthorized", "429 Too Many Requests", "500 Oh"] {
            let wire = Wire::answering(status, errors).await;
            let sent = send(&wire).await;
            assert!(matches!(sent, Err(SendError::NotSent(_))), "{status}");
        }
        let silent = Wire::hanging_up().await;
        assert!(matches!(send(&silent).await, Err(SendError::Unknown(_))));
    }
}
