//! Mail by way of an SMTP server.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::letter::{Sender, letter};
use super::{Mail, Mailer, ProviderError, SendError};

const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Sends through the server that a URL names: `smtps://` speaks TLS from the start,
/// `smtp://…?tls=required` turns to it, and plain `smtp://` is for a relay on the same machine.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl Smtp {
    /// # Errors
    /// The URL names no server.
    pub fn new(url: &str, from: Sender) -> Result<Self, ProviderError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| ProviderError::Url)?
            .timeout(Some(ANSWERED_WITHIN))
            .build();
        Ok(Self { transport, from })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let letter = letter(&self.from, mail)?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            // The server's own words may repeat the address, so only its code is told.
            Err(error) => {
                let told = error
                    .status()
                    .map_or("no answer".to_owned(), |code| code.to_string());
                if error.is_permanent() {
                    Err(SendError::Refused(told))
                } else if error.is_transient() {
                    Err(SendError::NotSent(told))
                } else {
                    Err(SendError::Unknown(told))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// A server that takes one mail, or refuses its recipient; gives what it was told.
    async fn serve(answer_to_recipient: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut heard = String::new();
            let mut is_data = false;
            stream.write_all(b"220 test\r\n").await.unwrap();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return heard;
                }
                heard.push_str(&line);
                let answer = match line.split([' ', ':']).next().unwrap_or_default().trim() {
                    "." if is_data => {
                        is_data = false;
                        "250 taken"
                    }
                    _ if is_data => continue,
                    "EHLO" => "250 test",
                    "RCPT" => answer_to_recipient,
                    "DATA" => {
                        is_data = true;
                        "354 go on"
                    }
                    _ => "250 fine",
                };
                let answer = format!("{answer}\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, served)
    }

    async fn send(url: &str) -> Result<(), SendError> {
        let smtp = Smtp::new(url, "soko@example.com".parse().unwrap()).unwrap();
        let mail = Mail {
            to: "amina@example.com".parse().unwrap(),
            subject: "Welcome".to_owned(),
            text: "Jambo".to_owned(),
        };
        smtp.send(&mail).await
    }

    #[tokio::test]
    async fn a_mail_is_handed_over() {
        let (url, served) = serve("250 fine").await;
        send(&url).await.unwrap();
        let heard = served.await.unwrap();
        for line in [
            "MAIL FROM:<soko@example.com>",
            "RCPT TO:<amina@example.com>",
            "Subject: Welcome",
        ] {
            assert!(heard.contains(line), "{line} in {heard}");
        }
    }

    #[tokio::test]
    async fn a_refusal_for_good_is_told_from_one_for_now() {
        let (url, _served) = serve("550 no such person").await;
        assert!(matches!(send(&url).await, Err(SendError::Refused(_))));
        let (url, _served) = serve("450 busy").await;
        assert!(matches!(send(&url).await, Err(SendError::NotSent(_))));
    }
}
