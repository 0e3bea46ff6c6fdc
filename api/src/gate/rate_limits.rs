//! How much one client may ask of us.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use soko_domain::AccountId;
use uuid::Uuid;

use super::Client;
use crate::config::{Config, Switch};
use crate::route::API;

type Keyed<K, C> = RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>;

/// The budgets of all clients: of each address one for guessing at accounts and one for everything
/// else, and one of each account and each API key, from however many addresses they come.
pub struct RateLimits {
    auth: Policy<IpAddr>,
    general: Policy<IpAddr>,
    accounts: Policy<AccountId>,
    api_keys: Policy<Uuid>,
}

struct Policy<K: Eq + Hash + Clone, C: Clock = DefaultClock> {
    name: &'static str,
    quota: u32,
    window_seconds: u32,
    limiter: Keyed<K, C>,
    clock: C,
    header: HeaderValue,
}

/// What a request did to a budget.
#[derive(Clone)]
pub enum Budget {
    Left {
        policy: HeaderValue,
        state: HeaderValue,
    },
    Spent {
        policy: HeaderValue,
        state: HeaderValue,
        retry_after: Duration,
    },
}

/// A client may at once use what would otherwise last this long.
const BURST_SECONDS: u32 = 10;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

impl RateLimits {
    /// `None` if they are switched off.
    pub fn new(config: &Config) -> Option<Self> {
        let burst = |each: NonZeroU32| each.saturating_mul(nonzero(BURST_SECONDS));
        let (address, caller) = (
            burst(config.requests_per_second),
            burst(config.caller_requests_per_second),
        );
        let clock = DefaultClock::default;
        (config.rate_limits == Switch::On).then(|| Self {
            auth: Policy::new("auth", config.auth_requests_per_minute, 60, clock()),
            general: Policy::new("general", address, BURST_SECONDS, clock()),
            accounts: Policy::new("account", caller, BURST_SECONDS, clock()),
            api_keys: Policy::new("api-key", caller, BURST_SECONDS, clock()),
        })
    }

    /// From the budget of the API key, or of the account in person.
    pub fn spend_of_caller(&self, account_id: AccountId, api_key: Option<Uuid>) -> Budget {
        match api_key {
            Some(key_id) => self.api_keys.spend(&key_id),
            None => self.accounts.spend(&account_id),
        }
    }

    /// `None` for what is never limited.
    pub(super) fn spend(&self, method: &Method, path: &str, client: &Client) -> Option<Budget> {
        let policy = match path.strip_prefix(API) {
            // Others than POST ask for nothing there that could be guessed at.
            Some(path) if path.starts_with("/auth/") && method == Method::POST => &self.auth,
            None if path.starts_with("/health/") || path == "/metrics" => return None,
            _ => &self.general,
        };
        Some(policy.spend(&client.network()))
    }

    /// Forgets clients whose budgets are whole again; to be called every few seconds.
    pub fn forget_idle(&self) {
        self.auth.forget_idle();
        self.general.forget_idle();
        self.accounts.forget_idle();
        self.api_keys.forget_idle();
    }
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Policy<K, C> {
    /// `quota` requests at once, and as many again in `window_seconds`.
    fn new(name: &'static str, quota: NonZeroU32, window_seconds: u32, clock: C) -> Self {
        let each = Duration::from_secs(window_seconds.into()) / quota.get();
        let replenished = Quota::with_period(each.max(Duration::from_nanos(1)));
        let limit = replenished
            .unwrap_or(Quota::per_second(quota))
            .allow_burst(quota);
        let header = format!("\"{name}\";q={quota};w={window_seconds}");
        Self {
            name,
            quota: quota.get(),
            window_seconds,
            limiter: RateLimiter::dashmap_with_clock(limit, clock.clone()).with_middleware(),
            clock,
            header: header_value(&header),
        }
    }

    fn spend(&self, key: &K) -> Budget {
        match self.limiter.check_key(key) {
            Ok(left) => Budget::Left {
                policy: self.header.clone(),
                state: self.state(left.remaining_burst_capacity()),
            },
            Err(until) => Budget::Spent {
                policy: self.header.clone(),
                state: self.state(0),
                retry_after: until.wait_time_from(self.clock.now()),
            },
        }
    }

    fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// How many are left, and in how many seconds all will be there again.
    fn state(&self, left: u32) -> HeaderValue {
        let used = u64::from(self.quota.saturating_sub(left));
        let seconds = (used * u64::from(self.window_seconds)).div_ceil(self.quota.into());
        header_value(&format!("\"{}\";r={left};t={seconds}", self.name))
    }
}

impl Budget {
    /// As one of the members of both lists.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        let (Self::Left { policy, state } | Self::Spent { policy, state, .. }) = self;
        headers.append(POLICY, policy.clone());
        headers.append(STATE, state.clone());
    }

