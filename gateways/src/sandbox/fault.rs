//! Misbehaviour on request, and the log of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::provider::Provider;
use super::world::{held, reading, writing};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    // Of a request: nothing is done…
    UnavailableBefore,
    RateLimited,
    HtmlBefore,
    SilenceBefore,
    CutBefore,
    // … or everything is done, and the answer does not say so.
    ErrorAfter,
    SilenceAfter,
    CutAfter,
    AnswerLate,
    // Of a callback.
    CallbackLate,
    CallbackDoubled,
    CallbackReordered,
    CallbackLost,
    CallbackForged,
    WrongAmount,
    WrongCurrency,
    /// M-Pesa says that a command timed out that it carried out.
    TimeoutNotice,
    // Of a question about a payment: it lags behind, denies a success, claims one.
    QueryLags,
    QueryDenies,
    QueryClaims,
    /// A refund is accepted, and does not arrive.
    RefundFails,
    /// A pay-out is accepted, and does not arrive; or it does, and comes back.
    PayoutFails,
    PayoutReversed,
    // Of the customer.
    CustomerCancels,
    CustomerNeverAnswers,
    /// Answers after the provider gave up waiting, and pays.
    CustomerPaysLate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    pub fault: Fault,
    /// Every provider if it is missing.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// In how many of a million cases.
    pub per_million: u32,
    /// At most so many times; without end if it is missing.
    #[serde(default)]
    pub times: Option<u32>,
    /// Only what has this reference of the merchant's.
    #[serde(default)]
    pub reference: Option<String>,
    /// How long whatever takes long takes.
    #[serde(default)]
    pub delay_ms: Option<u64>,
}

impl FaultRule {
    pub const fn always(provider: Provider, fault: Fault) -> Self {
        Self {
            fault,
            provider: Some(provider),
            per_million: 1_000_000,
            times: None,
            reference: None,
            delay_ms: None,
        }
    }

    pub const fn once(provider: Provider, fault: Fault) -> Self {
        let mut rule = Self::always(provider, fault);
        rule.times = Some(1);
        rule
    }

    fn fits(&self, fault: Fault, provider: Provider, reference: &str) -> bool {
        self.fault == fault
            && self.provider.is_none_or(|wanted| wanted == provider)
            && self
                .reference
                .as_deref()
                .is_none_or(|wanted| wanted == reference)
            && self.times != Some(0)
    }
}

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    pub number: u64,
    pub at: DateTime<Utc>,
    pub provider: Provider,
    pub fault: Fault,
    /// The merchant's, where it is known: before a request is read it is not.
    pub reference: String,
    pub about: String,
}

/// What a fault takes, once it was decided that it happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit(Option<u64>);

impl Hit {
    pub(super) fn delay(self, otherwise: Duration) -> Duration {
        self.0.map_or(otherwise, Duration::from_millis)
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    any: AtomicBool,
    rules: RwLock<Vec<FaultRule>>,
    chances: Mutex<HashMap<(Fault, Provider, String), u64>>,
    log: Mutex<Vec<Injected>>,
}

impl Faults {
    pub(super) fn set(&self, rules: Vec<FaultRule>) {
        let any = !rules.is_empty();
        *writing(&self.rules) = rules;
        self.any.store(any, Ordering::Release);
    }

    pub(super) fn rules(&self) -> Vec<FaultRule> {
        reading(&self.rules).clone()
    }

    pub(super) fn log(&self) -> Vec<Injected> {
        held(&self.log).clone()
    }

    /// Whether it happens now, and if so, the log says it.
    pub(super) fn hit(
        &self,
        dice: &Dice,
        at: DateTime<Utc>,
        fault: Fault,
        provider: Provider,
        reference: &str,
        about: &str,
    ) -> Option<Hit> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let (index, rule) = {
            let rules = reading(&self.rules);
            let found = rules
                .iter()
                .position(|rule| rule.fits(fault, provider, reference))?;
            (found, rules.get(found)?.clone())
        };
        // What names of the provider's are in `about` differs from run to run.
        let subject = if reference.is_empty() {
            about
        } else {
            reference
        };
        let nth = self.nth(fault, provider, subject).to_string();
        let case = [&*format!("{fault:?}"), provider.as_str(), subject, &*nth];
        if !dice.hits(rule.per_million, &case) || !self.spent(index, &rule) {
            return None;
        }
        let mut log = held(&self.log);
        let number = u64::try_from(log.len()).unwrap_or(u64::MAX) + 1;
        log.push(Injected {
            number,
            at,
            provider,
            fault,
            reference: reference.to_owned(),
            about: about.to_owned(),
        });
        Some(Hit(rule.delay_ms))
    }

    fn nth(&self, fault: Fault, provider: Provider, of: &str) -> u64 {
        let mut chances = held(&self.chances);
        let nth = chances.entry((fault, provider, of.to_owned())).or_default();
        *nth += 1;
        *nth
    }

    /// Counts down a rule that has an end. Somebody else may have had its last time just now, or
    /// set other rules.
    fn spent(&self, index: usize, seen: &FaultRule) -> bool {
        if seen.times.is_none() {
            return true;
        }
        let mut rules = writing(&self.rules);
        let Some(rule) = rules.get_mut(index).filter(|rule| rule.fault == seen.fault) else {
            return false;
        };
        match rule.times {
            Some(0) => false,
            Some(left) => {
                rule.times = Some(left - 1);
                true
            }
            None => true,
        }
    }
}
