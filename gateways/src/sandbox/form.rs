//! Form fields in the order in which they came, decoded once.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(decoded)
                .collect(),
        )
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self::parse(&String::from_utf8_lossy(bytes))
    }

    /// Names are compared without case: `status` and `Status` both come.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Empty if it did not come.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// `metadata[order_id]` and its like: what stands in the brackets, and the value.
    pub(super) fn under<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs().filter_map(move |(key, value)| {
            let inside = key
                .strip_prefix(name)?
                .strip_prefix('[')?
                .strip_suffix(']')?;
            Some((inside, value))
        })
    }
}

fn decoded((key, value): (&str, &str)) -> (String, String) {
    let plain = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    (plain(key), plain(value))
}

/// As form text, with lower-case escapes and `+` for a space.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        text.push_str(&lower_escapes(value));
    }
    text
}

fn lower_escapes(value: &str) -> String {
    let upper: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let mut text = String::with_capacity(upper.len());
    let mut escape = 0_u8;
    for letter in upper.chars() {
        if letter == '%' {
            escape = 2;
            text.push(letter);
        } else if escape > 0 {
            escape -= 1;
            text.push(letter.to_ascii_lowercase());
        } else {
            text.push(letter);
        }
    }
    text
}
