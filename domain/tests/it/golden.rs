//! The payload of every event in every version that was ever written, as it was written:
//! `tests/golden/<event type>.v<version>.json`, and `….v<version>-<case>.json` for its other forms.
//!
//! A golden file is never changed. An event that changes its shape gets a new version, an upcaster
//! (`src/upcasters.rs`) and a new file beside the old ones, which still have to be read:
//!
//! ```text
//! SOKO_WRITE_GOLDEN=1 cargo nextest run -p soko-domain golden
//! ```
//!
//! writes the files that are missing, from `samples.rs` and `other_forms.rs`, and touches no other.

use crate::{other_forms, samples};
use soko_domain::AnyEvent;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};
use uuid::Uuid;

#[test]
fn every_event_has_a_golden_file_in_its_present_version() {
    if env::var_os("SOKO_WRITE_GOLDEN").is_some() {
        write_missing();
    }
    let written: BTreeSet<_> = files().into_keys().collect();
    let expected: BTreeSet<_> = samples().into_keys().collect();
    let missing: Vec<_> = expected.difference(&written).collect();
    assert!(missing.is_empty(), "without a golden file: {missing:?}");
}

#[test]
fn every_golden_file_is_of_an_event_and_a_version_that_there_is_or_was() {
    let present: BTreeMap<_, _> = AnyEvent::all_names().into_iter().collect();
    for name in files().into_keys() {
        let known = present.get(name.event_type.as_str()).copied().unwrap_or(0);
        assert!(
            (1..=known).contains(&name.version),
            "{name:?} is of no event"
        );
    }
}

#[test]
fn every_golden_file_is_read_as_its_event() {
    for (name, payload) in files() {
        assert_eq!(read(&name, &payload).name(), name.event_type);
    }
}

#[test]
fn what_is_read_is_written_again_byte_for_byte() {
    let present: BTreeSet<_> = AnyEvent::all_names().into_iter().collect();
    for (name, payload) in files() {
        if present.contains(&(name.event_type.as_str(), name.version)) {
            assert_eq!(canonical(&read(&name, &payload)), payload, "{name:?}");
        }
    }
}

#[test]
fn a_payload_is_read_only_under_its_own_name_and_version() {
    let id = Uuid::from_u128(1).to_string();
    for event in samples::every_event() {
        let payload = canonical(&event);
        let stream = event.stream_type();
        let read = |name: &str, version: &str| {
            AnyEvent::decode(stream, &id, name, version, &payload).is_ok()
        };
        let version = event.version().to_string();
        assert!(read(event.name(), &version));
        assert!(!read("stock.vanished", &version));
        assert!(!read(event.name(), &(event.version() + 1).to_string()));
        assert!(!read(event.name(), "one"));
    }
}

#[test]
fn there_is_a_sample_of_every_event() {
    let events = samples::every_event();
    let sampled: BTreeSet<_> = events.iter().map(|e| (e.name(), e.version())).collect();
    assert_eq!(sampled, AnyEvent::all_names().into_iter().collect());
}

/// What a golden file is called.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    event_type: String,
    version: u32,
    case: Option<String>,
}

impl Name {
    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (event_type, rest) = name.strip_suffix(".json")?.rsplit_once(".v")?;
        let (version, case) = match rest.split_once('-') {
            Some((version, case)) => (version, Some(case.to_owned())),
            None => (rest, None),
        };
        Some(Self {
            event_type: event_type.to_owned(),
            version: version.parse().ok()?,
            case,
        })
    }

    fn file(&self) -> String {
        let case = self.case.as_ref().map(|case| format!("-{case}"));
        let case = case.unwrap_or_default();
        format!("{}.v{}{case}.json", self.event_type, self.version)
    }
}

fn read(name: &Name, payload: &str) -> AnyEvent {
    let (stream_type, _) = name.event_type.split_once('.').unwrap();
    let id = Uuid::from_u128(1).to_string();
    let version = name.version.to_string();
    AnyEvent::decode(stream_type, &id, &name.event_type, &version, payload)
        .unwrap_or_else(|error| panic!("{name:?}: {error:?}"))
}

/// Sorted keys, no white space: as the log writes it.
fn canonical(event: &AnyEvent) -> String {
    event.payload().unwrap().to_string()
}

/// Every golden file with what it holds.
fn files() -> BTreeMap<Name, String> {
    let entries = fs::read_dir(folder()).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let payload = fs::read_to_string(&path).unwrap();
            let payload = payload.strip_suffix('\n').unwrap().to_owned();
            (Name::parse(&path).expect("a name of this form"), payload)
        })
        .collect()
}

/// What there should be a golden file of.
fn samples() -> BTreeMap<Name, AnyEvent> {
    let name = |event: &AnyEvent, case: Option<String>| Name {
        event_type: event.name().to_owned(),
        version: event.version(),
        case,
    };
    let whole = samples::every_event().into_iter();
    let forms = other_forms::other_forms().into_iter();
    whole
        .map(|event| (name(&event, None), event))
        .chain(forms.map(|(case, event)| (name(&event, Some(case)), event)))
        .collect()
}

fn write_missing() {
    for (name, event) in samples() {
        let path = folder().join(name.file());
        if !path.exists() {
            fs::write(path, canonical(&event) + "\n").unwrap();
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}
