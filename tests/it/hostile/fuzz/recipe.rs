//! One request after the other to one operation.

use super::callers::Callers;
use super::dice::Dice;
use super::values;
use crate::hostile::bodies::put;
use crate::hostile::world::{World, target};
use crate::hostile::{Attack, Range};
use serde_json::{Map, Value, json};
use soko_tests::{Operation, Parameter, RawRequest};
use std::fmt::Write;

/// Things wrong with one request: few, for each may hide the others.
const WRONGS_MAX: usize = 3;

/// Headers that every operation reads.
const HEADERS: [&str; 9] = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "If-None-Match",
    "If-Match",
    "Soko-Min-Position",
    "X-Request-Id",
    "Origin",
    "X-Forwarded-For",
];

pub(super) struct Recipe<'a> {
    operation: &'a Operation,
    world: &'a World,
    callers: &'a Callers,
    valid: RawRequest,
    body: Option<Value>,
    full_body: Option<Value>,
    /// Where something can be wrong in the body.
    pointers: Vec<String>,
    ids: Vec<String>,
    is_own: bool,
}

impl<'a> Recipe<'a> {
    pub(super) fn of(
        range: &Range,
        operation: &'a Operation,
        world: &'a World,
        callers: &'a Callers,
    ) -> Self {
        let contract = &range.contract;
        let schema = operation.body.as_ref();
        Self {
            operation,
            world,
            callers,
            valid: world.request(contract, operation),
            body: world.body(contract, operation),
            full_body: world.full_body(contract, operation),
            pointers: schema
                .map(|schema| contract.members(schema))
                .unwrap_or_default(),
            ids: world.ids(),
            is_own: !world.is_of(&range.people.admin),
        }
    }

    /// The request of this name, and always the same; as it should be if `is_valid`.
    pub(super) fn request(&self, name: &str, is_valid: bool) -> Attack {
        let mut dice = Dice::of(name);
        let mut request = self.valid.clone();
        if !is_valid {
            // A third is right, and tells how deep things go after what the others did.
            let wrongs = [0, 0, 1, 1, 2, WRONGS_MAX][dice.below(6)];
            request.target = self.target(&mut dice, wrongs > 0).into_bytes();
            self.choose_body(&mut dice, &mut request, wrongs);
            if wrongs > 0 {
                self.choose_headers(&mut dice, &mut request);
            }
            request = self.callers.choose(&mut dice, request, self.is_own);
        }
        let mut attack = Attack::new(name, request);
        // Now and then the same key for different things.
        let key = if dice.in_hundred(4) {
            format!("fuzz-{}", self.operation.id)
        } else {
            format!("fuzz-{name}")
        };
        attack.give_key(&key);
        attack
    }

    fn target(&self, dice: &mut Dice, may_be_wrong: bool) -> String {
        let is_wrong = may_be_wrong && dice.in_hundred(20);
        let mut target = target(self.operation, |parameter| {
            let value = self.world.value_of(self.operation, parameter);
            if !is_wrong {
                return value;
            }
            match parameter.place.as_str() {
                "path" => escaped(&self.segment(dice, &value)),
                _ => escaped(&self.query_value(dice, parameter)),
            }
        });
        let optional = self.operation.parameters.iter();
        let optional = optional.filter(|one| one.place == "query" && !one.is_required);
        for parameter in optional {
            let is_there = target.contains(&format!("{}=", parameter.name));
            if is_there || !dice.in_hundred(25) {
                continue;
            }
            let value = if may_be_wrong && dice.in_hundred(60) {
                self.query_value(dice, parameter)
            } else {
                self.world.value_of(self.operation, parameter)
            };
            add_to_query(&mut target, &parameter.name, &value);
        }
        if may_be_wrong && dice.in_hundred(8) {
            let (name, value) = (values::text(dice), values::text(dice));
            add_to_query(&mut target, &name, &value);
        }
        if dice.in_hundred(8) {
            add_to_query(&mut target, "dry_run", &dice.in_hundred(80).to_string());
        }
        target
    }

    /// In place of a part of a path. Never nothing, nor dots: that would be another path.
    fn segment(&self, dice: &mut Dice, valid: &str) -> String {
        let segment = match dice.below(4) {
            0 if !self.ids.is_empty() => dice.one_of(&self.ids).clone(),
            1 => uuid::Uuid::from_u64_pair(dice.bits(), dice.bits()).to_string(),
            2 => valid.to_uppercase(),
            _ => values::text(dice),
        };
        let is_other_path = segment.chars().all(|character| character == '.');
        if is_other_path || segment.contains('/') {
            "some".to_owned()
        } else {
            segment
        }
    }