    /// How long to wait, if nothing was left.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Left { .. } => None,
            Self::Spent { retry_after, .. } => Some(*retry_after),
        }
    }
}

fn header_value(text: &str) -> HeaderValue {
    // Quoted names and digits are always a header.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Code, Problem};
    use actix_web::http::header::RETRY_AFTER;
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    /// What a client can read off an answer: how many are left, in how many seconds all are there
    /// again, and in how many to come back.
    struct Told {
        left: u32,
        reset: u64,
        retry_after: Option<u64>,
    }

    fn ask(policy: &Policy<u8, FakeRelativeClock>) -> Told {
        let budget = policy.spend(&1);
        let mut headers = HeaderMap::new();
        budget.put(&mut headers);
        let state = headers.get(STATE).unwrap().to_str().unwrap();
        let member = |name: &str| {
            let mut members = state.split(';');
            let member = members
                .find_map(|member| member.strip_prefix(name))
                .unwrap();
            member.parse().unwrap()
        };
        // As the client is told.
        let retry_after = budget.wait().map(|wait| {
            let problem = Problem::new(Code::RateLimited).with_retry_after(wait);
            let response = problem.response(None);
            let header = response.headers().get(RETRY_AFTER).unwrap();
            header.to_str().unwrap().parse().unwrap()
        });
        Told {
            left: u32::try_from(member("r=")).unwrap(),
            reset: member("t="),
            retry_after,
        }
    }

    fn policy(quota: u32, window: u32) -> Policy<u8, FakeRelativeClock> {
        Policy::new("test", nonzero(quota), window, FakeRelativeClock::default())
    }

    proptest! {
        #[test]
        fn what_the_headers_say_is_so(
            quota in 1_u32..400,
            window in 1_u32..120,
            pauses in proptest::collection::vec(0_u64..3_000, 1..200),
        ) {
            let policy = policy(quota, window);
            for pause in pauses {
                policy.clock.advance(Duration::from_millis(pause));
                let told = ask(&policy);
                match told.retry_after {
                    None if told.left > 0 => prop_assert!(ask(&policy).retry_after.is_none()),
                    None => prop_assert!(ask(&policy).retry_after.is_some()),
                    Some(seconds) => {
                        prop_assert_eq!(told.left, 0);
                        policy.clock.advance(Duration::from_secs(seconds));
                        prop_assert!(ask(&policy).retry_after.is_none());
                    }
                }
            }
        }

        #[test]
        fn after_the_reset_all_is_there_again(
            quota in 1_u32..200,
            window in 1_u32..120,
            used in 1_u32..300,
        ) {
            let policy = policy(quota, window);
            let told = (0..used).map(|_| ask(&policy)).last().unwrap();
            policy.clock.advance(Duration::from_secs(told.reset));
            for _ in 0..quota {
                prop_assert!(ask(&policy).retry_after.is_none());
            }
            prop_assert!(ask(&policy).retry_after.is_some());
        }
    }
}
