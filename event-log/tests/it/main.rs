#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod append;
mod proxy;
mod reading;
mod subscriptions;
mod units;
mod vault;
mod writer;
