//! Collects what is wrong with a body, and where.

use serde_json::{Map, Value};

use super::Readable;
use crate::problem::{Fault, Place};

/// Enough for a person to work on; a hostile body may have any number.
const FAULTS_MAX: usize = 50;

/// The faults found so far, and the place that is being looked at.
#[derive(Debug, Default)]
pub struct Reading {
    pointer: String,
    faults: Vec<Fault>,
}

impl Reading {
    /// A fault that the parser found and we did not.
    pub(super) fn of_whole(error: &serde_json::Error) -> Self {
        let mut reading = Self::default();
        reading.fault(plainly(&error.to_string()));
        reading
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// The members of an object; a fault and `None` if it is something else.
    pub fn object<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let members = value.as_object();
        if members.is_none() {
            self.fault("must be an object".to_owned());
        }
        members
    }

    pub fn member<T: Readable>(&mut self, members: &Map<String, Value>, name: &str) {
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.within(name, |reading| match members.get(name) {
            Some(value) => T::inspect(value, reading),
            None if T::OPTIONAL => (),
            None => reading.fault("is missing".to_owned()),
        });
    }

    /// Members that are not among the known ones: a typing error, or a hope of changing what must
    /// not be changed.
    pub fn unknown(&mut self, members: &Map<String, Value>, known: &[&str]) {
        let is_known = |name: &str| {
            known
                .iter()
                .any(|known| known.strip_prefix("r#").unwrap_or(known) == name)
        };
        for name in members.keys().filter(|name| !is_known(name)) {
            self.within(name, |reading| {
                reading.fault("is not a member that is known here".to_owned());
            });
        }
    }

    pub fn list<T: Readable>(&mut self, value: &Value) {
        let Some(items) = value.as_array() else {
            return self.fault("must be a list".to_owned());
        };
        for (index, item) in items.iter().enumerate() {
            self.within(&index.to_string(), |reading| T::inspect(item, reading));
        }
    }

    pub(super) fn leaf<T: Readable>(&mut self, value: &Value) {
        if let Err(error) = T::deserialize(value) {
            self.fault(plainly(&error.to_string()));
        }
    }

    pub fn fault(&mut self, message: String) {
        if self.faults.len() < FAULTS_MAX {
            let place = Place::Pointer(self.pointer.clone());
            self.faults.push(Fault { place, message });
        }
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer
            .push_str(&step.replace('~', "~0").replace('/', "~1"));
        look(self);
        self.pointer.truncate(length);
    }
}

/// What the parser expected, without what it got: that may be a secret.
fn plainly(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let is_about_the_input = ["invalid type", "invalid value", "unknown variant"]
        .iter()
        .any(|s| message.starts_with(s));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if is_about_the_input => format!("must be {expected}"),
        None if is_about_the_input => "is not valid here".to_owned(),
        _ => message.to_owned(),
    }
}
