#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cancellation;
mod conditions;
mod contention;
mod faulty;
mod handlers;
mod histories;
mod idempotency;
mod lanes;
mod overload;
mod process_managers;
mod refusals;
mod snapshots;
mod units;
mod views;
mod world;
