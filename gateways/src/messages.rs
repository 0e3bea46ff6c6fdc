//! The ports for e-mail and text messages.

mod africas_talking;
mod letter;
mod outbox;
mod sendgrid;
mod settings;
mod smtp;
mod twilio;
#[cfg(test)]
mod wire;

use async_trait::async_trait;
use soko_domain::{EmailAddress, PhoneNumber};

pub use self::africas_talking::AfricasTalking;
pub use self::letter::Sender;
pub use self::outbox::Outbox;
pub use self::sendgrid::SendGrid;
pub use self::settings::{MailProvider, ProviderError, SmsProvider};
pub use self::smtp::Smtp;
pub use self::twilio::Twilio;

/// An e-mail to one person, in plain text.
#[derive(Clone)]
pub struct Mail {
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
}

/// A text message to one person.
#[derive(Clone)]
pub struct TextMessage {
    pub to: PhoneNumber,
    pub text: String,
}

/// Why a message was not taken. None of them shows whom it was for, or what it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never be: there is no such address, or the text is not allowed.
    #[error("the message was refused: {0}")]
    Refused(String),
    /// It surely was not sent; later it may be.
    #[error("the message was not sent: {0}")]
    NotSent(String),
    /// No answer came, or none that can be understood: it may have been sent.
    #[error("whether the message was sent is not known: {0}")]
    Unknown(String),
}

/// Sends e-mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over for delivery.
    ///
    /// # Errors
    /// Why it was not taken.
    async fn send(&self, mail: &Mail) -> Result<(), SendError>;
}

/// Sends text messages.
#[async_trait]
pub trait TextMessenger: Send + Sync {
    /// Hands a message over for delivery.
    ///
    /// # Errors
    /// Why it was not taken.
    async fn send(&self, message: &TextMessage) -> Result<(), SendError>;
}

impl SendError {
    /// Of a request that got no answer.
    fn of_request(error: &reqwest::Error) -> Self {
        // The error's own text has the address that was asked, and with it perhaps a key.
        if error.is_connect() {
            Self::NotSent("the provider cannot be reached".to_owned())
        } else if error.is_timeout() {
            Self::Unknown("the provider did not answer in time".to_owned())
        } else {
            Self::Unknown("the connection to the provider broke".to_owned())
        }
    }

    /// Of an answer that is no success and says nothing more that we understand.
    fn of_status(status: reqwest::StatusCode) -> Self {
        let told = format!("the provider answered {}", status.as_u16());
        match status.as_u16() {
            // Our key or our account is wrong, or there was too much: nothing that the message did.
            401 | 402 | 403 | 408 | 429 | 500..=599 => Self::NotSent(told),
            _ => Self::Refused(told),
        }
    }
}
