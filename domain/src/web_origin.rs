//! Where the pages of a web shop come from.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU16;

/// Scheme, host and perhaps a port, written as browsers write it in `Origin`: lower-cased, without
/// the port that the scheme has anyway. Two are the same origin only if they are the same text.
///
/// The host is a name with a dot, IDN in its ASCII form, and the scheme https. Who develops has
/// `localhost` and `127.0.0.1` as well, and http there. No addresses beside that one, no dot at the
/// end, no path, no user: what a browser would not send as an origin is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebOrigin(String);

/// The text does not have the form of a web shop's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an origin such as https://shop.example or https://shop.example:8443, without a path; \
     http only for localhost"
)]
pub struct WebOriginError;

/// Of a name in the DNS, and of each part of it.
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

impl WebOrigin {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WebOrigin {
    type Error = WebOriginError;

    fn try_from(text: String) -> Result<Self, WebOriginError> {
        text.parse()
    }
}

impl From<WebOrigin> for String {
    fn from(value: WebOrigin) -> Self {
        value.0
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(WebOriginError)?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(read_port(port)?)),
            None => (authority, None),
        };
        let own_port = match (scheme, is_this_machine(host)) {
            ("https", true) => 443,
            ("https", false) if is_public_name(host) => 443,
            ("http", true) => 80,
            _ => return Err(WebOriginError),
        };
        Ok(Self(match port {
            Some(port) if port.get() != own_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

/// One way to write each: no sign, no zero before it.
fn read_port(text: &str) -> Result<NonZeroU16, WebOriginError> {
    let port: NonZeroU16 = text.parse().map_err(|_| WebOriginError)?;
    if port.to_string() == text {
        Ok(port)
    } else {
        Err(WebOriginError)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host == "127.0.0.1"
}

fn is_public_name(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(allowed)
    };
    // What ends in a number is an address to a browser, in one of its many forms; no top-level
    // domain begins with a digit.
    let ends_in_name = |(_, last): (&str, &str)| last.starts_with(|c: char| c.is_ascii_lowercase());
    host.len() <= HOST_BYTES_MAX
        && host.split('.').all(is_label)
        && host.rsplit_once('.').is_some_and(ends_in_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("HTTPS://Shop.EXAMPLE", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("https://shop.example:80", "https://shop.example:80"),
            ("https://xn--dka-0na.example", "https://xn--dka-0na.example"),
            ("https://a.b-c.example.co.ke", "https://a.b-c.example.co.ke"),
            ("https://0.example", "https://0.example"),
            ("http://localhost", "http://localhost"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
            ("https://localhost:3000", "https://localhost:3000"),
        ] {
            assert_eq!(text.parse::<WebOrigin>().unwrap().as_str(), origin);
        }
    }

    #[test]
    fn what_is_no_origin_of_a_web_shop_is_refused() {
        let long_label = format!("https://{}.example", "a".repeat(64));
        let long_host = format!("https://{}example", "a.".repeat(124));
        for text in [
            // Everybody, and nobody.
            "",
            "*",
            "null",
            "https://*",
            "https://*.shop.example",
            // No origin, but a part of one or more than one.
            "shop.example",
            "//shop.example",
            "https:shop.example",
            "https:/shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example/shop",
            "https://shop.example?a=b",
            "https://shop.example#a",
            "https://shop.example\\a",
            "https://user@shop.example",
            "https://user:secret@shop.example",
            "https://shop.example:443@evil.example",
            "https://shop.example, https://evil.example",
            "https://shop.example https://evil.example",
            " https://shop.example",
            "https://shop.example\n",
            "https://shop.example\0",
            // Other schemes.
            "http://shop.example",
            "ftp://shop.example",
            "file://shop.example",
            "javascript://shop.example",
            "chrome-extension://shop.example",
            "https+http://shop.example",
            // Ports.
            "https://shop.example:",
            "https://shop.example:0",
            "https://shop.example:065",
            "https://shop.example:+65",
            "https://shop.example:65536",
            "https://shop.example:80:80",
            "https://shop.example:https",
            // Hosts that are no names.
            "https://shop",
            "https://shop.example.",
            "https://localhost.",
            "https://.shop.example",
            "https://shop..example",
            "https://-shop.example",
            "https://shop-.example",
            "https://shop_1.example",
            "https://shop%2eexample",
            long_label.as_str(),
            long_host.as_str(),
            // Addresses, in all forms that browsers know.
            "https://127.0.0.1.",
            "https://10.0.0.1",
            "http://127.0.0.2",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.1",
            "https://shop.0x7f",
            "https://[::1]",
            "http://[::1]:3000",
            // Look-alikes, which are other names in ASCII.
            "https://shóp.example",
            "https://ѕhop.example",
            "https://shop。example",
            "https://shop.example\u{202e}",
            "https://ｓｈｏｐ.example",
            "http://ＬＯＣＡＬＨＯＳＴ",
            "http://localhost.example",
            "http://localhostevil",
            "http://127.0.0.1.example",
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(WebOriginError), "{text:?}");
        }
    }

    #[test]
    fn no_other_text_is_the_same_origin() {
        let shop: WebOrigin = "https://shop.example".parse().unwrap();
        for other in [
            "https://shop.example.evil.example",
            "https://evilshop.example",
            "https://evil-shop.example",
            "https://www.shop.example",
            "https://shop.example:8443",
            "https://sh0p.example",
        ] {
            assert_ne!(other.parse::<WebOrigin>().unwrap(), shop, "{other}");
        }
    }

    #[test]
    fn json_is_parsed_like_any_other_text() {
        let origin: WebOrigin = serde_json::from_str(r#""https://Shop.example""#).unwrap();
        let written = serde_json::to_string(&origin).unwrap();
        assert_eq!(written, r#""https://shop.example""#);
        assert!(serde_json::from_str::<WebOrigin>(r#""null""#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_was_read_reads_as_itself(text in "https?://[a-zA-Z0-9.:-]{1,24}") {
            if let Ok(origin) = text.parse::<WebOrigin>() {
                proptest::prop_assert_eq!(origin.as_str().parse::<WebOrigin>(), Ok(origin.clone()));
            }
        }
    }
}
