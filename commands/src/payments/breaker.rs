//! Whom it is no use to ask just now: after many calls in a row that found nobody, a provider is left
//! alone for a while, so that a shop does not wait for it, and it is not flooded when it comes back.

use soko_domain::payment::PaymentProvider;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many in a row.
const FAILURES_MAX: u32 = 8;

/// At first, and at most; it doubles while nobody is there.
const REST_MIN: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(60);

/// One for a process.
#[derive(Clone, Default)]
pub(super) struct Breaker(Arc<Mutex<HashMap<PaymentProvider, State>>>);

#[derive(Default)]
struct State {
    failures: u32,
    rest: Option<(Instant, Duration)>,
}

impl Breaker {
    /// How long the provider is still left alone. When that is over, one may try; what becomes of it
    /// decides for the others.
    pub(super) fn rests_for(&self, provider: PaymentProvider, now: Instant) -> Option<Duration> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.get_mut(&provider.account())?;
        let (until, rest) = state.rest?;
        if let Some(left) = until
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
        {
            return Some(left);
        }
        // This one tries, and the others wait for what comes of it.
        state.rest = Some((now + rest, rest));
        None
    }

    /// Whether anybody was there.
    pub(super) fn note(&self, provider: PaymentProvider, was_there: bool, now: Instant) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(provider.account()).or_default();
        if was_there {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            let rest = state
                .rest
                .map_or(REST_MIN, |(_, rest)| rest * 2)
                .min(REST_MAX);
            state.rest = Some((now + rest, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MPESA: PaymentProvider = PaymentProvider::Mpesa;

    fn failing(times: u32, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..times {
            breaker.note(MPESA, false, now);
        }
        breaker
    }

    #[test]
    fn a_provider_that_is_never_there_is_left_alone_and_no_other() {
        let now = Instant::now();
        assert_eq!(failing(FAILURES_MAX - 1, now).rests_for(MPESA, now), None);
        let breaker = failing(FAILURES_MAX, now);
        assert_eq!(breaker.rests_for(MPESA, now), Some(REST_MIN));
        assert_eq!(breaker.rests_for(PaymentProvider::Paystack, now), None);
    }

    #[test]
    fn one_tries_for_all_when_the_rest_is_over() {
        let now = Instant::now();
        let breaker = failing(FAILURES_MAX, now);
        let later = now + REST_MIN;
        assert_eq!(breaker.rests_for(MPESA, later), None);
        assert!(breaker.rests_for(MPESA, later).is_some());
        breaker.note(MPESA, true, later);
        assert_eq!(breaker.rests_for(MPESA, later), None);
    }

    #[test]
    fn the_rest_grows_and_not_without_end() {
        let now = Instant::now();
        let breaker = failing(FAILURES_MAX + 1, now);
        assert_eq!(breaker.rests_for(MPESA, now), Some(REST_MIN * 2));
        for _ in 0..20 {
            breaker.note(MPESA, false, now);
        }
        assert_eq!(breaker.rests_for(MPESA, now), Some(REST_MAX));
    }

    #[test]
    fn who_answers_in_between_is_there() {
        let now = Instant::now();
        let breaker = failing(FAILURES_MAX - 1, now);
        breaker.note(MPESA, true, now);
        breaker.note(MPESA, false, now);
        assert_eq!(breaker.rests_for(MPESA, now), None);
    }
}
