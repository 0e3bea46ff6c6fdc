//! The form of an address that a user may have called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// `https`, a public name and perhaps a port, a path and a query. No address in place of a name, no
/// user, no fragment, and nothing that two programs could read differently.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutboundUrl {
    url: Url,
    host: String,
}

/// What is wrong with it, for whoever gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundUrlError {
    #[error("must be a URL of at most 2048 characters, without spaces and backslashes")]
    Form,
    #[error("must begin with https://")]
    Scheme,
    #[error("must name no user")]
    User,
    #[error("must have no fragment")]
    Fragment,
    #[error("must name a host by a public name with a dot")]
    Host,
    #[error("must use port 443")]
    Port,
}

const BYTES_MAX: usize = 2048;
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Top-level domains that stand for something else than the public DNS. What they resolve to would be
/// looked at anyway; this says it earlier, and more clearly.
const NOT_PUBLIC: [&str; 12] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
];

impl OutboundUrl {
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// In ASCII and lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.url.port().unwrap_or(443)
    }
}

impl FromStr for OutboundUrl {
    type Err = OutboundUrlError;

    fn from_str(text: &str) -> Result<Self, OutboundUrlError> {
        // The parser would repair all of these; other programs would not, or would otherwise.
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.len() > BYTES_MAX || text.chars().any(is_odd) {
            return Err(OutboundUrlError::Form);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OutboundUrlError::Form)?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(OutboundUrlError::Scheme);
        }
        // An empty user is one that the parser leaves out.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(OutboundUrlError::User);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::InvalidPort => OutboundUrlError::Port,
            url::ParseError::RelativeUrlWithoutBase | url::ParseError::Overflow => {
                OutboundUrlError::Form
            }
            _ => OutboundUrlError::Host,
        })?;
        if url.fragment().is_some() {
            return Err(OutboundUrlError::Fragment);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if is_public_name(name) => name.to_owned(),
            _ => return Err(OutboundUrlError::Host),
        };
        match url.port() {
            Some(0) => Err(OutboundUrlError::Port),
            _ => Ok(Self { url, host }),
        }
    }
}

/// The parser has made ASCII of it, and addresses of all that is one.
fn is_public_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(allowed)
    };
    name.len() <= HOST_BYTES_MAX
        && name.split('.').all(is_label)
        && name
            .rsplit_once('.')
            .is_some_and(|(_, last)| !NOT_PUBLIC.contains(&last))
}

impl TryFrom<String> for OutboundUrl {
    type Error = OutboundUrlError;

    fn try_from(text: String) -> Result<Self, OutboundUrlError> {
        text.parse()
    }
}

impl From<OutboundUrl> for String {
    fn from(value: OutboundUrl) -> Self {
        value.url.into()
    }
}

impl fmt::Display for OutboundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> OutboundUrlError {
        match text.parse::<OutboundUrl>() {
            Ok(url) => panic!("{text:?} was read as {url}"),
            Err(fault) => fault,
        }
    }

    #[test]
    fn a_public_name_over_https_is_read() {
        for (text, host, port) in [
            (
                "https://hooks.shop.example/soko?a=b",
                "hooks.shop.example",
                443,
            ),
            ("HTTPS://Hooks.Shop.EXAMPLE", "hooks.shop.example", 443),
            (
                "https://hooks.shop.example:8443/",
                "hooks.shop.example",
                8443,
            ),
            ("https://d\u{fc}ka.example/", "xn--dka-hoa.example", 443),
            ("https://xn--dka-hoa.example/", "xn--dka-hoa.example", 443),
            ("https://shop.example/a@b", "shop.example", 443),
        ] {
            let url: OutboundUrl = text.parse().unwrap();
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert!(url.as_str().is_ascii());
            assert_eq!(url.as_str().parse(), Ok(url.clone()));
        }
    }

    #[test]
    fn an_address_in_any_form_is_no_name() {
        for host in [
            "127.0.0.1",
            "8.8.8.8",
            "127.1",
            "127.0.1",
            "0",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "00000177.1",
            "127.0.0.1.",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[fe80::1%25eth0]",
            "[2606:4700:4700::1111]",
        ] {
            assert_eq!(
                fault(&format!("https://{host}/")),
                OutboundUrlError::Host,
                "{host}"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_public_is_refused() {
        for host in [
            "",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "\u{ff4c}\u{ff4f}\u{ff43}\u{ff41}\u{ff4c}host",
            "a.localhost",
            "postgres",
            "nats",
            "soko.internal",
            "metadata.google.internal",
            "printer.local",
            "1.0.0.127.in-addr.arpa",
            "router.lan",
            "a.onion",
            "shop.example.",
            "shop..example",
            ".shop.example",
            "-shop.example",
            "shop-.example",
            "*.example",
            "shop%2eexample%00.internal",
            "%6c%6f%63%61%6c%68%6f%73%74",
            "xn--a.example",
        ] {
            assert_eq!(
                fault(&format!("https://{host}/")),
                OutboundUrlError::Host,
                "{host}"
            );
        }
        let long = format!("https://{}.example/", "a".repeat(64));
        assert_eq!(fault(&long), OutboundUrlError::Host);
        let long = format!("https://{}example/", "a.".repeat(125));
        assert_eq!(fault(&long), OutboundUrlError::Host);
    }

    #[test]
    fn no_other_scheme_is_called() {
        for scheme in [
            "http", "ftp", "file", "gopher", "ws", "wss", "dict", "jar", "httpss",
        ] {
            let text = format!("{scheme}://shop.example/");
            assert_eq!(fault(&text), OutboundUrlError::Scheme, "{scheme}");
        }
        for text in [
            "shop.example",
            "//shop.example/",
            "https:shop.example",
            "data:,a",
            "",
        ] {
            assert_eq!(fault(text), OutboundUrlError::Form, "{text}");
        }
    }

    #[test]
    fn what_two_programs_could_read_differently_is_refused() {
        for (text, expected) in [
            ("https://user@shop.example/", OutboundUrlError::User),
            ("https://user:pass@shop.example/", OutboundUrlError::User),
            ("https://@shop.example/", OutboundUrlError::User),
            ("https://shop.example@127.0.0.1/", OutboundUrlError::User),
            (
                "https://shop.example:443@evil.example/",
                OutboundUrlError::User,
            ),
            ("https://shop.example/#here", OutboundUrlError::Fragment),
            ("https://shop.example/#", OutboundUrlError::Fragment),
            (
                "https://evil.example#@shop.example/",
                OutboundUrlError::Fragment,
            ),
            (
                "https://shop.example\\@evil.example/",
                OutboundUrlError::Form,
            ),
            ("https:\\\\shop.example/", OutboundUrlError::Form),
            ("https://shop.example/a b", OutboundUrlError::Form),
            (" https://shop.example/", OutboundUrlError::Form),
            ("https://shop.exa\tmple/", OutboundUrlError::Form),
            ("https://shop.example/\r\nHost: a", OutboundUrlError::Form),
            ("https://shop.example/\0", OutboundUrlError::Form),
            ("https://shop.example:0/", OutboundUrlError::Port),
            ("https://shop.example:65536/", OutboundUrlError::Port),
            ("https://shop.example:http/", OutboundUrlError::Port),
        ] {
            assert_eq!(fault(text), expected, "{text:?}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(2048));
        assert_eq!(fault(&long), OutboundUrlError::Form);
    }
}
