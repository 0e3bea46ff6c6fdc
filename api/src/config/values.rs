//! The types of settings, and how each is read from text.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use soko_domain::EmailAddress;
use soko_event_log::MasterKey;
use soko_gateways::messages::{MailProvider, Sender, SmsProvider};
use sqlx::postgres::PgConnectOptions;

use crate::account_rules::AccountRules;
use crate::secret::Secret;

/// What can be read from the text of a variable; `None` if it is not set and has no default.
pub(super) trait Value: Sized {
    fn read(text: Option<&str>) -> Result<Self, String>;
}

impl<T: Value> Value for Option<T> {
    fn read(text: Option<&str>) -> Result<Self, String> {
        text.map(|text| T::read(Some(text))).transpose()
    }
}

macro_rules! parsed {
    ($($type:ty: $must_be:literal),+ $(,)?) => {$(
        impl Value for $type {
            fn read(text: Option<&str>) -> Result<Self, String> {
                let text = text.ok_or("must be set")?;
                text.parse().map_err(|_| concat!("must be ", $must_be).to_owned())
            }
        }
    )+};
}

parsed! {
    String: "text",
    PathBuf: "a path",
    IpAddr: "an IP address, such as 127.0.0.1 or ::1",
    u8: "a number from 0 to 255",
    u16: "a number from 0 to 65535",
    NonZeroU32: "a number above 0",
    NonZeroUsize: "a number above 0",
    EmailAddress: "an e-mail address",
    Millis: "a number of milliseconds above 0",
    SecondsList: "numbers of seconds above 0 in ascending order, with commas between them",
    LogFormat: "\"text\" or \"json\"",
    Switch: "\"on\" or \"off\"",
    CorsOrigins: "\"*\" or origins such as https://shop.example, with commas between them",
    BaseUrl: "an http or https URL, such as https://sandbox.safaricom.co.ke",
    PublicUrl: "an http or https URL without a path, such as https://api.example",
    NatsServer: "a URL such as nats://host:4222, or \"off\"",
    SigningKeyText: "an Ed25519 key in PKCS#8, as PEM, as base64, or the path of a file with one",
    MasterKeyText: "32 bytes in base64, or the path of a file with them",
    MasterKeyTexts: "keys of 32 bytes in base64, or paths of files with them, with commas between them",
    Secret: "text",
    AccountRules: "\"open\" or \"strict\"",
    ServiceName: "1 to 40 characters, without a colon",
    Sender: "an address, or a name and an address such as `Soko <soko@example.com>`",
    MailProvider: "a URL with the scheme smtps, smtp or sendgrid, or \"outbox\"",
    SmsProvider: "a URL with the scheme africastalking or twilio, or \"outbox\"",
}

impl Value for PgConnectOptions {
    fn read(text: Option<&str>) -> Result<Self, String> {
        let text = text.ok_or("must be set")?;
        // The driver itself would take any scheme.
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        text.parse().ok().filter(|_| is_postgres).ok_or_else(|| {
            "must be a URL such as postgres://user:password@host:5432/database".to_owned()
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(Duration);

impl Millis {
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Millis {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(0) | Err(_) => Err(()),
            Ok(millis) => Ok(Self(Duration::from_millis(millis))),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
}

impl FromStr for Switch {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    All,
    Only(Vec<String>),
}

impl FromStr for CorsOrigins {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "*" {
            return Ok(Self::All);
        }
        let origins = text
            .split(',')
            .map(|origin| origin.trim().parse::<PublicUrl>());
        let origins: Result<Vec<_>, ()> = origins.map(|url| url.map(|url| url.0)).collect();
        origins.map(Self::Only)
    }
}

/// Numbers of seconds, each above the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondsList(Vec<u32>);

impl SecondsList {
    pub fn seconds(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }
}

impl FromStr for SecondsList {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers: Result<Vec<u32>, _> = text
            .split(',')
            .map(|number| number.trim().parse())
            .collect();
        match numbers {
            Ok(numbers) if numbers[0] > 0 && numbers.is_sorted_by(|a, b| a < b) => {
                Ok(Self(numbers))
            }
            Ok(_) | Err(_) => Err(()),
        }
    }
}

/// Scheme, host, and perhaps a port and a path; no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Scheme, host and perhaps a port; no path, and no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for BaseUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url: url::Url = text.parse().map_err(|_| ())?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        let is_bare = url.query().is_none() && url.fragment().is_none();
        if is_web && is_bare && url.username().is_empty() && url.password().is_none() {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(())
        }
    }
}

impl BaseUrl {
    /// Without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        match host {
            Some(host) if !host.is_empty() && host.chars().all(is_plain) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(()),
        }
    }
}

