//! Text messages by way of Africa's Talking.

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::ACCEPT;
use serde::Deserialize;

use super::{ProviderError, SendError, TextMessage, TextMessenger};
use crate::http;

/// Sends in the name of one of their users.
pub struct AfricasTalking {
    client: Client,
    base: String,
    username: String,
    key: String,
    /// A sender id or short code; theirs if there is none.
    from: Option<String>,
}

impl AfricasTalking {
    /// `base` is `https://api.africastalking.com`, or that of their sandbox, whose only user is
    /// called `sandbox`.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(
        base: String,
        username: String,
        key: String,
        from: Option<String>,
    ) -> Result<Self, ProviderError> {
        Ok(Self {
            client: http::client()?,
            base,
            username,
            key,
            from,
        })
    }
}

#[async_trait]
impl TextMessenger for AfricasTalking {
    async fn send(&self, message: &TextMessage) -> Result<(), SendError> {
        let mut form = vec![
            ("username", self.username.as_str()),
            ("to", message.to.as_str()),
            ("message", message.text.as_str()),
            ("bulkSMSMode", "1"),
            ("enqueue", "1"),
        ];
        if let Some(from) = &self.from {
            form.push(("from", from));
        }
        let answer = self
            .client
            .post(format!("{}/version1/messaging", self.base))
            .header("apiKey", &self.key)
            // Without it they answer in XML.
            .header(ACCEPT, "application/json")
            .form(&form)
            .send()
            .await
            .map_err(|error| SendError::of_request(&error))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(SendError::of_status(status));
        }
        let told: Answer = answer
            .json()
            .await
            .map_err(|_| SendError::Unknown("the answer cannot be read".to_owned()))?;
        // A success says only that the request was understood: each recipient has its own answer.
        match told.data.recipients.first() {
            Some(recipient) => recipient.verdict(),
            // Their reason stands in the message, which has no personal part then.
            None => Err(SendError::NotSent(told.data.message)),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SMSMessageData")]
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    #[serde(default)]
    message: String,
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    status_code: u16,
}

impl Recipient {
    fn verdict(&self) -> Result<(), SendError> {
        let told = format!("status {}", self.status_code);
        match self.status_code {
            100..=102 => Ok(()),
            // Our sender id, our balance: nothing that the number did.
            402 | 405 | 500..=599 => Err(SendError::NotSent(told)),
            _ => Err(SendError::Refused(told)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::wire::Wire;

    async fn send(wire: &Wire, from: Option<&str>) -> Result<(), SendError> {
        let from = from.map(str::to_owned);
        let user = "sandbox".to_owned();
        let provider = AfricasTalking::new(wire.base(), user, "key".to_owned(), from).unwrap();
        let message = TextMessage {
            to: "+254711000111".parse().unwrap(),
            text: "hi".to_owned(),
        };
        provider.send(&message).await
    }

    fn recipients(status_code: u16) -> String {
        format!(
            r#"{{"SMSMessageData":{{"Message":"Sent to 1/1 Total Cost: KES 0.8000","Recipients":[
            {{"statusCode":{status_code},"number":"+254711000111","status":"Success",
            "cost":"KES 0.8000","messageId":"ATPid_1"}}]}}}}"#
        )
    }

    #[tokio::test]
    async fn a_message_goes_out_as_it_was_captured() {
        let wire = Wire::answering("201 Created", &recipients(101)).await;
        send(&wire, None).await.unwrap();
        let heard = wire.heard().await;
        assert_eq!(heard.line, "POST /version1/messaging HTTP/1.1");
        assert_eq!(heard.header("apikey"), "key");
        assert_eq!(heard.header("accept"), "application/json");
        assert_eq!(
            heard.body,
            "username=sandbox&to=%2B254711000111&message=hi&bulkSMSMode=1&enqueue=1"
        );
    }

    #[tokio::test]
    async fn a_sender_of_our_own_is_named() {
        let wire = Wire::answering("201 Created", &recipients(102)).await;
        send(&wire, Some("SOKO")).await.unwrap();
        assert!(wire.heard().await.body.ends_with("&from=SOKO"));
    }

    #[tokio::test]
    async fn the_answer_for_the_recipient_counts_and_not_that_of_the_request() {
        for status_code in [401, 403, 404, 406, 407, 409] {
            let wire = Wire::answering("201 Created", &recipients(status_code)).await;
            let sent = send(&wire, None).await;
            assert!(matches!(sent, Err(SendError::Refused(_))), "{status_code}");
        }
        for status_code in [402, 405, 500, 501, 502] {
            let wire = Wire::answering("201 Created", &recipients(status_code)).await;
            let sent = send(&wire, None).await;
            assert!(matches!(sent, Err(SendError::NotSent(_))), "{status_code}");
        }
        let none = r#"{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}"#;
        let wire = Wire::answering("201 Created", none).await;
        let sent = send(&wire, None).await;
        assert_eq!(sent, Err(SendError::NotSent("InvalidSenderId".to_owned())));
    }

    #[tokio::test]
    async fn what_cannot_be_understood_may_have_been_sent() {
        let wire = Wire::answering("201 Created", "<xml/>").await;
        assert!(matches!(
            send(&wire, None).await,
            Err(SendError::Unknown(_))
        ));
        let wire = Wire::answering("401 Unauthorized", "The supplied key is invalid").await;
        assert!(matches!(
            send(&wire, None).await,
            Err(SendError::NotSent(_))
        ));
        let wire = Wire::hanging_up().await;
        assert!(matches!(
            send(&wire, None).await,
            Err(SendError::Unknown(_))
        ));
    }
}
