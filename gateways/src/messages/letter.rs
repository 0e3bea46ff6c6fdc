//! An e-mail in the form in which it travels.

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::{Address, Message};

use super::{Mail, SendError};

/// RFC 5322, 2.1.1, without the line break.
const LINE_BYTES_MAX: usize = 998;

/// Whom our mail is from.
#[derive(Debug, Clone)]
pub struct Sender {
    name: Option<String>,
    address: Address,
}

/// The text names no sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address, or a name and an address such as `Soko <soko@example.com>`")]
pub struct SenderError;

impl std::str::FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        if text.chars().any(char::is_control) {
            return Err(SenderError);
        }
        let mailbox: Mailbox = text.parse().map_err(|_| SenderError)?;
        Ok(Self {
            name: mailbox.name,
            address: mailbox.email,
        })
    }
}

impl Sender {
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn address(&self) -> &str {
        self.address.as_ref()
    }
}

/// Headers are written by the library, which lets no line break into them.
pub(super) fn letter(from: &Sender, mail: &Mail) -> Result<Message, SendError> {
    let to: Address = mail
        .to
        .as_str()
        .parse()
        .map_err(|_| SendError::Refused("mail cannot be addressed like that".to_owned()))?;
    Message::builder()
        .from(Mailbox::new(from.name.clone(), from.address.clone()))
        .to(Mailbox::new(None, to))
        .subject(mail.subject.clone())
        .header(ContentType::TEXT_PLAIN)
        .body(body(&mail.text))
        .map_err(|error| SendError::Refused(error.to_string()))
}

/// Plain text stays as it is wherever a server must take it so: a link that is in one piece can be
/// copied, and found by who looks into the outbox. The library would encode lines that are merely
/// longer than a screen is wide.
fn body(text: &str) -> Body {
    let is_short = |line: &str| line.len() <= LINE_BYTES_MAX;
    if text.is_ascii() && text.lines().all(is_short) {
        let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(subject: &str) -> String {
        let mail = Mail {
            to: "amina@example.com".parse().unwrap(),
            subject: subject.to_owned(),
            text: "Jambo.\r\n\r\n.\r\nBcc: nobody".to_owned(),
        };
        let letter = letter(&"Soko <soko@example.com>".parse().unwrap(), &mail).unwrap();
        String::from_utf8(letter.formatted()).unwrap()
    }

    #[test]
    fn a_letter_says_who_whom_and_what() {
        let written = written("Welcome");
        for line in [
            "From: Soko <soko@example.com>",
            "To: amina@example.com",
            "Subject: Welcome",
        ] {
            assert!(written.contains(line), "{line} in {written}");
        }
    }

    #[test]
    fn a_long_link_stays_in_one_piece() {
        let link = format!("https://soko.example/#token={}", "A".repeat(200));
        let text = String::from_utf8(body(&link).into_vec()).unwrap();
        assert_eq!(text, format!("{link}\r\n"));
        let other = body("Habari, Zoë");
        assert_ne!(other.encoding(), ContentTransferEncoding::SevenBit);
    }

    #[test]
    fn a_line_break_never_begins_a_header() {
        for subject in ["Hi\r\nBcc: juma@example.com", "Hi\nBcc: juma@example.com"] {
            let written = written(subject);
            let (headers, _) = written.split_once("\r\n\r\n").unwrap();
            let begins = |line: &str| line.to_lowercase().starts_with("bcc");
            assert!(!headers.lines().any(begins), "{headers}");
        }
    }

    #[test]
    fn a_sender_has_an_address_and_perhaps_a_name() {
        let sender: Sender = "Soko <soko@example.com>".parse().unwrap();
        assert_eq!(
            (sender.name(), sender.address()),
            (Some("Soko"), "soko@example.com")
        );
        assert!("soko@example.com".parse::<Sender>().is_ok());
        for wrong in [
            "Soko",
            "",
            "Soko <soko@example.com>\r\nBcc: juma@example.com",
        ] {
            assert_eq!(wrong.parse::<Sender>().err(), Some(SenderError), "{wrong}");
        }
    }
}