    fn query_value(&self, dice: &mut Dice, parameter: &Parameter) -> String {
        let words = parameter.schema["enum"].as_array();
        match (dice.below(5), words) {
            (0 | 1, Some(words)) => dice.one_of(words).as_str().unwrap_or_default().to_owned(),
            (0, None) if !self.ids.is_empty() => dice.one_of(&self.ids).clone(),
            (1, None) => values::number(dice),
            (2, _) => self.world.value_of(self.operation, parameter),
            _ => values::text(dice),
        }
    }

    fn choose_headers(&self, dice: &mut Dice, request: &mut RawRequest) {
        let of_operation = self.operation.parameters.iter();
        let of_operation = of_operation.filter(|one| one.place == "header");
        let names = of_operation.map(|one| one.name.as_str()).chain(HEADERS);
        for name in names.collect::<Vec<_>>() {
            if name == "Idempotency-Key" || !dice.in_hundred(7) {
                continue;
            }
            let value = match dice.below(4) {
                0 => values::number(dice),
                1 => format!("\"{}\"", dice.below(10)),
                2 => (*dice.one_of(&["*", "text/csv", "application/json", "gzip", "1, 2"]))
                    .to_owned(),
                _ => values::text(dice),
            };
            // What cannot stand in a header is no HTTP; `headers.rs` has that.
            let value: String = value
                .chars()
                .filter(|one| !one.is_ascii_control())
                .collect();
            // Nor is it one that waits for a position longer than the others may take.
            if name == "Soko-Min-Position" && value.parse::<u64>().is_ok() {
                continue;
            }
            let value: String = value.chars().take(1_000).collect();
            *request = request.clone().with_only_header(name, value);
        }
        if dice.in_hundred(2) {
            *request = request.clone().without_header("Idempotency-Key");
        }
    }

    fn choose_body(&self, dice: &mut Dice, request: &mut RawRequest, wrongs: usize) {
        let (Some(valid), Some(full)) = (&self.body, &self.full_body) else {
            if wrongs > 0 && dice.in_hundred(5) {
                *request = request.clone().with_body(values::text(dice));
            }
            return;
        };
        let mut body = valid.clone();
        if dice.in_hundred(50) {
            with_more(dice, &mut body, full);
        }
        let mut raw = Vec::new();
        for number in 0..wrongs {
            self.make_wrong(dice, &mut body, full, number, &mut raw);
        }
        let mut text = body.to_string();
        for (mark, value) in raw {
            text = text.replacen(&json!(mark).to_string(), &value, 1);
        }
        let mut bytes = text.into_bytes();
        if wrongs > 0 && dice.in_hundred(6) {
            corrupt(dice, &mut bytes);
        }
        request.body = Some(bytes);
    }

    /// Puts marks where text goes that no `Value` can hold.
    fn make_wrong(
        &self,
        dice: &mut Dice,
        body: &mut Value,
        full: &Value,
        number: usize,
        raw: &mut Vec<(String, String)>,
    ) {
        let mark = format!("<<wrong-{number}>>");
        if self.pointers.is_empty() || dice.in_hundred(12) {
            let (name, value) = values::unknown_member(dice);
            if let Some(members) = body.as_object_mut() {
                members.insert(name, json!(mark));
                raw.push((mark, value));
            }
            return;
        }
        let pointer = dice.one_of(&self.pointers);
        if dice.in_hundred(10) {
            remove(body, pointer);
            return;
        }
        let was = body.pointer(pointer).or(full.pointer(pointer));
        let was = was.cloned().unwrap_or_default();
        put(body, full, pointer, json!(mark));
        raw.push((mark, values::in_place_of(dice, &was, &self.ids)));
    }
}

/// Members that may be there and need not.
fn with_more(dice: &mut Dice, body: &mut Value, full: &Value) {
    let (Some(members), Some(all)) = (body.as_object_mut(), full.as_object()) else {
        return;
    };
    for (name, value) in all {
        if !members.contains_key(name) && dice.in_hundred(50) {
            members.insert(name.clone(), value.clone());
        }
    }
}

fn remove(body: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let members: Option<&mut Map<_, _>> = body.pointer_mut(parent).and_then(Value::as_object_mut);
    if let Some(members) = members {
        members.remove(name);
    }
}

fn corrupt(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..=dice.below(4) {
        let place = dice.below(bytes.len().max(1));
        match (bytes.get_mut(place), dice.below(3)) {
            (Some(byte), 0) => *byte ^= 1 << dice.below(8),
            (Some(_), 1) => bytes.truncate(place),
            _ => bytes.insert(place.min(bytes.len()), dice.bits().to_le_bytes()[0]),
        }
    }
}

fn add_to_query(target: &mut String, name: &str, value: &str) {
    let mark = if target.contains('?') { '&' } else { '?' };
    let _ = write!(target, "{mark}{}={}", escaped(name), escaped(value));
}

/// As a part of an address, whatever it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => _ = write!(escaped, "%{byte:02X}"),
        }
    }
    escaped
}
