//! The tokens that Daraja's calls are made with.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

use super::super::loose_json::Loose;
use super::super::{CallError, FailureReason, NotSent, Secret, crypto};
use super::Mpesa;
use super::answers::words_of;

/// One token for each pair of keys, shared by all calls: a new one ends the one before.
#[derive(Default)]
pub(in super::super) struct Tokens {
    slots: Mutex<HashMap<[u8; 32], Arc<Slot>>>,
}

/// So many stores' tokens are kept; then those that nobody uses at the moment are forgotten.
const SLOTS_MAX: usize = 10_000;

/// A token is not used in its last minute.
const EARLY: Duration = Duration::seconds(60);

#[derive(Default)]
struct Slot {
    /// Held while a token is asked for, so that only one is.
    kept: tokio::sync::Mutex<Kept>,
    /// How often one was asked for.
    round: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    /// Of the last round, if it brought none.
    failure: Option<CallError>,
}

struct Token {
    text: Secret,
    until: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Loose,
    #[serde(default)]
    expires_in: Loose,
}

impl Mpesa {
    /// A token that is good for at least a minute, and is not the one that was just refused.
    pub(super) async fn token(
        &self,
        now: DateTime<Utc>,
        refused: Option<&Secret>,
    ) -> Result<Secret, CallError> {
        let slot = self.tokens.slot(self.slot_key());
        let round = slot.round.load(Ordering::Acquire);
        let mut kept = slot.kept.lock().await;
        if let Some(token) = &kept.token
            && token.until > now
            && refused != Some(&token.text)
        {
            return Ok(token.text.clone());
        }
        // Who waited while somebody else asked in vain does not ask again at once.
        if let Some(failure) = &kept.failure
            && slot.round.load(Ordering::Acquire) != round
        {
            return Err(failure.clone());
        }
        kept.token = None;
        let granted = self.ask_for_token(now).await;
        slot.round.fetch_add(1, Ordering::AcqRel);
        match granted {
            Ok(token) => {
                let text = token.text.clone();
                *kept = Kept {
                    token: Some(token),
                    failure: None,
                };
                Ok(text)
            }
            Err(failure) => {
                kept.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Whatever goes wrong here, what the token was for has not been asked.
    async fn ask_for_token(&self, now: DateTime<Utc>) -> Result<Token, CallError> {
        let account = &self.account;
        let basic = crypto::basic(
            account.consumer_key.expose(),
            account.consumer_secret.expose(),
        );
        let path = "/oauth/v1/generate?grant_type=client_credentials";
        let request = self
            .exchange
            .get(&format!("{}{path}", self.endpoints.mpesa))
            .header("authorization", basic);
        let none = || CallError::NotSent(NotSent::NoToken);
        let answer = match self.exchange.send(request).await {
            Ok(answer) => answer,
            Err(CallError::Unknown(_)) => return Err(none()),
            Err(error) => return Err(error),
        };
        // With wrong keys the body is empty.
        if matches!(answer.status, 400 | 401 | 403 | 404) {
            let words = format!("no token for these keys {}", words_of(&answer));
            return Err(CallError::refused(FailureReason::OurSetUp, &words));
        }
        let granted: Granted = answer.json().ok_or_else(none)?;
        let text = granted.access_token.get().ok_or_else(none)?;
        let lives: u32 = granted.expires_in.as_str().parse().unwrap_or(0);
        Ok(Token {
            text: text.into(),
            until: now + Duration::seconds(lives.into()) - EARLY,
        })
    }

    fn slot_key(&self) -> [u8; 32] {
        let account = &self.account;
        crypto::sha256(&[
            self.endpoints.mpesa.as_bytes(),
            &[0],
            account.consumer_key.expose().as_bytes(),
            &[0],
            account.consumer_secret.expose().as_bytes(),
        ])
    }
}

impl Tokens {
    fn slot(&self, key: [u8; 32]) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS_MAX && !slots.contains_key(&key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }
}
