#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod append;
mod subscriptions;
mod units;
mod writer;
