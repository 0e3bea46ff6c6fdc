//! How a sandbox starts.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::clock::Clock;
use super::customer::Customer;
use super::fault::FaultRule;
use super::merchants::Merchants;

#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// Where browsers and merchants find it, if not at the address it listens on.
    pub public_url: Option<String>,
    /// Ids, receipts and chance follow from it.
    pub seed: u64,
    pub clock: Clock,
    /// How many seconds of a provider's waiting pass in one: retries, expiry of prompts, delayed
    /// results. Times of day are the clock's.
    pub speed: NonZeroU32,
    pub customer: Customer,
    pub faults: Vec<FaultRule>,
    pub merchants: Merchants,
    /// How long a merchant has to answer a callback.
    pub callback_deadline: Duration,
    pub http_threads: usize,
}

impl Options {
    /// On a free port of this machine, with the merchants of the demo, and customers played by
    /// hand.
    pub fn new(seed: u64) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            seed,
            clock: Clock::system(),
            speed: NonZeroU32::MIN,
            customer: Customer::by_hand(),
            faults: Vec::new(),
            merchants: Merchants::demo(),
            callback_deadline: Duration::from_secs(30),
            http_threads: 1,
        }
    }
}
