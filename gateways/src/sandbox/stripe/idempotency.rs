//! One answer for each key, once it is decided.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use super::error;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::held;

const KEPT_MAX: usize = 100_000;
const KEY_LENGTH_MAX: usize = 255;

#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_key: HashMap<String, Record>,
    oldest: VecDeque<String>,
}

#[derive(Debug)]
struct Record {
    fingerprint: [u8; 32],
    /// `None` while the first answer is on its way.
    reply: Option<Reply>,
}

impl Keys {
    /// What is answered without doing anything; `None` for the first with its key.
    pub(super) fn begin(&self, key: &str, request: &Request<'_>) -> Option<Reply> {
        if request.header("idempotency-key").len() > KEY_LENGTH_MAX {
            let message = "Idempotency keys are at most 255 characters";
            return Some(error(400, "invalid_request_error", "", message, None));
        }
        let mut digest = Sha256::new();
        digest.update(request.path);
        digest.update([0]);
        digest.update(request.body);
        let fingerprint = digest.finalize().into();
        let mut records = held(&self.0);
        if let Some(record) = records.by_key.get(key) {
            return Some(record.again(&fingerprint));
        }
        if records.oldest.len() >= KEPT_MAX
            && let Some(oldest) = records.oldest.pop_front()
        {
            records.by_key.remove(&oldest);
        }
        records.oldest.push_back(key.to_owned());
        records.by_key.insert(
            key.to_owned(),
            Record {
                fingerprint,
                reply: None,
            },
        );
        None
    }

    pub(super) fn forget(&self, key: &str) {
        let mut records = held(&self.0);
        records.by_key.remove(key);
        if let Some(last) = records.oldest.iter().rposition(|kept| kept == key) {
            records.oldest.remove(last);
        }
    }

    pub(super) fn answered(&self, key: &str, reply: &Reply) {
        if let Some(record) = held(&self.0).by_key.get_mut(key) {
            record.reply = Some(reply.clone());
        }
    }
}

impl Record {
    fn again(&self, fingerprint: &[u8; 32]) -> Reply {
        if self.fingerprint != *fingerprint {
            let message = "Keys for idempotent requests can only be used with the same \
                           parameters they were first used with.";
            return error(400, "idempotency_error", "", message, None);
        }
        if let Some(reply) = &self.reply {
            return reply
                .clone()
                .header("Idempotent-Replayed", "true".to_owned());
        }
        let message = "There is currently another in-progress request using this key.";
        error(
            409,
            "invalid_request_error",
            "idempotency_key_in_use",
            message,
            None,
        )
        .header("Stripe-Should-Retry", "true".to_owned())
    }
}
