//! How much one client may ask of us.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::Client;
use crate::config::{Config, Switch};
use crate::route::API;

type Keyed =
    RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// The budgets of all clients: one for guessing at accounts, one for everything else.
pub struct RateLimits {
    auth: Policy,
    general: Policy,
    clock: DefaultClock,
}

struct Policy {
    name: &'static str,
    quota: u32,
    window_seconds: u32,
    limiter: Keyed,
    header: HeaderValue,
}

/// What a request did to its client's budget.
pub(super) enum Budget {
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
        let burst = config
            .requests_per_second
            .saturating_mul(nonzero(BURST_SECONDS));
        (config.rate_limits == Switch::On).then(|| Self {
            auth: Policy::new("auth", config.auth_requests_per_minute, 60),
            general: Policy::new("general", burst, BURST_SECONDS),
            clock: DefaultClock::default(),
        })
    }

    /// `None` for what is never limited.
    pub(super) fn spend(&self, method: &Method, path: &str, client: &Client) -> Option<Budget> {
        let policy = match path.strip_prefix(API) {
            // Others than POST ask for nothing there that could be guessed at.
            Some(path) if path.starts_with("/auth/") && method == Method::POST => &self.auth,
            None if path.starts_with("/health/") || path == "/metrics" => return None,
            _ => &self.general,
        };
        Some(match policy.limiter.check_key(&client.network()) {
            Ok(left) => Budget::Left {
                policy: policy.header.clone(),
                state: policy.state(left.remaining_burst_capacity()),
            },
            Err(until) => Budget::Spent {
                policy: policy.header.clone(),
                state: policy.state(0),
                retry_after: until.wait_time_from(self.clock.now()),
            },
        })
    }

    /// Forgets clients whose budgets are whole again; to be called every few seconds.
    pub fn forget_idle(&self) {
        for policy in [&self.auth, &self.general] {
            policy.limiter.retain_recent();
            policy.limiter.shrink_to_fit();
        }
    }
}

impl Policy {
    /// `quota` requests at once, and as many again in `window_seconds`.
    fn new(name: &'static str, quota: NonZeroU32, window_seconds: u32) -> Self {
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
            limiter: RateLimiter::dashmap(limit).with_middleware(),
            header: header_value(&header),
        }
    }

    /// How many are left, and in how many seconds all will be there again.
    fn state(&self, left: u32) -> HeaderValue {
        let used = u64::from(self.quota.saturating_sub(left));
        let seconds = (used * u64::from(self.window_seconds)).div_ceil(self.quota.into());
        header_value(&format!("\"{}\";r={left};t={seconds}", self.name))
    }
}

impl Budget {
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        let (Self::Left { policy, state } | Self::Spent { policy, state, .. }) = self;
        headers.insert(POLICY, policy.clone());
        headers.insert(STATE, state.clone());
    }
}

fn header_value(text: &str) -> HeaderValue {
    // Quoted names and digits are always a header.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}
