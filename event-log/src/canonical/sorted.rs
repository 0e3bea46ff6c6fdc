//! Sorts the keys of compact JSON without building a tree of it.

use memchr::memchr2;

/// The same JSON with sorted keys; `None` where it is not plain enough to be sure of that: at a
/// float, a number that may be too large, an escaped character, a repeated key, or white space.
pub(super) fn sorted(json: &str) -> Option<String> {
    let mut sorter = Sorter {
        rest: json.as_bytes(),
        output: Vec::with_capacity(json.len()),
    };
    sorter.value()?;
    if !sorter.rest.is_empty() {
        return None;
    }
    String::from_utf8(sorter.output).ok()
}

/// Integers of so many characters fit into 64 bits with either sign.
const NUMBER_LENGTH_MAX: usize = 18;

struct Sorter<'a> {
    rest: &'a [u8],
    output: Vec<u8>,
}

/// A key, and where it stands in the output with its value.
type Member<'a> = (&'a [u8], std::ops::Range<usize>);

impl<'a> Sorter<'a> {
    fn value(&mut self) -> Option<()> {
        match *self.rest.first()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    fn object(&mut self) -> Option<()> {
        self.take(b'{')?;
        let start = self.output.len();
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut is_sorted = true;
        while self.rest.first() != Some(&b'}') {
            if !members.is_empty() {
                self.take(b',')?;
            }
            let from = self.output.len();
            let key = self.string()?;
            self.take(b':')?;
            self.value()?;
            if let Some((last, _)) = members.last() {
                is_sorted &= *last < key;
            }
            members.push((key, from..self.output.len()));
        }
        if !is_sorted {
            self.sort(start, members)?;
        }
        self.take(b'}')
    }

    /// Writes the members again, in the order of their keys.
    fn sort(&mut self, start: usize, mut members: Vec<Member<'a>>) -> Option<()> {
        members.sort_unstable_by_key(|(key, _)| *key);
        if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let unsorted = self.output.split_off(start);
        for (index, (_, place)) in members.into_iter().enumerate() {
            if index > 0 {
                self.output.push(b',');
            }
            let place = place.start - start..place.end - start;
            self.output.extend_from_slice(&unsorted[place]);
        }
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        self.take(b'[')?;
        while self.rest.first() != Some(&b']') {
            self.value()?;
            if self.rest.first() != Some(&b']') {
                self.take(b',')?;
            }
        }
        self.take(b']')
    }

    /// The text between the quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let length = memchr2(b'"', b'\\', inside)?;
        let text = &inside[..length];
        if inside[length] == b'\\' {
            return None;
        }
        self.pass(length + 2)?;
        Some(text)
    }

    fn number(&mut self) -> Option<()> {
        let digits = self.rest.strip_prefix(b"-").unwrap_or(self.rest);
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']'));
        let end = end.unwrap_or(self.rest.len());
        let signs = self.rest.len() - digits.len();
        let is_plain = end > signs
            && end <= NUMBER_LENGTH_MAX
            && self.rest[signs..end].iter().all(u8::is_ascii_digit)
            && (digits.first() != Some(&b'0') || end == 1);
        if is_plain { self.pass(end) } else { None }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        if self.rest.starts_with(word) {
            self.pass(word.len())
        } else {
            None
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        if self.rest.first() == Some(&byte) {
            self.pass(1)
        } else {
            None
        }
    }

    /// Copies what needs no change.
    fn pass(&mut self, length: usize) -> Option<()> {
        let (passed, rest) = self.rest.split_at_checked(length)?;
        self.output.extend_from_slice(passed);
        self.rest = rest;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{canonical_json, canonical_value};
    use super::*;
    use proptest::prelude::*;
    use serde::{Serialize, Serializer};

    #[test]
    fn what_is_plain_needs_no_tree() {
        let unsorted = r#"{"b":[{"z":-1,"a":null},[]],"a":{"d":"ü","c":true},"":0}"#;
        let expected = r#"{"":0,"a":{"c":true,"d":"ü"},"b":[{"a":null,"z":-1},[]]}"#;
        assert_eq!(sorted(unsorted).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_tree() {
        for text in [
            "1.0",
            "1e3",
            "-0",
            "01",
            "-",
            "12345678901234567890",
            r#""\n""#,
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":2,"b":3}"#,
            "[1, 2]",
            " 1",
            "1 ",
            "",
            "nul",
            "[1",
            r#"{"a"}"#,
        ] {
            assert_eq!(sorted(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_write_the_same(json in json()) {
            match (canonical_json(&json), canonical_value(&json)) {
                (Ok(fast), Ok(slow)) => prop_assert_eq!(fast, slow),
                (fast, slow) => prop_assert!(fast.is_err() && slow.is_err()),
            }
        }
    }

    /// JSON whose keys may come in any order, and more than once.
    #[derive(Debug, Clone)]
    enum Json {
        Null,
        Bool(bool),
        Signed(i64),
        Unsigned(u64),
        Float(f64),
        Text(String),
        List(Vec<Json>),
        Object(Vec<(String, Json)>),
    }

    impl Serialize for Json {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::Null => serializer.serialize_none(),
                Self::Bool(bool) => bool.serialize(serializer),
                Self::Signed(number) => number.serialize(serializer),
                Self::Unsigned(number) => number.serialize(serializer),
                Self::Float(number) => number.serialize(serializer),
                Self::Text(text) => text.serialize(serializer),
                Self::List(list) => list.serialize(serializer),
                Self::Object(members) => {
                    serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
                }
            }
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let text = prop_oneof!["[a-c]{0,2}", r#"[\\"\n/ü ]{0,3}"#];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Signed),
            (-20_i64..20).prop_map(Json::Signed),
            any::<u64>().prop_map(Json::Unsigned),
            text.clone().prop_map(Json::Text),
        ];
        let leaf = prop_oneof![40 => leaf, 1 => any::<f64>().prop_map(Json::Float)];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let members = proptest::collection::vec((text.clone(), inner.clone()), 0..6);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Json::List),
                members.prop_map(Json::Object),
            ]
        })
    }
}
