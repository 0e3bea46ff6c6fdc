#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod subscriptions;
mod writer;
