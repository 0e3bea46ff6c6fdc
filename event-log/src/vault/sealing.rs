//! Seals the events of a unit before it is appended.

use super::keys::{DataKey, Keys};
use super::{Known, Vault, VaultError, personal_json};
use crate::NewEvent;
use cqrs_es::Aggregate;
use soko_domain::{SubjectId, VendorAccount};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The key of a subject that had none, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub subject: SubjectId,
    /// By the master key in use.
    pub sealed: Vec<u8>,
}

/// Seals units, with the keys that it was given so far. It never waits, so it can be used where
/// nothing may; whoever finds that keys are missing fetches them and comes again.
#[derive(Debug)]
pub struct Sealer<'a> {
    vault: &'a Vault,
    /// Also of whom it is known that there is no key.
    asked: BTreeSet<SubjectId>,
    keys: Keys,
}

/// Whether a payload shows something personal in the clear.
pub(crate) fn is_open(payload: &str) -> bool {
    !personal_json::open_in(payload).is_empty()
}

impl<'a> Sealer<'a> {
    pub fn new(vault: &'a Vault) -> Self {
        Self {
            vault,
            asked: BTreeSet::new(),
            keys: Keys::default(),
        }
    }

    /// Fetches what [`Self::seal`] found missing.
    ///
    /// # Errors
    /// [`VaultError::Database`], [`VaultError::Key`].
    pub async fn fetch(&mut self, missing: BTreeSet<SubjectId>) -> Result<(), VaultError> {
        self.keys
            .extend(self.vault.keys(missing.iter().copied()).await?);
        self.asked.extend(missing);
        Ok(())
    }

    /// What was learnt may be old: somebody else has given a subject its key.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.keys = Keys::default();
    }

    /// Seals all that stands open, and gives the keys of new subjects, which are to be appended
    /// with the events. Nothing is changed if it answers with the subjects whose keys it misses.
    ///
    /// Nobody knows of a subject before the stream of the same name begins, so where that begins
    /// here there is no key to ask for.
    ///
    /// # Errors
    /// The subjects.
    pub fn seal(&self, events: &mut [NewEvent]) -> Result<Vec<NewKey>, BTreeSet<SubjectId>> {
        let found: BTreeSet<SubjectId> = events
            .iter()
            .flat_map(|event| personal_json::open_in(&event.payload))
            .map(|open| open.subject)
            .collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let begins = |subject: &SubjectId| {
            let opens = |event: &NewEvent| {
                event.sequence == 1 && event.stream_id == subject.as_uuid()
                    // A vendor's account goes by the id of the vendor, which has its key already.
                    && event.stream_type != VendorAccount::TYPE
            };
            events.iter().any(opens)
        };
        let mut known = BTreeMap::new();
        let mut new = Vec::new();
        let mut missing = BTreeSet::new();
        for subject in found {
            let at_hand = self.keys.get(subject).cloned();
            if let Some(key) = at_hand.or_else(|| self.vault.at_hand(subject)) {
                known.insert(subject, key);
            } else if self.asked.contains(&subject) || begins(&subject) {
                let key = DataKey::random();
                new.push(NewKey {
                    subject,
                    sealed: self.vault.seal_key(subject, &key),
                });
                known.insert(subject, Known::Key(Arc::new(key)));
            } else {
                missing.insert(subject);
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        for event in events {
            event.payload = sealed(&event.payload, &known)?;
        }
        Ok(new)
    }
}

fn sealed(
    payload: &str,
    known: &BTreeMap<SubjectId, Known>,
) -> Result<String, BTreeSet<SubjectId>> {
    personal_json::seal(payload, |subject, value| match known.get(&subject) {
        Some(Known::Key(key)) => Ok(Some(key.seal(subject, value))),
        Some(Known::Erased) => Ok(None),
        None => Err(BTreeSet::from([subject])),
    })
}