/// What the service is called by people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // In an authenticator's URI, a colon ends it.
        let is_plain = text.chars().all(|c| !c.is_control() && c != ':');
        match text.chars().count() {
            1..=40 if is_plain => Ok(Self(text.to_owned())),
            _ => Err(()),
        }
    }
}

/// Where events are published for other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsServer {
    Url(String),
    /// Workers read the log itself.
    Off,
}

impl FromStr for NatsServer {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once("://") {
            None if text == "off" => Ok(Self::Off),
            Some(("nats" | "tls" | "ws" | "wss", rest)) if !rest.is_empty() => {
                Ok(Self::Url(text.to_owned()))
            }
            _ => Err(()),
        }
    }
}

/// An Ed25519 private key.
#[derive(Clone)]
pub struct SigningKeyText(SigningKey);

impl SigningKeyText {
    pub fn key(&self) -> &SigningKey {
        &self.0
    }
}

impl fmt::Debug for SigningKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyText")
    }
}

impl FromStr for SigningKeyText {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let from_file = || {
            std::fs::read_to_string(text)
                .ok()
                .and_then(|text| decode(&text))
        };
        decode(text).or_else(from_file).map(Self).ok_or(())
    }
}

#[derive(Debug, Clone)]
pub struct MasterKeyText(MasterKey);

impl MasterKeyText {
    pub fn key(&self) -> &MasterKey {
        &self.0
    }
}

impl FromStr for MasterKeyText {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let from_file = || std::fs::read_to_string(text).ok()?.parse().ok();
        text.parse().ok().or_else(from_file).map(Self).ok_or(())
    }
}

#[derive(Debug, Clone)]
pub struct MasterKeyTexts(Vec<MasterKeyText>);

impl FromStr for MasterKeyTexts {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let keys = text.split(',').map(|text| text.trim().parse());
        keys.collect::<Result<_, _>>().map(Self)
    }
}

impl MasterKeyTexts {
    pub fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        self.0.iter().map(MasterKeyText::key)
    }
}

fn decode(text: &str) -> Option<SigningKey> {
    let base64: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .collect();
    let der = STANDARD.decode(base64).ok()?;
    SigningKey::from_pkcs8_der(&der).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::pkcs8::EncodePrivateKey;

    #[test]
    fn a_signing_key_may_be_base64_pem_or_a_file() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let base64 = STANDARD.encode(key.to_pkcs8_der().unwrap().as_bytes());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &pem).unwrap();
        for text in [base64.as_str(), pem.as_str(), file.path().to_str().unwrap()] {
            let read: SigningKeyText = text.parse().expect("a key");
            assert_eq!(read.key().to_bytes(), key.to_bytes());
        }
    }

    #[test]
    fn master_keys_may_be_base64_or_files() {
        let key = MasterKey::random();
        let base64 = key.to_base64();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, base64.as_bytes()).unwrap();
        let both = format!("{}, {}", base64.as_str(), file.path().display());
        let read: MasterKeyTexts = both.parse().unwrap();
        let ids: Vec<_> = read.keys().map(MasterKey::id).collect();
        assert_eq!(ids, [key.id(), key.id()]);
        for text in ["", ",", "/nowhere", "AAAA"] {
            assert!(text.parse::<MasterKeyTexts>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!("https://shop.example".parse::<PublicUrl>().is_ok());
        assert!("http://localhost:3000".parse::<PublicUrl>().is_ok());
        for text in [
            "https://shop.example/",
            "shop.example",
            "https://",
            "null",
            "https://a b",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
