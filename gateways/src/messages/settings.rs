//! Which provider sends, as one line of the settings says it.

use std::path::Path;
use std::str::FromStr;

use url::Url;

use super::{AfricasTalking, Mailer, Outbox, SendGrid, Sender, Smtp, TextMessenger, Twilio};
use crate::http::ClientError;

/// Why no provider can be made of the settings. It never shows what stands in them.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the URL of the provider cannot be used")]
    Url,
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Who sends e-mail. It has no `Debug`, for it holds secrets.
#[derive(Clone)]
pub enum MailProvider {
    Outbox,
    Smtp { url: String },
    SendGrid { base: String, key: String },
}

/// Who sends text messages. It has no `Debug`, for it holds secrets.
#[derive(Clone)]
pub enum SmsProvider {
    Outbox,
    AfricasTalking {
        base: String,
        username: String,
        key: String,
        from: Option<String>,
    },
    Twilio {
        base: String,
        account_sid: String,
        auth_token: String,
        from: String,
    },
}

impl MailProvider {
    /// # Errors
    /// The provider cannot be set up.
    pub fn mailer(&self, outbox: &Path, from: Sender) -> Result<Box<dyn Mailer>, ProviderError> {
        Ok(match self.clone() {
            Self::Outbox => Box::new(Outbox::new(outbox.to_owned(), from)),
            Self::Smtp { url } => Box::new(Smtp::new(&url, from)?),
            Self::SendGrid { base, key } => Box::new(SendGrid::new(base, key, from)?),
        })
    }

    pub const fn is_outbox(&self) -> bool {
        matches!(self, Self::Outbox)
    }
}

impl SmsProvider {
    /// # Errors
    /// The provider cannot be set up.
    pub fn messenger(
        &self,
        outbox: &Path,
        mail_from: Sender,
    ) -> Result<Box<dyn TextMessenger>, ProviderError> {
        Ok(match self.clone() {
            Self::Outbox => Box::new(Outbox::new(outbox.to_owned(), mail_from)),
            Self::AfricasTalking {
                base,
                username,
                key,
                from,
            } => Box::new(AfricasTalking::new(base, username, key, from)?),
            Self::Twilio {
                base,
                account_sid,
                auth_token,
                from,
            } => Box::new(Twilio::new(base, account_sid, auth_token, from)?),
        })
    }

    pub const fn is_outbox(&self) -> bool {
        matches!(self, Self::Outbox)
    }
}

impl FromStr for MailProvider {
    type Err = ProviderError;

    fn from_str(text: &str) -> Result<Self, ProviderError> {
        if text == "outbox" {
            return Ok(Self::Outbox);
        }
        let url = Url::parse(text).map_err(|_| ProviderError::Url)?;
        match url.scheme() {
            "smtp" | "smtps" if url.host().is_some() => Ok(Self::Smtp {
                url: text.to_owned(),
            }),
            "sendgrid" => Ok(Self::SendGrid {
                base: base(&url)?,
                key: part(url.username())?,
            }),
            _ => Err(ProviderError::Url),
        }
    }
}

impl FromStr for SmsProvider {
    type Err = ProviderError;

    fn from_str(text: &str) -> Result<Self, ProviderError> {
        if text == "outbox" {
            return Ok(Self::Outbox);
        }
        let url = Url::parse(text).map_err(|_| ProviderError::Url)?;
        let secret = part(url.password().unwrap_or_default())?;
        let from = url
            .query_pairs()
            .find(|(name, _)| name == "from")
            .map(|(_, value)| value.into_owned());
        match url.scheme() {
            "africastalking" => Ok(Self::AfricasTalking {
                base: base(&url)?,
                username: part(url.username())?,
                key: secret,
                from,
            }),
            "twilio" => Ok(Self::Twilio {
                base: base(&url)?,
                account_sid: part(url.username())?,
                auth_token: secret,
                from: from.ok_or(ProviderError::Url)?,
            }),
            _ => Err(ProviderError::Url),
        }
    }
}

/// Always by TLS.
fn base(url: &Url) -> Result<String, ProviderError> {
    let host = url.host_str().ok_or(ProviderError::Url)?;
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Ok(format!("https://{host}{port}"))
}

/// As it was before it was written into a URL; never empty.
fn part(encoded: &str) -> Result<String, ProviderError> {
    let decoded = percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| ProviderError::Url)?;
    if decoded.is_empty() {
        return Err(ProviderError::Url);
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_who_sends_mail() {
        assert!("outbox".parse::<MailProvider>().unwrap().is_outbox());
        let smtp = "smtps://soko:p%40ss@mail.example.com:465".parse();
        assert!(matches!(smtp, Ok(MailProvider::Smtp { .. })));
        let sendgrid = "sendgrid://SG.a%2Bb@api.eu.sendgrid.com".parse().unwrap();
        let MailProvider::SendGrid { base, key } = sendgrid else {
            panic!("it is SendGrid");
        };
        assert_eq!(
            (base.as_str(), key.as_str()),
            ("https://api.eu.sendgrid.com", "SG.a+b")
        );
    }

    #[test]
    fn a_line_names_who_sends_text_messages() {
        let line = "africastalking://soko:atsk_1@api.africastalking.com?from=SOKO";
        let SmsProvider::AfricasTalking {
            base,
            username,
            key,
            from,
        } = line.parse().unwrap()
        else {
            panic!("it is Africa's Talking");
        };
        assert_eq!(base, "https://api.africastalking.com");
        assert_eq!((username.as_str(), key.as_str()), ("soko", "atsk_1"));
        assert_eq!(from.as_deref(), Some("SOKO"));
        let line = "twilio://AC1:token@api.twilio.com?from=%2B15005550006";
        let SmsProvider::Twilio { from, .. } = line.parse().unwrap() else {
            panic!("it is Twilio");
        };
        assert_eq!(from, "+15005550006");
    }

    #[test]
    fn what_lacks_a_part_is_refused() {
        for wrong in [
            "",
            "smtp",
            "http://mail.example.com",
            "sendgrid://api.sendgrid.com",
        ] {
            assert!(wrong.parse::<MailProvider>().is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "twilio://AC1:token@api.twilio.com",
            "twilio://AC1@api.twilio.com?from=1",
            "africastalking://soko@api.africastalking.com",
        ] {
            assert!(wrong.parse::<SmsProvider>().is_err(), "{wrong}");
        }
    }
}
