//! Forms with a hash over their values, in the order in which they stand.

use percent_encoding::percent_decode;
use url::form_urlencoded::byte_serialize;

use super::super::secret::is_same;
use super::super::{Secret, crypto};

/// None of theirs has so many.
const FIELDS_MAX: usize = 64;

/// What they send: names and values as they came, decoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message(Vec<(String, Vec<u8>)>);

impl Message {
    /// `None` if it is no form: nobody else's page is one.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&') {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at(equals);
            let name = String::from_utf8(decoded(name)).ok()?;
            fields.push((name, decoded(value.get(1..)?)));
            if fields.len() > FIELDS_MAX {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// Whether it carries the hash that one of these keys makes.
    pub(super) fn is_signed_with(&self, keys: &[Secret]) -> bool {
        let Some(hash) = self.get("hash") else {
            return false;
        };
        let hash = hash.to_ascii_uppercase();
        let values: Vec<&[u8]> = self
            .0
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("hash"))
            .map(|(_, value)| value.as_slice())
            .collect();
        keys.iter()
            .filter(|key| !key.is_empty())
            .any(|key| is_same(hash_of(&values, key).as_bytes(), hash.as_bytes()))
    }

    /// Names are compared without case. One that came twice has no value, nor has an empty one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self
            .0
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => std::str::from_utf8(value)
                .ok()
                .filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}

fn decoded(part: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = part
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).collect()
}

/// The key is in small letters, whatever they mailed.
fn hash_of(values: &[&[u8]], key: &Secret) -> String {
    let key = key.expose().to_ascii_lowercase();
    let parts: Vec<&[u8]> = values.iter().copied().chain([key.as_bytes()]).collect();
    crypto::sha512_hex(&parts)
}

/// What we send: plain values, in order.
#[derive(Default)]
pub(super) struct Outgoing(Vec<(&'static str, String)>);

impl Outgoing {
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.to_owned()));
        self
    }

    /// With its hash at the end, encoded once.
    pub(super) fn sealed(mut self, key: &Secret) -> String {
        let values: Vec<&[u8]> = self.0.iter().map(|(_, value)| value.as_bytes()).collect();
        let hash = hash_of(&values, key);
        self.0.push(("hash", hash));
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| {
                let encoded: String = byte_serialize(value.as_bytes()).collect();
                format!("{name}={encoded}")
            })
            .collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        "3e9fed89-60e1-4ce5-ab6e-6b1eb2d4f977".into()
    }

    fn hash_in(body: &str) -> String {
        let message = Message::parse(body.as_bytes()).unwrap();
        message.get("hash").unwrap().to_owned()
    }

    #[test]
    fn the_published_outgoing_hash_is_ours() {
        let fields = Outgoing::default()
            .with("id", "1201")
            .with("reference", "TEST REF")
            .with("amount", "99.99")
            .with("additionalinfo", "A test ticket transaction")
            .with("returnurl", "http://www.google.com/search?q=returnurl")
            .with("resulturl", "http://www.google.com/search?q=resulturl")
            .with("status", "Message");
        let body = fields.sealed(&key());
        assert_eq!(
            hash_in(&body),
            "2A033FC38798D913D42ECB786B9B19645ADEDBDE788862032F1BD82CF3B92DEF\
             84F316385D5B40DBB35F1A4FD7D5BFE73835174136463CDD48C9366B0749C689"
        );
        assert!(body.starts_with("id=1201&reference=TEST+REF&amount=99.99&additionalinfo=A+test+"));
        assert!(
            Message::parse(body.as_bytes())
                .unwrap()
                .is_signed_with(&[key()])
        );
    }

    #[test]
    fn the_published_trace_hash_is_ours() {
        let fields = Outgoing::default()
            .with("id", "1201")
            .with("merchanttrace", "trace-0001")
            .with("status", "Message");
        assert_eq!(
            hash_in(&fields.sealed(&key())),
            "B2D126C4E680430AA26BA522255BBD80BAB237446C629DE6B92C47B374D91708\
             220DED5F8BFE58D6FEA6D5E2B59A2F80245E6B79BF0274F346FDE72377C07967"
        );
    }

    const REPLY: &str = "status=Ok&browserurl=https%3a%2f%2fstaging.paynow.co.zw%2fPayment%2f\
        ConfirmPayment%2f9510&pollurl=https%3a%2f%2fstaging.paynow.co.zw%2fInterface%2f\
        CheckPayment%2f%3fguid%3dc7ed41da-0159-46da-b428-69549f770413&paynowreference=9510&hash=\
        750DD0B0DF374678707BB5AF915AF81C228B9058AD57BB7120569EC68BBB9C2E\
        FC1B26C6375D2BC562AC909B3CD6B2AF1D42E1A5E479FFAC8F4FB3FDCE71DF4D";

    #[test]
    fn the_published_incoming_hash_is_theirs() {
        let message = Message::parse(REPLY.as_bytes()).unwrap();
        assert!(message.is_signed_with(&[key()]));
        assert!(message.is_signed_with(&["other".into(), key()]));
        assert!(!message.is_signed_with(&["other".into()]));
        assert!(!message.is_signed_with(&[]));
        assert_eq!(message.get("PayNowReference"), Some("9510"));
        assert!(message.is("STATUS", "ok"));
    }

    #[test]
    fn a_key_that_came_in_capitals_is_the_same_key() {
        let update = "reference=ORD-1001&paynowreference=90211&amount=149.50&status=Awaiting+Delivery\
            &pollurl=https%3A%2F%2Fwww.paynow.co.zw%2FInterface%2FCheckPayment%2F%3Fguid%3D2b7e&hash=\
            FCAE6488417635C79D5BA029CA63459096E6E9DAABE2286D9FD8B992FCF77924\
            2D75F6BC452A827E3912FDADB44BAB9F9FE677A9B1EB46E9402E43BE9AA72C4C";
        let message = Message::parse(update.as_bytes()).unwrap();
        assert!(message.is_signed_with(&["7E2A4C10-9F3B-4E55-8A1D-0C6B5D4E3F21".into()]));
        assert_eq!(message.get("status"), Some("Awaiting Delivery"));
    }

    #[test]
    fn a_changed_a_missing_and_a_reordered_value_break_the_hash() {
        for broken in [
            REPLY.replace("9510&hash", "9511&hash"),
            REPLY.replace("status=Ok&", ""),
            REPLY.replacen("&hash=", "&other=1&hash=", 1),
            REPLY.split("&hash=").next().unwrap().to_owned(),
            format!("{REPLY}&hash=00"),
        ] {
            let message = Message::parse(broken.as_bytes()).unwrap();
            assert!(!message.is_signed_with(&[key()]), "{broken}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_has_no_value() {
        let message = Message::parse(b"amount=1&Amount=2&status=&other=\xff").unwrap();
        assert_eq!(message.get("amount"), None);
        assert_eq!(message.get("status"), None);
        assert_eq!(message.get("other"), None);
    }

    #[test]
    fn what_is_no_form_is_none() {
        let flood = "a=1&".repeat(65) + "a=1";
        for body in ["", "<html>", "a=1&&b=2", "a", &flood] {
            assert_eq!(Message::parse(body.as_bytes()), None);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        bolero::check!().for_each(|body: &[u8]| {
            if let Some(message) = Message::parse(body) {
                assert!(!message.is_signed_with(&[key()]));
            }
        });
    }
}
